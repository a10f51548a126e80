"""What a run traded, what it could not, and what it is held against."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sibt.language import Language
from sibt.report import charts
from sibt.report.page import chart, missing, table
from sibt.report.run.section import MOST, paragraph
from sibt.report.shortfalls import why
from sibt.runs.run import Run

__all__ = ["compared", "filled", "round_trips", "unfilled"]


def compared(run: Run, t: Language) -> str:
    """Return controls, placebos and benchmarks, and where the entry day stands among others."""
    return _others(run, t) + _entry_day(run, t)


def _others(run: Run, t: Language) -> str:
    if run.comparisons.empty:
        return ""
    m, hedged = run.result.metrics, run.hedge is not None
    rows: list[dict[str, Any]] = [{
        "name": t("this run"), "role": "", "net": m["net"], "net_per_tonne": m["net_per_tonne"],
        "hedged": run.hedge.metrics["hedged"] if run.hedge is not None else None,
        "round_trips": m["round_trips"], "note": "",
    }]
    for row in run.comparisons.to_dict("records"):
        absent = str(row["note"]).startswith("not available")
        rows.append({
            **{str(k): v for k, v in row.items()}, "name": t(row["name"]), "role": t(row["role"]),
            "note": t(row["note"]), "round_trips": None if absent else row["round_trips"],
        })
    names = {
        "name": t("held against"), "role": t("role"), "hedged": t("goods + futures"),
        "net": t("futures alone") if hedged else t("net result"),
        "net_per_tonne": t("yuan per tonne"), "round_trips": t("round trips"), "note": t("note"),
    }
    if not hedged:
        del names["hedged"]
    frame = pd.DataFrame(rows)[list(names)]
    if (frame["note"] == "").all():
        del frame["note"]
    frame = frame.rename(columns=names)
    said = [
        t("A control shares the suspected cause, a placebo does not, a benchmark is what the idea"
          " must beat.")
    ]
    if run.excess is not None:
        said.append(t("The run made {excess:+,.1f} yuan per tonne more than the mean of its"
                      " controls.", excess=run.excess))
    signed = tuple(names[k] for k in ("hedged", "net", "net_per_tonne") if k in names)
    return paragraph(t, *said) + table(
        frame, head=True, signed=signed,
        caption=t("Other settings of the same strategy, money in yuan"),
        formats={names["net"]: "+,.2f", names["net_per_tonne"]: "+,.1f",
                 names.get("hedged", ""): "+,.2f"},
    )


def _entry_day(run: Run, t: Language) -> str:
    days, figure = run.few_days, charts.entry_days(run, t)
    if days is None or figure is None or not days["chosen"].any():
        return ""
    rank = int(days.loc[days["chosen"], "rank"].iloc[0])
    words = t(
        "Fewer than three round trips carry no Sharpe ratio nor any other, so none is shown."
        " Instead the entry was moved to every day of its window: the chosen day ranks {rank} of"
        " {count}; the days came to {worst:+,.0f} to {best:+,.0f} yuan, half of them to"
        " {median:+,.0f} or more.",
        rank=rank, count=len(days), worst=float(days["net"].min()), best=float(days["net"].max()),
        median=float(days["net"].median()),
    )
    return paragraph(t, words) + chart(figure, 360, name="entry-days")


def round_trips(run: Run, t: Language) -> str:
    """Return all round trips with their worst and best point."""
    trips = run.result.round_trips
    if trips.empty:
        return missing(t("There was no round trip."))
    spread = len(run.result.job.legs) > 1
    names = {
        "entry": t("entry"), "exit": t("exit"), "units": t("units"),
        "entry_spread": t("spread in") if spread else t("price in"),
        "exit_spread": t("spread out") if spread else t("price out"),
        "gross": t("before fees"), "fees": t("fees"), "net": t("net result"),
        "worst": t("worst point"), "best": t("best point"), "sessions": t("sessions"),
        "rolls": t("rolls"),
    }
    frame = trips.tail(MOST)[list(names)]
    frame["entry"] = frame["entry"].dt.strftime("%Y-%m-%d")
    frame["exit"] = frame["exit"].dt.strftime("%Y-%m-%d").fillna(t("still open"))
    money = ("gross", "net", "worst", "best")
    return _cut(len(trips), "round_trips.csv", t) + table(
        frame.rename(columns=names), head=True, signed=tuple(names[k] for k in money),
        caption=t("Prices in yuan per tonne, money in yuan; worst and best are the net result at"
                  " the settlements inside the trip, and units below zero are short"),
        formats={names[k]: "+,.2f" for k in money} | {
            names["entry_spread"]: ",.2f", names["exit_spread"]: ",.2f", names["fees"]: ",.2f",
            names["units"]: "+,g",
        },
    )


def filled(run: Run, t: Language) -> str:
    """Return all fills as they were booked."""
    fills = run.result.fills
    if fills.empty:
        return missing(t("Nothing was filled."))
    names = {
        "session": t("session"), "leg": t("leg"), "contract": t("contract"), "side": t("side"),
        "offset": t("offset"), "lots": t("lots"), "price": t("fill price"), "fee": t("fees"),
        "reason": t("reason"),
    }
    if (fills["leg"] == fills["contract"]).all():
        del names["leg"]
    frame = fills.tail(MOST)[list(names)].copy()
    frame["side"] = frame["side"].map(t)
    frame["offset"] = frame["offset"].map(_offsets(t))
    frame["reason"] = frame["reason"].map(t)
    return _cut(len(fills), "fills.csv", t) + table(
        frame.rename(columns=names),
        caption=t("Fills in the order they were booked; prices in yuan per tonne, fees in yuan"),
        formats={names["price"]: ",.2f", names["fee"]: ",.2f"},
    )


def unfilled(run: Run, t: Language) -> str:
    """Return the orders that did not fill whole, counted by reason and one by one."""
    table_ = run.result.unfilled
    if table_.empty:
        return paragraph(t, t("Every order was filled whole."))
    words = {reason: why(reason, t) for reason in table_["reason"].unique()}
    missed = (table_["wanted"] - table_["filled"]).abs()
    counted = missed.groupby(table_["reason"]).agg(["size", "sum"]).reset_index()
    counted["reason"] = counted["reason"].map(words)
    counted.columns = pd.Index([t("reason"), t("orders"), t("lots missed")])
    names = {
        "session": t("session"), "leg": t("leg"), "contract": t("contract"),
        "wanted": t("lots wanted"), "filled": t("lots filled"), "reason": t("reason"),
    }
    if (table_["leg"] == table_["contract"]).all():
        del names["leg"]
    frame = table_.tail(MOST)[list(names)].copy()
    frame["reason"] = frame["reason"].map(words)
    signs = {names["wanted"]: "+,d", names["filled"]: "+,d"}
    return (
        paragraph(t, t("What did not fill is tried again in the next session while the wish"
                       " stands."))
        + table(counted, head=True, caption=t("Shortfalls by reason"))
        + _cut(len(table_), "unfilled.csv", t)
        + table(frame.rename(columns=names), formats=signs,
                caption=t("Orders that did not fill whole; lots above zero are bought"))
    )


def _offsets(t: Language) -> dict[str, str]:
    return {"open": t("to open"), "close": t("to close"), "close_today": t("to close today's")}


def _cut(count: int, file: str, t: Language) -> str:
    """Say that a long table shows only its end."""
    if count <= MOST:
        return ""
    return paragraph(t, t("The last {shown} of {count:,} rows; {file} holds them all.", shown=MOST,
                       count=count, file=file))

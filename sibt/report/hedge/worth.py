"""What a hedge was worth: effective prices, risk cut, the old standards' screens, basis, cost."""

from __future__ import annotations

import math

import pandas as pd

from sibt.hedging.effectiveness import Effectiveness
from sibt.hedging.screen import OLD_STANDARD
from sibt.language import Language
from sibt.report import charts
from sibt.report.hedge.words import measure, parts
from sibt.report.page import chart, table
from sibt.report.run.section import paragraph, points
from sibt.runs.desk import Desk
from sibt.runs.run import Run

__all__ = ["basis", "offset", "prices", "risk"]


def prices(run: Run, desk: Desk, t: Language) -> str:
    """Return effective prices against never, always and constantly hedged, and what timing did."""
    found = desk.effectiveness
    words = "" if found.timing is None else paragraph(t, t(found.timing.verdict))
    frame = desk.prices.copy()
    frame["name"] = [t(name) for name in frame["name"]]
    frame.loc[0, "better"] = math.nan
    names = {
        "name": t("program"),
        "price": t("effective cost") if found.outcome.side < 0 else t("effective price"),
        "better": t("this hedge better by"), "futures": t("futures, yuan"),
        "ratio": t("hedged on average"), "variance_reduction": t("variance cut by"),
    }
    money = chart(charts.effective_prices(run, t), 120 + 62 * len(frame), name="effective-prices")
    return words + money + table(
        frame.rename(columns=names), head=True, signed=(names["better"], names["futures"]),
        marks=["note", *[""] * (len(frame) - 1)],
        caption=t("Prices in yuan per tonne: goods sold and left, futures after fees, by the tonne;"
                  " variance over stretches of 20 quotes"),
        formats={names["price"]: ",.2f", names["better"]: "+,.2f", names["futures"]: "+,.2f",
                 names["ratio"]: ".1%", names["variance_reduction"]: ".1%"},
    ) + _cost(desk, t)


def _cost(desk: Desk, t: Language) -> str:
    paid = desk.effectiveness.cost
    sentences = [t(
        "The hedge cost {each:,.2f} yuan per tonne: fees {fees:,.2f}, slippage {slippage:,.2f} and"
        " rolls {rolls:,.2f} yuan.",
        each=paid.per_tonne, fees=paid.fees, slippage=paid.slippage, rolls=paid.rolls,
    )]
    if desk.stack is not None:
        sentences.append(t(
            "The stack came to {price:+,.2f} yuan per tonne beside a strip of the same goods, and"
            " at its worst point it had called for {worst:,.2f} yuan more.",
            price=desk.stack.price, worst=-desk.stack.worst,
        ))
    return paragraph(t, *sentences)


def risk(desk: Desk, t: Language) -> str:
    """Return by how much the measures of risk were cut, over a month and a week."""
    frame = desk.effectiveness.reductions.reset_index()
    few = frame["stretches"] < frame["fewest"]
    thin = frame.loc[few, ["stretch", "stretches"]].drop_duplicates().to_numpy().tolist()
    frame = frame[~few].copy()
    words = [t("Over {length} quotes there are {count} stretches: measures that need more are left"
               " out.", length=length, count=count) for length, count in sorted(thin)]
    if frame.empty:
        return points(words)
    squared = frame["measure"].isin(("variance", "semivariance"))
    for side in ("unhedged", "hedged"):
        frame[side] = frame[side].where(~squared, frame[side] ** 0.5)
    told = [measure(name, t) for name in frame["measure"]]
    frame["measure"] = pd.Series(told, frame.index, dtype=object)
    names = {
        "measure": t("measure of risk"), "stretch": t("over quotes"), "reduction": t("cut by"),
        "low": t("from"), "high": t("to"), "unhedged": t("goods alone"),
        "hedged": t("goods + futures"), "stretches": t("stretches"),
    }
    return table(
        frame[list(names)].rename(columns=names), head=True,
        caption=t("Risk of the results, yuan (of variances the root); the cut with its 95% interval"
                  " by a block bootstrap, below zero where the hedge made it worse"),
        formats={names["unhedged"]: ",.0f", names["hedged"]: ",.0f"}
        | dict.fromkeys((names["reduction"], names["low"], names["high"]), ".1%"),
    ) + points(words)


def offset(run: Run, desk: Desk, t: Language) -> str:
    """Return the dollar offset by month and the regression test, labelled as the old standards'."""
    found = desk.effectiveness
    figure = charts.dollar_offset(run, t)
    frame = found.offsets.reset_index()
    if frame.empty:
        return ""
    frame["month"] = [f"{month}" for month in frame["month"]]
    for name in ("within", "within_to_date"):
        told = [t("unknown") if one is None else t("within") if one else t("outside")
                for one in frame[name]]
        frame[name] = pd.Series(told, dtype=object)
    names = {
        "month": t("month"), "item": t("goods"), "instrument": t("futures before fees"),
        "offset": t("share offset"), "within": t("80–125%"), "item_to_date": t("goods to date"),
        "instrument_to_date": t("futures to date"), "offset_to_date": t("offset to date"),
        "within_to_date": t("80–125% to date"),
    }
    gains = tuple(names[name] for name in ("item", "instrument", "item_to_date",
                                           "instrument_to_date"))
    return (
        paragraph(t, t("The screens of {standard}; CAS 24 (2017) and IFRS 9 have no such line, and"
                       " a hedge is not bound by them.", standard=OLD_STANDARD))
        + ("" if figure is None else chart(figure, 380, name="dollar-offset"))
        + table(
            frame[list(names)].rename(columns=names), head=True, signed=gains,
            caption=t("Changes by month, yuan, and what share of the goods' the futures offset"),
            formats=dict.fromkeys(gains, "+,.0f")
            | {names["offset"]: ".1%", names["offset_to_date"]: ".1%"},
        )
        + _regression(found, t)
    )


def _regression(found: Effectiveness, t: Language) -> str:
    line = found.regression
    if line is None:
        return ""
    sentence = t(
        "Regression test, 旧CAS24 (2006): futures on goods over {count} stretches of 20 quotes have"
        " slope {slope:.2f} ({low:.2f} to {high:.2f} at 95%), R² {r2:.2f}, t {t:.2f} (p {tp:.3f})"
        " and F {f:.2f} (p {fp:.3f}).",
        count=line.observations, slope=line.slope, low=line.low, high=line.high, r2=line.r2,
        t=line.t, tp=line.t_chance, f=line.f, fp=line.f_chance,
    )
    verdict = (t("It passes: slope within −1.25 to −0.80, R² of 0.80 or more.") if line.passes else
               t("It does not pass: slope within −1.25 to −0.80 and R² of 0.80 or more are asked."))
    return paragraph(t, sentence, verdict)


def basis(desk: Desk, t: Language) -> str:
    """Return the result in parts that add up to it, from the first price to the effective one."""
    found = desk.effectiveness
    end, told = found.outcome, parts(t)
    kept = found.basis.parts[found.basis.parts["yuan"] != 0]
    rows: list[list[object]] = [[t("goods as they came"), None, end.start]]
    rows += [[told[str(name)], row["yuan"], row["per_tonne"]] for name, row in kept.iterrows()]
    rows.append([t("effective price") if end.side > 0 else t("effective cost"), None, end.price])
    names = [t("part of the price"), t("yuan"), t("yuan/t")]
    frame = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[1:], float))
    return (
        table(frame, head=True, signed=(names[1],),
              formats={names[1]: "+,.2f", names[2]: ",.2f"},
              marks=["note", *[""] * (len(rows) - 2), "note"],
              caption=t("What each part added; all lines of yuan per tonne make the last"))
        + points(t(note) for note in found.unknown)
    )

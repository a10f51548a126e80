"""What a run came to, in words and figures; whose prices; which sentence it comes from."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pandas as pd
from markupsafe import escape

from sibt.language import Language
from sibt.report.run.section import minus, paragraph
from sibt.runs.run import Run

__all__ = ["figures", "idea", "provenance", "verdict"]


def verdict(run: Run, t: Language) -> str:
    """Return the verdict in words as HTML; a hedge's goods and futures come first."""
    m = run.result.metrics
    said = []
    if run.looks_ahead:
        said.append(t("The strategy looks ahead, so none of this could have been earned."))
    cash = None if run.desk is None else run.desk.cash
    if cash is not None and not cash.borne:
        said.append(t(cash.verdict))
    if run.result.bust is not None:
        said.append(t("The account was bust on {day:%Y-%m-%d}; the run ends there.",
                      day=run.result.bust))
    if run.hedge is not None:
        h = run.hedge.metrics
        said.append(
            t("Goods and futures together {verb} {money:,.2f} yuan ({share} on {tonnes:,.0f} t of"
              " goods); the goods alone {other} {alone:,.2f}.",
              verb=_verb(h["hedged"], t), money=abs(h["hedged"]),
              share=_per_tonne(h["hedged_per_tonne"], t), tonnes=h["tonnes"],
              other=_verb(h["physical"], t), alone=abs(h["physical"]))
        )
    if m["net_per_tonne"] is None:
        said.append(t("No position was held, so nothing was gained or lost."))
        return paragraph(t, *said, of="verdict")
    units = _units(run)
    values = {
        "verb": _verb(m["net"], t), "money": abs(m["net"]),
        "tonne": _per_tonne(m["net_per_tonne"], t), "unit": m["net"] / units, "units": units,
    }
    if run.hedge is None:
        said.append(
            t("The run {verb} {money:,.2f} yuan net: {tonne}, and {unit:+,.2f} yuan for each of"
              " the {units:,g} units of its largest position.", **values)
        )
        said.append(_drawdown(run, t))
    else:
        said.append(
            t("The futures alone {verb} {money:,.2f} yuan net: {tonne}, and {unit:+,.2f} yuan for"
              " each of the {units:,g} units of their largest position.", **values)
        )
        said.append(_drawdown_hedged(run, t))
    said.append(
        t("Margin reached {exchange:,.2f} yuan at the exchange's rates and {broker:,.2f} at a"
          " broker's five points more.",
          exchange=m["peak_margin_exchange"], broker=m["peak_margin_broker"])
    )
    said.append(_calls(run, t))
    return paragraph(t, *said, of="verdict")


def _verb(money: float, t: Language) -> str:
    return t("lost") if money < 0 else t("gained")


def _per_tonne(value: float | None, t: Language) -> str:
    if value is None:
        return t("yuan per tonne unknown")
    return t("{value:+,.1f} yuan per tonne", value=value)


def _units(run: Run) -> float:
    """Return the units of the largest position, counted on the first leg."""
    lots = np.abs(run.result.booked["positions"][:, 0, :].sum(axis=1)).max(initial=0)
    return float(lots) / abs(int(run.result.job.ratio[0]))


def _drawdown(run: Run, t: Language) -> str:
    m = run.result.metrics
    return t(
        "The largest drawdown was {share:.2%} of the index, {money:,.2f} yuan from the top; the"
        " worst day {day:+,.2f} yuan on {on}.",
        share=abs(m["max_drawdown"]), money=abs(m["max_drawdown_yuan"]), day=m["worst_day"],
        on=m["worst_day_on"],
    )


def _drawdown_hedged(run: Run, t: Language) -> str:
    assert run.hedge is not None
    h, m = run.hedge.metrics, run.result.metrics
    if h["max_drawdown_hedged"] is None or h["max_drawdown_unhedged"] is None:
        return _drawdown(run, t)
    return t(
        "The largest drawdown of goods and futures was {hedged:.2%}, of the goods alone"
        " {alone:.2%}; of the futures account {share:.2%}, {money:,.2f} yuan from the top.",
        hedged=abs(h["max_drawdown_hedged"]), alone=abs(h["max_drawdown_unhedged"]),
        share=abs(m["max_drawdown"]), money=abs(m["max_drawdown_yuan"]),
    )


def _calls(run: Run, t: Language) -> str:
    m = run.result.metrics
    if not m["margin_calls"]:
        return t("There was no margin call.")
    if m["margin_calls"] == 1:
        return t("There was one margin call, of {largest:,.2f} yuan.", largest=m["largest_call"])
    return t("There were {count} margin calls, the largest of {largest:,.2f} yuan.",
             count=m["margin_calls"], largest=m["largest_call"])


def figures(run: Run, t: Language) -> str:
    """Return the figures of the run as an HTML list of name, value and what goes with it."""
    rows = [*_hedged(run, t), *_money(run, t), *_ratios(run, t), *_risk(run, t)]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(minus(value))}"
        + (f" <small>{escape(minus(more))}</small>" if more else "") + "</dd></div>\n"
        for name, value, more in rows
    )
    return f'<dl class="figures">\n{cells}</dl>\n'


Rows = list[tuple[str, str, str]]


def _yuan(value: float | None, t: Language, form: str = ",.2f") -> str:
    if value is None or pd.isna(value):
        return t("unknown")
    # Nothing is neither a gain nor a loss.
    return t("{value} yuan", value=format(value, form if value else form.lstrip("+")))


def _hedged(run: Run, t: Language) -> Rows:
    if run.hedge is None:
        return []
    h = run.hedge.metrics
    over = t("over {count} stretches of 20 sessions; {ratio:.1%} hedged on average",
             count=h["variance_stretches"], ratio=h["average_ratio"])
    cut = h["variance_reduction"]
    rows = [
        (t("goods + futures"), _yuan(h["hedged"], t, "+,.2f"),
         _per_tonne(h["hedged_per_tonne"], t)),
        (t("goods alone"), _yuan(h["physical"], t, "+,.2f"),
         _per_tonne(h["unhedged_per_tonne"], t)),
        (t("variance cut by"), t("unknown") if cut is None else f"{cut:.1%}", over),
    ]
    if h["unknown_spot"]:
        rows.append((t("spot unknown"), t("{count} sessions", count=h["unknown_spot"]),
                     t("with goods and no quote")))
    return rows


def _money(run: Run, t: Language) -> Rows:
    m = run.result.metrics
    name = t("net result") if run.hedge is None else t("futures alone")
    rows = [(name, _yuan(m["net"], t, "+,.2f"), "")]
    if m["net_per_tonne"] is not None:
        units = _units(run)
        rows = [
            (name, _yuan(m["net"], t, "+,.2f"), _per_tonne(m["net_per_tonne"], t)),
            (t("per unit"), _yuan(m["net"] / units, t, "+,.2f"),
             t("of {units:,g} units at the most", units=units)),
        ]
    rows += [
        (t("fees"), _yuan(m["fees"], t),
         t("{money:,.2f} at a broker's 2×", money=m["fees_at_broker"])),
        (t("slippage"), _yuan(m["slippage"], t), ""),
    ]
    open_ = t("; {count} still open", count=m["open_trips"]) if m["open_trips"] else ""
    rows.append((t("round trips"), f"{m['round_trips']:,}",
                 t("{count} won", count=m["won"]) + open_ if m["round_trips"] else ""))
    if run.excess is not None:
        rows.append((t("excess over the controls"), _per_tonne(run.excess, t), ""))
    return rows


def _ratios(run: Run, t: Language) -> Rows:
    m = run.result.metrics
    if m["sharpe"] is None:
        why = (t("its returns do not vary") if run.result.known else
               t("fewer than three round trips"))
        rows = [(t("Sharpe ratio"), t("none"), why)]
    else:
        rows = [(t("Sharpe ratio"), f"{m['sharpe']:.2f}",
                 t("a year of 242 sessions, over {count}", count=m["sessions"]))]
        if m["sortino"] is not None:
            rows.append((t("Sortino ratio"), f"{m['sortino']:.2f}", ""))
        if m["volatility"] is not None:
            rows.append((t("volatility"), f"{m['volatility']:.2%}", t("a year")))
    days = run.few_days
    if days is not None and days["chosen"].any():
        rank = int(days.loc[days["chosen"], "rank"].iloc[0])
        rows.append((t("entry day"), t("rank {rank} of {count}", rank=rank, count=len(days)),
                     t("1 is the best day")))
    return rows


def _risk(run: Run, t: Language) -> Rows:
    m = run.result.metrics
    rows = [
        (t("largest drawdown"), f"{m['max_drawdown']:.2%}", _yuan(m["max_drawdown_yuan"], t)),
        (t("worst day"), _yuan(m["worst_day"], t, "+,.2f"),
         t("on {day}", day=m["worst_day_on"]) if m["worst_day"] else ""),
        (t("lowest equity"), _yuan(m["worst_equity"], t), t("without what was paid in")
         if m["deposits"] else ""),
        (t("peak margin, exchange"), _yuan(m["peak_margin_exchange"], t), _other(
            m["peak_margin_exchange"], m["peak_margin_exchange_open_reading"], t)),
        (t("peak margin, broker"), _yuan(m["peak_margin_broker"], t), _other(
            m["peak_margin_broker"], m["peak_margin_broker_open_reading"], t)),
        (t("margin calls"), f"{m['margin_calls']:,}",
         t("largest {largest:,.2f} yuan", largest=m["largest_call"]) if m["margin_calls"] else ""),
        *([(t("paid in"), _yuan(m["deposits"], t), "")] if m["deposits"] else []),
        (t("unfilled orders"), f"{m['unfilled_orders']:,}", ""),
    ]
    if "naked" in run.result.statement:
        naked = run.result.statement["naked"]
        rows.append((t("naked legs"), t("{count} sessions", count=int((naked > 0).sum())),
                     t("at most {lots} lots", lots=int(naked.max()))))
    rows.append((t("two books"), t("differ by {money:.2f} yuan", money=run.result.reconcile()),
                 t("at the most, in {count} sessions", count=len(run.result.statement))))
    return rows


def _other(own: float, other: float, t: Language) -> str:
    if own == other:
        return ""
    return t("{money:,.2f} under the notices' other reading", money=other)


def provenance(run: Run, t: Language) -> str:
    """Return whose prices these are, from when to when, and their hash, as HTML."""
    market, made = run.market, run.market.provenance
    values = {
        "source": made.source, "first": market.sessions[0], "last": market.sessions[-1],
        "digest": market.digest,
    }
    if made.simulated:
        said = t("SIMULATED prices from {source}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, sha256"
                 " {digest}: they say nothing about the real market.", **values)
    else:
        said = t("Prices from {source}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, sha256 {digest}.",
                 **values)
    more = []
    if made.settle_from != "settle":
        more.append(t("The {price} stands in for the exchange's settlement price.",
                      price=t(made.settle_from)))
    return paragraph(t, said, *more, of="provenance simulated-data" if made.simulated else
                     "provenance")


def idea(run: Run, t: Language) -> str:
    """Return the report's sentence, where it stands, and the day it became known, as HTML."""
    report = run.strategy.source(run.params)
    parts = []
    if report is None:
        parts.append(paragraph(t, t("The strategy names no report.")))
    else:
        words = (report.publisher, t(report.date), report.place)
        place = " · ".join(word for word in words if word)
        parts.append(
            f'<figure class="quote"><blockquote lang="zh">{escape(report.quote)}</blockquote>\n'
            f'<figcaption><cite lang="zh">{escape(report.title)}</cite> · {escape(place)}'
            "</figcaption></figure>\n"
        )
    parts.append(paragraph(t, _known(run, t)))
    if report is not None and report.leaves_open:
        listed = reduce(lambda one, other: t("{one}, {other}", one=one, other=other),
                        map(t, report.leaves_open))
        parts.append(paragraph(t, t("What the report leaves open the parameters decide: {listed}.",
                                    listed=listed)))
    return "".join(parts)


def _known(run: Run, t: Language) -> str:
    known = run.strategy.known_from(run.params)
    if known is None:
        return t("The strategy names no day on which its idea became known, so nothing in the"
                 " charts parts history from test.")
    day = pd.Timestamp(known)
    if day < run.market.sessions[0]:
        return t("Known from {day:%Y-%m-%d}, before the first session of these data: all of the"
                 " run is the test.", day=day)
    if day > run.market.sessions[-1]:
        return t("Known from {day:%Y-%m-%d}, after the last session of these data: all of them are"
                 " history, and nothing could be traded.", day=day)
    return t("Known from {day:%Y-%m-%d}, the dashed line in every chart over time: what lies before"
             " it is history, what lies after it is the test. Nothing fills before the session"
             " after it.", day=day)

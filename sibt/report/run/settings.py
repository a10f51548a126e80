"""What a run was made with: parameters, account, execution, terms, code and versions."""

from __future__ import annotations

import hashlib
import math
import platform
from importlib import metadata
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from sibt import __version__
from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.language import Language
from sibt.market.findings import SEVERITIES, Finding
from sibt.report.page import table
from sibt.report.run.section import MOST, paragraph, points
from sibt.runs.run import Run
from sibt.runs.save import tables

__all__ = ["files", "findings", "notes", "parameters", "settings"]

_LIBRARIES = ("numpy", "pandas", "numba", "vectorbt", "quantstats", "plotly")


def parameters(run: Run, t: Language) -> str:
    """Return the strategy's parameters: value, default, unit and meaning."""
    declared = run.strategy.declared()
    rows, marks = [], []
    for name, value in run.params.items():
        param = declared[name]
        default = param.read(name, param.default)
        # A choice such as a year is a name, not a number.
        own, plain = (str(one) if param.structural else _text(one, t) for one in (value, default))
        marks.append("" if own == plain else "note")
        rows.append({
            t("parameter"): name, t("value"): own, t("default"): plain,
            t("measured in"): t(param.unit) if param.unit else None,
            t("what it does"): t(param.meaning),
        })
    if not rows:
        return paragraph(t, t("The strategy has no parameters."))
    return table(pd.DataFrame(rows, dtype=object), head=True, marks=marks,
                 caption=t("Parameters; a bar marks what differs from the default"))


def settings(run: Run, t: Language) -> str:
    """Return account, execution, replaced terms, window, strategy file and versions."""
    job = run.result.job
    plain = {**vars(Account()), "kind": run.strategy.kind, **vars(Execution())}
    meant = _meanings(t)
    rows, marks = [], []
    for name, value in {**vars(job.account), **vars(job.execution)}.items():
        marks.append("" if value == plain[name] else "note")
        rows.append([name, _text(value, t), _text(plain[name], t), meant[name]])
    for name, value in job.replaced.items():
        marks.append("note")
        rows.append([name, _text(value, t), t("dated rows"), t("term put in place of the dated"
                                                               " rows of the product")])
    for name, value, meaning in (
        ("from", run.window[0], t("first session that may fill")),
        ("to", run.window[1], t("last session of the run")),
    ):
        marks.append("" if value is None else "note")
        rows.append([name, _text(value, t), _text(None, t), meaning])
    names = [t("setting"), t("value"), t("default"), t("what it does")]
    return table(
        pd.DataFrame(rows, columns=names, dtype=object), head=True, marks=marks,
        caption=t("Settings of the account, of execution and of the window"),
    ) + _made(run, t)


def _meanings(t: Language) -> dict[str, str]:
    return {
        "capital": t("opening equity, yuan"),
        "kind": t("a natural person leaves before the delivery month, a company on the last"
                  " trading day; a hedger pays hedging margins"),
        "broker_margin": t("what the broker adds to the exchange's margin rate, a share"),
        "fee_markup": t("the broker's multiple of the exchange's fees"),
        "spread_relief": t("margin of the cheaper leg waived for calendar spreads"),
        "on_call": t("what answers a margin call: lots are closed, or money is paid in"),
        "fill": t("price of the session after the decision at which orders fill"),
        "slippage": t("ticks against the trader on every fill but resting limits"),
        "participation": t("largest share of a session's volume in one contract"),
        "pairing": t("legs fill together in whole units, or each by itself"),
        "cross_standard": t("a leg may roll from one delivery standard into the next"),
        "at_expiry": t("what a company does with lots it still wishes for on the last trading day"),
        "delivery_unit": t("lots in a delivery unit; only whole ones are delivered"),
    }


def _made(run: Run, t: Language) -> str:
    """Return the strategy's file and the versions it was run with."""
    code = run.path.read_bytes() if run.path.is_file() else b""
    rows = [
        (t("strategy"), run.path.name if code else run.name),
        (t("sha256 of its file"), hashlib.sha256(code).hexdigest() if code else t("unknown")),
        (t("sha256 of the data"), run.market.digest),
        ("sibt", __version__),
        ("Python", platform.python_version()),
        *((name, metadata.version(name)) for name in _LIBRARIES),
    ]
    return table(pd.DataFrame(rows, columns=[t("made with"), t("version or hash")], dtype=object),
                 head=True, caption=t("Code, data and versions"))


def _text(value: Any, t: Language) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return t("none")
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    if isinstance(value, pd.Series):
        steps = ", ".join(f"{day:%Y-%m-%d} {step:g}" for day, step in value.items())
        return t("by day: {steps}", steps=steps)
    if isinstance(value, (int, float)):
        return f"{value:,.10g}"
    return str(value)


def notes(run: Run, t: Language) -> str:
    """Return warnings and notes that are no diagnosis: what the figures leave out or rest on."""
    said = [t(sentence) for sentence in run.warnings]
    return points(said) or paragraph(t, t("There is nothing to warn of."))


def findings(run: Run, t: Language) -> str:
    """Return what the checks found in the contracts traded, and how much elsewhere."""
    own = [one for one in run.findings if one.concerns(run.result.job.contracts)]
    others = len(run.findings) - len(own)
    parts = []
    if own:
        names = [t("severity"), t("check"), t("where"), t("count"), t("what was found")]
        shown = own[:MOST]
        frame = pd.DataFrame([_found(one, t) for one in shown], columns=names, dtype=object)
        marks = ["" if one.severity == "evidence" else one.severity for one in shown]
        parts.append(table(frame, marks=marks, caption=t("Findings in the contracts of this run")))
    else:
        parts.append(paragraph(t, t("The checks found nothing in the contracts of this run.")))
    if others:
        counted = [(name, sum(one.severity == name for one in run.findings if one not in own))
                   for name in SEVERITIES]
        listed = ", ".join(f"{t(name)} {count:,}" for name, count in counted if count)
        parts.append(paragraph(
            t,
            t("{count:,} more elsewhere in these data ({listed}): sibt data check shows them all.",
              count=others, listed=listed)
        ))
    return "".join(parts)


def _found(one: Finding, t: Language) -> list[Any]:
    where = escape(one.subject)
    if one.sessions:
        where += Markup("<br><small>") + escape(one.sessions) + Markup("</small>")
    what = escape(t(one.what))
    if one.cure:
        what += Markup("<br><small>→ ") + escape(t(one.cure)) + Markup("</small>")
    return [t(one.severity), t(one.check), where, one.count, what]


def files(run: Run, t: Language) -> str:
    """Return links to what lies beside the page."""
    listed = [
        ("tearsheet.html", t("tear sheet of daily returns, by quantstats")),
        ("metrics.json", t("all figures")),
        ("manifest.json", t("how the run was made, and with what")),
    ]
    if run.path.is_file():
        listed.append(("strategy.py", t("the strategy as it was run")))
    listed += [
        (f"{name}.csv", t("{count:,} rows", count=len(frame)))
        for name, frame in tables(run).items()
    ]
    rows = "".join(
        f'<li><a href="{escape(name)}">{escape(name)}</a> <span class="soft">{escape(words)}'
        "</span></li>\n"
        for name, words in listed
    )
    return f'<ul class="plain files">\n{rows}</ul>\n'

"""What tells skill from luck, as a reader takes it in: the verdict first, then why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

from sibt.report.page import missing, table
from sibt.report.sweep.drawing import histogram
from sibt.report.sweep.outcome import metric_name, shown, text_of

__all__ = ["evidence_part", "few_part", "figure_of", "verdict"]

_METHODS = {
    "bonferroni": "Bonferroni",
    "independent": "Šidák",
    "holm": "Holm",
    "bhy": "Benjamini–Hochberg–Yekutieli",
}

#: Formulas and where they come from; ratios inside are a session's, kurtosis is 3 for a normal.
_SOURCES = (
    ("trials 试验次数", ("every set ever booked on these data; effective N = ρ + (1 − ρ) N, ρ the"
     " mean correlation of the sets' daily returns"),
     "Bailey and López de Prado (2014), Journal of Portfolio Management 40(5), 94"),
    ("probabilistic Sharpe ratio 概率夏普比率",
     "PSR = Φ((SR − SR*) √(T − 1) / √(1 − γ₃ SR + (γ₄ − 1)/4 SR²)), SR* = 0",
     "Bailey and López de Prado (2012), Journal of Risk 15(2), 3"),
    ("deflated Sharpe ratio 紧缩夏普比率",
     "DSR = PSR at SR* = sd(SR) [(1 − γ) Z(1 − 1/N) + γ Z(1 − 1/(N e))], γ = 0.5772",
     "Bailey and López de Prado (2014), Journal of Portfolio Management 40(5), 94"),
    ("minimum backtest length 最短回测长度", "years ≈ (E[max of N] / SR)²",
     "Bailey, Borwein, López de Prado and Zhu (2014), Notices of the AMS 61(5), 458"),
    ("probability of backtest overfitting 过拟合概率",
     ("CSCV: 16 blocks, all 12,870 halves; ω the rank out of sample of the best in sample;"
     " PBO = P(ln(ω / (1 − ω)) ≤ 0)"),
     "Bailey, Borwein, López de Prado and Zhu (2017), Journal of Computational Finance 20(4), 39"),
    ("reality check 现实检验", "V = max √T d̄; p = P(V* ≥ V), V* over stationary bootstraps",
     "White (2000), Econometrica 68, 1097; Politis and Romano (1994), JASA 89, 1303"),
    ("haircut Sharpe ratio 打折夏普比率", ("t = SR √years; p allowed for all tests;"
     " SR′ = Z(1 − p′/2) / √years"),
     "Harvey and Liu (2015), Journal of Portfolio Management 42(1), 13"),
    ("plateau 参数平台", ("median over the neighbours one step away in any number ÷ the best;"
     " share of them with at least 70 % of it"), "Pardo (2008)"),
    ("cost stress 成本压力", "the best set again at 0, 1, 2 and 3 ticks of slippage a fill", ""),
)


def figure_of(value: float | None, form: str = ".2f") -> str:
    """Return a figure as text; "unknown" where it is none."""
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = format(value, form)
    # What rounds to nothing has no sign.
    return text.lstrip("-") if not text.strip("-0.%") else text.replace("-", "−")


def verdict(evidence: Mapping[str, Any]) -> str:
    """Return the verdict line, large and first."""
    luck = evidence.get("luck")
    if evidence.get("looks_ahead"):
        style = "luck"
        said = "No figure here could have been earned. 含未来函数，以下结果均不成立。"
    elif luck is None and evidence.get("sharpe") is not None:
        style = ""
        said = "These tests are of what was earned, not of risk. 检验针对盈利，不针对风险。"
    elif luck is None:
        style = ""
        said = "Too few round trips to infer anything from ratios. 交易次数太少，不作夏普推断。"
    elif luck:
        style, said = "luck", "Nothing here can be told from luck. 与运气无法区分。"
    else:
        style = "skill"
        said = "Told from luck by all three tests, on these data. 在这些数据上可与运气区分。"
    sentence = str(evidence["verdict"])
    return (
        f'<p class="verdict {style}" role="status">{escape(sentence[:1].upper() + sentence[1:])}.'
        f"<small>{escape(said)}</small></p>\n"
    )


def few_part(evidence: Mapping[str, Any]) -> str:
    """Return other years, control and placebo pairs and the entry day; "" with many trips."""
    few = evidence.get("few")
    if few is None:
        return ""
    parts = [
        ("<h2>Instead of a ratio 事件证据: other years, other pairs, other days</h2>\n"
        "<p>Where the best set or most sets have fewer than three round trips there is no Sharpe"
        " inference. What speaks is whether the same trade did as well where its cause was there"
        " too (control 对照), how it did where the cause was not (placebo 安慰剂), and whether"
        " another day of entry would have done as well.</p>\n")
    ]
    rows = sorted(
        few.get("comparisons") or [],
        key=lambda row: {"control": 0, "placebo": 1}.get(str(row["role"]), 2),
    )
    best = evidence["best"]
    if rows:
        cells = [{"what": "the chosen set 选定", "role": "", **_compared(best)}]
        cells += [{"what": row["name"], "role": row["role"], **_compared(row)} for row in rows]
        frame = pd.DataFrame(cells, dtype=object).dropna(axis="columns", how="all")
        marks = ["note", *("" for _ in rows)]
        parts.append(table(frame, caption="Held against 对照: other years, pairs or programs",
                           formats={c: ",.2f" for c in frame.columns if "yuan" in c},
                           marks=marks, head=True))  # fmt: skip
    else:
        note = few.get("note") or "the strategy names no control or placebo of its own"
        parts.append(missing(f"No other years or pairs to compare with: {note}."))
    entry = few.get("entry_day")
    if entry is None:
        parts.append(missing("The day of entry cannot be ranked: the position has no single day"
                             " of entry that could be moved."))  # fmt: skip
    else:
        share = entry["rank"] / entry["of"]
        parts.append(
            f"<p><b>Entry day 入场日 rank {entry['rank']} of {entry['of']}</b>: {share:.0%} of the"
            " possible days did as well or better. Entered on any of them and left on the same"
            f" day, the trade came to {_yuan(entry['worst'])} to {_yuan(entry['best'])} yuan,"
            f" median {_yuan(entry['median'])}.</p>\n"
        )
    return "".join(parts)


def _compared(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "goods + futures yuan 现货加期货 元": row.get("hedged"),
        "net yuan 净损益 元": row.get("net"),
        "yuan/t 元/吨": row.get("net_per_tonne"),
        "round trips 回合": row.get("round_trips"),
        "note": row.get("note") or None,
    }


def _yuan(value: float | None) -> str:
    return figure_of(value, "+,.0f")


def evidence_part(evidence: Mapping[str, Any]) -> str:
    """Return every figure that bears on luck, each with how to read it."""
    parts = ["<h2>Evidence 证据</h2>\n", _trials(evidence["trials"])]
    if evidence.get("sharpe") is None:
        parts.append(missing("No Sharpe ratio, no deflation, no PBO, no reality check: where the"
                             " best set or most sets have fewer than three round trips they"
                             " would mean nothing."))  # fmt: skip
    else:
        parts += [_sharpe(evidence), _haircut(evidence["sharpe"]["haircut"])]
        parts += [_overfit(evidence.get("overfit")), _reality(evidence.get("reality_check"))]
    parts += [_plateau(evidence), _stress(evidence)]
    sources = pd.DataFrame(_SOURCES, columns=["what", "formula 公式", "source 出处"])
    parts.append("<details><summary>Formulas and sources 公式与出处</summary>"
                 + table(sources, head=True) + "</details>\n")  # fmt: skip
    return "".join(parts)


def _rows(rows: list[tuple[str, str, str]], caption: str) -> str:
    frame = pd.DataFrame(rows, columns=["figure", "value", "how to read it"], dtype=object)
    return f'<div class="facts">{table(frame, caption=caption, head=True)}</div>\n'


def _trials(trials: Mapping[str, Any]) -> str:
    return _rows(
        [
            ("in this sweep 本次", f"{trials['sweep']:,}", "sets that were booked"),
            ("ever on these data 累计", f"{trials['ever']:,}",
             f"with {trials['before']:,} of earlier runs and sweeps; every look counts"),
            ("effective 有效", figure_of(trials["effective"], ",.1f"),
             ("as many independent ones would count the same; mean correlation of daily returns"
             f" {figure_of(trials['correlation'])}")),
        ],
        "Trials 试验次数",
    )  # fmt: skip


def _sharpe(evidence: Mapping[str, Any]) -> str:
    ratio, trials = evidence["sharpe"], evidence["trials"]
    need, have = ratio["minimum_backtest_years"], ratio["years"]
    enough = "long enough" if need <= have else "too short"
    sure = "at least 0.95 is asked for"
    return _rows(
        [
            ("Sharpe ratio 夏普比率", figure_of(ratio["best"]),
             (f"of the chosen set, a year; daily skewness {figure_of(ratio['skewness'])}, kurtosis"
             f" {figure_of(ratio['kurtosis'])}")),
            ("luck alone 纯运气", figure_of(ratio["expected_maximum"]),
             (f"expected of the best of {trials['sweep']:,} sets were none any good, their ratios"
             f" spread by {figure_of(ratio['spread'])}")),
            ("probabilistic 概率夏普", figure_of(ratio["probabilistic"]),
             "chance that the true ratio is above zero, had only this one set been tried"),
            (f"deflated 紧缩夏普, N = {trials['sweep']:,}", figure_of(ratio["deflated"]),
             f"the same, allowed for the sets of this sweep; {sure}"),
            (f"deflated, effective N = {figure_of(trials['effective'], ',.1f')}",
             figure_of(ratio["deflated_effective"]), "allowed for as many independent sets"),
            (f"deflated, ever N = {trials['ever']:,}", figure_of(ratio["deflated_ever"]),
             f"allowed for every set ever tried on these data: the one that counts; {sure}"),
            ("minimum backtest 最短回测", f"{figure_of(need)} years",
             (f"below so many years the best of {trials['ever']:,} worthless sets looks as good;"
             f" there are {figure_of(have)}: {enough}")),
            ("trials these data bear", f"{ratio['most_trials_for_a_sharpe_of_one']:,}",
             (f"with more, {figure_of(have)} years of noise are expected to show a Sharpe ratio of"
             " one")),
        ],
        "Sharpe ratio and how much of it is search 夏普比率",
    )  # fmt: skip


def _haircut(cut: Mapping[str, Any]) -> str:
    rows = [
        {
            "allowed for by": _METHODS.get(name, name),
            "p-value": cut["p_allowed"][name],
            "Sharpe ratio left 剩余夏普": cut["sharpe"][name],
            "lost 折扣": cut["lost"][name],
        }
        for name in cut["p_allowed"]
    ]
    single = {"allowed for by": "a single test 单次检验", "p-value": cut["p"],
              "Sharpe ratio left 剩余夏普": None, "lost 折扣": None}  # fmt: skip
    formats = {"p-value": ".3f", "Sharpe ratio left 剩余夏普": ".2f", "lost 折扣": ".0%"}
    return table(pd.DataFrame([single, *rows]), formats=formats, head=True,
                 caption=f"Haircut Sharpe ratio 打折夏普比率 of the highest ratio,"
                         f" {cut['tests']:,} tests")  # fmt: skip


def _overfit(overfit: Mapping[str, Any] | None) -> str:
    head = "<h3>Probability of backtest overfitting 过拟合概率 (PBO)</h3>\n"
    if overfit is None or overfit["pbo"] is None or math.isnan(overfit["pbo"]):
        return head + missing("It needs at least two sets that differ and 16 sessions.")
    of = f"{overfit['sets']:,} of {overfit['of']:,} sets"
    drawn = f" A random sample stands in: {of}." if overfit["sampled"] else f" Over {of}."
    said = (
        f"PBO {overfit['pbo']:.2f}: in {overfit['pbo']:.0%} of {overfit['splits']:,} ways to split"
        " the sessions in half, the set that was best in one half is no better than the median in"
        f" the other; 0.5 is what noise gives. It loses there in {overfit['loss']:.0%}."
        f"{drawn} Out of sample its Sharpe ratio changes by {figure_of(overfit['slope'])} for each"
        " 1 in sample."
    )
    logits = overfit["logits"]
    edges, counts = np.array(logits["edges"], dtype=float), np.array(logits["counts"])
    filled = np.flatnonzero(counts)
    if not len(filled):
        return head + f"<p>{escape(said)}</p>\n"
    # Empty ends are cut, but both sides of zero stay in sight.
    first = min(int(filled[0]), int(np.searchsorted(edges, -3)))
    last = max(int(filled[-1]) + 1, int(np.searchsorted(edges, 3)))
    # A histogram puts an exact zero to the right of it; for PBO it counts as overfit.
    level = round(overfit["pbo"] * overfit["splits"]) - int(counts[edges[1:] <= 1e-9].sum())
    if level > 0:
        said += (
            f" Of these, {level:,} splits come to exactly the median; they stand in the bar just"
            " right of zero."
        )
    picture = histogram(
        edges[first : last + 1], counts[first:last].astype(np.int64),
        f"Logits of the rank out of sample 样本外秩对数比: at or below zero is overfit, PBO"
        f" {overfit['pbo']:.2f}",
        "ln(ω / (1 − ω)): below 0 worse than the median 低于中位数",
        marks=[(0.0, "median of all sets 中位数", "zero")],
        write=lambda value: figure_of(value, ".1f"), what="splits",
    )  # fmt: skip
    return f'{head}<p>{escape(said)}</p>\n<div class="wide">{picture}</div>\n'


def _reality(found: Mapping[str, Any] | None) -> str:
    head = "<h3>Reality check 现实检验</h3>\n"
    if found is None or found["p"] is None or math.isnan(found["p"]):
        return head + missing("No set has daily returns that vary.")
    return head + (
        f"<p>p = {found['p']:.3f}: were no set better than {escape(found['benchmark'])}, the best"
        f" mean of {found['sets']:,} would look this good in {found['p']:.1%} of"
        f" {found['replications']:,} stationary bootstraps (blocks of {found['block']:g} sessions"
        " on average); below 0.05 is asked for.</p>\n"
    )


def _plateau(evidence: Mapping[str, Any]) -> str:
    head = "<h3>Plateau 参数平台</h3>\n"
    found, metric = evidence.get("plateau"), str(evidence["metric"])
    if found is None or not found["axes"]:
        return head + missing("No number was swept: the best set has no neighbourhood.")
    write = partial(shown, metric)
    rows = [
        ("the best set 最优", write(found["value"]), metric_name(metric)),
        ("median of its neighbourhood 邻域中位数", write(found["median"]),
         (f"it and its {len(found['neighbours']):,} neighbours, one step away in"
         f" {', '.join(found['axes'])}")),
        ("keeps 保留", figure_of(found["keeps"], ".0%"),
         "the median as a share of the best"
         + ("; unknown as the best is" if found["value"] is None else
            "" if found["value"] > 0 else "; unknown because the best is not above zero")),
        ("plateau score 平台得分", figure_of(found["holding"], ".0%"),
         "share of the neighbours with at least 70 % of the best"),
    ]  # fmt: skip
    gone = [
        f"{found[name]:,} {word}"
        for name, word in (("edge", "beyond the grid"), ("refused", "refused"),
                           ("absent", "not looked at")) if found[name]
    ]  # fmt: skip
    if gone:
        rows.append(("neighbours missing 缺失", ", ".join(gone),
                     "a best set at the edge may go on beyond it" if found["edge"] else ""))
    return head + _rows(rows, f"Neighbourhood of the best set, {metric_name(metric)}")


def _stress(evidence: Mapping[str, Any]) -> str:
    head = "<h3>Cost stress 成本压力</h3>\n"
    found = evidence.get("cost_stress")
    if found is None:
        return head + missing("It was not made.")
    frame = pd.DataFrame(
        [
            {"slippage, ticks 滑点 跳": row["ticks"], "net yuan 净损益 元": row["net"],
             "Sharpe ratio 夏普": row["sharpe"]}
            for row in found["rows"]
        ]
    )  # fmt: skip
    if evidence.get("sharpe") is None or frame["Sharpe ratio 夏普"].isna().all():
        frame = frame.drop(columns="Sharpe ratio 夏普")
    even = found["break_even_ticks"]
    if even is None:
        said = f"It breaks even beyond {found['looked_up_to']} ticks 盈亏平衡滑点."
    elif even == 0:
        said = "It does not pay for its fees even without slippage 零滑点亦亏损."
    else:
        said = f"It breaks even at {even:.1f} ticks 盈亏平衡滑点."
    marks = ["wrong" if row["net"] <= 0 else "" for row in found["rows"]]
    return head + f"<p>{escape(said)}</p>\n" + table(
        frame, formats={"Sharpe ratio 夏普": ".2f", "net yuan 净损益 元": "+,.2f"}, marks=marks,
        caption="The futures of the chosen set at slippage against every fill",
    )  # fmt: skip


def trips_text(count: float) -> str:
    """Return so many round trips, in words."""
    return f"{int(count):,} round trip{'' if int(count) == 1 else 's'} 回合"


def parameters_text(evidence: Mapping[str, Any], names: list[str]) -> Markup:
    """Return the chosen set's swept parameters."""
    values = evidence["best"]["parameters"]
    return Markup(", ").join(
        Markup("<b>{}</b> = {}").format(name, text_of(values[name])) for name in names
    )

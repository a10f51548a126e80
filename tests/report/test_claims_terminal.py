"""What the terminal says of scored reports, and the words it shares with the page."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.console import Console

from sibt.language import BOTH, EN, ZH, said
from sibt.report.claims.needed import needed
from sibt.report.claims.words import (
    base,
    by_claim,
    counted,
    figure,
    figures,
    known,
    luck,
    reading,
    settings,
    verdicts,
)
from sibt.report.claims_terminal import show_claims
from sibt.research.claims.report import publication, publications, read
from sibt.research.claims.score import Scored, score
from sibt.research.claims.verdict import VERDICTS, BaseRate, Figure, Missing
from sibt.sources import load_market


@pytest.fixture(scope="module")
def market():
    return load_market("sample")


@pytest.fixture(scope="module")
def desk(market, tmp_path_factory):
    """The starter of `sibt claims new`, scored on the sample."""
    from sibt.cli.claims.new import _STARTER

    path = tmp_path_factory.mktemp("desk") / "desk.toml"
    path.write_text(_STARTER.replace("NAME", "desk"), "utf-8")
    return score(read(path), market)


def printed(scored, t=EN, *, width=None, terminal=False, whole=False) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, highlight=False)
    show_claims(scored, Path("results/claims"), console, t, whole=whole)
    return out.getvalue()


def flat(*given, **how) -> str:
    return " ".join(printed(*given, **how).split())


def claim(scored, name):
    """Return the scores of one claim."""
    return [row for row in scored.rows if row.claim.id == name]


def only(scored, *rows) -> Scored:
    return Scored(scored.report, scored.market, tuple(rows), scored.standard_end)


def told(row, **change):
    """Return a score that says nothing but what is given."""
    empty = {"verdict": "running", "why": None, "figures": {}, "base": None, "decided_on": None,
             "missing": ()}
    return replace(row, **{**empty, **change})


# -- The table --------------------------------------------------------------------------------


def test_every_claim_its_readings_and_verdicts_are_printed(desk):
    text = flat([desk], width=250, terminal=True)
    for row in desk.rows:
        assert row.claim.id in text
        assert str(row.claim.says) in text
        assert verdicts(EN)[row.verdict] in text
        if row.verdict != "untestable":
            assert reading(row, EN) in text


def test_a_row_holds_verdict_day_figure_and_base_rate(desk):
    row = claim(desk, "support")[1]
    assert row.verdict == "wrong"
    [line] = [line for line in printed([desk], width=200, terminal=False).splitlines()
              if line.split()[:2] == ["60", "sessions"]]
    assert f"✗ wrong {row.decided_on:%Y-%m-%d}" in line
    assert figures(row, EN)[0] in line
    assert f"{row.base.share:.0%} of {row.base.windows} days, worth {row.base.independent}" in line


def test_it_says_who_when_and_that_prices_are_made_up(desk):
    text = flat([desk])
    assert "SIMULATED desk Industrial silicon: weekly view Our desk, 2024-05-14, printed" in text
    assert "results/claims/index.html" in text
    assert "results/claims/claims.csv" in text


def test_an_inferred_day_says_how(market):
    report = publication("guolian_2024q1")
    text = known(score(report, market.asof("2023-01-10")), EN)
    assert text == f"2024-03-29, inferred: {report.date_how}"


def test_a_claim_that_cannot_be_tested_is_one_row_with_all_it_lacks(desk):
    row = claim(desk, "range")[0]
    parts = [told(row, verdict="untestable", missing=(Missing(f"series {n}", said("bring it")),))
             for n in "ab"]
    lines = printed([only(desk, *parts)]).splitlines()
    assert [line for line in lines if "not yet testable" in line and "range" in line]
    assert sum("lacks series a, series b" in line for line in lines) == 1
    assert not [line for line in lines if "20 sessions" in line]


def test_both_readings_of_a_contradiction_stand_side_by_side(desk):
    assert "11500-12500 | 11300-12500" in flat([desk])


def test_in_chinese_nothing_is_left_in_english(desk):
    text = flat([desk], ZH, width=250)
    for row in desk.rows:
        assert row.claim.quote in text
        assert str(row.claim.says) not in text
    for word in ("sessions", "until", "wrong", "lacks", "days", "claims,", "yuan", "lots"):
        assert word not in text


@pytest.mark.parametrize("width", [100, 72, 48])
@pytest.mark.parametrize("t", [EN, ZH])
def test_tables_fit_the_terminal(desk, width, t):
    lines = printed([desk], t, width=width, terminal=False).splitlines()
    wide = printed([desk], t, width=width, terminal=True).splitlines()
    assert len(lines) < len(wide)  # a pipe has room, a terminal has its width
    plain = [pd.Series([line]).str.replace(r"\x1b\[[\d;]*m", "", regex=True)[0] for line in wide]
    over = [line for line in plain if cell_len(line) > width]
    # Only sentences that a terminal wraps by itself are longer.
    assert all(line[:1] not in " ─" for line in over)
    assert len(over) <= 8
    for row in desk.rows:
        first = str(t(row.claim.says))[:3]
        assert first in "".join(plain)


def test_colours_are_for_terminals_only(desk):
    assert "\x1b[" in printed([desk], terminal=True, width=100)
    assert "\x1b[" not in printed([desk])


def test_brackets_of_a_report_are_text(desk):
    row = claim(desk, "vague")[0]
    odd = replace(row.claim, id="[red]", says=said("[bold]up[/] to 12,500"))
    assert "[bold]up[/] to 12,500" in flat([only(desk, replace(row, claim=odd))])


# -- What they share with the page ------------------------------------------------------------


def test_every_verdict_has_a_sign_of_its_own_in_both_languages():
    for t in (EN, ZH):
        words = verdicts(t)
        assert set(words) == set(VERDICTS)
        assert len({word[0] for word in words.values()}) == len(VERDICTS)
    assert verdicts(EN)["right"][0] == verdicts(ZH)["right"][0]


@pytest.mark.parametrize(
    ("value", "unit", "english", "chinese"),
    [
        (11655.0, "yuan/t", "11,655 yuan/t", "11,655 元/吨"),
        (0.4437, "share", "44.4%", "44.4%"),
        (-0.036, "share", "-3.6%", "-3.6%"),
        (229200, "lots", "229,200 lots", "229,200 手"),
        (20, "sessions", "20 sessions", "20 个交易日"),
        (44.5, "yuan/dozen", "44.5 yuan/dozen", "44.5 yuan/dozen"),
        (0, "", "0", "0"),
        (pd.Timestamp("2024-04-18"), "", "2024-04-18", "2024-04-18"),
        ("si2410", "", "si2410", "si2410"),
        (said("unknown"), "", "unknown", "未知"),
        (None, "yuan/t", "–", "–"),
        (float("nan"), "share", "–", "–"),
        (pd.NaT, "", "–", "–"),
    ],
)
def test_a_figure_has_its_unit_and_what_is_unknown_is_a_dash(value, unit, english, chinese):
    assert figure(value, unit, EN) == english
    assert figure(value, unit, ZH) == chinese


def test_figures_are_named_in_their_order(desk):
    row = told(desk.rows[0], figures={"lowest price": Figure(1.0, "yuan/t"), "close": Figure(None)})
    assert figures(row, EN) == ["lowest price 1 yuan/t", "close –"]


def test_a_reading_is_told_with_its_horizon(desk):
    ranged, vague = claim(desk, "range")[0], claim(desk, "vague")[0]
    assert reading(ranged, EN) == "closes, 20 sessions"
    assert reading(ranged, ZH) == "收盘价，20 个交易日"
    assert reading(claim(desk, "support")[0], EN) == "20 sessions"
    assert reading(vague, EN) == ""


def test_settings_are_told_as_the_file_has_them(desk):
    told = settings(claim(desk, "curve")[0].reading.settings)
    assert told.startswith("near si2407 / si2408, far si2410, sign backwardation")
    assert settings(claim(desk, "range")[0].reading.settings) == \
        "low 11500, high 12500, price close, on dominant"
    assert "parts of series social_stock, sign up, within 0.05" in \
        settings(claim(desk, "stock")[0].reading.settings)


def test_a_base_rate_without_a_window_is_none(desk):
    row = desk.rows[0]
    assert base(told(row, base=BaseRate(1, 4, 2)), EN) == "25% of 4 days"
    assert base(told(row, base=BaseRate(0, 0, 0)), EN) == ""
    assert base(told(row), EN) == ""


def test_scores_are_kept_by_claim_and_counted_by_verdict(desk):
    groups = by_claim(desk.rows)
    assert [rows[0].claim.id for rows in groups] == [one.id for one in desk.report.claims]
    assert [row for rows in groups for row in rows] == list(desk.rows)
    counts = {name: count for name, _, count in counted(desk.rows, EN)}
    assert counts == pd.Series([row.verdict for row in desk.rows]).value_counts().to_dict()


def test_luck_is_the_mean_base_rate_of_the_decided_scores(desk):
    row = desk.rows[0]
    rows = [
        told(row, verdict="right", base=BaseRate(1, 4, 1)),
        told(row, verdict="wrong", base=BaseRate(3, 4, 1)),
        told(row, verdict="wrong", base=BaseRate(2, 4, 1)),
        told(row, verdict="running", base=BaseRate(4, 4, 1)),  # not decided
        told(row, verdict="right"),  # nothing to hold it against
        told(row, verdict="right", base=BaseRate(0, 0, 0)),
    ]
    assert luck(rows, EN).startswith(
        "Of 3 decided scores that have a base rate 1 came right, 33%; the same sentences said on"
        " any other day would have been right 50% of the time."
    )
    assert luck(rows[3:], EN) == ""
    assert luck(rows, BOTH) != luck(rows, EN)


# -- What is missing --------------------------------------------------------------------------


def test_data_that_opens_most_claims_stands_first(desk):
    a, b, c = (Missing(name, said("bring it")) for name in ("series social_stock", "b", "c"))
    first, second, third = (claim(desk, name)[0] for name in ("range", "support", "curve"))
    rows = [
        told(first, verdict="untestable", missing=(a, b)),
        told(first, verdict="untestable", missing=(b,)),
        told(second, verdict="untestable", missing=(b, c)),
        told(third, verdict="untestable", missing=(b,)),
        told(third, verdict="untestable", missing=(b,)),
    ]
    found = needed([only(desk, *rows)])
    assert [(one.what, len(one.claims), one.alone) for one in found] == [
        ("b", 3, 2), ("c", 1, 0), ("series social_stock", 1, 0)]
    assert found[0].claims == (("desk", "range"), ("desk", "support"), ("desk", "curve"))
    assert found[0].series is None
    assert found[2].series.unit == "10 kt"


def test_claims_of_two_reports_with_one_id_are_two(desk):
    row = told(desk.rows[0], verdict="untestable", missing=(Missing("b", said("bring it")),))
    other = Scored(replace(desk.report, id="other"), desk.market, (row,), None)
    [need] = needed([only(desk, row), other])
    assert need.claims == (("desk", "range"), ("other", "range"))
    assert need.alone == 2


def test_a_long_list_of_what_is_missing_is_cut_and_says_so(desk):
    rows = [told(desk.rows[0], verdict="untestable",
                 missing=(Missing(f"bars {n:02}", said("Buy some.")),)) for n in range(20)]
    text = flat([only(desk, *rows)])
    assert "5 more on the page" in text
    assert text.count("Buy some.") == 15
    assert "series.csv lies beside the bars" not in text
    assert "series.csv lies beside the bars: name,date,published_on,value,unit" in flat([desk])


def test_nothing_missing_is_not_told_of(desk):
    text = flat([only(desk, *claim(desk, "range"))])
    assert "Data that would" not in text


@pytest.mark.parametrize("name", publications())
def test_shipped_reports_are_printed_in_both_languages(market, name):
    scored = score(publication(name), market.asof("2024-06-28"))
    for t in (EN, ZH):
        text = printed([scored], t, whole=True)
        assert all(one.id in text for one in scored.report.claims)
        assert all(one.id in text for one in scored.report.inconsistencies)


@pytest.mark.parametrize("name", publications())
@pytest.mark.parametrize("t", [EN, ZH])
def test_a_long_report_is_printed_in_brief_and_counts_what_it_leaves_out(market, name, t):
    scored = score(publication(name), market.asof("2024-06-28"))
    lines = printed([scored], t).splitlines()
    assert 3 * len(lines) < len(printed([scored], t, whole=True).splitlines())
    groups = by_claim(scored.rows)
    told = [rows for rows in groups
            if {row.verdict for row in rows} & {"right", "wrong", "running"}]
    first = [line.split()[0] for line in lines if line.split()]
    for rows in groups:
        assert (rows[0].claim.id in first) == (rows in told)
    [rest] = [line for line in lines if line.startswith((f"{len(groups) - len(told)} more",
                                                         f"其余 {len(groups) - len(told)} 条"))]
    assert sum(map(int, re.findall(r"\d+", rest)[1:])) == len(groups) - len(told)
    assert all(one.id in "".join(lines) for one in scored.report.inconsistencies)
    assert "--all" in "".join(lines)


def test_in_brief_a_line_has_first_and_last_day_and_the_lowest_and_highest_base_rate(market):
    scored = score(publication("guolian_2024q1"), market)
    rows = claim(scored, "L1")
    [line] = [line for line in printed([scored]).splitlines() if line.startswith("L1 ")]
    days = [row.decided_on for row in rows if row.decided_on is not None]
    shares = [row.base.share for row in rows if row.base is not None]
    assert f"{min(days):%Y-%m-%d}..{max(days):%Y-%m-%d}" in line
    assert f"{min(shares):.0%}..{max(shares):.0%}" in line
    for name, words, count in counted(rows, EN):
        assert f"{words} {count}" in line, name

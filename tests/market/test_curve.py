import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sibt.errors import DataError, SettingError, TermsError
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import FIELDS, Market

GOLDEN = Path(__file__).parents[1] / "golden"
CLOSE = "close"


def golden(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return case


def panel(
    start: str,
    fields: dict[str, dict[str, list[float | None]]],
    *,
    spot: dict[str, list[float | None]] | None = None,
    mapping: list[str | None] | None = None,
) -> Market:
    """A market from ``{code: {field: values by session}}``; what is not said is unknown."""
    length = max(len(values) for one in fields.values() for values in one.values())
    days = calendar.sessions()
    first = days.searchsorted(pd.Timestamp(start))
    sessions = days[first : first + length]
    planes = {
        name: np.array(
            [
                [np.nan if v is None else v for v in one.get(name, [None] * length)]
                for one in fields.values()
            ],
            dtype=float,
        ).T.copy()
        for name in FIELDS
    }
    return Market(
        sessions=sessions,
        contracts=tuple(fields),
        spot=pd.DataFrame(spot or {}, index=sessions, dtype=float),
        receipts=pd.Series(np.nan, index=sessions),
        dominant_map=None if mapping is None else pd.Series(mapping, index=sessions, dtype=object),
        **planes,
    )


def bars(close: list[float | None], interest: list[float | None]) -> dict[str, list[float | None]]:
    return {"close": close, "open_interest": interest, "volume": interest}


def flat(*interest: float | None) -> dict[str, list[float | None]]:
    return bars([12000.0] * len(interest), list(interest))


# -- dominant --------------------------------------------------------------------------------


def test_the_largest_open_interest_leads_and_never_gives_back_to_an_earlier_month():
    market = panel(
        "2024-01-08",
        {"si2403": flat(9, 4, 9, 9), "si2404": flat(1, 5, 5, 5), "si2405": flat(0, 0, 0, 6)},
    )
    assert list(market.dominant()) == ["si2403", "si2404", "si2404", "si2405"]


def test_volume_speaks_where_no_open_interest_is_known_then_the_mapping_then_nothing():
    unknown = [None, None, None, None]
    market = panel(
        "2024-01-08",
        {
            "si2403": {
                "close": [1.0] * 4,
                "open_interest": [9, None, None, None],
                "volume": [1, 2, None, None],
            },
            "si2404": {"close": [1.0] * 4, "open_interest": unknown, "volume": [99, 3, None, None]},
            "si2405": {"close": [1.0] * 4},
        },
        mapping=["si2405", "si2405", "si2405", None],
    )
    assert list(market.dominant()) == ["si2403", "si2404", "si2405", None]


def test_the_lead_is_remembered_through_a_session_in_which_nothing_is_known():
    market = panel("2024-01-08", {"si2403": flat(4, None, 9), "si2404": flat(5, None, 5)})
    assert list(market.dominant()) == ["si2404", None, "si2404"]


def test_evidence_for_earlier_months_alone_leaves_the_lead_where_it_is_if_it_has_a_bar():
    market = panel(
        "2024-01-08",
        {"si2403": flat(4, 9, 9), "si2404": bars([1.0, 1.0, None], [5, None, None])},
    )
    assert list(market.dominant()) == ["si2404", "si2404", None]
    market = panel(
        "2024-01-08",
        {"si2403": flat(4, None), "si2404": flat(5, None)},
        mapping=[None, "si2403"],
    )
    assert list(market.dominant()) == ["si2404", "si2404"]


def two_standards() -> Market:
    return panel(
        "2024-10-30",
        {
            "si2411": bars([9800.0, 9790.0, None], [9, 4, None]),
            "si2412": bars([12600.0, 12700.0, 12650.0], [5, 20, 30]),
        },
    )


def test_the_lead_keeps_to_the_first_standard_unless_asked_otherwise():
    market = two_standards()
    assert list(market.dominant()) == ["si2411", "si2411", None]
    assert list(market.dominant(standard="2024")) == ["si2412"] * 3
    assert list(market.dominant(cross_standard=True)) == ["si2411", "si2412", "si2412"]


def test_a_standard_or_product_that_is_not_there_is_named():
    market = two_standards()
    with pytest.raises(DataError, match="known are 2022, 2024"):
        market.dominant(standard="2023")
    with pytest.raises(DataError, match="no contract of product 'lc'"):
        market.dominant("lc")
    with pytest.raises(SettingError, match="give one of the two"):
        market.dominant(standard="2022", cross_standard=True)
    with pytest.raises(TermsError):
        market.dominant("xx")


def test_contracts_of_another_product_have_no_say():
    market = panel("2024-01-08", {"lc2403": flat(999), "si2403": flat(5)})
    assert list(market.dominant()) == ["si2403"]
    assert list(market.dominant("lc")) == ["lc2403"]


# -- weighted --------------------------------------------------------------------------------


def test_the_index_weighs_prices_by_open_interest():
    market = panel(
        "2024-01-08",
        {
            "si2403": bars([12000.0, 12000.0, 12000.0, None], [30, None, None, 7]),
            "si2404": bars([13000.0, 13000.0, 13000.0, 13000.0], [10, 10, None, 0]),
        },
    )
    index = market.weighted()
    assert list(index[:2]) == [12250.0, 13000.0]
    assert index[2:].isna().all()
    assert index.attrs["unknown_open_interest"] == 1


def test_the_index_keeps_to_one_standard():
    market = two_standards()
    assert market.weighted().iloc[0] == 9800.0
    both = market.weighted(cross_standard=True).iloc[0]
    assert both == pytest.approx((9800 * 9 + 12600 * 5) / 14)


# -- near ------------------------------------------------------------------------------------


def test_a_natural_person_moves_on_in_time_to_be_out_in_the_last_session_before_delivery():
    # By 2024-03-29, the last session of March, si2404 must be gone; what is decided on the
    # 28th fills there. A company may keep it until its last trading day, 2024-04-16.
    one = [1.0] * 15
    market = panel("2024-03-27", {"si2404": {"close": one}, "si2405": {"close": one}})
    person, company = market.near(), market.near("company")
    assert list(person[:2]) == ["si2404", "si2405"]
    assert company["2024-04-12"] == "si2404"
    assert company["2024-04-15"] == "si2405"
    assert list(market.near("hedger")) == list(company)


def test_a_contract_without_a_bar_is_passed_over():
    market = panel(
        "2024-01-08", {"si2403": {"close": [None, 1.0]}, "si2404": {"close": [1.0, 1.0]}}
    )
    assert list(market.near()) == ["si2404", "si2403"]


def test_a_contract_is_not_near_before_it_is_listed():
    market = panel("2024-04-16", {"si2412": {"close": [14000.0, 14000.0]}})
    assert list(market.near()) == [None, "si2412"]  # listed on 2024-04-17


def test_no_contract_is_near_where_none_has_a_bar_and_kinds_are_checked():
    market = two_standards()
    assert list(market.near("company")) == ["si2411", "si2411", None]
    assert list(market.near()) == [None, None, None]  # out by 2024-10-31
    with pytest.raises(SettingError, match="Did you mean 'individual'"):
        market.near("indivdual")


# -- spread ----------------------------------------------------------------------------------


def golden_pair() -> tuple[Market, dict[str, Any]]:
    case = golden("g10_async_illiquid_far_leg")
    given_ = case["inputs"]
    market = panel(
        "2024-01-08",
        {
            "si2403": {"close": given_["near_close"], "volume": given_["near_volume"]},
            "si2404": {"close": given_["far_close"], "volume": given_["far_volume"]},
        },
    )
    return market, case["expected"]


def test_a_spread_counts_only_where_both_legs_traded():  # g10
    market, expected = golden_pair()
    spread = market.spread("si2403", "si2404")
    days = [n + 1 for n, known in enumerate(spread.notna()) if known]
    assert days == expected["valid_days"]
    assert list(-spread.dropna()) == expected["spread_valid"]  # the case states far − near
    assert spread.attrs["unknown_volume"] == 0


def test_an_unknown_volume_beside_a_price_counts_and_is_counted():
    market = panel(
        "2024-01-08",
        {
            "si2403": {"close": [10.0, 11.0, None], "volume": [None, 50, None]},
            "si2404": {"close": [4.0, 6.0, 1.0], "volume": [50, 50, None]},
        },
    )
    spread = market.spread("si2403", "si2404")
    assert list(spread[:2]) == [6.0, 5.0]
    assert np.isnan(spread.iloc[2])
    assert spread.attrs["unknown_volume"] == 1


def test_no_floor_takes_every_session_with_both_prices():
    market, _ = golden_pair()
    assert list(market.spread("si2403", "si2404", min_volume=0).notna()) == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]


def test_a_spread_over_two_standards_needs_the_flag():
    market = two_standards()
    with pytest.raises(DataError, match="cross_standard=True"):
        market.spread("si2411", "si2412", min_volume=1)
    spread = market.spread("si2411", "si2412", min_volume=1, cross_standard=True)
    assert list(spread[:2]) == [-2800.0, -2910.0]


def test_legs_the_wrong_way_round_and_misspelt_prices_are_named():
    market, _ = golden_pair()
    with pytest.raises(DataError, match="name the earlier contract first"):
        market.spread("si2404", "si2403")
    with pytest.raises(DataError, match="Did you mean 'settle'"):
        market.spread("si2403", "si2404", "settel")
    with pytest.raises(DataError, match="no bars of contract 'si2405'"):
        market.spread("si2403", "si2405")


# -- continuous ------------------------------------------------------------------------------


def golden_roll() -> tuple[Market, pd.Series, dict[str, Any]]:
    case = golden("g05_roll")
    given_, days = case["inputs"], ["D0", "D1", "D2", "D3"]
    market = panel(
        "2024-05-13",
        {
            "si2406": {"settle": [given_["near_settle"].get(d) for d in days]},
            "si2408": {"settle": [given_["far_settle"].get(d) for d in days]},
        },
    )
    decided = pd.Series(["si2406", "si2408", "si2408", "si2408"], index=market.sessions)
    return market, decided, case["expected"]


def test_back_adjustment_by_the_difference_before_the_roll():  # g05
    market, decided, expected = golden_roll()
    series = market.continuous(decided, "settle")
    assert list(series) == list(expected["back_adjusted_difference_series"].values())
    assert series.attrs["adjusted"] == "difference"
    lots = -20 * 5
    pnl = lots * (series.iloc[3] - series.iloc[0])
    assert pnl == float(expected["pnl_on_back_adjusted_from_D0_settle"])


def test_the_splice_without_adjustment_shows_what_nobody_earned():  # g05
    market, decided, expected = golden_roll()
    series = market.continuous(decided, "settle", adjust=None)
    assert "adjusted" not in series.attrs
    pnl = -100 * (series.iloc[3] - series.iloc[0])
    assert pnl == float(expected["unadjusted_series_pnl_from_D0_settle"])


def test_back_adjustment_by_the_ratio_keeps_returns():
    market, decided, _ = golden_roll()
    series = market.continuous(decided, "settle", adjust="ratio")
    assert series.iloc[0] == pytest.approx(12080 * 12235 / 12000)
    assert series.iloc[1] == pytest.approx(12235)
    assert list(series[2:]) == [12130, 12050]


def test_the_gap_is_read_in_the_last_session_on_the_old_contract_that_knows_both():
    market = panel(
        "2024-05-13",
        {"si2406": {"close": [10.0, 12.0, None]}, "si2407": {"close": [15.0, None, 20.0]}},
    )
    decided = pd.Series(["si2406", "si2407", "si2407"], index=market.sessions)
    assert list(market.continuous(decided)) == [15.0, 17.0, 20.0]
    late = pd.Series(["si2406", "si2406", "si2407"], index=market.sessions)
    assert np.isnan(market.continuous(late).iloc[2])  # si2406 is held and unknown


def test_a_roll_between_contracts_that_never_met_cannot_be_adjusted():
    market = panel(
        "2024-05-13",
        {"si2406": {"close": [10.0, None, None]}, "si2407": {"close": [None, 15.0, 16.0]}},
    )
    decided = pd.Series(["si2406", "si2407", "si2407"], index=market.sessions)
    with pytest.raises(DataError, match="si2406 to si2407"):
        market.continuous(decided)
    raw = market.continuous(decided, adjust=None)
    assert raw.iloc[0] == 10.0
    assert raw.iloc[2] == 16.0


def test_a_roll_into_another_standard_needs_the_flag():
    market = two_standards()
    decided = market.dominant(cross_standard=True)
    with pytest.raises(DataError, match="cross_standard=True"):
        market.continuous(decided)
    series = market.continuous(decided, cross_standard=True)
    assert list(series) == [9790 + 2910 + 10, 12700.0, 12650.0]


def test_nothing_is_held_where_nothing_was_decided():
    market = panel("2024-05-13", {"si2406": {"close": [10.0, 11.0, 12.0, 13.0]}})
    decided = pd.Series([None, "si2406", None, None], index=market.sessions, dtype=object)
    series = market.continuous(decided)
    assert list(series.isna()) == [True, False, False, True]
    with pytest.raises(DataError, match="no session of this market"):
        market.continuous(pd.Series(["si2406"], index=[pd.Timestamp("2024-05-11")]))
    with pytest.raises(SettingError):
        market.continuous(decided, adjust="panama")  # type: ignore[arg-type]


def test_levels_move_with_a_new_roll_and_differences_do_not():
    market, decided, _ = golden_roll()
    before = market.asof(market.sessions[1]).continuous(decided, "settle")
    after = market.continuous(decided, "settle")
    assert list(before) == [12080, 12000]
    assert list(before.diff().dropna()) == list(after.diff()[1:2])
    ratio = market.asof(market.sessions[1]).continuous(decided, "settle", adjust="ratio")
    whole = market.continuous(decided, "settle", adjust="ratio")
    assert ratio.pct_change().iloc[1] == pytest.approx(whole.pct_change().iloc[1])


def test_raw_prices_reach_the_goal_and_back_adjusted_ones_never_do():  # g19
    case = golden("g19_levels_and_causality")
    raw = list(case["inputs"]["raw_near_close"].values())
    gap = case["inputs"]["roll_gap_far_minus_near_at_D4"]
    market = panel(
        "2024-05-13",
        {
            "si2406": {"close": [*raw, None]},
            "si2408": {"close": [None, None, None, raw[3] + gap, 11800]},
        },
    )
    decided = pd.Series(["si2406"] * 3 + ["si2408"] * 2, index=market.sessions)
    level = case["inputs"]["tp_level"]
    unadjusted = market.continuous(decided, adjust=None)
    assert f"D{int(np.argmax(unadjusted <= level)) + 1}" == case["expected"]["tp_trigger_raw"]
    adjusted = market.continuous(decided)
    assert list(adjusted[:4]) == case["expected"]["back_adjusted"]
    assert not (adjusted <= level).any()


# -- basis -----------------------------------------------------------------------------------


def spot_market() -> Market:
    return panel(
        "2024-10-30",
        {
            "si2411": bars([9800.0, 9790.0, None], [9, 4, None]),
            "si2412": bars([12600.0, 12700.0, 12650.0], [5, 20, 30]),
        },
        spot={
            "421": [12300.0, 12300.0, 12300.0],
            "441": [9000.0, 9000.0, 9000.0],
            "553": [11500.0, None, 11600.0],
        },
    )


def test_each_grade_is_brought_to_the_standard_of_the_sessions_contract():
    table = spot_market().basis(cross_standard=True)
    assert list(table.columns) == ["553", "421", "basis"]
    assert list(table["421"]) == [
        12300 - 2000 - 9800,
        12300 - 800 - 12700,
        12300 - 800 - 12650,
    ]
    assert table["553"].iloc[0] == 11500 - 9800
    assert np.isnan(table["553"].iloc[1])
    assert list(table["basis"]) == [500.0, -1200.0, -1150.0]


def test_the_basis_keeps_to_one_standard_or_to_one_contract():
    market = spot_market()
    assert list(market.basis()["basis"].isna()) == [False, False, True]
    own = market.basis(contract="si2412")["421"]
    assert list(own) == [-1100.0, -1200.0, -1150.0]
    pd.testing.assert_series_equal(market.basis("421", "si2412"), own)


def test_441_is_never_taken_for_a_deliverable_grade():
    market = spot_market()
    with pytest.raises(TermsError, match="Grade '441' cannot be delivered"):
        market.basis("441")
    only = panel("2024-10-30", {"si2412": flat(5)}, spot={"441": [12000.0]})
    with pytest.raises(DataError, match="it has 441"):
        only.basis()
    with pytest.raises(DataError, match="no spot quotes of 553"):
        only.basis("553")


# -- carry -----------------------------------------------------------------------------------


def priced(near: str, far: str, start: str, a: float, b: float) -> Market:
    return panel(start, {near: {"settle": [a, a]}, far: {"settle": [b, None]}})


def test_full_carry_of_thirty_days_at_12000_is_about_89_yuan():
    life = [contract(c).last_delivery for c in ("si2503", "si2504")]
    assert (life[1] - life[0]).days == 30  # type: ignore[operator]
    market = priced("si2503", "si2504", "2025-01-06", 12000.0, 12000.0)
    cost = market.carry("si2503", "si2504")
    by_hand = (12000 * 0.045 * 30 / 365 + 30 + 2 + 2.4) / (1 - 0.13 / 1.13)
    assert cost.iloc[0] == pytest.approx(by_hand, abs=1e-9)
    assert round(cost.iloc[0]) == 89
    assert np.isnan(cost.iloc[1])
    cheap = priced("si2503", "si2504", "2025-01-06", 9000.0, 9000.0)
    assert round(cheap.carry("si2503", "si2504").iloc[0]) == 76


def test_margin_is_financed_until_the_near_delivery():
    market = priced("si2503", "si2504", "2025-01-06", 12000.0, 12100.0)
    plain = market.carry("si2503", "si2504", rate=0.05, fee_markup=2.0)
    with_margin = market.carry("si2503", "si2504", rate=0.05, fee_markup=2.0, margin=0.1)
    days = (contract("si2503").last_delivery - market.sessions[0]).days  # type: ignore[operator]
    extra = 0.1 * 24100 * 0.05 * days / 365 / (1 - 0.13 / 1.13)
    assert (with_margin - plain).iloc[0] == pytest.approx(extra)
    named = market.carry(
        "si2503", "si2504", rate=0.05, fee_markup=2.0, margin=0.1, margin_days=days
    )
    assert named.iloc[0] == pytest.approx(with_margin.iloc[0])
    by_hand = (12000 * 0.05 * 30 / 365 + 32 + 2 * 0.0001 * 24100) / (1 - 0.13 / 1.13)
    assert plain.iloc[0] == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("near", "far", "bound"),
    [
        ("si2311", "si2312", False),
        ("si2312", "si2401", True),
        ("si2310", "si2312", False),
        ("si2308", "si2311", True),
        ("si2309", "si2402", False),
    ],
)
def test_nothing_bounds_a_spread_across_the_cancellation_of_receipts(near, far, bound):
    market = priced(near, far, "2023-06-05", 13000.0, 13100.0)
    cost = market.carry(near, far)
    assert cost.notna().any() == bound
    assert market.carry(near, far, ignore_cancellation=True).notna().any()
    assert ("no_bound" in cost.attrs) != bound


def test_nothing_bounds_a_spread_across_two_standards():
    market = priced("si2411", "si2412", "2024-06-03", 12000.0, 14000.0)
    assert market.carry("si2411", "si2412").isna().all()
    assert market.carry("si2411", "si2412", cross_standard=True).isna().all()
    assert market.carry("si2411", "si2412", ignore_cancellation=True).isna().all()
    both = market.carry("si2411", "si2412", cross_standard=True, ignore_cancellation=True)
    assert both.notna().any()


def test_days_beyond_the_calendar_go_by_the_month():
    last = calendar.sessions()[-1]
    near, far = (f"si{last.year + y - 2000}{m:02d}" for y, m in ((1, 3), (1, 6)))
    market = priced(near, far, str(last.date() - pd.Timedelta(days=30)), 12000.0, 12000.0)
    days = 3 * 365 / 12
    by_hand = (12000 * 0.045 * days / 365 + days + 2 + 2.4) / (1 - 0.13 / 1.13)
    assert market.carry(near, far).iloc[0] == pytest.approx(by_hand)
    assert market.carry(near, far, margin=0.1).isna().all()


def test_costs_of_carrying_must_be_known():
    market = priced("lc2403", "lc2404", "2024-01-08", 100000.0, 100000.0)
    with pytest.raises(TermsError, match=r"\[carry\]"):
        market.carry("lc2403", "lc2404")
    mixed = panel("2024-01-08", {"lc2403": {"settle": [1.0]}, "si2404": {"settle": [1.0]}})
    with pytest.raises(DataError, match="two products"):
        mixed.carry("lc2403", "si2404")


# -- causality -------------------------------------------------------------------------------

CODES = ("si2409", "si2410", "si2411", "si2412", "si2501")
LENGTH = 8


@st.composite
def markets(draw: st.DrawFn) -> Market:
    lots = st.one_of(st.none(), st.integers(0, 30))
    price = st.one_of(st.none(), st.sampled_from([11500.0, 12000.0, 12005.0]))
    column = {
        "close": st.lists(price, min_size=LENGTH, max_size=LENGTH),
        "open_interest": st.lists(lots, min_size=LENGTH, max_size=LENGTH),
        "volume": st.lists(lots, min_size=LENGTH, max_size=LENGTH),
    }
    fields = {code: draw(st.fixed_dictionaries(column)) for code in CODES}
    names = st.lists(st.sampled_from([None, *CODES]), min_size=LENGTH, max_size=LENGTH)
    return panel(
        "2024-08-28",
        fields,
        spot={"553": draw(st.lists(price, min_size=LENGTH, max_size=LENGTH))},
        mapping=draw(st.one_of(st.none(), names)),
    )


def lead_in_plain_words(market: Market, codes: list[str]) -> list[str | None]:
    """The dominant contract again, written to be read."""
    answer: list[str | None] = []
    lead, had = "", 0.0
    for t in range(len(market.sessions)):

        def of(field: str, code: str, t: int = t) -> float:
            value = float(getattr(market, field)[t, market.column(code)])
            return 0.0 if np.isnan(value) else value

        def bar(code: str, t: int = t) -> bool:
            return bool(market.traded()[t, market.column(code)])

        chosen: str | None = None
        field = next((f for f in ("open_interest", "volume") if any(of(f, c) for c in codes)), "")
        if field:
            later = [c for c in codes if c >= lead and of(field, c)]
            chosen = max(later, key=lambda c: (of(field, c), [-ord(x) for x in c])) if later else ""
            unsaid = lead and np.isnan(market.open_interest[t, market.column(lead)])
            if field == "open_interest" and unsaid and bar(lead) and chosen:
                chosen = chosen if of(field, chosen) > had else lead
        elif market.dominant_map is not None and market.dominant_map.iloc[t] in codes:
            named = market.dominant_map.iloc[t]
            chosen = named if named >= lead else ""
        if chosen == "":  # the session speaks for earlier months only
            chosen = lead if of("close", lead) else None
        answer.append(chosen)
        if chosen:
            had = of("open_interest", chosen) or (had if chosen == lead else 0.0)
            lead = chosen
    return answer


@settings(max_examples=150, deadline=None)
@given(markets())
def test_the_dominant_contract_is_what_plain_words_say(market):
    assert list(market.dominant(cross_standard=True)) == lead_in_plain_words(market, [*CODES])
    assert list(market.dominant(standard="2022")) == lead_in_plain_words(market, [*CODES[:3]])


@settings(max_examples=60, deadline=None)
@given(markets(), st.integers(0, LENGTH - 1))
def test_what_stands_at_a_session_was_known_after_its_close(market, cut):
    then = market.asof(market.sessions[cut])
    for result in (
        lambda m: m.dominant(),
        lambda m: m.dominant(cross_standard=True),
        lambda m: m.weighted(),
        lambda m: m.near(),
        lambda m: m.spread("si2409", "si2410"),
        lambda m: m.basis(cross_standard=True)["basis"],
        lambda m: m.carry("si2409", "si2410", price=CLOSE, margin=0.1),
        lambda m: m.continuous(m.dominant(), adjust=None),
    ):
        past, whole = result(then), result(market)
        pd.testing.assert_series_equal(past, whole.iloc[: cut + 1], check_freq=False)


# -- recorded prices -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(shared_market: Path) -> Market:
    table = pd.read_csv(shared_market / "si_contracts_d1.csv").drop(columns="src")
    return Market.from_bars(table, settle_from="close")


def not_traded(market: Market, code: str, day: pd.Timestamp) -> bool:
    at = market.sessions.get_loc(day)
    return not market.traded()[at, market.column(code)]


def test_the_recorded_lead_is_the_recorded_series_without_its_ways_back(real, shared_market):
    recorded = pd.read_csv(shared_market / "SI0_sina_continuous_d1.csv", parse_dates=["date"])
    sure = recorded[recorded["mapping"] == "unique"].set_index("date")["mapped_contract"]
    named = [code for code in sure.reindex(real.sessions) if isinstance(code, str)]
    assert sum(b < a for a, b in pairwise(named)) > 10  # it flips to and fro at its rolls
    found = real.dominant(cross_standard=True).reindex(sure.index).dropna()
    # It names the busiest contract; a later one leads once it is held by more, as far as known.
    lots = recorded.set_index("date")["open_interest"]
    lead, had, expected = "", 0.0, {}
    for day, code in sure.items():
        if code == lead or lots[day] > had or (code > lead and not_traded(real, lead, day)):
            lead, had = (code, lots[day]) if code >= lead else (lead, had)
        expected[day] = lead
    assert len(found) > 800
    assert list(found) == [expected[day] for day in found.index]
    assert found["2024-03-08"] == found["2024-03-29"] == "si2405"  # one busy day of si2406


def test_the_recorded_spread_of_the_standards_change(real):
    spread = real.spread("si2411", "si2412", cross_standard=True)
    assert spread["2024-04-17"] == spread.max() == -2175
    assert spread["2024-10-23"] == spread.min() == -3285
    assert spread["2024-11-14"] == -2380
    assert spread.attrs["unknown_volume"] > 100


def test_the_recorded_carry_of_six_months_is_where_the_report_puts_it(real):
    cost = real.carry("si2404", "si2410", price="close")
    assert 515 < cost["2024-03-29"] < 535
    assert -real.spread("si2404", "si2410")["2024-03-29"] == 420
    assert -real.spread("si2404", "si2410")["2024-04-01"] == 500


def test_the_recorded_near_month_of_a_natural_person_changes_at_each_months_end(real):
    near = real.near(cross_standard=True)
    assert near["2024-03-27"] == "si2404"
    assert near["2024-03-28"] == "si2405"
    assert near.notna().all()

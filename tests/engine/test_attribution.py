"""Where a result comes from: by leg, and a spread's by what moved."""

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import flat, market, simulate
from random_markets import random_case
from test_properties import QUICK, booked, runs

import sibt
from sibt.errors import StrategyError

SPREAD = {"si2408": 1, "si2409": -1}
AT_SETTLEMENT = ("exit date, at settlement", "bust", "delivery")


def fen(values):
    return np.rint(np.asarray(values, dtype=float) * 100).astype(np.int64)


def split(result, session):
    """Return spread move and flat-price residual of one session, yuan."""
    return tuple(result.attribution[["spread_move", "flat_price"]].iloc[session])


class TestSplit:
    def test_what_the_level_makes_of_money_that_is_not_equal_is_flat_price(self):
        # Long 1 near at 14,000, short 1 far at 12,000; the near gains 1 %, the far 2 %.
        panel = market(
            si2408=[14000, flat(14000, settle=14000), flat(14140)],
            si2409=[12000, flat(12000, settle=12000), flat(12240)],
        )
        result = simulate(panel, [1], SPREAD)
        table = result.attribution
        assert table.columns.tolist() == ["si2408", "si2409", "spread_move", "flat_price", "fees"]
        assert table.index.equals(panel.sessions)
        assert table["si2408"].tolist() == [0.0, 0.0, 700.0]
        assert table["si2409"].tolist() == [0.0, 0.0, -1_200.0]
        # Level: (140 + 240) / 26,000; net money 2,000 × 5 t. In fen, rounded once.
        assert split(result, 2) == (-646.15, 146.15)

    def test_prices_that_move_by_the_same_share_leave_no_spread_move(self):
        panel = market(
            si2408=[14000, flat(14000, settle=14700), flat(15435, settle=14700)],
            si2409=[12000, flat(12000, settle=12600), flat(13230, settle=12600)],
        )
        result = simulate(panel, [3, 1], SPREAD)
        assert result.attribution["spread_move"].tolist() == [0.0, 0.0, 0.0]
        assert result.attribution["flat_price"].tolist() == result.statement["mtm"].tolist()
        assert split(result, 1) == (0.0, 1_500.0)

    def test_equal_money_on_both_legs_leaves_no_flat_price(self):
        panel = market(
            si2408=[12000, flat(12000, settle=12600)], si2409=[6000, flat(6000, settle=6100)]
        )
        result = simulate(panel, [2], {"si2408": 1, "si2409": -2})
        assert split(result, 1) == (2 * 5 * 600 - 4 * 5 * 100, 0.0)

    def test_slippage_is_paid_by_the_spread(self):
        panel = market(si2408=[12000, 12000], si2409=[12000, 12000])
        result = simulate(panel, [1], SPREAD, slippage=2, terms={"fee": 1e-4})
        assert split(result, 1) == (-100.0, 0.0)
        assert result.attribution["fees"].tolist() == result.statement["fees"].tolist()

    def test_a_leg_that_rolls_alone_is_held_all_day(self):
        # The near rolls at an open halfway up; the money stays equal, so no level is left over.
        rise = flat(12000) | {"open": 12600, "settle": 13200}
        panel = market(
            si2408=[12000, 12000, rise], si2409=[12000, 12000, rise], si2410=[12000, 12000, rise]
        )
        near = ["si2408", "si2409"]
        result = simulate(panel, [1], {"near": (near, 1), "si2410": -1})
        assert result.fills["reason"].tolist()[-2:] == ["roll", "roll"]
        assert result.attribution[["near", "si2410"]].iloc[2].tolist() == [6_000.0, -6_000.0]
        assert split(result, 2) == (0.0, 0.0)

    def test_a_naked_leg_is_flat_price_alone(self):
        # No bar of the far, so only the near of a legged spread fills.
        panel = market(si2408=[12000, flat(12000, settle=12100), 12200],
                       si2409=[12000, None, None])  # fmt: skip
        result = simulate(panel, [1], SPREAD, pairing="legged")
        assert result.statement["naked"].tolist() == [0, 1, 1]
        assert result.attribution["flat_price"].tolist() == [0.0, 500.0, 500.0]
        assert result.attribution["spread_move"].tolist() == [0.0, 0.0, 0.0]

    def test_products_weigh_by_their_tonnes(self):
        panel = market(
            si2409=[10000, flat(10000, settle=10100)], lc2409=[50000, flat(50000, settle=52000)]
        )
        # One lot of si is 5 t, one of lc 1 t: 50,000 yuan each.
        result = simulate(panel, [1], {"si2409": 1, "lc2409": -1})
        assert result.attribution[["si2409", "lc2409"]].iloc[1].tolist() == [500.0, -2_000.0]
        assert split(result, 1) == (-1_500.0, 0.0)

    def test_what_leaves_at_settlement_was_held_up_to_it(self):
        panel = market(
            si2408=[12000, flat(12000, settle=6000)], si2409=[12000, flat(12000, settle=9000)]
        )
        result = simulate(panel, [10], SPREAD, account={"capital": 130_000})
        assert set(result.fills["reason"]) == {"signal", "bust"}
        assert split(result, 1) == (-150_000.0, 0.0)

    def test_a_session_without_a_bar_moves_nothing(self):
        panel = market(
            si2408=[12000, flat(12000, settle=12300), None], si2409=[9000, 9000, 9090]
        )
        result = simulate(panel, [1], SPREAD)
        # Level: 90 / 21,300; net money 3,300 × 5 t.
        assert result.attribution[["si2408", "si2409"]].iloc[2].tolist() == [0.0, -450.0]
        assert split(result, 2) == (-519.72, 69.72)

    @pytest.mark.parametrize("legs", [{"si2408": 1}, {"si2408": 1, "si2409": 2}])
    def test_legs_of_one_sign_are_no_spread(self, legs):
        panel = market(si2408=[12000, 12000, 12100], si2409=[12000, 12000, 12100])
        table = simulate(panel, [1], legs).attribution
        assert table[["spread_move", "flat_price"]].isna().all(axis=None)
        assert table["si2408"].tolist() == [0.0, 0.0, 500.0]

    def test_a_leg_may_not_be_called_like_a_figure(self):
        panel = market(si2408=[12000, 12000])
        with pytest.raises(StrategyError, match="Leg 'fees' is called like a figure"):
            simulate(panel, [1], {"fees": (["si2408"], 1)})

    @QUICK
    @given(st.integers(2, 50), st.lists(st.integers(2000, 2800), min_size=6, max_size=6))
    def test_more_lots_scale_the_split(self, lots, fifths):
        near, far = [5 * x for x in fifths[:3]], [5 * x for x in fifths[3:]]
        panel = market(
            si2408=[near[0], flat(near[1], settle=near[0]), near[2]],
            si2409=[far[0], flat(far[1], settle=far[0]), far[2]],
        )
        account = {"capital": 1e9}
        one = simulate(panel, [1], SPREAD, account=account).attribution
        many = simulate(panel, [lots], SPREAD, account=account).attribution
        short = simulate(panel, [-1], SPREAD, account=account).attribution
        assert (fen(many[["si2408", "si2409"]]) == lots * fen(one[["si2408", "si2409"]])).all()
        off = fen(many[["spread_move", "flat_price"]]) - lots * fen(
            one[["spread_move", "flat_price"]]
        )
        # Each is rounded once, so the small one may be half a fen off a lot.
        assert np.abs(off).max() <= (lots + 1) / 2
        assert short.drop(columns="fees").equals(-one.drop(columns="fees") + 0.0)


def twin(result):
    """Return profit by leg and flat price of each session, fen, from the printed tables alone."""
    job, panel = result.job, result.job.market
    size = {code: sibt.contract(code).product.multiplier for code in job.contracts}
    known = panel.frame("settle").ffill()
    raw = panel.frame(job.execution.fill)
    fills = dict(list(result.fills.groupby("session")))
    after = dict(list(result.positions.groupby("session")))
    held, legs, flats, yesterday = {}, [], [], None

    def price(frame, day, code):
        value = frame.loc[day, code] if day is not None else np.nan
        return None if np.isnan(value) else round(value * 100)

    for day in panel.sessions:
        rows = fills.get(day, result.fills.iloc[:0])
        worked = rows[~rows["reason"].isin(AT_SETTLEMENT)]
        first, then, kept = [], [], dict(held)
        for row in worked.itertuples():
            side, paid = (1 if row.side == "buy" else -1), round(row.price * 100)
            if row.offset == "open":
                then.append((row.leg, row.contract, side * row.lots, paid, None))
            else:
                first.append((row.leg, row.contract, -side * row.lots, None, paid))
                kept[row.leg, row.contract] += side * row.lots
        for (leg, code), lots in kept.items():
            if worked.empty:
                first.append((leg, code, lots, None, None))
            elif lots:
                middle = price(raw, day, code) or price(known, yesterday, code)
                first.append((leg, code, lots, None, middle))
                then.append((leg, code, lots, middle, None))
        by_leg, flat_price = defaultdict(int), Fraction(0)
        for stretch in (first, then):
            gains, money = [], []
            for leg, code, lots, *ends in stretch:
                start = price(known, yesterday, code) if ends[0] is None else ends[0]
                end = price(known, day, code) if ends[1] is None else ends[1]
                gains.append((lots > 0, lots * (end - start) * size[code]))
                money.append(lots * start * size[code])
                by_leg[leg] += gains[-1][1]
            if money:
                level = Fraction(
                    sum(gain if long else -gain for long, gain in gains), sum(map(abs, money))
                )
                flat_price += sum(money) * level
        legs.append([by_leg[leg] for leg in job.legs])
        flats.append(round(flat_price))
        left = after.get(day, result.positions.iloc[:0])
        held = {(row.leg, row.contract): row.lots for row in left.itertuples()}
        yesterday = day
    return legs, flats


def adds_up(result):
    """Say what must hold of the split of any run."""
    table, names = result.attribution, list(result.job.legs)
    mtm = fen(result.statement["mtm"])
    assert fen(table[names]).sum(axis=1).tolist() == mtm.tolist()
    assert fen(table[names]).sum(axis=0).tolist() == fen(result.by_leg["profit"]).tolist()
    assert table["fees"].equals(result.statement["fees"])
    legs, flats = twin(result)
    assert fen(table[names]).tolist() == legs
    if len(set(np.sign(result.job.ratio))) == 2:
        parts = fen(table["spread_move"]) + fen(table["flat_price"])
        assert parts.tolist() == mtm.tolist()
        assert fen(table["flat_price"]).tolist() == flats
    else:
        assert table[["spread_move", "flat_price"]].isna().all(axis=None)


class TestIdentities:
    @QUICK
    @given(runs())
    def test_the_split_adds_up_and_is_what_the_printed_tables_say(self, run):
        adds_up(booked(run))

    @pytest.mark.parametrize("block", range(4))
    def test_the_split_adds_up_in_nasty_markets(self, block):
        for number in range(block * 25, block * 25 + 25):
            case = random_case(number)
            account, how = sibt.Account(**case["account"]), sibt.Execution(**case["execution"])
            rest = {name: case[name] for name in ("market", "units", "legs", "limits", "terms")}
            adds_up(sibt.simulate(**rest, account=account, execution=how))

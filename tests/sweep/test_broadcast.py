"""``--engine vectorbt``: the same fills without the rules, and nothing where it is blind."""

import math

import numpy as np
import pandas as pd
import pytest

import sibt
from sibt.errors import SettingError
from sibt.sources import load_market
from sibt.sweep.broadcast import NOTE
from sibt.sweep.sweep import plan, sweep

UNKNOWN = ("peak_margin", "largest_call", "deposits", "return_on_margin", "margin_calls", "won",
           "unfilled_orders")


class Rhythm(sibt.Strategy):
    """So many sessions on, so many off, in the middle of both contracts' lives."""

    on = sibt.Param(7, "sessions held", "sessions", low=1, grid=(7,))
    off = sibt.Param(5, "sessions between", "sessions", low=1, grid=(5,))
    lots = sibt.Param(1, "units", "units", low=1, grid=(1,))

    def legs(self, market, p):
        return {"si2405": -1, "si2406": 2}

    def units(self, market, p):
        at = np.arange(len(market.sessions))[:, None]
        wish = np.where(at % (p.on + p.off) < p.on, 1, -1) * p.lots
        life = (market.sessions >= "2023-12-01") & (market.sessions < "2024-03-15")
        wish = np.where(life[:, None], wish, 0)
        return wish if np.ndim(p.on) else pd.Series(wish[:, 0], index=market.sessions)


class Rolling(Rhythm):
    """One leg that moves into the next contract."""

    def legs(self, market, p):
        late = market.sessions >= "2024-02-01"
        codes = pd.Series(np.where(late, "si2406", "si2405"), index=market.sessions)
        return {"leg": (codes, 1)}


class Resting(Rhythm):
    """Orders that rest at a price."""

    def legs(self, market, p):
        return {"si2405": 1}

    def units(self, market, p):
        return super().units(market, p), pd.Series(13000.0, index=market.sessions)


#: No rule binds: no band, no cap, nearly no margin; two ticks, dated fees.
FREE = {
    "execution": sibt.Execution(participation=None, slippage=2),
    "terms": {"price_limit": 1, "margin": 0.01},
    "capital": 3_000_000.0,
}
GRID = {"on": "3:9:1", "off": "2:6:2", "lots": "1,3"}


def pieces(strategy, engine, grid=GRID, **settings):
    laid = plan(strategy, load_market("sample"), grid, engine=engine, **{**FREE, **settings})
    return pd.concat(
        [laid.task.book(block, laid.first).table for block in laid.grid.blocks()]
    ), np.vstack([laid.task.book(block, laid.first).daily for block in laid.grid.blocks()])


@pytest.mark.parametrize("strategy", [Rhythm(), Rolling()], ids=["spread", "roll"])
def test_where_no_rule_binds_it_equals_the_ledger(strategy):
    ours, daily = pieces(strategy, "ledger")
    theirs, their_daily = pieces(strategy, "vectorbt")
    assert (ours["reason"] == "").all()
    assert ours["round_trips"].min() > 5
    assert (ours["unfilled_orders"] == 0).all()
    for name in ("net", "fees", "worst_day", "worst_equity", "max_drawdown_yuan"):
        assert np.abs(ours[name] - theirs[name]).max() <= 0.01, name
    for name in ("total_return", "max_drawdown", "mean", "deviation", "skewness", "kurtosis",
                 "round_trips", "open_trips", "sharpe"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-7, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(their_daily, daily, atol=1e-10)


def test_the_table_is_the_ledgers_with_nothing_where_vectorbt_is_blind():
    ours, _ = pieces(Rhythm(), "ledger")
    theirs, _ = pieces(Rhythm(), "vectorbt")
    assert list(theirs) == list(ours)
    assert theirs[list(UNKNOWN)].isna().all().all()
    assert theirs["bust"].isna().all()


def test_it_holds_what_the_account_could_not_carry():
    small = {"capital": 30_000.0, "terms": {"price_limit": 1}}
    ours, _ = pieces(Rhythm(), "ledger", **small)
    theirs, _ = pieces(Rhythm(), "vectorbt", **small)
    many = ours["lots"] == 3
    assert (ours.loc[many, "unfilled_orders"] > 0).all()
    assert (np.abs(ours.loc[many, "net"] - theirs.loc[many, "net"]) > 1).all()
    free, _ = pieces(Rhythm(), "vectorbt")
    np.testing.assert_allclose(theirs["net"], free["net"], atol=0.01)


def test_resting_limits_are_refused_set_by_set():
    table, _ = pieces(Resting(), "vectorbt", {"on": "3,4"})
    assert table["reason"].str.contains("--engine vectorbt does not know").all()


def test_a_return_on_margin_cannot_be_what_is_best():
    with pytest.raises(SettingError, match="vectorbt knows no margin"):
        plan(Rhythm(), load_market("sample"), GRID, engine="vectorbt", metric="return_on_margin")


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(SettingError, match="Did you mean 'vectorbt'"):
        plan(Rhythm(), load_market("sample"), GRID, engine="vectorbot")


def test_a_sweep_says_which_engine_made_it_and_how_far_it_is_from_the_ledger(tmp_path, monkeypatch):
    monkeypatch.setattr("sibt.sweep.finish.CHECKED", 3)
    done = sweep(
        Rhythm(), load_market("sample"), GRID, out=tmp_path, engine="vectorbt", jobs=1, **FREE
    )
    assert done.manifest["engine"] == {"name": "vectorbt", "note": NOTE}
    assert done.manifest["settings"]["engine"] == "vectorbt"
    again = done.manifest["booked_again"]
    assert again["equal"] == len(again["sets"]) == 3
    assert again["largest_difference_between_books_yuan"] <= 0.01
    table = done.table()
    assert len(table) == 42
    assert table["net"].notna().all()
    assert table[list(UNKNOWN)].isna().all().all()
    assert done.evidence["best"]["peak_margin"] is None
    assert not math.isnan(done.evidence["best"]["net"])

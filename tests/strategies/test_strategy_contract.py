"""What every shipped strategy must keep to, whatever its idea."""

import itertools
import math
import os
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sibt.lookahead import decisions
from sibt.lookahead.decisions import Decisions
from sibt.market import calendar
from sibt.market.contract import contract
from sibt.market.panel import Market
from sibt.runs.run import run
from sibt.sources import load_market
from sibt.strategy.loader import find, load, shipped_names
from sibt.strategy.strategy import Param, Params

SHIPPED = shipped_names()
KINDS = ("individual", "company", "hedger")


@cache
def sample() -> Market:
    return load_market("sample")


@cache
def strategy(name: str) -> Any:
    return load(name)


def numeric(name: str) -> dict[str, Param]:
    return {k: v for k, v in strategy(name).declared().items() if not v.structural}


def context(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "capital": 1_000_000.0,
        "kind": strategy(name).kind,
        "cross_standard": False,
        "average_ratio": 0.5,
        **changes,
    }


class Watched(Params):
    """Parameters that remember which of them were read."""

    def __init__(self, values, settings):
        super().__init__(values, settings)
        self._read = set()

    def __getattr__(self, name):
        if not name.startswith("_"):
            self._read.add(name)
        return super().__getattr__(name)


def decide(name: str, p: Params, market: Market) -> Decisions:
    return decisions.decide(strategy(name), find(name), market, p)


def variants(name: str) -> list[dict[str, Any]]:
    """Return the defaults, each choice by itself, and every rule switched on by itself."""
    found: list[dict[str, Any]] = [{}]
    for key, param in strategy(name).declared().items():
        if param.choices is not None:
            found += [{key: choice} for choice in param.choices if choice != param.default]
        elif param.default is None:
            found.append({key: next(v for v in param.grid if v is not None)})
    return found


def structures(name: str) -> list[dict[str, Any]]:
    """Return the product of all choices."""
    chosen = {k: v.choices for k, v in strategy(name).declared().items() if v.choices}
    product = itertools.product(*chosen.values())
    return [dict(zip(chosen, values, strict=True)) for values in product]


def available(name: str, changes: dict[str, Any], market: Market) -> bool:
    """Tell whether the market holds the contracts a fixed leg names."""
    one = strategy(name)
    legs = one.legs(market, one.params(changes, context(name)))
    return all(isinstance(v, tuple) or k in market.contracts for k, v in legs.items())


def label(changes: dict[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in changes.items()) or "defaults"


VARIANTS = [
    pytest.param(name, changes, id=f"{name}: {label(changes)}")
    for name in SHIPPED
    for changes in variants(name)
    if available(name, changes, sample())
]


def cuts(market: Market, known_from: str) -> list[pd.Timestamp]:
    """Return a few dozen days to cut at: spread over the sample, and dense at the report."""
    spread = market.sessions[:: len(market.sessions) // 24]
    at = int(market.sessions.searchsorted(pd.Timestamp(known_from)))
    around = market.sessions[max(at - 3, 0) : at + 6]
    return sorted({*spread, *around, *market.sessions[-3:]})


# -- What is decided, and when ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_it_decides_the_same_on_the_market_cut_at_any_day(name, changes):
    market = sample()
    p = strategy(name).params(changes, context(name))
    whole = decide(name, p, market)
    days = cuts(market, whole.known_from or f"{market.sessions[300]:%Y-%m-%d}")
    assert len(days) >= 24
    for day in days:
        cut = market.asof(day)
        assert decide(name, p, cut).differs(whole, len(cut.sessions)) is None, f"{day:%Y-%m-%d}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cross_standard", [False, True])
@pytest.mark.parametrize("name", SHIPPED)
def test_it_decides_the_same_on_a_cut_market_for_every_account(name, kind, cross_standard):
    market = sample()
    p = strategy(name).params({}, context(name, kind=kind, cross_standard=cross_standard))
    whole = decide(name, p, market)
    for day in cuts(market, whole.known_from)[::3]:
        cut = market.asof(day)
        assert decide(name, p, cut).differs(whole, len(cut.sessions)) is None, f"{day:%Y-%m-%d}"


@pytest.mark.parametrize("name", SHIPPED)
def test_it_decides_the_same_on_recorded_prices_cut_at_any_day(name, shared_market):
    market = load_market(shared_market / "si_contracts_d1.csv", settle_from="close")
    p = strategy(name).params({}, context(name))
    whole = decide(name, p, market)
    for day in cuts(market, whole.known_from):
        cut = market.asof(day)
        assert decide(name, p, cut).differs(whole, len(cut.sessions)) is None, f"{day:%Y-%m-%d}"


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_it_says_a_wish_for_every_session_and_every_leg(name, changes):
    one, market = strategy(name), sample()
    p = one.params(changes, context(name))
    wished = one.units(market, p)
    units = wished[0] if isinstance(wished, tuple) else wished
    assert units.index.equals(market.sessions)
    if isinstance(units, pd.DataFrame):
        assert set(units.columns) == set(one.legs(market, p))


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_it_wishes_whole_units_and_whole_lots_by_leg(name, changes):
    said = decide(name, strategy(name).params(changes, context(name)), sample())
    assert (said.units == np.rint(said.units)).all()
    for ratio in said.ratios.values():
        assert ratio == int(ratio) != 0


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
def test_its_first_possible_fill_is_in_the_session_after_the_idea_was_known(name, changes):
    market = sample()
    said = decide(name, strategy(name).params(changes, context(name)), market)
    assert said.known_from is not None
    known = pd.Timestamp(said.known_from)
    # A wish of session t fills in t + 1.
    early = np.append(market.sessions[1:] <= known, False)
    assert early.any()
    assert (said.units[early] == 0).all()


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_known_from_a_real_day(name):
    day = strategy(name).known_from(strategy(name).params({}, context(name)))
    assert pd.Timestamp(day) in calendar.sessions()


# -- Parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_every_declared_parameter_is_read_in_some_variant(name):
    one, market = strategy(name), sample()
    read = set()
    for changes in [*structures(name), *variants(name)]:
        if not available(name, changes, market):
            continue
        values = dict(one.params(changes, context(name)).items())
        p = Watched(values, context(name))
        decide(name, p, market)
        read |= p._read
    assert set(one.declared()) <= read


def others(param: Param) -> list[Any]:
    """Return legal values that differ from the default."""
    if param.choices is not None:
        values = list(param.choices)
    elif isinstance(param.default, str):
        values = {
            "si2404": ["si2403", "si2405", "si2406", "si2409"],
            "si2410": ["si2409"],
            "2024-03-29": ["2024-04-12"],
        }[param.default]
    else:
        spread = param.default or 0
        low = -math.inf if param.low is None else param.low
        high = math.inf if param.high is None else param.high
        step = 1 if param.whole else 0.5
        tried = [*param.grid, spread + step, spread * 2, low, high, spread - step, spread * 0.9]
        values = [
            v
            for v in tried
            if v is None
            or (math.isfinite(v) and low <= v <= high and not (param.whole and v != int(v)))
        ]
    return [v for v in dict.fromkeys(values) if v != param.default]


PARAMETERS = [
    pytest.param(name, key, id=f"{name}.{key}")
    for name in SHIPPED
    for key in load(name).declared()
]


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_every_declared_parameter_changes_what_is_decided(name, key):
    one, market = strategy(name), sample()
    param = one.declared()[key]
    for structure in structures(name):
        base = {k: v for k, v in structure.items() if k != key}
        if not available(name, base, market):
            continue
        before = decide(name, one.params(base, context(name)), market)
        for value in others(param):
            if not available(name, {**base, key: value}, market):
                continue
            after = decide(name, one.params({**base, key: value}, context(name)), market)
            if before.differs(after, len(market.sessions)) is not None:
                return
    pytest.fail(f"no value of {key} changes a decision in any variant of {name}")


def legal(name: str) -> list[tuple[str, Any]]:
    found = []
    for key, param in load(name).declared().items():
        found += [(key, value) for value in (*param.grid, *(param.choices or ()))]
    return found


LEGAL = [
    pytest.param(name, key, value, id=f"{name}: {key}={value}")
    for name in SHIPPED
    for key, value in legal(name)
]


@pytest.mark.parametrize(("name", "key", "value"), LEGAL)
def test_every_grid_value_and_choice_is_legal_and_decides_something(name, key, value):
    one = strategy(name)
    read = dict(one.params({key: value}, context(name)).items())[key]
    assert (read != read) if value is None else (read == value)
    # What a command line says is text.
    typed = dict(one.params({key: str(value)}, context(name)).items())[key]
    assert typed == read or (typed != typed and read != read)
    if available(name, {key: value}, sample()):
        decide(name, one.params({key: value}, context(name)), sample())


@pytest.mark.parametrize("name", SHIPPED)
def test_every_choice_runs_through_the_ledger(name):
    for changes in variants(name):
        if available(name, changes, sample()):
            done = run(name, sample(), changes)
            assert len(done.result.statement) == len(sample().sessions)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_parameter_says_what_it_does(name):
    for param in strategy(name).declared().values():
        assert param.meaning.strip()
        if not param.structural:
            assert param.unit
            assert param.grid
            assert param.default in param.grid


# -- One code for a run and a sweep ------------------------------------------------------------


def row_of(param: Param) -> list[float]:
    values = [
        math.nan if v is None else v for v in dict.fromkeys([param.default, *param.grid])
    ]
    while len(values) < 3:
        known = [v for v in values if v == v]
        low = param.low if param.low is not None else -math.inf
        fresh = known[-1] * 2
        values.append(fresh if fresh >= low else low)
    high = math.inf if param.high is None else param.high
    return [v for v in values if not v > high]


def laid_out(values: Any, count: int) -> np.ndarray:
    """Return N columns; a parameter that this variant ignores leaves them as one."""
    array = np.asarray(values, dtype=float)
    assert array.ndim == 1 or array.shape[1] == count
    return np.repeat(array[:, None], count, axis=1) if array.ndim == 1 else array


def scalar_columns(name, p, key, row):
    units, limits = [], []
    for value in row:
        cell = int(value) if strategy(name).declared()[key].whole else value
        said = decide(name, Params({**dict(p.items()), key: cell}, context(name)), sample())
        units.append(said.units)
        limits.append(said.limits)
    return np.column_stack(units), np.column_stack(limits)


ROWS = [
    pytest.param(name, changes, key, id=f"{name}: {key} in a row, {label(changes)}")
    for name in SHIPPED
    for changes in variants(name)
    if available(name, changes, sample())
    for key in numeric(name)
]


def reads(name: str, p: Params, key: str) -> bool:
    watched = Watched(dict(p.items()), context(name))
    strategy(name).units(sample(), watched)
    return key in watched._read


@pytest.mark.parametrize(("name", "changes", "key"), ROWS)
def test_a_row_of_values_gives_the_columns_of_as_many_runs(name, changes, key):
    one, market = strategy(name), sample()
    p = one.params(changes, context(name))
    if not reads(name, p, key):
        return
    row = row_of(one.declared()[key])
    if changes.get("program") == "strip":
        # Wished leg by leg, which no row of sets can be: refused where the row matters.
        said = one.refuses(Params({**dict(p.items()), key: np.array(row)}, context(name)))
        assert said["a strip is wished leg by leg, which a sweep does not book"]
        return
    units, limits = scalar_columns(name, p, key, row)
    wide = one.units(market, Params({**dict(p.items()), key: np.array(row)}, context(name)))
    wished, resting = wide if isinstance(wide, tuple) else (wide, None)
    np.testing.assert_array_equal(laid_out(wished, len(row)), units)
    if resting is not None:
        np.testing.assert_array_equal(laid_out(resting, len(row)), limits)


@pytest.mark.parametrize("name", SHIPPED)
def test_rows_of_all_numbers_at_once_give_the_columns_of_as_many_runs(name):
    one, market, rng = strategy(name), sample(), np.random.default_rng(7)
    declared = numeric(name)
    rows = {
        key: np.array([math.nan if v is None else v for v in rng.choice(
            np.array(param.grid, dtype=object), size=8)], dtype=float)
        for key, param in declared.items()
    }
    for changes in [c for c in variants(name) if not c.keys() & declared.keys()]:
        if not available(name, changes, market) or changes.get("program") == "strip":
            continue
        fixed = dict(one.params(changes, context(name)).items())
        wide = one.units(market, Params({**fixed, **rows}, context(name)))
        wished = laid_out(wide[0] if isinstance(wide, tuple) else wide, 8)
        for column in range(8):
            cells = {
                k: int(v[column]) if declared[k].whole else v[column] for k, v in rows.items()
            }
            alone = decide(name, Params({**fixed, **cells}, context(name)), market)
            np.testing.assert_array_equal(wished[:, column], alone.units, label(changes))


# -- Where it comes from -----------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_its_default_account_is_of_a_known_kind(name):
    assert strategy(name).kind in KINDS


@pytest.mark.parametrize("name", SHIPPED)
def test_it_names_its_report_and_what_the_report_leaves_open(name):
    report = strategy(name).report
    assert report.quote
    assert report.title
    assert report.publisher
    assert report.place
    assert report.leaves_open
    pd.Timestamp(report.date[:10])
    p = strategy(name).params({}, context(name))
    assert strategy(name).known_from(p) >= report.date[:10] or name == "short_rallies"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_words_it_quotes_stand_in_a_report(name, shared_market):
    folder = shared_market.parent / "seeds"
    if not folder.is_dir() and not os.environ.get("CI"):
        pytest.skip("the reports' texts are not there: no folder seeds beside the prices")
    texts = ["".join(path.read_text("utf-8").split()) for path in sorted(folder.glob("*.txt"))]
    report = strategy(name).report
    quote = "".join(report.quote.split())
    title = "".join(report.title.split())
    holding = [text for text in texts if quote in text]
    assert len(holding) == 1
    assert title in holding[0]


@pytest.mark.parametrize("name", SHIPPED)
def test_its_fixed_legs_are_contracts_with_terms(name):
    for leg, said in strategy(name).legs(
        sample(), strategy(name).params({}, context(name))
    ).items():
        if not isinstance(said, tuple):
            assert contract(leg).code == leg

"""Honest strategies pass: fifty put together by a seed, and the four shipped in all variants.

Each is asked on a dozen cut markets and some other futures instead of on every session, so that
the whole takes a minute; what the full check adds is only more of the same questions.
"""

from functools import cache

import pytest
from honest import strategy
from sources_beside import rich, since

import sibt
from sibt.lookahead.cut import cut
from sibt.lookahead.future import future, telling
from sibt.lookahead.history import history
from sibt.lookahead.levels_adjusted import levels_adjusted
from sibt.lookahead.repeat import again
from sibt.lookahead.settlement import settlement
from sibt.lookahead.stale import stale
from sibt.lookahead.standard import standard
from sibt.lookahead.subject import Subject
from sibt.lookahead.trace import spread
from sibt.strategy.loader import find, load, shipped_names

SEEDS = range(50)


@cache
def sample():
    return rich(sibt.load_market("sample"))


@cache
def later():
    return since(sample(), "2023-10-09")


def subject(path, market, **changes):
    one = load(path)
    context = {"capital": 1e6, "kind": one.kind, "cross_standard": False}
    return Subject(find(path), market, one.params(changes, context))


def grave(one, days, *, filled=True):
    rows = spread(telling(one, 2 * days), days)
    found = [
        *again(one), *cut(one, rows), *future(one, rows[:: max(days // 4, 1)], draws=1),
        *settlement(one), *levels_adjusted(one), *standard(one), *history(one),
    ]  # fmt: skip
    if filled:
        found += stale(one)
    return [leak.sentence for leak in found if leak.grave]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_honest_strategy_passes(seed, tmp_path):
    path = tmp_path / f"honest_{seed}.py"
    path.write_text(strategy(seed), "utf-8")
    assert grave(subject(path, sample()), days=12) == []


def test_the_fifty_differ_and_nearly_all_of_them_trade(tmp_path):
    sources = {seed: strategy(seed) for seed in SEEDS}
    assert sources == {seed: strategy(seed) for seed in SEEDS}
    heads = {text.splitlines()[0].partition(":")[2] for text in sources.values()}
    assert len(heads) > 35
    everything = "\n".join(sources.values())
    for word in ("dominant(", "near(", "continuous(", "spread(", "basis(", "receipts", "known(",
                 "level(", "weighted(", "carry(", "exposure(", "zscore", "percentile", "month",
                 "rules.stop", "rules.reverse", "wishes.rest", "'2022'", "'2024'",
                 "'si2411': 1, 'si2412': -1", "pd.DataFrame", "'ratio'"):  # fmt: skip
        assert word in everything, word
    trade = 0
    for seed, text in sources.items():
        path = tmp_path / f"honest_{seed}.py"
        path.write_text(text, "utf-8")
        trade += len(set(subject(path, sample()).whole.units.ravel().tolist())) > 1
    assert trade >= 45


def variants():
    """Yield each shipped strategy by default, and with each value of a structural parameter."""
    for name in shipped_names():
        yield pytest.param(name, {}, id=name)
        for key, param in type(load(name)).declared().items():
            for value in param.choices or ():
                if value != param.default:
                    yield pytest.param(name, {key: value}, id=f"{name} {key}={value}")


@pytest.mark.parametrize(("name", "changes"), list(variants()))
def test_a_shipped_strategy_passes_in_every_variant(name, changes):
    # Hedges are slow to ask, and read the same spread whatever becomes of it: once will do.
    filled = load(name).kind != "hedger" or not changes
    assert grave(subject(name, later(), **changes), days=4, filled=filled) == []

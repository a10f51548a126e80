"""The kernel's short way for plain legs books what its long way books, record by record."""

from collections import Counter

import numpy as np
import pytest
from random_markets import pick, random_case

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.engine.job import prepare
from sibt.engine.ledger import FIGURES, keep, keep_many
from sibt.engine.money import to_fen

CASES, COLUMNS = 240, 40


def plain_job(seed):
    """Return a job of paired legs that keep one contract each, and its random generator."""
    case = random_case(seed)
    rng = np.random.default_rng(seed + 10_000)
    codes = [code for code in case["market"].contracts if code[:2] == "si"] or list(
        case["market"].contracts
    )
    legs = dict.fromkeys(codes[: int(rng.integers(1, 4))], 1)
    for code in legs:
        legs[code] = int(pick(rng, [1, -1, 1, -1, 2, -3]))
    account = {**case["account"], "spread_relief": False}
    execution = {**case["execution"], "pairing": "paired"}
    if len(legs) > 1:
        execution["at_expiry"] = "close"
    job = prepare(
        case["market"],
        legs,
        account=Account(**account),
        execution=Execution(**execution),
        terms=case["terms"],
    )
    assert job.rules.plain
    return job, rng


def wishes(rng, sessions, columns):
    """Return wishes that stand for some sessions, come, go and turn round, shape (T, N)."""
    size = rng.choice([1, 3, 10, 40], columns)
    fresh = rng.integers(-size, size + 1, (sessions, columns))
    fresh[rng.random(fresh.shape) < 0.3] = 0
    changes = rng.random(fresh.shape) < rng.choice([0.05, 0.2, 0.5, 0.9], columns)
    changes[0] = True
    at = np.maximum.accumulate(np.where(changes, np.arange(sessions)[:, None], 0), axis=0)
    return np.asfortranarray(np.take_along_axis(fresh, at, axis=0), dtype=np.int32)


def resting(rng, job, columns):
    """Return resting prices near the settlement for a part of the sessions; 0 is at market."""
    sessions = len(job.market.sessions)
    if len(job.legs) > 1:
        return np.zeros((sessions, 1), dtype=np.int64)
    settle = np.maximum(job.prices.settle[:, 0], 500)[:, None]
    near = settle * (1 + rng.normal(0, 0.01, (sessions, columns)))
    limits = np.rint(near / 500).astype(np.int64) * 500
    return np.asfortranarray(np.where(rng.random(limits.shape) < 0.1, limits, 0))


def records(job, rules, want, limits, capital):
    """Return everything the kernel writes of one column."""
    sessions, legs, contracts = len(job.market.sessions), len(job.legs), len(job.contracts)
    statement = np.zeros((sessions, 7), dtype=np.int64)
    positions = np.zeros((sessions, legs, contracts), dtype=np.int64)
    fills = np.zeros((40 * sessions, 8), dtype=np.int64)
    shorts = np.zeros((40 * sessions, 6), dtype=np.int64)
    units = np.zeros((0, legs), dtype=np.int64)
    n_fills, n_shorts, bust = keep(
        want, units, limits, capital, rules, True, statement, positions, fills, shorts
    )
    return statement, positions, fills[:n_fills], shorts[:n_shorts], np.array(bust)


@pytest.fixture(scope="module")
def seen():
    return Counter()


@pytest.mark.parametrize("chunk", range(6))
def test_the_short_way_keeps_the_books_of_the_long_way(chunk, seen):
    for seed in range(chunk * CASES // 6, (chunk + 1) * CASES // 6):
        job, rng = plain_job(seed)
        short, long = job.rules, job.rules._replace(plain=False)
        want = wishes(rng, len(job.market.sessions), COLUMNS)
        limits = resting(rng, job, COLUMNS)
        need = float(to_fen(np.array([job.account.capital]))[0])
        capital = np.rint(need * rng.choice([0.2, 0.5, 1.0, 3.0, 20.0], COLUMNS)).astype(np.int64)
        capital = np.maximum(capital, 100)
        for n in range(COLUMNS):
            rest = np.ascontiguousarray(limits[:, n if limits.shape[1] > 1 else 0])
            one = want[:, n].astype(np.int64)
            ours = records(job, short, one, rest, capital[n])
            theirs = records(job, long, one, rest, capital[n])
            for name, a, b in zip(
                ("statement", "positions", "fills", "shorts", "bust"), ours, theirs, strict=True
            ):
                np.testing.assert_array_equal(a, b, f"seed {seed}, column {n}: {name}")
            seen["columns"] += 1
            seen["fills"] += len(ours[2])
            seen["shorts"] += len(ours[3])
            seen["calls"] += int((ours[0][:, 6] > 0).sum())
            seen["busts"] += int(ours[4] >= 0)
            seen["limits"] += int((rest != 0).any())
        many = []
        for rules in (short, long):
            figures = np.zeros((COLUMNS, len(FIGURES)))
            daily = np.zeros((COLUMNS, len(job.market.sessions)))
            keep_many(want, limits, capital, rules, -1, figures, daily)
            many.append((figures, daily))
        np.testing.assert_array_equal(many[0][0], many[1][0], f"seed {seed}")
        np.testing.assert_array_equal(many[0][1], many[1][1], f"seed {seed}")


def test_the_markets_held_what_the_comparison_is_for(seen):
    if seen["columns"] < CASES * COLUMNS:
        pytest.skip("only a part of the seeds was run")
    assert seen["fills"] > 50_000
    assert seen["shorts"] > 200_000
    assert seen["calls"] > 2_000
    assert seen["busts"] > 50
    assert seen["limits"] > 2_000

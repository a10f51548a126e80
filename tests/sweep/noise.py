"""Daily returns for the tests of the evidence."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

_GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def worked(name):
    """Read a worked example by the beginning of its file's name."""
    (path,) = _GOLDEN.glob(f"{name}_*.json")
    return json.loads(path.read_text("utf-8"))


def noise(sessions, sets, seed, edge=0.0):
    """Return noise of 1 % a session; the first set earns `edge` standard deviations more."""
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (sessions, sets))
    returns[:, 0] += edge * 0.01
    return returns


def sweep(sessions, sets, seed):
    """Return returns as sweeps have them: alike, often idle, some equal, some never trading."""
    generator = np.random.default_rng(seed)
    returns = generator.normal(0, 0.01, (sessions, 1)) + generator.normal(0, 0.01, (sessions, sets))
    returns[:, ::3] *= generator.random(returns[:, ::3].shape) < 0.3
    returns[: sessions // 2, 1::7] = 0.0
    returns[:, 5::11] = returns[:, 4::11][:, : returns[:, 5::11].shape[1]]
    returns[:, 9::13] = 0.0
    if sets > 20:
        returns[3, 17] = np.nan
    return returns


def cuts(sets, seed):
    """Return random chunk borders from 0 to `sets`, chunks of one column among them."""
    generator = np.random.default_rng(seed)
    inner = generator.integers(0, sets, 6)
    return np.unique(np.concatenate([[0, 1, sets], inner, inner + 1]).clip(0, sets))


def fed(accumulator, returns, borders=None):
    """Hand returns to an accumulator, in chunks where borders are given."""
    borders = [0, returns.shape[1]] if borders is None else borders
    for number, (start, stop) in enumerate(pairwise(borders)):
        chunk = returns[:, start:stop]
        accumulator.add(np.asfortranarray(chunk) if number % 2 else chunk.copy())
    return accumulator

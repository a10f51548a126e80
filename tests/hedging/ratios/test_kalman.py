import numpy as np
from pairs import drawn, pair, series

from sibt.hedging.ratios import kalman as module
from sibt.hedging.ratios.kalman import kalman
from sibt.hedging.ratios.least_squares import min_variance


def drifting(seed, sessions=400, step=0.03):
    generator = np.random.default_rng(seed)
    ratio = 0.8 + np.cumsum(step * generator.standard_normal(sessions))
    moves = 150 * generator.standard_normal(sessions)
    spot = 20_000 + np.cumsum(ratio * moves + 60 * generator.standard_normal(sessions))
    return ratio, series(spot, 20_000 + np.cumsum(moves))


def test_it_follows_a_ratio_that_drifts():
    ways = [drifting(seed) for seed in range(12)]
    off = np.array([kalman(pair(*p), 1).ratio - ratio[-1] for ratio, p in ways])
    plain = np.array([min_variance(pair(*p), 1).ratio - ratio[-1] for ratio, p in ways])
    assert np.sqrt(np.mean(off**2)) < 0.2 < np.sqrt(np.mean(plain**2))


def test_its_interval_holds_a_ratio_that_drifts():
    ways = [drifting(seed, 200) for seed in range(40)]
    fits = [kalman(pair(*p), 1) for _, p in ways]
    held = [fit.low <= ratio[-1] <= fit.high for fit, (ratio, _) in zip(fits, ways, strict=True)]
    assert np.mean(held) >= 0.85


def test_a_ratio_that_stands_still_is_that_of_least_squares():
    pairs = [pair(*drawn(seed, basis=1.0)) for seed in range(12)]
    gap = [kalman(prices, 1).ratio - min_variance(prices, 1).ratio for prices in pairs]
    # The most likely drift is none in more than half of all draws, little in the others.
    assert np.median(np.abs(gap)) < 1e-3
    assert np.abs(gap).max() < 0.15


def test_the_filter_is_the_textbooks():
    generator = np.random.default_rng(7)
    x = generator.standard_normal(80)
    y = 0.1 + 0.7 * x + 0.3 * generator.standard_normal(80)
    share = 0.01
    state, error = np.zeros(2), 1e7 * np.eye(2)  # a start that knows nothing
    squares = []
    for now, (a, b) in enumerate(zip(x, y, strict=True)):
        z = np.array([1.0, a])
        spread = z @ error @ z + 1.0
        surprise = b - z @ state
        gain = error @ z / spread
        state, error = state + gain * surprise, error - np.outer(gain, z @ error)
        if now >= 2:
            squares.append(surprise**2 / spread)
        error = error + np.diag([0.0, share])
    done = module._filter(y, x, share).filter()
    np.testing.assert_allclose(done.predicted_state[:, -1], state, rtol=1e-4)
    np.testing.assert_allclose(
        done.predicted_state_cov[:, :, -1], np.mean(squares) * error, rtol=1e-3, atol=1e-6
    )

"""The price a run traded, or its spread, with everything that was done on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sibt.language import EN, Language
from sibt.report.charts.drawing import days, held, line, over_time, span
from sibt.report.charts.levels import drawn
from sibt.report.charts.marks import marks
from sibt.report.charts.palette import palette
from sibt.runs.run import Run
from sibt.strategy.levels import Level

if TYPE_CHECKING:
    import plotly.graph_objects as go  # type: ignore[import-untyped]

__all__ = ["price"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def price(run: Run, t: Language = EN, levels: Iterable[Level] = ()) -> go.Figure:
    """Draw the price traded, yuan per tonne, with fills and unfilled orders marked.

    One leg is drawn at the close of the contract it holds, broken where it passes to another;
    flat, at that of the contract it would hold. Several legs are drawn as their unit, Σ ratio ×
    close, which for 1:−1 is near − far. A close that is unknown is a gap.

    Parameters
    ----------
    run : Run
        The run.
    t : Language
        Language.
    levels : iterable of Level
        Levels to draw from the day they were published, where the contract shown is of their
        delivery standard; a spread has none (`sibt.report.levels.undrawn` says so).
    """
    ink, job, market = palette(t), run.result.job, run.market
    at = held(run)
    close, settle = (_of(run, market.price(name), at) for name in ("close", "settle"))
    unit = job.ratio if len(job.legs) > 1 else np.ones(1, dtype=np.int64)
    shown = (close * unit).sum(axis=1)
    known = np.where(np.isnan(close), _of(run, None, at), close)
    x, y, said = _broken(days(market.sessions), shown, _hover(run, at, close, settle, t), at)
    codes = {name: sorted(set(at[:, n][at[:, n] >= 0])) for n, name in enumerate(job.legs)}
    names = {name: job.contracts[own[0]] if len(own) == 1 else name for name, own in codes.items()}
    if len(unit) == 1:
        own = next(iter(names.values()))
        title, label = t("Price of the contract held: {leg}", leg=own), t("close")
    elif unit.tolist() == [1, -1]:
        near, far = names.values()
        title, label = t("Spread {near} − {far}", near=near, far=far), t("near − far")
    else:
        title, label = t("Price of a unit: {legs}", legs=_formula(names, unit)), t("unit")
    done = marks(run, t, shown, known)
    bars = line(
        label, x, y, ink["blue"],
        f"%{{x}}<br>%{{y:,.0f}} {t('yuan/t')}<br>%{{text}}<extra></extra>", text=said,
        line={"width": 1.5},
    )  # fmt: skip
    named = [one.trace(ink["ink"], t, number, span(run)[0])
             for number, one in enumerate(drawn(run, levels)) if one.why is None]  # fmt: skip
    return over_time(
        run, t, title, [bars, *named, *done], hovermode="closest", hoverdistance=30,
        yaxis={"title": {"text": t("yuan/t")}, "tickformat": ",.0f", "zeroline": False,
               **_height(run, shown, [*done, *_within(run, named)])},
    )  # fmt: skip


def _of(run: Run, prices: FloatArray | None, held: IntArray) -> FloatArray:
    """Return the held contracts' prices, (T, L); without `prices` their last settlements."""
    job = run.result.job
    if prices is None:
        own = np.where(job.prices.settle > 0, job.prices.settle / 100, np.nan)
    else:
        own = prices[:, [run.market.column(code) for code in job.contracts]]
    found: FloatArray = np.where(held < 0, np.nan, np.take_along_axis(own, held, axis=1))
    return found


def _hover(
    run: Run, held: IntArray, close: FloatArray, settle: FloatArray, t: Language
) -> list[str]:
    """Return what a session says beside its price: contracts, prices and lots held."""
    job = run.result.job
    lots = run.result.booked["positions"].sum(axis=2)
    pattern = f"{{}}: {t('close')} {{}}, {t('settlement')} {{}}, {t('held')} {{:+,}}"

    def written(value: float) -> str:
        return "–" if np.isnan(value) else f"{value:,.0f}"

    names = (*job.contracts, "–")
    return [
        "<br>".join(
            pattern.format(names[k], written(a), written(b), n)
            for k, a, b, n in zip(*row, strict=True)
        )
        for row in zip(held.tolist(), close.tolist(), settle.tolist(), lots.tolist(), strict=True)
    ]


def _broken(
    x: list[str], y: FloatArray, said: list[str], held: IntArray
) -> tuple[list[str], list[float], list[str]]:
    """Put a gap where a leg passes to another contract: the jump is no move of any price."""
    passed = (np.flatnonzero((held[1:] != held[:-1]).any(axis=1)) + 1).tolist()
    values = np.insert(y, passed, np.nan).tolist()
    for n in reversed(passed):
        x, said = [*x[:n], x[n], *x[n:]], [*said[:n], "", *said[n:]]
    return x, values, said


def _height(run: Run, shown: FloatArray, done: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the range of prices within the days shown, with all marks in it."""
    first, last = span(run)
    values = np.array([*shown[first : last + 1], *(y for trace in done for y in trace["y"])])
    values = values[~np.isnan(values)]
    if not len(values):
        return {}
    low, high = float(values.min()), float(values.max())
    room = max((high - low) * 0.08, 10.0)
    return {"range": [low - room, high + room]}


def _within(run: Run, named: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return levels cut to the days shown, which alone set the range of prices."""
    first, last = span(run)
    return [{"y": trace["y"][first : last + 1]} for trace in named]


def _formula(names: dict[str, str], unit: IntArray) -> str:
    """Return a unit in words, such as ``si2411 − 2 si2412 + si2501``."""
    parts = [
        f"{'−' if ratio < 0 else '+'} {f'{abs(ratio)} ' if abs(ratio) > 1 else ''}{name}"
        for name, ratio in zip(names.values(), unit.tolist(), strict=True)
    ]
    return " ".join(parts).removeprefix("+ ")

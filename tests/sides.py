"""Sides of a comparison made by hand, so that every figure of them is known."""

from pathlib import Path

import pandas as pd

from sibt.runs.side import Side

FIGURES = {
    "net": 0.0, "net_per_tonne": 0.0, "total_return": 0.0, "max_drawdown": 0.0,
    "max_drawdown_yuan": 0.0, "worst_day": 0.0, "peak_margin": 1000.0, "highest_risk": 0.1,
    "margin_calls": 0, "fees": 10.0, "slippage": 0.0, "sharpe": None, "sortino": None,
    "round_trips": 1, "won": 1, "unfilled_orders": 0,
}  # fmt: skip


def side(
    daily=(), *, first="2024-01-02", capital=1_000_000.0, simulated=True, sha="aa" * 32,
    contract="si2409", lots=10, goods=None, name="run", strategy="idea", code="", parameters=None,
    held=None, chosen=None, known_from=None, **figures,
):  # fmt: skip
    """Return a side that gained `daily` yuan from its first session on, holding lots all along.

    `held` says how many of the sessions, from the first on, it held them.
    """
    daily = [0.0] * 30 if not len(daily) else [float(value) for value in daily]
    days = pd.bdate_range(first, periods=len(daily), name="session")
    # A session before, which does not count.
    sessions = days.insert(0, days[0] - pd.offsets.BDay(1)).rename("session")
    inside = days[: len(days) if held is None else held]
    statement = pd.DataFrame({"mtm": [0.0, *daily], "fees": 0.0}, index=sessions)
    statement["units"] = [float(lots) if day in inside else 0.0 for day in sessions]
    columns = {"leg": "near", "contract": contract, "lots": lots}
    gains = pd.Series(daily)
    trips = pd.DataFrame([{
        "entry": inside[0], "exit": inside[-1], "units": float(lots), "entry_spread": 1.0,
        "exit_spread": 2.0, "gross": gains.sum(), "fees": 0.0, "net": gains.sum(),
        "sessions": len(inside), "worst": gains.cumsum().min(), "best": gains.cumsum().max(),
        "rolls": 0,
    }] if len(inside) else [])  # fmt: skip
    if trips.empty:
        trips = pd.DataFrame(columns=["entry", "exit", "net", "rolls"]).astype(
            {"entry": "datetime64[ns]", "exit": "datetime64[ns]", "net": float, "rolls": float}
        )
    return Side(
        name=name,
        folder=Path(name),
        strategy=strategy,
        code=code,
        parameters=parameters or {},
        data={"source": "sample" if simulated else "prices", "simulated": simulated,
              "first": "2023-01-03", "last": "2024-12-31", "sha256": sha},
        settings={"account.capital": capital},
        versions={"sibt": "0.1.0"},
        figures={**FIGURES, "net": float(gains.sum()), "sessions": len(daily), **figures},
        statement=statement,
        fills=pd.DataFrame({"session": inside[:1], "contract": contract}),
        positions=pd.DataFrame({"session": inside, **columns}),
        round_trips=trips,
        goods=goods,
        legs=("near",),
        known_from=known_from,
        chosen=chosen,
    )  # fmt: skip

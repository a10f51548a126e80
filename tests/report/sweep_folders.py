"""Finished sweeps written to disk by hand, so that every figure of them is known."""

import json
import math
from itertools import product

import numpy as np
import pandas as pd

from sibt.sweep.sweep import Sweep

FIGURES = (
    "net", "total_return", "sharpe", "max_drawdown", "peak_margin", "fees", "return_on_margin",
    "margin_calls", "round_trips", "unfilled_orders",
)  # fmt: skip


def folder(path, axes, value, *, metric="net", refuse=lambda row: "", simulated=True, **evidence):
    """Write a finished sweep of a full grid whose metric is a function of the parameters."""
    path.mkdir(parents=True)
    rows = [dict(zip(axes, each, strict=True)) for each in product(*axes.values())]
    table = pd.DataFrame({"set": range(len(rows))})
    for name, values in axes.items():
        text = isinstance(values[0], str)
        table[name] = pd.Series([row[name] for row in rows], dtype=object if text else float)
    reasons = [refuse(row) for row in rows]
    worth = np.array([math.nan if why else value(row) for row, why in zip(rows, reasons,
                                                                         strict=True)])  # fmt: skip
    for name in FIGURES:
        table[name] = np.where([bool(why) for why in reasons], np.nan, 2.0)
    table["sharpe"] = np.nan
    table[metric] = worth
    table["reason"] = reasons
    table.to_parquet(path / "sets.parquet", index=False, row_group_size=7)
    order = table[table["reason"] == ""].sort_values([metric, "set"], ascending=[False, True])
    best = order.iloc[0]
    count = len(order)
    found = {
        "metric": metric,
        "sessions": 242,
        "trials": {"sweep": count, "before": 10, "ever": count + 10, "effective": 3.5,
                   "correlation": 0.5},
        "best": {
            "set": int(best["set"]),
            "parameters": {name: None if best[name] != best[name] else best[name]
                           for name in axes},
            **{name: None if best[name] != best[name] else float(best[name]) for name in FIGURES},
        },
        "sharpe": None, "overfit": None, "reality_check": None, "plateau": None,
        "cost_stress": {"rows": [{"ticks": n, "net": 30.0 - 20 * n, "sharpe": None}
                                 for n in range(4)],
                        "break_even_ticks": 1.5, "looked_up_to": 64},
        "few": {"comparisons": [], "entry_day": None, "note": ""},
        "walk": None, "luck": None, "verdict": f"best of {count}: too few",
        **evidence,
    }  # fmt: skip
    refused = pd.Series([why for why in reasons if why], dtype=object).value_counts()
    manifest = {
        "made": "2024-01-02T03:04:05+00:00", "command": "sibt sweep idea -p a=1:3:1",
        "sibt": "0.1.0", "strategy": {"name": "idea", "file": "idea.py", "sha256": "ab" * 32},
        "grid": {"axes": axes, "fixed": {"size": 5}, "where": None, "sample": None, "seed": 0},
        "data": {"source": "sample", "simulated": simulated, "sha256": "cd" * 32,
                 "settle_from": "settle", "first": "2023-01-03", "last": "2024-12-31"},
        "settings": {"account": {"capital": 250000.0, "kind": "individual"},
                     "execution": {"fill": "open", "slippage": 1}, "terms": {}, "from": None,
                     "to": None, "walk_forward": None, "seed": 0},
        "metric": metric,
        "sets": {"grid": len(rows), "looked_at": len(rows), "left_out_by_where": 0,
                 "booked": count, "refused": len(rows) - count,
                 "reasons": {k: int(v) for k, v in refused.items()}},
        "booked_again": {"sets": [0], "largest_difference_between_books_yuan": 0.0},
        "seconds": 1.0, "versions": {},
    }  # fmt: skip
    (path / "evidence.json").write_text(json.dumps(found), encoding="utf-8")
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Sweep(path)


SHARPE = {
    "best": 1.5, "best_per_session": 0.1, "skewness": 0.1, "kurtosis": 4.0, "spread": 0.5,
    "expected_maximum": 0.83, "probabilistic": 0.97, "deflated": 0.31, "deflated_effective": 0.62,
    "deflated_ever": 0.27, "minimum_backtest_years": 4.4, "years": 2.0,
    "most_trials_for_a_sharpe_of_one": 7,
    "haircut": {"p": 0.03, "p_allowed": {"bonferroni": 0.27, "bhy": 0.4},
                "sharpe": {"bonferroni": 0.78, "bhy": 0.6}, "lost": {"bonferroni": 0.48,
                "bhy": 0.6}, "tests": 19},
}  # fmt: skip
OVERFIT = {
    "pbo": 0.625, "splits": 8, "sets": 9, "of": 9, "sampled": False, "loss": 0.25, "slope": -0.5,
    "intercept": 0.1, "logits": {"edges": [-2.0, -1.0, 0.0, 1.0, 2.0], "counts": [2, 3, 2, 1]},
    "blocks": [1] * 16,
}  # fmt: skip
REALITY = {"p": 0.44, "statistic": 0.1, "replications": 1000, "block": 10.0, "sets": 9,
           "benchmark": "no position"}  # fmt: skip
MANY = {"sharpe": SHARPE, "overfit": OVERFIT, "reality_check": REALITY, "few": None, "luck": True,
        "verdict": "best of 9: not distinguishable from luck, DSR 0.27, PBO 0.62"}  # fmt: skip

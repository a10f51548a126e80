"""Folders of runs written by hand, as small as a list of runs can read them."""

import json

SKETCH = [0, -120, 340, 1000]


def manifest(**more) -> dict:
    """Return the manifest of a run of 1,000 yuan, with what is said otherwise."""
    found = {
        "made": "2026-01-05T09:30:00+08:00",
        "kind": "run",
        "strategy": {"name": "idea", "known_from": "2024-05-14"},
        "parameters": {"entry": 1.5, "stop": None},
        "figures": {"net": 1000.0, "net_per_tonne": 20.0, "per_unit": 100.0, "max_drawdown": -0.01,
                    "max_drawdown_yuan": -460.0, "peak_margin": 50_000.0, "sharpe": None,
                    "round_trips": 1, "fees": 10.0},
        "sketch": SKETCH,
        "data": {"source": "sample", "simulated": True, "sha256": "ab" * 32,
                 "first": "2023-01-03", "last": "2024-12-31"},
        "settings": {"account": {"capital": 1e6, "kind": "individual"}},
        "warnings": [],
    }  # fmt: skip
    found.update(more)
    return found


def run(out, name="20260105-093000-idea", page="index.html", **more):
    """Write a run's folder and return it."""
    folder = out / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest(**more)), encoding="utf-8")
    if page:
        (folder / page).write_text("<html><body>page</body></html>", encoding="utf-8")
    return folder


def figures(**more) -> dict:
    """Return the figures of a run, with what is said otherwise."""
    return {**manifest()["figures"], **more}


def data(**more) -> dict:
    """Return the data of a run, with what is said otherwise."""
    return {**manifest()["data"], **more}


REAL = data(source="prices.csv", simulated=False, sha256="cd" * 32)

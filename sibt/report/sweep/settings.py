"""What a sweep was made with, and what of it differs from a plain run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import escape

from sibt.engine.account import Account
from sibt.engine.execution import Execution
from sibt.errors import SibtError
from sibt.report.page import table
from sibt.report.sweep.outcome import Outcome, text_of, words_of
from sibt.strategy.loader import load
from sibt.strategy.strategy import Param

__all__ = ["differences", "meanings", "settings_part"]


def declared_in(found: Outcome) -> dict[str, Param]:
    """Return the strategy's declared parameters; none where its file cannot be read any more."""
    file = found.sweep.folder / "strategy.py"
    if not file.is_file():
        return {}
    try:
        return load(file).declared()
    except (SibtError, ImportError):
        return {}


def differences(manifest: Mapping[str, Any], declared: Mapping[str, Param]) -> list[str]:
    """Return what differs from the defaults, one sentence each."""
    settings = manifest["settings"]
    said = []
    for name, value in manifest["grid"]["fixed"].items():
        if name in declared:
            default = declared[name].read(name, declared[name].default)
            if text_of(default) != text_of(value):
                said.append(f"{name} = {text_of(value)} (default {text_of(default)})")
    plain = {**vars(Account()), **vars(Execution())}
    for group in ("account", "execution"):
        for name, value in settings[group].items():
            if name == "kind":  # the strategy's own
                continue
            if name in plain and value != plain[name]:
                said.append(f"{name} = {value} (default {plain[name]})")
    for name, value in settings["terms"].items():
        said.append(f"term {name} = {value}")
    if manifest.get("goods") is not None:
        said.append(f"goods = {manifest['goods']['schedule']}")
    for name in ("from", "to", "walk_forward"):
        if settings.get(name) is not None:
            said.append(f"{name.replace('_', '-')} = {settings[name]}")
    grid = manifest["grid"]
    if grid["where"] is not None:
        said.append(f"where {grid['where']}")
    if grid["sample"] is not None:
        said.append(f"a random sample of {grid['sample']:,} sets, seed {grid['seed']}")
    if manifest.get("engine", {}).get("name", "ledger") != "ledger":
        said.append(f"engine = {manifest['engine']['name']} (default ledger)")
    return said


def meanings(found: Outcome, declared: Mapping[str, Param]) -> str:
    """Return the swept parameters: meaning, unit, values, and the chosen one."""
    rows = []
    for axis in found.axes:
        param = declared.get(axis.name)
        count = len(axis.labels)
        values = words_of(axis.labels, 12) if count <= 12 else (
            f"{axis.labels[0]} to {axis.labels[-1 - axis.none]}, {count:,} values"
            + (" with none" if axis.none else "")
        )
        rows.append(
            {
                "parameter 参数": axis.name,
                "chosen 选定": axis.labels[found.at(axis)],
                "unit 单位": param.unit or None if param else None,
                "values 取值": values,
                "what it is": param.meaning if param else None,
            }
        )
    frame = pd.DataFrame(rows, dtype=object).dropna(axis="columns", how="all")
    return table(frame, caption="Swept parameters 扫描的参数", head=True)


def settings_part(found: Outcome, declared: Mapping[str, Param]) -> str:
    """Return provenance: data and hash, command, settings, what differs, how it was checked."""
    manifest = found.sweep.manifest
    data, checked = manifest["data"], manifest["booked_again"]
    label = "SIMULATED 模拟数据, " if data["simulated"] else ""
    strategy = manifest["strategy"]
    apart = differences(manifest, declared)
    equal = f", {checked['equal']} of them equal to the fen" if "equal" in checked else ""
    again = (
        f"{len(checked['sets'])} sets drawn at random were booked again one by one in both"
        f" books{equal}; largest difference"
        f" {checked['largest_difference_between_books_yuan']:.6f} yuan"
    )
    engine = manifest.get("engine", {})
    rows = [
        ("data 数据", f"{label}{data['source']}, {data['first']}..{data['last']}"),
        ("data sha256", data["sha256"]),
        ("settlement 结算价", "the exchange's" if data["settle_from"] == "settle" else
         f"stood in for by the {data['settle_from']}"),
        ("strategy 策略", f"{strategy['name']} ({strategy['file']}), sha256 {strategy['sha256']}"),
        ("command 命令", manifest["command"] or "called from Python"),
        ("differs from the defaults 与默认不同", "; ".join(apart) or "nothing"),
        ("parameters held 固定参数", ", ".join(
            f"{name} = {text_of(value)}" for name, value in manifest["grid"]["fixed"].items()
        ) or "none"),
        ("account 账户", _listed(manifest["settings"]["account"])),
        ("execution 成交", _listed(manifest["settings"]["execution"])),
        ("engine 引擎", ". ".join(filter(None, [engine.get("name", "ledger"),
                                              engine.get("note") or ""]))),
        ("checked 复核", again),
        ("made 生成", (f"{manifest['made']}, sibt {manifest['sibt']},"
         f" {manifest['seconds']:,.1f} s")),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["what", "value"])
    return f'<h2>{escape("How it was made 来源与设置")}</h2>\n<div class="facts">' + table(
        frame, head=True
    ) + "</div>\n"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())

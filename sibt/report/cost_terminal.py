"""What a reader sees of costs in the terminal: the tables of the reports and what they come to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sibt.language import EN, Language
from sibt.research.costs import capacity, demand, furnaces, plant, powder, wafer, watt
from sibt.research.costs.figure import AGREES, DIFFERS, Bounds, Figure, over
from sibt.research.costs.sheet import Sheet

__all__ = ["show", "show_overview"]

#: Width of a file or a pipe, which has none.
_PIPE = 132

#: Decimals of a figure by its unit; two where it is not named.
_DECIMALS = {"kWh/t": 0, "t": 0, "t/day": 0, "furnaces": 0, "provinces": 0, "10,000 t/GW": 4,
             "t/t": 4, "yuan/piece": 4, "W": 4, "g/W": 4, "GW": 1}  # fmt: skip


def show(sheet: Sheet, console: Console, t: Language = EN) -> None:
    """Print one table of costs: what the report lists, and what it comes to.

    Parameters
    ----------
    sheet : Sheet
        The table.
    console : rich.console.Console
        Where to print.
    t : Language
        Language to print in.
    """
    _widen(console)
    listed = _LISTS.get(sheet.name)
    if listed is not None:
        for one in listed(sheet.table, t):
            console.print(one)
            console.print()
    console.print(_figures(sheet, t))
    for note in sheet.notes:
        console.print(t("[yellow]note[/] {sentence}", sentence=escape(t(note))), soft_wrap=True)


def show_overview(sheets: Sequence[Sheet], console: Console, t: Language = EN) -> None:
    """Print the main figures of all tables, a line each, and the word that shows more."""
    _widen(console)
    table = _table(t("costs and goods in two reports of 2024, recomputed"),
                   ["sibt cost …", t("main figure"), "", t("measured in"), t("against the report")],
                   left=(0, 1, 3, 4))  # fmt: skip
    for sheet in sheets:
        differ = sum(f.verdict == DIFFERS for f in sheet.figures)
        of = sum(bool(f.verdict) for f in sheet.figures)
        told = "" if not of else (
            t("all {count} agree", count=of) if not differ else
            t("[red]{differ} of {count} differ[/]", differ=differ, count=of))  # fmt: skip
        table.add_row(f"[bold]{sheet.name}[/]", escape(t(sheet.main.what)),
                      _span(sheet.main.value, sheet.main.unit), _unit(sheet.main.unit, t), told)
    console.print(table)


def _widen(console: Console) -> None:
    if not console.is_terminal:
        console.width = _PIPE


def _table(title: str, heads: Sequence[str], left: tuple[int, ...] = (0,)) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number in left else "right")
    return table


def _figures(sheet: Sheet, t: Language) -> Table:
    table = _table(t(sheet.title), ["", "", t("measured in"), t("printed"), ""], left=(0, 2, 4))
    for figure in sheet.figures:
        if figure.name.startswith(_LISTED.get(sheet.name, ())):
            continue
        table.add_row(
            escape(t(figure.what)), _span(figure.value, figure.unit), _unit(figure.unit, t),
            "" if figure.printed is None else _span(figure.printed, figure.unit, plain=True),
            _verdict(figure, t),
        )  # fmt: skip
    return table


def _verdict(figure: Figure, t: Language) -> str:
    if not figure.verdict:
        return ""
    colour = {AGREES: "green", DIFFERS: "red"}.get(figure.verdict, "yellow")
    return f"[{colour}]{t(figure.verdict)}[/]"


def _unit(unit: str, t: Language) -> str:
    return "" if unit == "share" else t(unit)


def _number(value: float, unit: str, plain: bool = False) -> str:
    """Return a figure; `plain` as a report prints it, with no more decimals than there are."""
    if math.isnan(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.10g}%" if plain else f"{100 * value:.2f}%"
    if plain:
        return f"{value:,.10g}"
    return f"{value:,.{_DECIMALS.get(unit, 2)}f}"


def _span(value: Bounds, unit: str, plain: bool = False) -> str:
    low, high = (_number(end, unit, plain) for end in value)
    return low if low == high else f"{low} … {high}"


# -- What the reports list -------------------------------------------------------------------


def _plant(own: Mapping[str, Any], t: Language) -> list[Table]:
    table = _table(t("plant E, a tonne of silicon"),
                   ["", t("a tonne takes"), t("at yuan each"), t("low, yuan/t"),
                    t("high, yuan/t")])  # fmt: skip
    for row in own["item"]:
        use, price = row["use"], row["price"]
        table.add_row(
            escape(t(row["name"])), f"{_plain(use)} t", _plain(price),
            *(f"{plant.item(use[end], price[end]):,.2f}" for end in (0, 1)),
        )  # fmt: skip
    current = f"{plant.power(own['kwh'], own['tariff']):,.2f}"
    table.add_row(t("power"), f"{own['kwh']:,.10g} kWh", f"{own['tariff']:,.10g}", current, current)
    cost = plant.direct(own)
    table.add_row(f"[bold]{t('direct cost')}[/]", "", "", *(f"[bold]{c:,.2f}[/]" for c in cost))
    for reading, what in plant.READINGS.items():
        whole = plant.full_bounds(own, reading)
        table.add_row(t(what), "", "", *(f"{c:,.2f}" for c in whole))
    return [table]


def _watt(own: Mapping[str, Any], t: Language) -> list[Table]:
    table = _table(t("silicon in a watt, by wafer"),
                   ["", t("side, mm"), t("efficiency"), t("wafers a kg of rod"),
                    t("wafers a kg of polysilicon"), t("W a wafer"), "g/W",
                    t("10,000 t/GW")])  # fmt: skip
    for row in own["cell"]:
        pieces = wafer.per_kg(own["rod"], row["pieces"])
        power = watt.watts(row["side"], row["efficiency"], own["irradiance"])
        grams = watt.grams(pieces, power)
        table.add_row(escape(row["name"]), f"{row['side']:g}", f"{row['efficiency']:.1%}",
                      f"{row['pieces']:g}", f"{pieces:.2f}", f"{power:.4f}", f"{grams:.4f}",
                      f"{watt.per_gw(grams):.4f}")  # fmt: skip
    return [table]


def _capacity(own: Mapping[str, Any], t: Language) -> list[Table]:
    whole = capacity.total(own["silicon"])
    table = _table(t("new silicon capacity by province, 10,000 t a year"),
                   ["", t("capacity"), t("share"), t("companies")], left=(0, 3))  # fmt: skip
    sums = capacity.by(own["silicon"], "province")
    for name, amount in sorted(sums.items(), key=lambda item: -item[1]):
        firms = [r["company"] for r in own["silicon"] if r["province"] == name]
        table.add_row(escape(t(name)), f"{amount:,.10g}", _number(over(amount, whole),
                      "share"), escape("、".join(firms)))  # fmt: skip
    return [table]


def _furnaces(own: Mapping[str, Any], t: Language) -> list[Table]:
    table = _table(t("furnaces by province"),
                   ["", t("there are"), t("running"), t("open rate"), t("change"),
                    t("running, in the text")])
    wrong = furnaces.impossible(own["province"])
    for row in own["province"]:
        name, there = row["name"], row.get("text_open")
        rate = _number(furnaces.open_rate(row["open"], row["total"]), "share")
        table.add_row(
            escape(t(name)), f"{row['total']:g}", f"{row['open']:g}",
            f"[red]{rate}[/]" if name in wrong else rate,
            f"{row['change']:+g}" if row["change"] else "0",
            "" if there is None else f"{there:g}",
        )  # fmt: skip
    return [table]


def _powder(own: Mapping[str, Any], t: Language) -> list[Table]:
    table = _table(t("a tonne of powder, yuan/t"),
                   ["", t("powder per block"), t("the rest sells lower by"),
                    t("block in it"), t("left before processing")])  # fmt: skip
    for row in own["plant"]:
        shares, discount = row["yield"], row["discount"]
        for share, lower in ((shares.high, discount.low), (shares.low, discount.high)):
            table.add_row(
                escape(t("plant {name}", name=row["name"])), f"{share:.0%}", f"{lower:,.10g}",
                _number(powder.block_cost(own["block"], share, lower), "yuan/t"),
                _number(powder.margin(own["powder"], own["block"], share, lower), "yuan/t"),
            )  # fmt: skip
    return [table]


def _demand(own: Mapping[str, Any], t: Language) -> list[Table]:
    table = _table(t("from installations to silicon, 10,000 t"),
                   ["", "GW", t("ratios of the"), t("polysilicon a GW"), t("polysilicon"),
                    t("silicon per polysilicon"), t("silicon")], left=(0, 2))  # fmt: skip
    each, uses = own["per_gw"], own["si_per_poly"]
    for row in own["region"]:
        gw, made = row["gw"], demand.poly(row["gw"], each)
        table.add_row(
            escape(t(row["name"])), f"{gw:,.10g}", t("quarterly report"),
            f"{demand.ratio(row['poly'], gw):.4f}", f"{row['poly']:,.2f}",
            f"{demand.ratio(row['silicon'], row['poly']):.2f}", f"{row['silicon']:,.2f}",
        )  # fmt: skip
        goods = Bounds(*(demand.silicon(made, use) for use in uses))
        table.add_row("", "", t("field report"), f"{each:.4f}", f"{made:,.2f}",
                      f"{uses.low:.2f} … {uses.high:.2f}", _span(goods, "10,000 t"))  # fmt: skip
    return [table]


def _plain(value: Bounds) -> str:
    return " – ".join(dict.fromkeys(f"{end:,.10g}" for end in value))


_LISTS = {"plant": _plant, "watt": _watt, "capacity": _capacity, "furnaces": _furnaces,
          "powder": _powder, "demand": _demand}  # fmt: skip
#: Beginnings of the names of figures that stand in those lists.
_LISTED = {"plant": ("direct", "full_"), "watt": ("grams",), "powder": ("block_cost", "margin"),
           "demand": ("per_gw", "si_per_poly", "poly_")}  # fmt: skip

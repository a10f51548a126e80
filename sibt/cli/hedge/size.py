"""``sibt hedge size``: the first thing a hedger asks, without a strategy."""

from __future__ import annotations

import math
from datetime import date as calendar_day
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sibt.cli import files
from sibt.cli.settings import announce, lang_option
from sibt.cli.values import OneOf
from sibt.engine.account import BROKER_MARGIN
from sibt.language import Language

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sibt.hedging.size import Size

__all__ = ["command"]

#: Width of a file or a pipe, which has none.
_PIPE = 132


@click.command(
    "size",
    epilog="Examples:\n\n\b\n"
    "  sibt hedge size --tonnes 1000 --contract si2410 --date 2024-04-01\n"
    "  sibt hedge size --tonnes 1000 --contract si2410 --ratio 0.8 --price 12530 \\\n"
    "      --date 2024-04-01\n"
    "  sibt hedge size --tonnes 500 --contract si2412 --side buy --csv size.csv\n\n"
    "With --price and without --data no data are read: terms are those of the product's file.",
)
@click.option("--tonnes", type=float, required=True, metavar="T", help="Goods to hedge.")
@click.option("--contract", "code", required=True, metavar="CODE", help="Contract, as si2410.")
@click.option("--ratio", type=float, default=1.0, show_default=True, metavar="SHARE",
              help="Share of the goods to hedge.")
@click.option("--price", type=float, metavar="YUAN",
              help="Price per tonne; the contract's last settlement in the data if left out.")
@click.option("--date", metavar="DAY",
              help="Day of price and terms; the last one a hedge can begin on in the data if left"
              " out, today with --price alone.")
@click.option("--kind", type=OneOf(["individual", "company", "hedger"]), default="hedger",
              show_default=True, help="Kind of account.")
@click.option("--side", type=OneOf(["sell", "buy"]), default="sell", show_default=True,
              help="Sell against goods owned or made, buy against goods needed.")
@click.option("--broker-margin", type=float, default=BROKER_MARGIN, show_default=True,
              metavar="SHARE", help="The broker's margin on top of the exchange's.")
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars; if left out, the store in"
              " data/store, or the simulated sample while the store is empty.")
@click.option("--settle-from", type=OneOf(["close"]),
              help="Let the close stand in for a missing settlement.")
@click.option("--csv", type=click.Path(path_type=Path), metavar="FILE",
              help="Also write every figure, a row each.")
@lang_option
def command(**given: Any) -> None:
    """Tell lots, margin by stage, fees and the cash moves of the price call for."""
    files.check(csv := given["csv"], "--csv")
    from rich.console import Console

    console, t = Console(highlight=False), given["lang"]
    if not console.is_terminal:
        console.width = _PIPE
    reads = given["price"] is None or given["data"] is not None
    if reads:
        announce(console, "sibt hedge size", given["data"], t)
    else:
        console.print(t("{what} at {price:,.10g} yuan/t as given", what="[bold]sibt hedge size[/]",
                        price=given["price"]))  # fmt: skip
    found = _sized(given, reads)
    _show(found, console, t)
    if csv is not None:
        files.write(csv, found.table().to_csv(index=False, lineterminator="\n"), "--csv")
        console.print(f"CSV: {csv}", soft_wrap=True, markup=False)


def _sized(given: dict[str, Any], reads: bool) -> Size:
    """Return the size; everything heavy is imported here, after the first line is out."""
    market = None
    if reads:
        from sibt.sources import load_market

        market = load_market(given["data"], settle_from=given["settle_from"])
    from sibt.hedging.size import size

    date = given["date"]
    if date is None and market is None:
        date = calendar_day.today().isoformat()
    return size(
        given["tonnes"], given["code"], given["ratio"], price=given["price"], date=date,
        market=market, kind=given["kind"], side=given["side"],
        broker_margin=given["broker_margin"],
    )  # fmt: skip


def _show(size: Size, console: Console, t: Language) -> None:
    from rich.markup import escape

    console.print(_facts(size, t))
    console.print(_margins(size, t))
    console.print(_cash(size, t))
    for note in size.notes:
        console.print(t("[yellow]note[/] {sentence}", sentence=escape(t(note))), soft_wrap=True)


def _stages(t: Language) -> dict[str, str]:
    return {
        "today": t("on the day"),
        "holiday": t("after a holiday step"),
        "15th session": t("15th session of the month before"),
        "delivery month": t("delivery month"),
    }


def _facts(size: Size, t: Language) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    left = (t("{left:,.10g} t left unhedged", left=size.left) if size.left
            else t("nothing left unhedged"))  # fmt: skip
    way = t("sell") if size.side == "sell" else t("buy")
    table.add_row(t("hedge"), t(
        "[bold]{side} {lots:,} lots of {code}[/], {hedged:,.10g} t against {tonnes:,.10g} t of"
        " goods; {left}",
        side=way, lots=size.lots, code=escape(size.code), hedged=size.hedged, tonnes=size.tonnes,
        left=left,
    ))  # fmt: skip
    table.add_row(t("lots"), t(
        "{ratio:g} × {tonnes:,.10g} t ÷ {lot} t = {exact:,.10g}, to the nearest lot, never more"
        " than the goods",
        ratio=size.ratio, tonnes=size.tonnes, lot=size.lot, exact=size.exact,
    ))  # fmt: skip
    label = f"[bold red]{t('SIMULATED')}[/] " if size.simulated else ""
    price = t("{price:,.10g} yuan/t, {priced}", price=size.price, priced=escape(t(size.priced)))
    table.add_row(t("price"), label + price)
    table.add_row(t("worth"), t("{money:,.2f} yuan", money=size.worth))
    when = (t("the last session before the delivery month") if size.kind == "individual"
            else t("the last trading day, unless it delivers"))  # fmt: skip
    out = (t("{kind}; out in the session, {when}", kind=t(size.kind), when=when)
           if size.exit is None else
           t("{kind}; out in the session of {day:%Y-%m-%d}, {when}", kind=t(size.kind),
             day=size.exit, when=when))  # fmt: skip
    table.add_row(t("account"), out)
    for side, fee in size.fees.iterrows():
        table.add_row(t("fee to open") if side == "open" else t("fee to close"), t(
            "{exchange:,.2f} yuan at the exchange's, {broker:,.2f} at a broker's 2×, at this price",
            exchange=fee["exchange"], broker=fee["broker"],
        ))  # fmt: skip
    return table


def _margins(size: Size, t: Language) -> Table:
    from rich.markup import escape

    stages = _stages(t)
    table = _table(
        t("margin at this price, yuan"),
        ["", t("from settlement of"), t("rate"), t("exchange's"),
         t("broker's +{points:g} points", points=100 * size.broker_margin), t("why")],
        left=(0, 1, 5),
    )  # fmt: skip
    for stage in size.stages:
        known = not math.isnan(stage.rate)
        table.add_row(
            t("{stage}, other reading", stage=stages[stage.name]) if stage.other
            else stages[stage.name],
            "" if stage.since is None else f"{stage.since:%Y-%m-%d}",
            f"{100 * stage.rate:g}%" if known else "",
            _yuan(stage.exchange), _yuan(stage.broker), escape(t(stage.why)),
        )  # fmt: skip
    return table


def _cash(size: Size, t: Language) -> Table:
    """Return the cash after each move, at the first stage and at the dearest."""
    names, stages = _stages(t), [size.stages[0]]
    if size.dearest.rate > stages[0].rate:
        stages.append(size.dearest)
    heads = [f"{100 * (stage.rate + more):g}%, {standard}\n{names[stage.name]}"
             for stage in stages
             for standard, more in ((t("exchange's"), 0.0), (t("broker's"), size.broker_margin))]
    title = t("cash it takes after a move: margin at the new price + loss − gain, yuan")
    table = _table(title, [t("price moves"), t("to"), t("futures"), *heads])
    for move, rows in size.moves.groupby("move", sort=False):
        first = rows.iloc[0]
        cells = []
        for stage in stages:
            own = rows[(rows["stage"] == stage.name) & (rows["other"] == stage.other)]
            cells += [_yuan(cash) for cash in own["cash"]]
        side = t("for") if first["gain"] > 0 else t("against")
        table.add_row(f"{float(str(move)):+.0%} {side}", f"{first['price']:,.10g}",
                      f"{first['gain']:+,.2f}", *cells)
    if any(cell < 0 for cell in size.moves["cash"].dropna()):
        table.caption = t("below zero: what may be taken out")
    return table


def _table(title: str, heads: list[str], left: tuple[int, ...] = ()) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption_justify="left", box=None,
                  padding=(0, 2, 0, 0))  # fmt: skip
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number in left else "right")
    return table


def _yuan(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.2f}"

"""``sibt data show``: the market as HTML pages people keep open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sibt.cli.settings import level_option, levels
from sibt.cli.values import OneOf
from sibt.language import EN

__all__ = ["command"]


@click.command(
    "show",
    epilog="Examples:\n\n\b\n"
    "  sibt data show --open\n"
    "  sibt data show --data prices.csv --spread si2409-si2410\n"
    "  sibt data show --on 2024-03-29 --on 2024-10-23\n"
    "  sibt data show --spread si2411-si2412 --cross-standard --series output\n"
    "  sibt data show --level guolian_2024q1.support\n\n"
    "Prices are yuan per tonne; a spread is near − far.",
)
@click.option("--data", default=None, metavar="PATH",
              help="Folder, CSV or Parquet file of daily bars, or a store; if left out, the store"
              " in data/store, or the simulated sample while the store is empty.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results/market"),
              show_default=True, help="Folder of the pages; replaced as a whole.")
@click.option("--product", metavar="CODE", help="Product; that of the first contract if left out.")
@click.option("--spread", "spreads", multiple=True, metavar="NEAR-FAR",
              help="Pair to draw, again for more; the adjacent pair that traded most in the last 20"
              " sessions if left out.")
@click.option("--on", multiple=True, metavar="DAY",
              help="Session of the term structure, again for more; the last one and those a month,"
              " a quarter and a year before if left out. The matrix shows the latest.")
@click.option("--series", multiple=True, metavar="NAME",
              help="Your series to lay over the price, again for more; all if left out.")
@level_option
@click.option("--price", type=OneOf(["settle", "close"]),
              help="Price of curves and spreads; settlements where they are as many as closes.")
@click.option("--cross-standard", is_flag=True,
              help="Draw through the delivery-standard line (si2411|si2412).")
@click.option("--open", "show", is_flag=True, help="Open the first page in the browser.")
def command(**given: Any) -> None:
    """Draw coverage, term structure, spreads, basis and stocks into a folder of pages."""
    import time

    began = time.perf_counter()
    from rich.console import Console
    from rich.markup import escape

    from sibt.report.market import asked, pages, write
    from sibt.report.market.folder import check_folder
    from sibt.report.market.levels import over_index
    from sibt.sources import load_market

    check_folder(given["out"])
    lines = levels(given["levels"])
    market = load_market(_source(given["data"], given["product"]))
    wanted = asked(
        market,
        on=given["on"],
        spreads=given["spreads"],
        series=given["series"],
        product=given["product"],
        price=given["price"],
        cross_standard=given["cross_standard"],
        levels=lines,
    )
    console = Console(highlight=False)
    console.print(f"[bold]sibt data show[/] on {_named(market)}", soft_wrap=True)
    with Console(stderr=True).status("drawing"):
        found = pages(market, wanted)
        folder = write(found, given["out"])
    days = ", ".join(f"{day:%Y-%m-%d}" for day in wanted.on)
    pairs = ", ".join(f"{near}-{far}" for near, far in wanted.pairs) or "none"
    console.print(f"term structure  {days}", soft_wrap=True)
    console.print(f"spreads         {pairs}", soft_wrap=True)
    console.print(f"series          {escape(', '.join(wanted.series)) or 'none'}", soft_wrap=True)
    for one in over_index(market, wanted):
        told = one.label(EN) if one.why is None else one.why
        console.print(f"level           {escape(told)}", soft_wrap=True)
    console.print(
        f"{len(found)} pages in {escape(str(given['out'] / 'index.html'))}"
        f" ({time.perf_counter() - began:.1f} s)", soft_wrap=True,
    )
    if given["show"]:
        click.launch((folder / "index.html").as_uri())


def _source(data: str | None, product: str | None) -> str | Path | None:
    """Return what to read: in a store with that product, the product's folder."""
    from sibt.sources.store import DEFAULT, Store

    if product is None or data == "sample":
        return data
    return Store(DEFAULT if data is None else data).market(product) or data


def _named(market: Any) -> str:
    from rich.markup import escape

    prov = market.provenance
    label = "[bold red]SIMULATED[/] " if prov.simulated else ""
    first, last = market.sessions[0], market.sessions[-1]
    return (
        f"{label}{escape(prov.source)}: {len(market.contracts)} contracts, {len(market.sessions)}"
        f" sessions {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    )

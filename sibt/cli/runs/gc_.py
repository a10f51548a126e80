"""``sibt runs gc``: what was half written or serves no more is taken away."""

from __future__ import annotations

from pathlib import Path

import click

from sibt.cli.runs.place import check_there, out_option
from sibt.cli.settings import lang_option
from sibt.errors import SettingError
from sibt.language import Language

__all__ = ["command"]


@click.command(
    "gc", epilog="Examples:\n\n\b\n  sibt runs gc --dry-run\n  sibt runs gc --out elsewhere"
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and leave it.")
@out_option
@lang_option
def command(dry_run: bool, out: Path, lang: Language) -> None:
    """Take away folders half written an hour ago, unused scripts, and a latest that is lost."""
    check_there(out)
    from sibt.report.runs_terminal import in_bytes
    from sibt.runs.rubbish import clear, rubbish

    t, found = lang, rubbish(out)
    for each in found:
        click.echo(f"{each.path}  {in_bytes(each.bytes)}  {t(each.why)}")
    total = in_bytes(sum(each.bytes for each in found))
    if not found:
        click.echo(t("Nothing to take away in {out}.", out=str(out)))
    elif dry_run:
        click.echo(t("{n} would go, {size}; nothing was changed.", n=len(found), size=total))
    else:
        try:
            clear(out, found)
        except OSError as error:
            raise SettingError(
                f"{error.filename} cannot be taken away: {error.strerror}; mend its rights."
            ) from None
        click.echo(t("{n} taken away, {size}.", n=len(found), size=total))

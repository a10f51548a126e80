"""Reading NAME=VALUE and other words of the command line."""

from collections.abc import Iterable

import click

from sibt.errors import SettingError, did_you_mean

__all__ = ["OneOf", "Share", "named"]


def named(words: Iterable[str], flag: str) -> dict[str, str]:
    """Return NAME=VALUE words as a dict.

    Raises
    ------
    SettingError
        A word without an equals sign, or a name given twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name.strip() or not value.strip():
            raise SettingError(f"{flag} '{word}' is no NAME=VALUE; write it as {flag} name=value.")
        if name.strip() in found:
            raise SettingError(f"{flag} names '{name.strip()}' twice; give it once.")
        found[name.strip()] = value.strip()
    return found


class OneOf(click.Choice[str]):
    """One of some words, with "did you mean" for what is none of them."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the word, or fail with the words that are known."""
        if value not in self.choices:
            known = [str(choice) for choice in self.choices]
            self.fail(
                f"'{value}' is none of {', '.join(known)}.{did_you_mean(str(value), known)}",
                param,
                ctx,
            )
        return str(value)


class Share(click.ParamType):  # type: ignore[type-arg]
    """A share of one, or ``none``."""

    name = "share|none"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """Return a float, or None for ``none``."""
        if value is None or str(value).lower() == "none":
            return None
        try:
            return float(str(value))
        except ValueError:
            self.fail(f"'{value}' is no share; write 0.1 for ten per cent, or none.", param, ctx)

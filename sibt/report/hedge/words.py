"""What things are called in the report of a hedge: parts of its result, measures, ways."""

from __future__ import annotations

from collections.abc import Mapping

from sibt.hedging.delivery import DeliveryTerms
from sibt.language import Language

__all__ = ["deliveries", "measure", "methods", "parts", "terms", "verdict"]


def parts(t: Language) -> Mapping[str, str]:
    """Return the parts of `sibt.hedging.basis.PARTS` in words."""
    return {
        "time": t("basis over time"),
        "place": t("basis of place"),
        "grade": t("basis of grade"),
        "ratio": t("tonnes left open, or covered twice"),
        "rounding": t("less than a lot"),
        "agreed": t("agreed prices against quotes"),
        "fills": t("fills against settlement"),
        "slippage": t("slippage"),
        "fees": t("fees"),
        "rolls": t("fees and slippage of rolls"),
        "costs": t("further costs"),
        "unquoted": t("futures before the first and after the last quote"),
    }


def methods(t: Language) -> Mapping[str, str]:
    """Return the ways to a ratio of `sibt.hedging.ratios.estimate.METHODS` in words."""
    return {
        "naive": t("one for one"),
        "min_variance": t("minimum variance"),
        "error_correction": t("error correction"),
        "vecm": "VECM",
        "rolling": t("rolling window"),
        "ewma": t("exponential weights"),
        "kalman": t("Kalman filter"),
        "ccc": "CCC-GARCH",
        "dcc": "DCC-GARCH",
    }


def measure(name: str, t: Language) -> str:
    """Return a measure of `sibt.hedging.reduction.MEASURES` in words."""
    kind, comma, how = name.partition(", ")
    kind, space, level = kind.partition(" ")
    told = {"variance": t("variance"), "semivariance": t("semivariance"),
            "VaR": t("value at risk"), "ES": t("expected shortfall")}[kind]  # fmt: skip
    return f"{told}{space}{level}{comma}{how}"


def verdict(text: str, t: Language) -> str:
    """Return the verdict on a way to a ratio; see `sibt.hedging.contest.Contest`."""
    said, colon, why = text.partition(": ")
    return t(said) + colon + t(", ").join(map(t, filter(None, why.split(", "))))


def deliveries(t: Language) -> Mapping[str, str]:
    """Return which was better, as in `sibt.hedging.delivery.Delivered`."""
    return {"deliver": t("delivering"), "close": t("closing"), "neither": t("neither")}


def terms(given: DeliveryTerms, t: Language) -> list[tuple[str, str]]:
    """Return the terms of a delivery that were given, in words, with their values."""
    a_tonne = "{:,.10g} " + t("yuan/t")
    known = (
        ("delivery_price", t("delivery settlement price"), a_tonne),
        ("region", t("premium of the region"), a_tonne),
        ("delivery_fee", t("delivery fee"), a_tonne),
        ("storage", t("storage"), "{:,.10g} " + t("yuan/t a day")),
        ("storage_days", t("days of storage"), "{:,.10g}"),
        ("inspection", t("inspection"), a_tonne),
        ("loading", t("loading in and out"), a_tonne),
        ("vat", t("VAT"), "{:.2%}"),
    )
    return [
        (word, form.format(value))
        for name, word, form in known
        if isinstance(value := getattr(given, name), int | float)
    ]

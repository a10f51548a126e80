"""What the hedging desk says of a run, as sections of its page."""

from __future__ import annotations

from sibt.language import Language
from sibt.runs.run import Run

__all__ = ["sections"]


def sections(run: Run, t: Language) -> list[tuple[str, str, str, str]]:
    """Return id, short name, heading and HTML of the desk's sections; none without a desk."""
    desk = run.desk
    if desk is None:
        return []
    from sibt.report.hedge import accounting, delivery, estimators, money, worth

    return [
        ("effectiveness", t("Effective price"), t("What the hedge was worth"),
         worth.prices(run, desk, t)),
        ("cash", t("Cash at risk"), t("Cash the hedge may call for"), money.cash(run, desk, t)),
        ("basis", t("Basis"), t("Where the price came from"), worth.basis(desk, t)),
        ("risk-cut", t("Risk cut"), t("By how much risk was cut"), worth.risk(desk, t)),
        ("offset", t("Offset"), t("Dollar offset and regression, the old screens"),
         worth.offset(run, desk, t)),
        ("rolls", t("Rolls"), t("Rolls from contract to contract"), money.rolls(run, desk, t)),
        ("delivery", t("Delivery"), t("Delivering against closing"), delivery.delivery(run, t)),
        ("ratios", t("Ratios"), t("Ways to a hedge ratio, side by side"),
         estimators.ways(desk.estimators, t)),
        ("accounting", t("Accounting"), t("Hedge-accounting sheet"),
         accounting.accounting(desk, t)),
    ]  # fmt: skip

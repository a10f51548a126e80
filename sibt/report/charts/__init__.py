"""Charts of a run: each takes a `Run` and a language and returns a figure to be changed."""

from sibt.report.charts.account import equity, margin, risk
from sibt.report.charts.desk import cash, dollar_offset, effective_prices, rolls
from sibt.report.charts.goods import hedge
from sibt.report.charts.months import monthly, monthly_table
from sibt.report.charts.prices import price
from sibt.report.charts.profit import entry_days, legs, split
from sibt.report.charts.term_structure import curves

__all__ = [
    "cash", "curves", "dollar_offset", "effective_prices", "entry_days", "equity", "hedge", "legs",
    "margin", "monthly", "monthly_table", "price", "risk", "rolls", "split",
]  # fmt: skip

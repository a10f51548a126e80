import csv
from pathlib import Path

import pandas as pd
import pytest

from sibt.errors import TermsError
from sibt.market import calendar
from sibt.market.contract import contract

with (Path(__file__).parent / "contracts.csv").open(encoding="utf-8") as _file:
    ANSWERS = list(csv.DictReader(_file))


def test_the_answer_file_holds_29_contracts():
    assert len(ANSWERS) == 29


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["contract"])
def test_life_agrees_with_the_exchanges_table(row):
    life = contract(row["contract"])
    found = {
        "contract": life.code,
        "listing_date": life.listed,
        "last_trading_day": life.last_trading,
        "last_delivery_day": life.last_delivery,
        "td15_of_month_before_delivery": life.fifteenth_before,
        "first_td_of_delivery_month": life.delivery_start,
        "last_td_before_delivery_month": life.last_natural,
    }
    shown = {
        name: f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value
        for name, value in found.items()
    }
    assert shown == row


def test_a_natural_person_leaves_before_the_delivery_month_a_company_on_the_last_day():
    life = contract("si2411")
    assert life.exit_session("individual") == pd.Timestamp("2024-10-31")
    assert life.exit_session("company") == pd.Timestamp("2024-11-14")
    assert life.exit_session("hedger") == pd.Timestamp("2024-11-14")


def test_the_delivery_standard_changes_between_2411_and_2412():
    assert contract("si2411").standard == contract("si2308").standard == "2022"
    assert contract("si2412").standard == contract("si2501").standard == "2024"


def test_a_life_beyond_the_calendar_is_unknown_not_an_error():
    life = contract(f"si{(calendar.sessions()[-1].year + 3) % 100:02d}05")
    assert life.last_trading is None
    assert life.last_delivery is None
    assert life.delivery_start is None
    assert life.exit_session("individual") is None


def test_a_product_without_a_listing_rule_has_unknown_listings():
    assert contract("lc2411").listed is None
    assert contract("lc2411").last_trading == pd.Timestamp("2024-11-14")


@pytest.mark.parametrize("code", ["SI2411", "si2413", "si2400", "si411", "si0", "si", "2411", ""])
def test_what_is_no_code_is_refused_with_an_example(code):
    with pytest.raises(TermsError, match="as si2411"):
        contract(code)


def test_an_unknown_product_names_the_known_ones():
    with pytest.raises(TermsError, match=r"'sii'.*known are lc, ps, si.*Did you mean 'si'"):
        contract("sii2411")

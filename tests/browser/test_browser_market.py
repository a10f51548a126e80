"""The pages of ``sibt data show`` in a browser."""

import pytest
from looking import check

PAGES = ("index", "term_structure", "spreads", "matrix", "basis", "stocks", "quarter", "series")


@pytest.fixture(scope="module")
def folder(made):
    return made("data show", "results/market")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_opens_fits_and_has_no_serious_fault(tab, folder, name):
    check(tab(folder / f"{name}.html"), f"market-{name}")

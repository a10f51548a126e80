"""The page of a sweep in a browser."""

import pytest
from looking import check


@pytest.fixture(scope="module")
def path(made):
    return made("sweep calendar_reverse -p hold=20,40,60 -p stop=100,200,300",
                "results/*-sweep/sweep.html")  # fmt: skip


def test_it_opens_fits_and_has_no_serious_fault(tab, path):
    check(tab(path), "sweep")


def test_arrow_keys_read_out_the_cells_of_a_map(tab, path):
    page = tab(path)
    plane = page.locator("svg[data-c]").first
    out = plane.locator("xpath=..").locator("output")
    plane.focus()
    page.keyboard.press("ArrowRight")
    first = out.text_content()
    page.keyboard.press("ArrowUp")
    assert first
    assert out.text_content() != first


def test_a_table_is_sorted_by_the_keyboard(tab, path):
    page = tab(path)
    table = page.locator(".sortable table").first
    button = table.get_by_role("button", name="net").first
    nets = []
    for _ in range(2):
        button.press("Enter")
        nets.append(table.locator("tbody tr").first.text_content())
    assert nets[0] != nets[1]

"""The worked notebook runs, and shows what it says it shows."""

import nbformat
import pytest
from worked_notebook import NOTEBOOK, read, run

#: Pictures are drawn by a browser, to the pixel never twice the same.
_PICTURE = "image/png"


def texts(outputs: list[dict]) -> list[dict]:
    return [
        output | {"data": {kind: shown for kind, shown in output["data"].items()
                           if kind != _PICTURE}}
        if "data" in output else output
        for output in outputs
    ]  # fmt: skip


@pytest.fixture(scope="module")
def cells() -> list[dict]:
    return [cell for cell in read()["cells"] if cell["cell_type"] == "code"]


def test_every_cell_shows_what_is_stored(cells):
    again = run(read())
    assert len(again) == len(cells)
    for cell, shown in zip(cells, again, strict=True):
        assert texts(cell["outputs"]) == texts(shown), (
            "".join(cell["source"])
            + "\n-- shows something else; python tests/docs/worked_notebook.py stores it anew"
        )


def test_every_figure_is_stored_as_a_picture(cells):
    figures = [output["data"][_PICTURE] for cell in cells for output in cell["outputs"]
               if _PICTURE in output.get("data", ())]  # fmt: skip
    assert len(figures) > 3
    assert all(figure.startswith("iVBOR") for figure in figures)


def test_it_says_before_anything_else_that_the_prices_are_made_up():
    first, *rest = read()["cells"]
    assert "SIMULATED" in "".join(first["source"])
    titles = [output["data"]["text/plain"][0] for cell in rest for output in cell.get("outputs", ())
              if _PICTURE in output.get("data", ())]  # fmt: skip
    assert all(title.startswith(("SIMULATED", "模拟数据")) for title in titles)


def test_it_is_a_notebook_small_enough_to_be_shown():
    nbformat.validate(nbformat.read(NOTEBOOK, as_version=4))
    assert NOTEBOOK.stat().st_size < 300_000

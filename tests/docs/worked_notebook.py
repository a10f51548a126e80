"""The worked notebook run without Jupyter: its cells in order, in one namespace.

``python tests/docs/worked_notebook.py`` runs ``docs/notebook.ipynb`` anew and stores what its
cells show; pictures of figures need Chromium.
"""

import ast
import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def read() -> dict:
    return json.loads(NOTEBOOK.read_text("utf-8"))


def run(notebook: dict, draw=lambda figure: "") -> list[list[dict]]:
    """Return what each code cell shows, as notebooks store it.

    In an English locale, in a folder of its own; `draw` makes a figure a picture in base 64. A
    figure's text is its title and what is drawn.
    """
    namespace: dict = {"__name__": "__main__"}
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        pd.option_context("display.max_columns", 20, "display.width", 80),
    ):
        before = os.environ.get("LC_ALL")
        os.environ["LC_ALL"] = "C.UTF-8"
        try:
            return [
                _shown("".join(cell["source"]), namespace, number, draw)
                for number, cell in enumerate(cells, start=1)
            ]
        finally:
            if before is None:
                del os.environ["LC_ALL"]
            else:
                os.environ["LC_ALL"] = before


def _shown(source: str, namespace: dict, number: int, draw) -> list[dict]:
    code = ast.parse(source)
    last = code.body.pop() if code.body and isinstance(code.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"cell {number}", "exec"), namespace)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
    outputs = []
    if printed.getvalue():
        text = printed.getvalue().splitlines(keepends=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if value is not None:
        outputs.append({"data": _data(value, draw), "execution_count": number, "metadata": {},
                        "output_type": "execute_result"})
    return outputs


def _data(value, draw) -> dict:
    if isinstance(value, go.Figure):
        drawn = [f"{trace.name or trace.type}: {len(trace.x)} points" for trace in value.data]
        text = "\n".join([value.layout.title.text, *drawn])
        return {"image/png": draw(value), "text/plain": text.splitlines(keepends=True)}
    data = {"text/plain": repr(value).splitlines(keepends=True)}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_().splitlines(keepends=True)
    return data


def _picture(figure: go.Figure) -> str:
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder, "figure.html"), Path(folder, "figure.png")
        figure.update_layout(width=760, height=400)
        figure.write_html(page, config={"displayModeBar": False})
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={folder}/chromium", "--virtual-time-budget=8000",
             "--window-size=776,416", f"--screenshot={picture}", page.as_uri()],
            check=True, capture_output=True, timeout=120,
        )
        small = io.BytesIO()
        Image.open(picture).convert("RGB").quantize(48).save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode("ascii")


def main() -> None:
    notebook = read()
    shown = iter(run(notebook, _picture))
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            cell["execution_count"], cell["outputs"] = number, next(shown)
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    NOTEBOOK.write_text(text + "\n", "utf-8")
    print(f"{NOTEBOOK}: {len(text.encode()) / 1000:,.0f} kB", file=sys.stderr)


if __name__ == "__main__":
    main()

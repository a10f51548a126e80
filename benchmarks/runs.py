"""How long two thousand runs take to list, and their page to draw.

One real run is copied with its manifest only, as `sibt runs list` reads nothing else; each copy
has 46 findings, as many as a market of real prices gives. Run ``python benchmarks/runs.py``.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sibt
from sibt.language import EN
from sibt.report.catalogue import write_index
from sibt.runs.save import save

RUNS, FINDINGS, ROUNDS = 2000, 46, 5


def fill(out: Path) -> None:
    """Write the folders."""
    first = save(sibt.run("calendar_reverse", sibt.load_market("sample")), out)
    manifest = json.loads((first / "manifest.json").read_text("utf-8"))
    found = manifest["data"]["findings"]
    manifest["data"]["findings"] = [found[n % len(found)] for n in range(FINDINGS)]
    for number in range(1, RUNS):
        made = datetime(2026, 1, 5, 9, 30, tzinfo=UTC) + timedelta(minutes=17 * number)
        folder = out / f"{made:%Y%m%d-%H%M%S}-calendar_reverse"
        folder.mkdir()
        manifest["made"] = made.isoformat(timespec="seconds")
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Print the seconds of the whole command, and of the page."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "results"
        fill(out)
        for count in ("50", "0"):
            words = ["runs", "list", "--out", str(out), "-n", count]
            seconds, before = [], os.times()
            for _ in range(ROUNDS):
                began = time.perf_counter()
                said = subprocess.run([sys.executable, "-m", "sibt", *words], check=True,
                                      capture_output=True, text=True).stdout  # fmt: skip
                seconds.append(time.perf_counter() - began)
            after = os.times()
            busy = sum(after[2:4]) - sum(before[2:4])
            print(f"sibt runs list, {len(said.splitlines()) - 2:,} of {RUNS:,} runs shown: median"
                  f" {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s,"
                  f" {busy / ROUNDS:.2f} s of a processor")
        began, before = time.perf_counter(), time.process_time()
        page = write_index(out, EN)
        print(f"results/index.html: {time.perf_counter() - began:.2f} s,"
              f" {time.process_time() - before:.2f} s of a processor,"
              f" {page.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

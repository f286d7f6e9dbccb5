"""Compare with bertviz in one run, see what analysis costs, and write the tables.

python -m tests.bench [--lengths 32,128] [--write]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.servers import jupyter_lab

from . import ours, peer, views
from .measure import Figures

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADER = """\
| 12 x 12 heads | tokens | Python s | sent to the browser | first view s | hover ms, median / p95 \
| layer switch ms | page memory MB |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", default="32,128,256,512")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} too")
    options = parser.parse_args()
    rows = [HEADER]
    with tempfile.TemporaryDirectory() as name, jupyter_lab(Path(name)) as url:
        for n in map(int, options.lengths.split(",")):
            pair = compare(n, url, Path(name))
            for side, figures in pair.items():
                rows.append(row(side, n, figures))
                print(rows[-1], flush=True)
            rows.append(ratio(n, *pair.values()))
            print(rows[-1], flush=True)
        for part in views.report(url, Path(name)):
            rows.append(part)
            print(part, flush=True)
    for part in costs():
        rows.append(part)
        print(part, flush=True)
    table = "\n".join(rows)
    print(f"\n{table}")
    if options.write:
        RESULTS.write_text(f"{about()}\n\n{table}\n")


def costs() -> Iterator[str]:
    """Yield what a file, analysis and interventions cost, each in a process of its own."""
    yield "\n## What one file, scores, interventions and an atlas cost"
    for module in ("single_file", "scores", "interventions", "atlas"):
        command = [sys.executable, "-m", f"{__package__}.{module}"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        yield f"\n```\n{said.strip()}\n```"


def compare(n: int, url: str, folder: Path) -> dict[str, Figures]:
    """Measure both, each in a browser of its own."""
    with sync_playwright() as playwright:
        pair: dict[str, Figures] = {}
        for side in ("AttentionExplorer", "bertviz"):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            if side == "bertviz":
                pair[side] = peer.measure(browser, n, folder)
            else:
                pair[side] = ours.measure(browser, n, url, folder)
            browser.close()
    return pair


def row(side: str, n: int, f: Figures) -> str:
    hover = f"{f.hover_ms[0]:.1f} / {f.hover_ms[1]:.1f}" if f.hover_ms else "-"
    cells = [
        side,
        str(n),
        f"{f.python_s:.2f}",
        f"{f.sent_bytes / 1e6:.2f} MB",
        number(f.first_view_s, 2) if not f.note else f.note,
        hover,
        number(f.layer_switch_ms, 0),
        number(f.browser_mb, 0),
    ]
    return f"| {' | '.join(cells)} |"


def number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def ratio(n: int, ours: Figures, theirs: Figures) -> str:
    def times(a: float | None, b: float | None) -> str:
        return "-" if a is None or b is None else f"{a / b:.0f}x"

    hovers = [f.hover_ms[1] if f.hover_ms else None for f in (theirs, ours)]
    cells = [
        "bertviz / ours",
        str(n),
        times(theirs.python_s, ours.python_s),
        times(theirs.sent_bytes, ours.sent_bytes),
        times(theirs.first_view_s, ours.first_view_s),
        times(*hovers),
        times(theirs.layer_switch_ms, ours.layer_switch_ms),
        times(theirs.browser_mb, ours.browser_mb),
    ]
    return f"| {' | '.join(cells)} |"


def about() -> str:
    """Return what was compared and on what."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("bertviz", "jupyterlab", "torch"))
    return f"""\
# The comparison with bertviz

Written by `make bench ARGS=--write`: {os.cpu_count()} cores, {platform.machine()}, Python \
{platform.python_version()}, {packages}, headless Chromium with software drawing.

Random softmax rows, the same for both. Ours runs in a real JupyterLab: the first view counts \
from the constructor's first line to the paint after which nothing is missing on screen, bytes \
are those of the websocket until nothing more comes, memory is what the page's process grows by. \
bertviz is measured at its best: its page opened as a file, its libraries on this machine; the \
first view counts from opening the page to the paint of its lines, memory is the page's process. \
A hover counts the page's work until it is painted, handlers and frame, without the wait for the \
screen's next refresh; a layer switch counts from the choice to the paint of the new layer."""


if __name__ == "__main__":
    main()

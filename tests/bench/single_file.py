"""A view as one file, opened as by a double click: its size, and when it is painted.

python -m tests.bench.single_file
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from attention_explorer import AttentionExplorer
from tests.e2e.conftest import CHROMIUM, QUIET

from . import peer
from .attentions import attentions_of, tokens_of
from .measure import PROBES, Figures, renderer_mb
from .ours import DRAWN

N = 128
ROUNDS = 3


def main() -> None:
    """Print what both write, and how long until that is seen; medians of some openings."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        sides = {"to_html": ours, "bertviz head_view": peer.measure}
        print(f"12 x 12 heads, {N} tokens, opened from file://:")
        for side, measure in sides.items():
            found = []
            for _ in range(ROUNDS):
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
                found.append(measure(browser, N, folder))
                browser.close()
            print(f"  {side:18} {said(sorted(found, key=first_view)[ROUNDS // 2])}")


def ours(browser: Browser, n: int, folder: Path) -> Figures:
    """Write one explorer with its default views, and open the file without a network."""
    explorer = AttentionExplorer(attentions_of(n), tokens_of(n))
    path = folder / "ours.html"
    start = time.perf_counter()
    explorer.to_html(path)
    figures = Figures(time.perf_counter() - start, path.stat().st_size)
    page = browser.new_context(offline=True, viewport={"width": 1400, "height": 1000}).new_page()
    page.add_init_script(PROBES)
    start = time.time()
    page.goto(path.as_uri(), wait_until="commit")
    figures.first_view_s = page.evaluate(DRAWN) / 1000 - start
    figures.browser_mb = renderer_mb(browser)
    return figures


def first_view(figures: Figures) -> float:
    return figures.first_view_s or peer.PATIENCE_S


def said(figures: Figures) -> str:
    return (
        f"{figures.sent_bytes / 1e6:6.2f} MB, written in {figures.python_s:5.2f} s, "
        f"first view after {first_view(figures):5.2f} s, page of {figures.browser_mb or 0:4.0f} MB"
    )


if __name__ == "__main__":
    main()

"""bertviz at its best: its page opened as a file, its libraries from this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.conftest import CHROMIUM, QUIET

from .attentions import attentions_of, tokens_of
from .measure import PROBES, Figures, hover, renderer_mb

LIBRARIES = Path(__file__).parent / "node_modules"
CDN = {
    "require.min.js": LIBRARIES / "requirejs" / "require.js",
    "d3.min.js": LIBRARIES / "d3" / "dist" / "d3.min.js",
    "jquery.min.js": LIBRARIES / "jquery" / "dist" / "jquery.min.js",
}
PATIENCE_S = 120
LINES = "() => window.__drawn(() => document.querySelector('#vis line'))"
# Beyond some tokens the page is taller than the window: those in it are hovered.
TOKENS_IN_VIEW = """() => [...document.querySelectorAll("#vis #left text")]
  .map((el) => el.getBoundingClientRect())
  .filter((box) => box.width > 0 && box.top > 0 && box.bottom < innerHeight)
  .map((box) => [box.left + box.width / 2, box.top + box.height / 2])"""
SWITCH_LAYER = """async (layer) => {
  const select = document.querySelector("select");
  const start = performance.now();
  select.value = String(layer);
  require("jquery")(select).trigger("change");
  return (await window.__painted()) - start;
}"""


def write_page(view: str, n: int, path: Path) -> None:
    """Write bertviz's page and print what that took, as JSON."""
    import bertviz

    attentions, tokens = attentions_of(n), tokens_of(n)
    start = time.perf_counter()
    html = getattr(bertviz, view)(attentions, tokens, html_action="return").data
    seconds = time.perf_counter() - start
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{html}</body>")
    print(json.dumps({"seconds": seconds, "bytes": len(html.encode())}))


def measure(browser: Browser, n: int, folder: Path) -> Figures:
    path = folder / f"bertviz-{n}.html"
    written = _written("head_view", n, path)
    figures = Figures(python_s=written["seconds"], sent_bytes=written["bytes"])
    page = _page(browser)
    try:
        _measure_page(browser, page, path, figures)
    except PlaywrightTimeout:
        figures.note = f"nothing drawn within {PATIENCE_S} s"
    finally:
        page.close()
        path.unlink()
    return figures


def first_model_view(n: int, folder: Path) -> str:
    """Say how long its view of all heads takes to be drawn, and of how many nodes it is."""
    path = folder / f"bertviz-model-{n}.html"
    written = _written("model_view", n, path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = _page(browser)
        page.set_default_timeout(PATIENCE_S * 1000)
        start = time.time()
        try:
            page.goto(path.as_uri(), wait_until="commit")
            page.wait_for_function("() => document.querySelector('#vis line')")
            drawn = page.evaluate(LINES) / 1000 - start
            nodes = page.evaluate("() => document.querySelectorAll('*').length")
            said = f"after {drawn + written['seconds']:.0f} s, as {nodes:,} nodes"
        except PlaywrightTimeout:
            said = f"draws nothing within {PATIENCE_S} s"
        browser.close()
    path.unlink()
    return said


def _written(view: str, n: int, path: Path) -> dict[str, Any]:
    """Let a process of its own write the page: at 512 tokens it takes gigabytes."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.bench.peer", view, str(n), str(path)],
        stdout=subprocess.PIPE,
        check=True,
    )
    written: dict[str, Any] = json.loads(made.stdout.splitlines()[-1])
    return written


def _page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.route("https://cdnjs.cloudflare.com/**", _from_this_machine)
    page.add_init_script(PROBES)
    return page


def _measure_page(browser: Browser, page: Page, path: Path, figures: Figures) -> None:
    page.set_default_timeout(PATIENCE_S * 1000)
    start = time.time()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_function("() => document.querySelector('#vis line')", timeout=PATIENCE_S * 1000)
    figures.first_view_s = page.evaluate(LINES) / 1000 - start
    figures.browser_mb = renderer_mb(browser)
    rounds = 100 if figures.first_view_s < 5 else 10
    figures.hover_ms = hover(page, page.evaluate(TOKENS_IN_VIEW), rounds)
    page.mouse.move(1, 1)
    switches = [page.evaluate(SWITCH_LAYER, layer) for layer in (1, 2, 3)]
    figures.layer_switch_ms = sorted(switches)[1]


def _from_this_machine(route: Route) -> None:
    name = route.request.url.rsplit("/", 1)[-1]
    route.fulfill(path=CDN[name], content_type="text/javascript")


if __name__ == "__main__":
    write_page(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))

"""AttentionExplorer in a real JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser, Page, WebSocket

from tests.e2e.lab import LabNotebook, write_notebook

from .measure import PROBES, Figures, hover, renderer_mb

PREPARE = """
import json, sys, time
sys.path.insert(0, {root!r})
from tests.bench.attentions import attentions_of, tokens_of
import attention_explorer
from attention_explorer import AttentionExplorer
from IPython.display import display
attentions, tokens = attentions_of({n}), tokens_of({n})
"""
SHOW = """
start = time.time()
explorer = AttentionExplorer(attentions, tokens)
made = time.time()
display(explorer)
"""
EXPLORER = "window.__roots.map((root) => root.querySelector('.explorer')).find(Boolean)"
COMPLETE = f"(() => {{ const el = {EXPLORER}; return el && el.ariaBusy === 'false'; }})()"
DRAWN = f"() => window.__drawn(() => {COMPLETE})"
TOKENS_IN_VIEW = f"""() => {{
  const tokens = {EXPLORER}.querySelector(".tokens");
  const line = tokens.getBoundingClientRect();
  return [...tokens.querySelectorAll(".token")]
    .map((el) => el.getBoundingClientRect())
    .filter((box) => box.top >= line.top && box.bottom <= line.bottom)
    .map((box) => [box.left + box.width / 2, box.top + box.height / 2]);
}}"""
SWITCH_LAYER = f"""async (layer) => {{
  const el = {EXPLORER};
  const select = el.querySelector("select[aria-label=layer]");
  const start = performance.now();
  select.value = String(layer);
  select.dispatchEvent(new Event("change", {{ bubbles: true }}));
  await window.__drawn(() => el.querySelector(".title").textContent.includes(`layer ${{layer}} `)
    && el.ariaBusy === "false");
  return performance.now() - start;
}}"""


def measure(browser: Browser, n: int, url: str, folder: Path) -> Figures:
    root = Path(__file__).resolve().parents[2]
    write_notebook(folder / f"bench-{n}.ipynb", [SHOW])
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    page.set_default_timeout(60_000)
    page.add_init_script(PROBES)
    received: list[int] = []
    page.on("websocket", lambda socket: _count(socket, received))
    notebook = LabNotebook(page, url, f"bench-{n}.ipynb")
    notebook.wait_for_kernel()
    notebook.python(PREPARE.format(root=str(root), n=n))
    before = renderer_mb(browser)
    received.clear()
    notebook.run_all()
    drawn = page.evaluate(DRAWN) / 1000
    _until_quiet(page, received)
    sent = sum(received)
    times = json.loads(notebook.python("print(json.dumps([start, made]))"))
    figures = Figures(python_s=times[1] - times[0], sent_bytes=sent)
    figures.first_view_s = drawn - times[0]
    figures.hover_ms = hover(page, page.evaluate(TOKENS_IN_VIEW)[:100], 100, COMPLETE)
    figures.layer_switch_ms = sorted(page.evaluate(SWITCH_LAYER, layer) for layer in (1, 2, 3))[1]
    figures.browser_mb = renderer_mb(browser) - before
    page.close()
    return figures


def _count(socket: WebSocket, received: list[int]) -> None:
    socket.on("framereceived", lambda payload: received.append(len(payload)))


def _until_quiet(page: Page, received: list[int]) -> None:
    """Wait until nothing more comes: what is small is sent whole after the first view."""
    seen = -1
    while seen != len(received):
        seen = len(received)
        page.wait_for_timeout(500)

"""What long inputs cost in a page: tiles from request to paint, opening, panning, in JupyterLab."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.lab import LabNotebook, write_notebook
from tests.e2e.servers import jupyter_lab

from .measure import PROBES
from .ours import EXPLORER

PLACES = 30
# CSS pixels a token: the matrix then shows somewhat less than two tiles a side, a cell a token.
CELL = 1.1
# Of the matrix's width, what labels and sums take.
AROUND = 68 + 48
TILE = 256
FAST_PAN_TILES = 100
PAN_S = 3.0

# One layer's queries and keys stand for all: what they cost depends on their shape alone.
PREPARE = """
import json, sys, time
sys.path.insert(0, {root!r})
import torch
from attention_explorer import AttentionExplorer
from attention_explorer.channel import AttentionSource
from IPython.display import display
from tests.bench.long import LAYERS, QKAttention, causal
n, view = {n}, {view!r}
attention = QKAttention(causal(n).layers * LAYERS, layer_numbers=range(LAYERS))
tokens = [f"token{{i}}" for i in range(n)]
answers = []
answer = AttentionSource._on_request
def timed(self, widget, request, buffers):
    start = time.time()
    answer(self, widget, request, buffers)
    answers.append((request["id"], 1000 * start, 1000 * time.time()))
AttentionSource._on_request = timed
"""
SHOW = """
start = time.time()
explorer = AttentionExplorer(attention, tokens, view=view)
made = time.time()
display(explorer)
"""

# Requests and replies by the clock that the kernel has too; when a drawing left nothing missing, by
# the task that follows the frame. Moves are made in the page, as far and as fast as is asked.
WATCH = """
const clock = () => performance.timeOrigin + performance.now();
const textOf = (data) => typeof data === "string" ? data
  : new TextDecoder().decode(data.slice ? data.slice(0, 4000) : data);
window.__sent = [];
window.__came = [];
const { send } = WebSocket.prototype;
WebSocket.prototype.send = function (data) {
  if (!this.__watched) {
    this.__watched = true;
    this.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) {
        const id = /"id": ?"([^"]+)", ?"kind": ?"weights"/.exec(textOf(data))?.[1];
        if (id) window.__came.push({ id, at: clock(), bytes: data.byteLength });
      }
    });
  }
  const id = /"id": ?"([^"]+)"[^}]*"kind": ?"weights"/.exec(textOf(data))?.[1];
  if (id) window.__sent.push({ id, at: clock() });
  return send.call(this, data);
};
const afterFrame = (then) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = then;
  channel.port2.postMessage(0);
};
window.__completed = [];
window.__watch = () => {
  const el = EXPLORER;
  let wasBusy = el.ariaBusy === "true";
  new MutationObserver(() => {
    const isBusy = el.ariaBusy === "true";
    if (wasBusy && !isBusy) afterFrame(() => window.__completed.push(clock()));
    wasBusy = isBusy;
  }).observe(el, { attributes: true, attributeFilter: ["aria-busy"] });
  const stage = el.querySelector(".stage");
  stage.setPointerCapture = () => {};
  window.__at = (type, x, y, more) => {
    const box = stage.getBoundingClientRect();
    const init = { bubbles: true, cancelable: true, composed: true, pointerId: 1, ...more };
    const place = { clientX: box.left + x, clientY: box.top + y };
    const Kind = type === "wheel" ? WheelEvent : PointerEvent;
    stage.dispatchEvent(new Kind(type, { ...init, ...place }));
  };
  // To CSS pixels a token; the first token stays in its corner.
  window.__zoom = (factor) =>
    window.__at("wheel", 1, 1, { ctrlKey: true, deltaY: -Math.log(factor) / 0.0096 });
  window.__pan = (dx, dy) => {
    window.__at("pointerdown", 9, 9, { button: 0, buttons: 1 });
    window.__at("pointermove", 9 + dx, 9 + dy, { buttons: 1 });
    window.__at("pointerup", 9 + dx, 9 + dy, {});
    window.__at("click", 9 + dx, 9 + dy, {});
  };
};
window.__frames = (seconds, each) => new Promise((done) => {
  const gaps = [], works = [], until = performance.now() + 1000 * seconds;
  let last = null;
  const frame = (now) => {
    // Ours was asked for first, so it runs first: the rest of the frame is the page's own work.
    const start = performance.now();
    afterFrame(() => works.push(performance.now() - start));
    if (last !== null) gaps.push(now - last);
    last = now;
    if (start > until) { done({ gaps, works, at: clock() }); return; }
    requestAnimationFrame(frame);
    afterFrame(each);
  };
  requestAnimationFrame(frame);
});
""".replace("EXPLORER", EXPLORER)
SETTLED = f"() => {EXPLORER}?.ariaBusy === 'false'"
PAN_AND_WAIT = """async ([dx, dy]) => {
  const sent = window.__sent.length, completed = window.__completed.length;
  const frame = () => new Promise(requestAnimationFrame);
  window.__pan(dx, dy);
  const until = performance.now() + 10000;
  while (window.__completed.length === completed) {
    if (performance.now() > until) throw new Error("nothing was painted within 10 s");
    await frame();
  }
  return { sent: window.__sent.slice(sent), painted: window.__completed.at(-1),
    came: window.__came };
}"""
# A new place each frame for a while, then still: when was all in view painted?
FAST_PAN = """async ([steps, step]) => {
  const frame = () => new Promise(requestAnimationFrame);
  const sent = window.__sent.length;
  for (let i = 0; i < steps; i++) { window.__pan(-step, -step); await frame(); }
  const last = performance.timeOrigin + performance.now();
  window.__pan(-step, -step);
  const completed = window.__completed.length;
  while (window.__completed.length === completed) await frame();
  return { wait: window.__completed.at(-1) - last, requests: window.__sent.length - sent };
}"""
SCROLL = f"""async ([selector, seconds, step]) => {{
  const el = {EXPLORER}.querySelector(selector);
  return await window.__frames(seconds, () => {{ el.scrollTop += step; }});
}}"""
DRAG = """async ([seconds, step]) =>
  await window.__frames(seconds, () => window.__pan(-step, -step))"""
OPENED = f"""async () => {{
  const root = () => {EXPLORER};
  const frame = () => new Promise(requestAnimationFrame);
  const tokens = await window.__drawn(() => root()?.querySelector(".tokens .token"));
  while (root().ariaBusy !== "false") await frame();
  return [tokens, await window.__painted() + performance.timeOrigin];
}}"""

ABOUT = """\
A tile counts from the frame in which it is asked for to the end of the frame that misses nothing; \
the kernel's part from its handler's start to its end, the ways from clock to clock of the same \
machine. A place is one that four tiles of 256 x 256 cover. Frames are of a headless Chromium with \
software drawing at 60 a second; work is what the page does in one, from its start until it is out.
"""


@dataclass
class Visit:
    """One place from its request to the paint that misses nothing, in ms."""

    to_kernel: float
    answer: float
    to_page: float
    to_paint: float
    total: float
    kilobytes: float


class Lab:
    """Notebooks of one server, each in a browser of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder

    @contextlib.contextmanager
    def opened(self, n: int, view: list[str]) -> Iterator[LabNotebook]:
        """Open a notebook whose kernel is ready to show an explorer of `n` tokens."""
        write_notebook(self._folder / f"long-{n}.ipynb", [SHOW])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = browser.new_page(viewport={"width": 1400, "height": 1300})
            page.set_default_timeout(120_000)
            page.add_init_script(PROBES)
            page.add_init_script(WATCH)
            notebook = LabNotebook(page, self._url, f"long-{n}.ipynb")
            notebook.wait_for_kernel()
            root = Path(__file__).resolve().parents[2]
            notebook.python(PREPARE.format(root=str(root), n=n, view=view))
            yield notebook
            notebook.shut_down()
            browser.close()


def report(n: int = 16384, longest: int = 32768) -> Iterator[str]:
    """Yield the figures as Markdown, part by part."""
    with tempfile.TemporaryDirectory() as name, jupyter_lab(Path(name)) as url:
        lab = Lab(url, Path(name))
        yield "\n## In JupyterLab\n\n" + ABOUT
        with lab.opened(n, ["matrix"]) as notebook:
            notebook.run_all()
            zoom_in(notebook.page, n)
            yield tiles(notebook, n)
            yield fast_pan(notebook.page, n)
        with lab.opened(longest, ["text", "heads", "matrix"]) as notebook:
            yield opening(notebook, longest)
            yield panning(notebook.page, longest)


def zoom_in(page: Page, n: int) -> None:
    """Zoom the matrix in until a cell is a token, the first token in the corner."""
    page.wait_for_function(SETTLED)
    page.evaluate("() => window.__watch()")
    stage: float = page.evaluate(f"() => {EXPLORER}.querySelector('.stage').clientWidth")
    page.evaluate("(factor) => window.__zoom(factor)", CELL / ((stage - AROUND) / n))
    page.evaluate("() => window.__painted()")
    page.wait_for_function(SETTLED)


def tiles(notebook: LabNotebook, n: int) -> str:
    """Visit places of rows that no one asked for yet, then others of the same rows."""
    new, known = [], []
    away, margin = 2 * TILE, 20
    notebook.page.evaluate(PAN_AND_WAIT, [-CELL * (away + margin), -CELL * (away + margin)])
    for place in range(PLACES):
        new.append(visit(notebook, 0, away))
        known.append(visit(notebook, away if place % 2 else -away if place > 1 else away, 0))
    lines = [
        f"Tiles of {n} tokens, {PLACES} places each, median / p95 ms:\n",
        "| rows | to the kernel | its answer | to the page | to the paint | in all | kB |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, visits in (("new", new), ("known", known)):
        cells = [middle([getattr(it, field) for it in visits]) for field in _FIELDS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


_FIELDS = ("to_kernel", "answer", "to_page", "to_paint", "total", "kilobytes")


def visit(notebook: LabNotebook, keys: float, queries: float) -> Visit:
    found = notebook.page.evaluate(PAN_AND_WAIT, [-CELL * keys, -CELL * queries])
    answers = json.loads(notebook.python("print(json.dumps(answers[-20:]))"))
    kernel = {name: (start, stop) for name, start, stop in answers}
    came = {it["id"]: it for it in found["came"] if it["at"] <= found["painted"]}
    # What isn't urgent is asked for meanwhile, and comes after the paint.
    asked = [it for it in found["sent"] if it["id"] in came]
    first, last = asked[0], asked[-1]
    back = came[last["id"]]
    return Visit(
        to_kernel=kernel[first["id"]][0] - first["at"],
        answer=kernel[last["id"]][1] - kernel[first["id"]][0],
        to_page=back["at"] - kernel[last["id"]][1],
        to_paint=found["painted"] - back["at"],
        total=found["painted"] - first["at"],
        kilobytes=sum(came[it["id"]]["bytes"] for it in asked) / 1e3,
    )


def fast_pan(page: Page, n: int) -> str:
    """Pan over a hundred new tiles within some 1.5 s, stop, and wait for what is in view."""
    steps, waits, requests = 84, list[float](), list[int]()
    # Along the diagonal each tile further shows 5 new ones.
    length = FAST_PAN_TILES / 5 * TILE
    for run in range(1, 6):
        choose_layer(page, run)
        found = page.evaluate(FAST_PAN, [steps, (-1 if run % 2 else 1) * CELL * length / steps])
        waits.append(found["wait"])
        requests.append(found["requests"])
    return (
        f"\nAfter a pan over some {FAST_PAN_TILES} new tiles in {steps / 60:.1f} s "
        f"({np.median(requests):.0f} requests), all in view is painted within "
        f"{middle(waits)} ms of its last move."
    )


def choose_layer(page: Page, layer: int) -> None:
    """Show a layer of which no tile is here yet."""
    page.evaluate(
        f"""(layer) => {{
  const select = {EXPLORER}.querySelector("select[aria-label=layer]");
  select.value = String(layer);
  select.dispatchEvent(new Event("change", {{ bubbles: true }}));
}}""",
        layer,
    )
    page.evaluate("() => window.__painted()")
    page.wait_for_function(SETTLED)


def opening(notebook: LabNotebook, n: int) -> str:
    notebook.run_all()
    drawn, complete = notebook.page.evaluate(OPENED)
    start, made = json.loads(notebook.python("print(json.dumps([start, made]))"))
    return (
        f"\nWith {n} tokens, from the constructor's first line: {made - start:.2f} s until it "
        f"returns, {drawn / 1e3 - start:.2f} s until the tokens are drawn, "
        f"{complete / 1e3 - start:.2f} s until the overview is complete."
    )


def panning(page: Page, n: int) -> str:
    lines = [
        f"\nPanning through {n} tokens for {PAN_S:.0f} s:\n",
        "| what | frames a second | above 17 ms | longest ms | work ms, median / p95 |",
        "|---|---|---|---|---|",
    ]
    # Twice a screen's refresh, as they come at times a fraction of a ms late.
    page.evaluate("() => window.__watch()")
    for name, selector in (("text", ".tokens"), ("heads", ".heads .scroll")):
        lines.append(frames_row(name, page.evaluate(SCROLL, [selector, PAN_S, 25])))
        page.wait_for_function(SETTLED)
    lines.append(frames_row("whole", page.evaluate(SCROLL, [".tokens", PAN_S, 0])))
    zoom_in(page, n)
    lines.append(frames_row("matrix", page.evaluate(DRAG, [PAN_S, 12])))
    return "\n".join(lines)


def frames_row(name: str, found: dict[str, Any]) -> str:
    gaps = np.array(found["gaps"])
    late = (gaps > 17.5).mean()
    return (
        f"| {name} | {1e3 / gaps.mean():.0f} | {late:.1%} | {gaps.max():.0f} "
        f"| {middle(found['works'])} |"
    )


def middle(numbers: list[float]) -> str:
    """Return median / 95th percentile."""
    return f"{np.median(numbers):.1f} / {np.percentile(numbers, 95):.1f}"


if __name__ == "__main__":
    for part in report():
        print(part, flush=True)

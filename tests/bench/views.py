"""Every view by itself in JupyterLab: hovering, opening, switching; beside bertviz's model_view."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.lab import LabNotebook, write_notebook

from . import peer
from .measure import PROBES, hover
from .ours import COMPLETE, DRAWN, EXPLORER

# What is hovered in each view: elements, or points within one.
HOVERED = {
    "text": ".tokens .token",
    "heads": ".heads .query .row",
    "matrix": ".matrix .stage",
    "model": ".model .map",
    "neuron": ".neuron .scroll",
}
POINTS = 60
# Layers, heads, tokens: of BERT-base's shape, and long.
SHAPES = ((12, 12, 512), (16, 16, 16384))
# As many heads as bertviz's model view would have to draw.
MANY = (32, 32, 128)

# One layer's queries and keys stand for all: what they cost depends on their shape alone.
PREPARE = """
import json, sys, time
sys.path.insert(0, {root!r})
import torch
from attention_explorer import AttentionExplorer
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import KeyIntervals
from IPython.display import display
layers, heads, n = {shape!r}
mask = KeyIntervals.causal(n, n, torch.device("cpu"))
states = LayerStates(torch.randn(heads, n, 64), torch.randn(heads, n, 64), 0.125, mask)
attention = QKAttention([states] * layers, layer_numbers=range(layers))
tokens = [f"token{{i}}" for i in range(n)]
"""
SHOW = """
start = time.time()
explorer = AttentionExplorer(attention, tokens, view={view!r})
display(explorer)
"""
PLACES = f"""([selector, count]) => {{
  const root = {EXPLORER};
  const found = [...root.querySelectorAll(selector)];
  const boxes = found.map((el) => el.getBoundingClientRect());
  if (found.length > 1) {{
    const inside = found[0].closest(".tokens, .scroll").getBoundingClientRect();
    const bottom = Math.min(inside.bottom, innerHeight);
    return boxes
      .filter((box) => box.top >= inside.top && box.bottom <= bottom)
      .slice(0, count)
      .map((box) => [box.left + box.width / 2, box.top + box.height / 2]);
  }}
  const [box] = boxes;
  return Array.from({{ length: count }}, (_, i) => [
    box.left + box.width * (0.2 + (0.6 * ((i * 7) % count)) / count),
    box.top + Math.min(box.height, innerHeight - box.top) * (0.25 + (0.6 * i) / count),
  ]);
}}"""
SWITCH = f"""async (name) => {{
  const root = {EXPLORER};
  const label = name[0].toUpperCase() + name.slice(1);
  const buttons = [...root.querySelectorAll(".segments button")];
  const button = buttons.find(({{ textContent }}) => textContent === label);
  const pane = root.querySelector(name === "text" ? ".text" : `.pane.${{name}}`);
  const start = performance.now();
  button.dispatchEvent(new MouseEvent("dblclick", {{ bubbles: true, composed: true }}));
  await window.__drawn(() => !pane.hidden && root.ariaBusy === "false");
  return performance.now() - start;
}}"""


def report(url: str, folder: Path) -> Iterator[str]:
    """Yield the figures as Markdown, part by part."""
    yield ABOUT
    yield (
        "| layers x heads, tokens | view | hover ms, median / p95 | first switched to ms "
        "| again ms |\n|---|---|---|---|---|"
    )
    for shape in SHAPES:
        yield from every_view(url, folder, shape)
    yield f"\n{model_views(url, folder)}"


ABOUT = """
## Every view

Queries and keys of random numbers, causal. Each view is alone on screen; hovers as above, after \
each place was visited once. A switch counts from the double click on a view's name to the paint \
that misses nothing, the first time with what has to be asked for.
"""


def every_view(url: str, folder: Path, shape: tuple[int, int, int]) -> Iterator[str]:
    layers, heads, n = shape
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": 1300})
        notebook = opened(page, url, folder, shape, ["text"])
        page.evaluate(DRAWN)
        first = {name: page.evaluate(SWITCH, name) for name in reversed(HOVERED)}
        for name, selector in HOVERED.items():
            again = page.evaluate(SWITCH, name)
            places = page.evaluate(PLACES, [selector, POINTS])
            median, late = hover(page, places, 100, COMPLETE)
            page.mouse.move(1, 1)
            yield (
                f"| {layers} x {heads}, {n} | {name} | {median:.1f} / {late:.1f} "
                f"| {first[name]:.0f} | {again:.0f} |"
            )
        notebook.shut_down()
        browser.close()


def model_views(url: str, folder: Path) -> str:
    """Say what it takes to see every head at once, here and in bertviz."""
    layers, heads, n = MANY
    ours = statistics.median(first_map(url, folder, MANY) for _ in range(3))
    same = statistics.median(first_map(url, folder, (12, 12, n)) for _ in range(3))
    theirs = peer.first_model_view(n, folder)
    return (
        f"All {layers} x {heads} heads of {n} tokens are drawn {ours:.2f} s after the trace, those "
        f"of 12 x 12 after {same:.2f} s; bertviz's model_view of 12 x 12 and {n} tokens {theirs}."
    )


def first_map(url: str, folder: Path, shape: tuple[int, int, int]) -> float:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": 1300})
        notebook = opened(page, url, folder, shape, ["model"])
        drawn: float = page.evaluate(DRAWN) / 1000
        start: float = json.loads(notebook.python("print(start)"))
        notebook.shut_down()
        browser.close()
    return drawn - start


def opened(
    page: Page, url: str, folder: Path, shape: tuple[int, int, int], view: list[str]
) -> LabNotebook:
    name = "views.ipynb"
    write_notebook(folder / name, [SHOW.format(view=view)])
    page.set_default_timeout(120_000)
    page.add_init_script(PROBES)
    notebook = LabNotebook(page, url, name)
    notebook.wait_for_kernel()
    root = Path(__file__).resolve().parents[2]
    notebook.python(PREPARE.format(root=str(root), shape=shape))
    notebook.run_all()
    return notebook

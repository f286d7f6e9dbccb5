"""Twenty explorers in one notebook: what they leave in the page once their cells are cleared."""

from __future__ import annotations

import time
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page, expect

from .conftest import OpenCells
from .lab import LabNotebook

# In cells of five: anywidget gives a model two seconds to load, however busy the machine is.
CELLS, EACH = 4, 5
MANY = CELLS * EACH
# So long nothing more goes: a busy kernel is looked after once a second.
SETTLED_S = 3
CLASSES = """
from attention_explorer import AttentionExplorer
from IPython.display import display
import anywidget

class Empty(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.className = 'explorer'; } }"

class Data(anywidget.AnyWidget):
    _esm = "export default {}"

def empty():
    widget = Empty()
    widget.data = Data()
    return widget

shown, each = [], 1

def show(make):
    made = [make() for _ in range(each)]
    shown.extend(made)
    display(*made)

def close():
    while shown:
        widget = shown.pop()
        if not isinstance(widget, AttentionExplorer):
            widget.data.close()
        widget.close()
"""


@dataclass
class Held:
    """What a page holds."""

    listeners: int
    nodes: int
    bytes: int

    def __sub__(self, other: Held) -> Held:
        return Held(
            self.listeners - other.listeners,
            self.nodes - other.nodes,
            self.bytes - other.bytes,
        )


def test_twenty_explorers_leave_no_more_than_widgets_that_are_empty(
    open_cells: OpenCells,
) -> None:
    """Catches listeners, nodes, weights or modules that stay when their cell is cleared.

    JupyterLab itself keeps something of every widget; a module is never let go of by any page.
    """
    empty, explorers = (f"show({make})" for make in ("empty", "AttentionExplorer.demo"))
    with open_cells(CLASSES, *[empty] * CELLS, *[explorers] * CELLS) as notebook:
        session = notebook.page.context.new_cdp_session(notebook.page)
        session.send("Performance.enable")
        # What the page keeps of the first of each is kept once.
        expect(notebook.explorers).to_have_count(2 * CELLS, timeout=60_000)
        clear(notebook)
        notebook.python(f"each = {EACH}")
        of_empty = left(notebook, session, range(1, 1 + CELLS))
        of_explorers = left(notebook, session, range(1 + CELLS, 1 + 2 * CELLS))
    print(f"{MANY} empty widgets leave {of_empty}, {MANY} explorers {of_explorers}")
    assert of_explorers.listeners <= of_empty.listeners + 2 * MANY
    # An explorer has some 400 nodes. At times the page keeps 78 once, however many there were.
    assert of_explorers.nodes <= of_empty.nodes + 5 * MANY
    # The packed module travels with each; unpacked once for each it would be some 850 kB.
    assert of_explorers.bytes <= of_empty.bytes + MANY * 300_000


def left(notebook: LabNotebook, session: CDPSession, cells: range) -> Held:
    """What cells of twenty widgets leave, once they are cleared and the widgets closed."""
    before = held(session, notebook.page)
    for count, cell in enumerate(cells, 1):
        notebook.run_cell(cell)
        expect(notebook.explorers).to_have_count(count * EACH, timeout=60_000)
        if cell > CELLS:
            notebook.explorer(count * EACH - 1).expect_live()
            notebook.explorer(count * EACH - 1).token(8).hover()
    clear(notebook)
    return held(session, notebook.page) - before


def clear(notebook: LabNotebook) -> None:
    notebook.page.mouse.move(2, 2)
    notebook.command("notebook:clear-all-cell-outputs")
    expect(notebook.explorers).to_have_count(0)
    notebook.python("close()")


def held(session: CDPSession, page: Page) -> Held:
    """What is left when what nobody can reach any more is gone.

    What a timer or an answer on its way still holds is let go of when that has come.
    """
    least = collected(session)
    since = time.monotonic()
    while time.monotonic() < since + SETTLED_S:
        page.evaluate("() => new Promise((done) => requestIdleCallback(done))")
        now = collected(session)
        if now.nodes < least.nodes:
            least, since = now, time.monotonic()
    return least


def collected(session: CDPSession) -> Held:
    for _ in range(4):
        session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    value = {metric["name"]: int(metric["value"]) for metric in metrics}
    return Held(value["JSEventListeners"], value["Nodes"], value["JSHeapUsedSize"])

"""Explorers among ipywidgets: in boxes and tabs, moved by controls, watched by an app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenCells
from .lab import LabNotebook

IMPORTS = """
import ipywidgets as widgets
from attention_explorer import AttentionExplorer
"""
BOXES = """
layer = widgets.IntSlider(max=5)
shown = widgets.ToggleButtons(options=["vertical", "horizontal"])
left = AttentionExplorer.demo(view=["text"])
right = AttentionExplorer.demo(view=["heads"], layer=1, heads=2)
links = [
    widgets.jslink((left, "layer"), (layer, "value")),
    widgets.jslink((left, "hovered"), (right, "hovered")),
    widgets.link((right, "orientation"), (shown, "value")),
]
widgets.VBox([widgets.HBox([layer, shown]), widgets.HBox([left, right])])
"""
TABS = """
first = AttentionExplorer.demo(view=["text"])
hidden = AttentionExplorer.demo(view=["heads", "matrix"])
widgets.Tab([first, hidden], titles=["Text", "Heads"])
"""
INTERACT = """
@widgets.interact(layer=(0, 5), lines=False)
def show(layer=5, lines=False):
    return AttentionExplorer.demo(view=["heads" if lines else "text"], layer=layer)
"""
APP = """
watched = AttentionExplorer.demo(view=["text"])
said = widgets.HTML("Choose a token.")
history = []


def say(change):
    if watched.selected is None:
        said.value = "Choose a token."
        return
    query, _ = watched.selected
    row = watched.weights()[query]
    said.value = f"{watched.tokens.text[query]} reads {watched.key_tokens.text[row.argmax()]}"
    history.append(said.value)


watched.observe(say, ["selected", "layer", "heads"])
widgets.VBox([watched, said])
"""


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(IMPORTS, BOXES, TABS, INTERACT, APP) as notebook:
        expect(notebook.explorers).to_have_count(6)
        yield notebook


def output(notebook: LabNotebook, cell: int) -> Locator:
    return notebook.page.locator(".jp-CodeCell").nth(cell)


def test_explorers_share_a_row_with_controls(notebook: LabNotebook) -> None:
    """Catches an explorer that takes the whole row, or none of it, in a box."""
    left, right = notebook.explorer(0), notebook.explorer(1)
    left.expect_live()
    right.expect_live()
    first, second = left.box(), right.box()
    assert first["y"] == pytest.approx(second["y"], abs=1)
    assert first["x"] + first["width"] <= second["x"]
    assert min(first["width"], second["width"]) > 400
    assert [*left.overflow(), *right.overflow()] == []


def test_a_slider_and_an_explorer_move_each_other(notebook: LabNotebook) -> None:
    """Catches a trait that is set by a link and never drawn, or drawn and never told."""
    left, right = notebook.explorer(0), notebook.explorer(1)
    handle = output(notebook, 1).locator(".noUi-handle")
    expect(handle).to_have_attribute("aria-valuenow", "5.0")
    handle.press("ArrowLeft")
    handle.press("ArrowLeft")
    expect(left.layer).to_have_value("3")
    notebook.expect_python("(layer.value, left.layer, right.layer)", (3, 3, 1))
    left.layer.select_option("0")
    expect(handle).to_have_attribute("aria-valuenow", "0.0")
    expect(right.layer).to_have_value("1")


def test_a_link_by_python_goes_both_ways(notebook: LabNotebook) -> None:
    """Catches a browser's choice that Python's links don't hear of."""
    right = notebook.explorer(1)
    output(notebook, 1).get_by_role("button", name="horizontal", exact=True).click()
    notebook.expect_python("(shown.value, right.orientation)", ("horizontal", "horizontal"))
    query = right.heads.locator(".column.query .row")
    first, last = query.first.bounding_box(), query.last.bounding_box()
    assert first is not None
    assert last is not None
    assert last["x"] - first["x"] > 100, "the tokens don't stand side by side"
    notebook.python("right.orientation = 'vertical'")
    notebook.expect_python("shown.value", "vertical")


def test_a_pointer_on_one_is_seen_on_its_neighbour(notebook: LabNotebook) -> None:
    """Catches a hover that stays in its own box."""
    left, right = notebook.explorer(0), notebook.explorer(1)
    left.token(8).hover()
    expect(right.focused("query")).to_have_text("it")
    left.root.page.mouse.move(0, 0)
    expect(right.focused("query")).to_have_count(0)


def test_an_explorer_in_a_tab_is_drawn_when_it_is_opened(notebook: LabNotebook) -> None:
    """Catches a view that was laid out while it had no width, and stays so."""
    hidden = notebook.explorer(3)
    expect(hidden.root).to_be_hidden()
    tabs = output(notebook, 2)
    tabs.get_by_role("tab", name="Heads").click()
    hidden.expect_live()
    assert hidden.box()["width"] > 400
    assert hidden.overflow() == []
    hidden.heads.locator(".column.query .row").nth(8).hover()
    expect(hidden.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
    tabs.get_by_role("tab", name="Text").click()
    expect(hidden.root).to_be_hidden()


def test_interact_makes_it_anew_with_each_value(notebook: LabNotebook) -> None:
    """Catches an explorer that is left beside the new one, or a view that faults as it goes."""
    cell = output(notebook, 3)
    explorer = notebook.explorer(4)
    explorer.expect_live()
    handle = cell.locator(".noUi-handle")
    for _ in range(4):
        handle.press("ArrowLeft")
    expect(explorer.layer).to_have_value("1")
    expect(cell.locator(".explorer")).to_have_count(1)
    cell.get_by_label("lines").check()
    expect(explorer.heads).to_be_visible()
    expect(explorer.text).to_be_hidden()
    explorer.expect_live()
    expect(explorer.layer).to_have_value("1")


def test_an_app_hears_of_each_choice(notebook: LabNotebook) -> None:
    """Catches an observer that is told before `weights` and `tokens` follow, or not at all."""
    explorer = notebook.explorer(5)
    said = output(notebook, 4).locator(".widget-html-content")
    expect(said).to_have_text("Choose a token.")
    explorer.token(8).click()
    expect(said).to_have_text("it reads cat")
    explorer.head.select_option("3")
    expected = notebook.python(
        "print(watched.tokens.text[AttentionExplorer.demo().weights(5, 3)[8].argmax()])"
    )
    expect(said).to_have_text(f"it reads {expected}")
    explorer.token(8).press("Escape")
    expect(said).to_have_text("Choose a token.")

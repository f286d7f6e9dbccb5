"""Several views in one notebook page: of one explorer, and of linked ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook

CELLS = (
    "from attention_explorer import AttentionExplorer\n"
    "from IPython.display import display\n"
    "twice = AttentionExplorer.demo(view=['text', 'heads'])\n"
    "display(twice, twice)",
    "import ipywidgets\n"
    "early = AttentionExplorer.demo(layer=2, heads=0, view='text')\n"
    "late = AttentionExplorer.demo(view='heads')\n"
    "ipywidgets.jslink((early, 'hovered'), (late, 'hovered'))\n"
    "ipywidgets.HBox([early, late])",
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        expect(notebook.explorers).to_have_count(4)
        for i in range(4):
            notebook.explorer(i).expect_live()
        yield notebook


def test_two_views_of_one_explorer_share_their_state(notebook: LabNotebook) -> None:
    """Catches a channel or a store made anew for each view."""
    first, second = notebook.explorer(0), notebook.explorer(1)
    second.token(8).hover()
    expect(first.token(8)).to_have_class("token looked")
    expect(first.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
    first.layer.select_option("1")
    expect(second.layer).to_have_value("1")
    second.view_button("Heads").click()
    expect(first.heads).to_be_hidden()
    notebook.expect_python("(twice.layer, twice.view)", (1, ["text"]))


def test_a_hover_in_one_explorer_lights_the_linked_one(notebook: LabNotebook) -> None:
    """Catches a hover that only the explorer under the pointer shows."""
    early, late = notebook.explorer(2), notebook.explorer(3)
    early.token(8).hover()
    expect(late.focused("query")).to_have_text("it")
    expect(late.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
    late.heads.locator(".column.key .row").nth(2).hover()
    expect(early.item("“cat” (2) is read by")).to_be_visible()
    notebook.expect_python("(early.hovered, late.hovered)", ((None, 2), (None, 2)))

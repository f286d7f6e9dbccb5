"""Themes, narrow cells and hostile tokens: what is shown stays legible, and stays text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook

# Strange to HTML, to layout, to bidirectional text, or invisible.
HOSTILE = [
    "<script>window.__pwned=1</script>",
    "<img src=x onerror=window.__pwned=1>",
    "'\"><b onmouseover=window.__pwned=1>",
    "שלום",
    "مرحبا",
    "👩‍👩‍👧‍👦",
    "é̶̶̶",
    "\n",
    "\u202ereversed",
    "x" * 200,
    "",
    " ",
    "{{7*7}}",
    "last",
]
CELLS = (
    "from attention_explorer import AttentionExplorer\n"
    "import numpy as np\n"
    "plain = AttentionExplorer.demo()\n"
    "plain",
    f"tokens = {HOSTILE!r}\n"
    "n = len(tokens)\n"
    "weights = np.random.default_rng(0).dirichlet(np.ones(n), (2, 3, n))\n"
    "hostile = AttentionExplorer(weights, tokens, model_name='<script>window.__pwned=1</script>')\n"
    "hostile",
)
PLAIN, STRANGE = 0, 1


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        for i in (PLAIN, STRANGE):
            notebook.explorer(i).expect_live()
        yield notebook


def test_hostile_tokens_are_shown_as_text(notebook: LabNotebook) -> None:
    """Catches a token that reaches the page as HTML, from any view, title or read-out."""
    explorer = notebook.explorer(STRANGE)
    expect(explorer.tokens).to_have_count(len(HOSTILE))
    for position, token in enumerate(HOSTILE):
        explorer.token(position).hover()
        notebook.expect_python("hostile.hovered", (position, position))
        if token.strip() and len(token) < 100:
            expect(explorer.token(position)).to_have_text(token)
        expect(explorer.token(position)).not_to_have_text("")
        expect(explorer.item(f"({position}) reads")).to_be_visible()
    page = notebook.page
    assert page.evaluate("window.__pwned") is None
    assert page.locator(".explorer img, .explorer script, .explorer b[onmouseover]").count() == 0


@pytest.mark.parametrize("width", [1000, 600, 360])
def test_nothing_sticks_out_of_a_narrow_cell(notebook: LabNotebook, width: int) -> None:
    """Catches a control, a label or a canvas that is wider than what it stands in."""
    notebook.set_output_width(width)
    for i in (PLAIN, STRANGE):
        explorer = notebook.explorer(i)
        expect(explorer.root).to_be_visible()
        assert width - 60 < explorer.box()["width"] <= width
        explorer.token(2).hover()
        expect(explorer.item("(2) reads")).to_be_visible()
        assert explorer.overflow() == []


def test_the_theme_of_lab_is_followed_without_a_reload(notebook: LabNotebook) -> None:
    """Catches colours that were chosen once, when the explorer was made."""
    explorer = notebook.explorer(PLAIN)
    explorer.expect_legible("light")
    notebook.set_theme("JupyterLab Dark")
    try:
        explorer.expect_legible("dark")
    finally:
        notebook.set_theme("JupyterLab Light")
    explorer.expect_legible("light")

"""An atlas in marimo, where no widget can be made but by a cell: texts open there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import watched_page
from .servers import marimo
from .test_lab_atlas import Atlas
from .watch import MARIMO_FILES

PAGE = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    from attention_explorer import demo_model
    from attention_explorer.atlas import profile_heads

    model, tokenizer = demo_model()
    texts = [
        f"The {animal} sat on the mat because it was {how}."
        for animal in ("cat", "dog", "horse", "telescope")
        for how in ("tired", "hungry", "late")
    ]
    atlas = profile_heads(model, tokenizer, texts, progress=False)
    view = mo.ui.anywidget(atlas.explore(model, tokenizer, head=(5, 11)))
    view
    return mo, view


@app.cell
def _(mo, view):
    mo.plain_text(f"chosen: {view.head}, text {view.exemplar and view.exemplar[0]}")
"""


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    script = tmp_path / "page.py"
    script.write_text(PAGE)
    with marimo(script) as url, watched_page(browser, {MARIMO_FILES}) as page:
        page.goto(url)
        yield page


def test_a_text_opens_and_cells_follow(page: Page) -> None:
    """Catches a widget that is made outside of a cell, which marimo has no place for."""
    atlas = Atlas(page.locator(".atlas"))
    expect(atlas.plot).to_be_visible(timeout=60_000)
    expect(page.get_by_text("chosen: (5, 11), text None")).to_be_visible()
    atlas.highest.get_by_role("button").first.click()
    atlas.explorer.expect_live()
    expect(atlas.reading).to_contain_text("in layer 5 · head 11")
    text = atlas.reading.locator("h3").inner_text().split()[1]
    expect(page.get_by_text(f"chosen: (5, 11), text {text}")).to_be_visible()

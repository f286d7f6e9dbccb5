"""A notebook as HTML by nbconvert, opened where there is no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from attention_explorer.demo import demo_trace

from .conftest import watched_page
from .lab import write_notebook
from .servers import run_module
from .shown import Explorer
from .watch import NBCONVERT_SCRIPTS

CELLS = [
    "from attention_explorer import AttentionExplorer\n"
    "from attention_explorer.export.html import framed\n"
    "from IPython.display import HTML\n"
    "explorer = AttentionExplorer.demo()\n"
    "explorer",
    "HTML(framed(explorer.to_html()))",
]
CAT, IT = 2, 8


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("nbconvert")
    notebook = write_notebook(folder / "shown.ipynb", CELLS)
    run_module("nbconvert", "--execute", "--to", "html", str(notebook))
    with watched_page(browser, allowed=NBCONVERT_SCRIPTS) as page:
        page.goto((folder / "shown.html").as_uri())
        yield page


def test_a_frame_has_every_weight(page: Page) -> None:
    """Catches a page that is blank offline, and numbers that aren't Python's."""
    explorer = Explorer(page.frame_locator("iframe").locator(".explorer"))
    explorer.expect_exact(IT, demo_trace(), 5, 11)
    explorer.layer.select_option("3")
    explorer.chip(4).dblclick()
    explorer.expect_exact(CAT, demo_trace(), 3, 4)
    assert explorer.overflow() == []

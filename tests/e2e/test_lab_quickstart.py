"""The quickstart as it is shipped, run as a person runs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from .conftest import open_notebook
from .lab import LabNotebook
from .servers import EXAMPLES

TOKENS = "[CLS] The cat sat on the mat because it was tired . [SEP]"
# What a cell that failed or warned leaves behind.
TROUBLE = ", ".join(
    f'.jp-RenderedText[data-mime-type="application/vnd.jupyter.{kind}"]'
    for kind in ("error", "stderr")
)


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab_url: str, lab_folder: Path) -> Iterator[LabNotebook]:
    shutil.copy(EXAMPLES / "quickstart.ipynb", lab_folder)
    with open_notebook(browser, lab_url, "quickstart.ipynb") as notebook:
        notebook.run_all()
        yield notebook


def test_the_quickstart_runs_and_shows_its_explorers(notebook: LabNotebook) -> None:
    """Catches a cell that fails, and an explorer that never comes or comes without room."""
    expect(notebook.explorers).to_have_count(4)
    for i in range(4):
        explorer = notebook.explorer(i)
        explorer.expect_live()
        assert explorer.box()["width"] > 400
        assert explorer.overflow() == []
    expect(notebook.page.locator(TROUBLE)).to_have_count(0)
    expect(notebook.explorer(0).tokens).to_have_text(TOKENS.split())
    # A later cell has pinned it.
    expect(notebook.explorer(0).token(8)).to_have_class("token looked pinned")


def test_the_model_reads_cat_at_it(notebook: LabNotebook) -> None:
    """Catches weights of another head, layer or model than the words beside them say."""
    explorer = notebook.explorer(0)
    expect(explorer.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
    explorer.token(2).hover()
    notebook.expect_python("explorer.hovered", (2, 2))
    expect(explorer.item("“it” (8) reads “cat” (2)").locator(".weight")).to_have_text("0.7118")
    assert notebook.python("print(f'{explorer.weights(5, 11)[8, 2]:.4f}')") == "0.7118"


def test_the_two_linked_explorers_share_the_pointer(notebook: LabNotebook) -> None:
    """Catches a link that the notebook only claims."""
    early, late = notebook.explorer(1), notebook.explorer(2)
    early.heads.locator(".column.query .row").nth(8).hover()
    expect(late.focused("query")).to_have_text("it")
    late.heads.locator(".column.query .row").nth(2).click()
    expect(early.focused("query")).to_have_text("cat")

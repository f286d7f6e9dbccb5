"""The picture beside a view: where widgets aren't shown it is, and where they are it isn't."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..notebooks import WIDGET
from .conftest import OpenCells, open_notebook, watched_page
from .lab import write_notebook
from .watch import NBCONVERT_SCRIPTS

CELL = """
from attention_explorer import AttentionExplorer
AttentionExplorer.demo(selected=8)
"""
SAYS = "what “it” (8) reads: cat 0.71, mat 0.10"


def converted(notebook: Path, form: str, *options: str) -> Path:
    """Convert a notebook as a person does, beside it."""
    command = [sys.executable, "-m", "nbconvert", "--to", form, *options, notebook.name]
    subprocess.run(command, cwd=notebook.parent, check=True, capture_output=True, timeout=200)
    suffix = {"html": ".html", "markdown": ".md", "notebook": ".nbconvert.ipynb"}[form]
    return notebook.with_suffix(suffix)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that was run and holds no widget state, as JupyterLab saves it by default."""
    path = write_notebook(tmp_path_factory.mktemp("still") / "still.ipynb", [CELL])
    stateless = "--ExecutePreprocessor.store_widget_state=False"
    return converted(path, "notebook", "--execute", stateless)


def expect_still(page: Page) -> None:
    """The picture is there, and was drawn: a broken one has no size."""
    image = page.get_by_role("img", name=SAYS)
    expect(image).to_be_visible()
    image.scroll_into_view_if_needed()
    assert image.evaluate("(el) => [el.complete, el.naturalWidth]") == [True, 440]


def test_a_cell_keeps_both(executed: Path) -> None:
    (output,) = json.loads(executed.read_text("utf-8"))["cells"][0]["outputs"]
    assert {WIDGET, "text/html", "text/plain"} == set(output["data"])


def test_a_converted_page_shows_it_with_nothing_from_elsewhere(
    browser: Browser, executed: Path
) -> None:
    """Catches a page that is empty where the widgets' scripts can't be had."""
    with watched_page(browser, allowed=NBCONVERT_SCRIPTS) as page:
        page.goto(converted(executed, "html").as_uri(), wait_until="domcontentloaded")
        expect_still(page)


def test_in_markdown_it_is_an_image(executed: Path) -> None:
    assert "src='data:image/svg+xml;base64," in converted(executed, "markdown").read_text("utf-8")


def test_a_live_notebook_shows_the_view(open_cells: OpenCells) -> None:
    """Catches a picture above, below or in the place of the view."""
    with open_cells(CELL) as notebook:
        notebook.explorer().expect_live()
        expect(notebook.page.get_by_role("img", name=SAYS)).to_have_count(0)
        expect(notebook.page.locator(".jp-OutputArea-output")).to_have_count(1)


def test_a_notebook_of_somebody_else_shows_it_until_it_is_trusted(
    browser: Browser, lab_url: str, lab_folder: Path, executed: Path
) -> None:
    """Catches markup that Lab's sanitizer takes away: nobody trusted these outputs."""
    (lab_folder / "theirs.ipynb").write_text(executed.read_text("utf-8"), "utf-8")
    with open_notebook(browser, lab_url, "theirs.ipynb") as notebook:
        expect_still(notebook.page)
        assert not notebook.explorers.count()

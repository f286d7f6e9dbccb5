"""One explorer in Jupyter Notebook 7: the same parts as JupyterLab's, in another page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from attention_explorer.demo import demo_trace

from .conftest import open_notebook
from .lab import LabNotebook, write_notebook
from .servers import notebook_7
from .shown import Explorer

SHOW = """
from attention_explorer import AttentionExplorer
explorer = AttentionExplorer.demo()
explorer
"""
CAT, IT = 2, 8


@pytest.fixture(scope="module")
def notebook(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabNotebook]:
    folder: Path = tmp_path_factory.mktemp("notebook7")
    write_notebook(folder / "shown.ipynb", [SHOW])
    with (
        notebook_7(folder) as url,
        open_notebook(browser, url, "shown.ipynb", "notebooks") as notebook,
    ):
        notebook.run_all()
        notebook.explorer().expect_live()
        yield notebook


@pytest.fixture
def explorer(notebook: LabNotebook) -> Explorer:
    return notebook.explorer()


def test_a_hover_reads_out_the_weight_that_python_has(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches an explorer that opens without its kernel, and numbers of another head."""
    explorer.expect_exact(IT, demo_trace(), 5, 11)
    notebook.expect_python("explorer.hovered", (IT, IT))
    assert explorer.overflow() == []


def test_what_is_chosen_in_the_page_reaches_python_and_back(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a view that draws its own clicks and tells nobody, or hears nothing."""
    explorer.layer.select_option("3")
    explorer.chip(4).dblclick()
    explorer.token(CAT).click()
    notebook.expect_python("(explorer.layer, explorer.heads)", (3, [4]))
    notebook.expect_python("explorer.selected", (CAT, CAT))
    notebook.python("explorer.layer, explorer.heads, explorer.selected = 5, 11, None")
    expect(explorer.layer).to_have_value("5")
    expect(explorer.chosen_heads()).to_have_text(["11"])
    expect(explorer.root.locator(".pinned")).to_have_count(0)


def test_keys_on_a_focused_explorer_are_its_own(notebook: LabNotebook, explorer: Explorer) -> None:
    """Catches the notebook's command mode taking keys: `d d` would delete the cell."""
    explorer.token(CAT).click()
    for key in ["[", "d", "d", "b", "x", "Escape"]:
        notebook.page.keyboard.press(key)
    notebook.expect_python("(explorer.layer, explorer.selected)", (4, None))
    expect(notebook.page.locator(".jp-CodeCell")).to_have_count(1)
    notebook.python("explorer.layer = 5")


def test_it_follows_the_page_into_the_dark(notebook: LabNotebook, explorer: Explorer) -> None:
    """Catches a light explorer on a dark page."""
    notebook.set_theme("JupyterLab Dark")
    explorer.expect_legible("dark")
    notebook.set_theme("JupyterLab Light")
    explorer.expect_legible("light")

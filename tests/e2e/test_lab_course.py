"""The course's exercise in JupyterLab, solved by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from .conftest import open_notebook
from .lab import LabNotebook
from .servers import EXAMPLES

# Of the cells: the explorer's, the checker's.
EXPLORER, CHECK = 1, 3
SAW, WITH = 2, 5


@pytest.fixture(scope="module")
def exercise(browser: Browser, lab_url: str, lab_folder: Path) -> Iterator[LabNotebook]:
    shutil.copytree(EXAMPLES / "course", lab_folder / "course")
    with open_notebook(browser, lab_url, "course/zh/7_telescope.ipynb") as notebook:
        notebook.run_cell(EXPLORER)
        yield notebook


def test_the_checker_judges_what_was_clicked(exercise: LabNotebook) -> None:
    """Catches pins of the browser that aren't understood, and a checker that isn't found."""
    explorer = exercise.explorer(0)
    explorer.expect_live()
    exercise.run_cell(CHECK)
    outputs = exercise.page.locator(".jp-OutputArea-output")
    expect(outputs.filter(has_text="还没有固定任何词")).to_have_count(1)

    explorer.layer.select_option("1")
    explorer.chip(2).dblclick()
    explorer.token(WITH).click()
    explorer.token(SAW).click(modifiers=["Shift"])
    exercise.expect_python("(telescope.layer, telescope.heads, len(telescope.also))", (1, [2], 1))
    exercise.run_cell(CHECK)
    expect(outputs.filter(has_text="1.2 看“saw”多于“man”")).to_have_count(1)

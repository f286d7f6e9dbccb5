"""The course's notebooks, as files and as what they show."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat

from .. import notebooks
from ..notebooks import EXAMPLES, WIDGET, results, stated, stating

COURSE = EXAMPLES / "course"
LANGUAGES = ("en", "zh")
LESSONS = tuple(sorted(path.stem for path in (COURSE / "en").glob("*.ipynb")))


def path_of(language: str, lesson: str) -> Path:
    return COURSE / language / f"{lesson}.ipynb"


def read(language: str, lesson: str) -> Any:
    return nbformat.read(path_of(language, lesson), as_version=4)


@functools.cache
def executed(lesson: str, facts: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a lesson in both languages at once; return what an expression is at the end of each.

    Each has `"n views"` besides, the number of explorers that it shows.
    """
    with ThreadPoolExecutor(len(LANGUAGES)) as pool:
        english, chinese = pool.map(lambda language: _facts(language, lesson, facts), LANGUAGES)
    return english, chinese


def _facts(language: str, lesson: str, facts: str) -> dict[str, Any]:
    notebook = notebooks.executed(path_of(language, lesson), stating(facts))
    return {
        **stated(notebook),
        "n views": sum(WIDGET in result for result in results(notebook.cells)),
    }

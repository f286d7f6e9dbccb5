"""The course's notebooks, as files and as what they show."""

from __future__ import annotations

import functools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

COURSE = Path(__file__).resolve().parents[2] / "examples" / "course"
LANGUAGES = ("en", "zh")
LESSONS = tuple(sorted(path.stem for path in (COURSE / "en").glob("*.ipynb")))

WIDGET = "application/vnd.jupyter.widget-view+json"
# Prints what a lesson comes to, of its own variables.
_AS_JSON = """
import json
print(json.dumps({facts}, default=lambda it: it.item() if hasattr(it, "item") else list(it)))
"""


def read(language: str, lesson: str) -> Any:
    return nbformat.read(COURSE / language / f"{lesson}.ipynb", as_version=4)


@functools.cache
def executed(lesson: str, facts: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a lesson in both languages at once; return what an expression is at the end of each.

    Each has `"n views"` besides, the number of explorers that it shows.
    """

    with ThreadPoolExecutor(len(LANGUAGES)) as pool:
        english, chinese = pool.map(lambda language: _facts(language, lesson, facts), LANGUAGES)
    return english, chinese


def _facts(language: str, lesson: str, facts: str) -> dict[str, Any]:
    notebook = read(language, lesson)
    notebook.cells.append(nbformat.v4.new_code_cell(_AS_JSON.replace("{facts}", facts)))
    resources = {"metadata": {"path": str(COURSE / language)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    (printed,) = notebook.cells[-1].outputs
    found: dict[str, Any] = json.loads(printed["text"])
    # A progress bar of a load is a widget too, but it isn't what a cell comes to.
    results = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]
    return {**found, "n views": sum(WIDGET in result["data"] for result in results)}

"""A committed notebook, run in a fresh kernel, and what it comes to, of its own variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WIDGET = "application/vnd.jupyter.widget-view+json"
_AS_RESULT = """
import json
from IPython.display import JSON
JSON(json.loads(json.dumps(
    {facts}, default=lambda it: it.item() if hasattr(it, "item") else list(it)
)))
"""


def executed(path: Path, *more: str) -> Any:
    """Run a notebook where it lies, then more cells; return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    return notebook


def stating(facts: str) -> str:
    """Return a cell that comes to what an expression is, of a dict or a list.

    A cell's result is one message. What it prints may come as several, split where a flush fell,
    and with a library's warnings among them.
    """
    return _AS_RESULT.replace("{facts}", facts)


def stated(notebook: Any) -> Any:
    """Return what the last cell, a `stating` one, came to."""
    (result,) = results(notebook.cells[-1:])
    return result["application/json"]


def results(cells: list[Any]) -> list[Any]:
    """Return what cells come to: not what they print, nor the bar of a load, a widget too."""
    return [
        output["data"]
        for cell in cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result"
    ]

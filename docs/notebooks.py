"""Run the example notebooks, with live explorers for outputs: ``python docs/notebooks.py``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
PAGES = DOCS / "examples"
NAMES = ("quickstart", "qa", "heads_and_evidence")
# For a cell at most; each notebook takes less than a minute.
CELL_WITHIN_S = 120
MOST_MB = 3.0
WIDGET = "application/vnd.jupyter.widget-view+json"

# Run in the kernel before the notebook: where it shows an explorer, a page gets a file of it.
SHOWING = """
import sys
sys.path.insert(0, {docs!r})
from notebooks import show_live
show_live({name!r})
"""


def show_live(name: str) -> None:
    """Have this kernel write a file for each explorer that it shows, and show that."""
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import Box
    from live import LIVE

    from attention_explorer import to_html
    from attention_explorer.exported import ExportedView

    def framed(shown: ExportedView | Box) -> dict[str, str]:
        inside = shown.children if isinstance(shown, Box) else [shown]
        several = [widget for widget in inside if isinstance(widget, ExportedView)]
        if not several:
            return {WIDGET: ""}
        number = len(list(LIVE.glob(f"{name}-*.html")))
        LIVE.mkdir(parents=True, exist_ok=True)
        to_html(several, LIVE / f"{name}-{number}.html", title=name, max_mb=MOST_MB)
        return {"text/html": frame(f"../live/{name}-{number}.html", "An explorer")}

    formatter = InteractiveShell.instance().display_formatter
    assert formatter is not None
    # Before the widget's own, which asks for a kernel.
    for kind in (ExportedView, Box):
        formatter.mimebundle_formatter.for_type(kind, framed)


def frame(address: str, title: str, height: int = 700) -> str:
    """Return the HTML of a live explorer within a page."""
    return (
        f'<iframe class="live" src="{address}" title="{title}" loading="lazy" '
        f'style="--height: {height}px"></iframe>'
    )


def run(name: str) -> None:
    """Run a notebook and write it, with its outputs, where the pages are made of."""
    from live import LIVE

    for old in LIVE.glob(f"{name}-*.html"):
        old.unlink()
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    first = nbformat.v4.new_code_cell(SHOWING.format(docs=str(DOCS), name=name))
    notebook.cells.insert(0, first)
    NotebookClient(notebook, timeout=CELL_WITHIN_S, kernel_name="python3").execute()
    del notebook.cells[0]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if is_shown(output)]
    notebook.metadata.pop("widgets", None)
    PAGES.mkdir(exist_ok=True)
    nbformat.write(notebook, PAGES / f"{name}.ipynb")


def write(names: Sequence[str]) -> None:
    """Run some of the notebooks, two at a time; the others stand there as they are committed."""
    PAGES.mkdir(exist_ok=True)
    for name in set(NAMES).difference(names):
        shutil.copy(EXAMPLES / f"{name}.ipynb", PAGES)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(run, names))


def is_shown(output: NotebookNode) -> bool:
    """Return whether an output is for a reader: progress and its bars are not."""
    if output.output_type == "error":  # of what shows a result: a cell's own ends the run
        raise RuntimeError(f"an output can't be shown: {output.ename}: {output.evalue}")
    if output.output_type == "stream":
        return bool(output.name == "stdout")
    return WIDGET not in output.get("data", {})


if __name__ == "__main__":
    write(NAMES)

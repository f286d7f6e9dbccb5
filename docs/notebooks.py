"""Run the example notebooks, with live explorers for outputs: ``python docs/notebooks.py``."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

if TYPE_CHECKING:
    from ipywidgets import Box
    from live import Written

DOCS = Path(__file__).parent
EXAMPLES = DOCS.parent / "examples"
PAGES = DOCS / "examples"
LESSONS = tuple(
    f"course/{language}/{lesson.stem}"
    for language in ("en", "zh")
    for lesson in sorted((EXAMPLES / "course" / language).glob("*.ipynb"))
)
NAMES = ("quickstart", "qa", "heads_and_evidence", "atlas", *LESSONS)
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
    """Have this kernel write a file for each explorer or atlas that it shows, and show that."""
    from IPython.core.interactiveshell import InteractiveShell
    from ipywidgets import Box
    from live import LIVE

    from attention_explorer import HeadAtlas
    from attention_explorer.atlas.explorer import AtlasExplorer
    from attention_explorer.exported import ExportedView

    page = Path(name)
    above = "../" * len(page.parents)
    numbers = itertools.count()
    LIVE.mkdir(parents=True, exist_ok=True)

    def framed(shown: Written | Box) -> dict[str, str]:
        views = views_in(shown)
        if not views:
            return {WIDGET: ""}
        file = LIVE / f"{page.name}-{next(numbers)}.html"
        if not file.exists():  # a lesson's code is the same in another language
            write_file(views, file)
        return {"text/html": frame(f"{above}live/{file.name}", "What the cell shows")}

    formatter = InteractiveShell.instance().display_formatter
    assert formatter is not None
    # Before the widget's own, which asks for a kernel.
    for kind in (ExportedView, HeadAtlas, AtlasExplorer, Box):
        formatter.mimebundle_formatter.for_type(kind, framed)


def views_in(shown: Written | Box) -> list[Written]:
    """Return what there is to see: a box may hold several explorers, or a bar of progress."""
    from ipywidgets import Box

    from attention_explorer.exported import ExportedView

    if not isinstance(shown, Box):
        return [shown]
    return [widget for widget in shown.children if isinstance(widget, ExportedView)]


def write_file(views: list[Written], file: Path) -> None:
    """Write what a cell shows as a file of its own."""
    from attention_explorer import to_html
    from attention_explorer.exported import ExportedView

    explorers = [view for view in views if isinstance(view, ExportedView)]
    if explorers:
        to_html(explorers, file, title=file.stem, max_mb=MOST_MB)
    else:
        views[0].to_html(file, title=file.stem, max_mb=MOST_MB)


def frame(address: str, title: str, height: int = 700) -> str:
    """Return the HTML of a live explorer within a page."""
    return (
        f'<iframe class="live" src="{address}" title="{title}" loading="lazy" '
        f'style="--height: {height}px"></iframe>'
    )


def run(name: str) -> None:
    """Run a notebook in its folder and write it, with its outputs, where the pages are made of."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    first = nbformat.v4.new_code_cell(SHOWING.format(docs=str(DOCS), name=name))
    notebook.cells.insert(0, first)
    NotebookClient(
        notebook,
        timeout=CELL_WITHIN_S,
        kernel_name="python3",
        resources={"metadata": {"path": str((EXAMPLES / name).parent)}},
    ).execute()
    del notebook.cells[0]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if is_shown(output)]
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, page_of(name))


def write(names: Sequence[str]) -> None:
    """Run some of the notebooks, two at a time; the others stand there as they are committed."""
    from live import LIVE

    for name in NAMES:
        page_of(name).parent.mkdir(parents=True, exist_ok=True)
        for old in LIVE.glob(f"{Path(name).name}-*.html"):
            old.unlink()
    for name in set(NAMES).difference(names):
        shutil.copy(EXAMPLES / f"{name}.ipynb", page_of(name))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(run, names))


def page_of(name: str) -> Path:
    """Return the notebook that a page is made of."""
    return PAGES / f"{name}.ipynb"


def is_shown(output: NotebookNode) -> bool:
    """Return whether an output is for a reader: progress and its bars are not."""
    if output.output_type == "error":  # of what shows a result: a cell's own ends the run
        raise RuntimeError(f"an output can't be shown: {output.ename}: {output.evalue}")
    if output.output_type == "stream":
        return bool(output.name == "stdout")
    return WIDGET not in output.get("data", {})


if __name__ == "__main__":
    write(NAMES)

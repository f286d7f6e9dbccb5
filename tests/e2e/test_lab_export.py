"""What is taken away from an explorer in JupyterLab: pictures, numbers; what is undone there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

CELL = (
    "from attention_explorer import AttentionExplorer\n"
    "explorer = AttentionExplorer.demo(layer=2, heads=[1, 3], selected=(8, 8))\n"
    "explorer"
)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(CELL) as notebook:
        notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        notebook.explorer().expect_live()
        yield notebook


def menu(explorer: Explorer) -> Locator:
    return explorer.root.get_by_label("take away", exact=True)


def save(notebook: LabNotebook, what: str, folder: Path) -> Path:
    explorer = notebook.explorer()
    menu(explorer).click()
    with notebook.page.expect_download() as download:
        explorer.root.get_by_role("button", name=what).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_picture_arrives_as_svg(notebook: LabNotebook, tmp_path: Path) -> None:
    """Catches a download that the notebook's page swallows, and markup that isn't XML."""
    path = save(notebook, "Heads as SVG", tmp_path)
    assert path.name == "heads-layer-2-heads-1-3.svg"
    texts = [el.text for el in ElementTree.parse(path).iter(f"{SVG}text")]
    assert {"[CLS]", "cat", "because", "it"} <= set(texts)
    caption = " ".join(filter(None, texts))
    for part in ("all-MiniLM-L6-v2", "layer 2 · heads 1, 3", "13 tokens", "below top 80 %"):
        assert part in caption


@pytest.mark.parametrize("view", ["Text", "Matrix"])
def test_a_picture_arrives_as_png_of_two_pixels_each(
    notebook: LabNotebook, tmp_path: Path, view: str
) -> None:
    """Catches an SVG that the browser refuses to draw, or draws at the screen's density."""
    header = save(notebook, f"{view} as PNG", tmp_path).read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, _ = struct.unpack(">II", header[16:])
    box = getattr(notebook.explorer(), view.lower()).bounding_box()
    assert width == pytest.approx(2 * (box["width"] + 32), abs=2)


def test_the_row_that_was_looked_at_is_copied(notebook: LabNotebook) -> None:
    """Catches numbers of another head, layer or row than the explorer's own."""
    explorer = notebook.explorer()
    menu(explorer).click()
    explorer.root.get_by_role("button", name="copy the row's numbers").click()
    expect(explorer.root.locator(".said")).to_have_text("copied 26 numbers: what “it” (8) reads")
    copied: str = notebook.page.evaluate("() => navigator.clipboard.readText()")
    head, *rows = [line.split("\t") for line in copied.splitlines()]
    assert head[:2] == ["position", "token"]
    assert [row[1] for row in rows][7:9] == ["because", "it"]
    for column, head_index in enumerate((1, 3), start=2):
        code = f"print(*explorer.weights(layer=2, head={head_index})[8].tolist())"
        wanted = [float(weight) for weight in notebook.python(code).split()]
        assert [float(row[column]) for row in rows] == pytest.approx(wanted, rel=1e-6)


def test_ctrl_z_undoes_in_the_explorer_and_not_in_the_notebook(notebook: LabNotebook) -> None:
    """Catches an undo that takes back a cell's text, or what Python has set."""
    explorer = notebook.explorer()
    cell = notebook.page.locator(".jp-CodeCell .jp-InputArea-editor").first
    written = cell.inner_text()
    explorer.layer.select_option("4")
    notebook.expect_python("explorer.layer", 4)
    notebook.python("explorer.top_mass = 0.5")
    expect(explorer.mass).to_have_value("0.5")
    explorer.layer.press("Control+z")
    notebook.expect_python("(explorer.layer, explorer.top_mass)", (2, 0.5))
    explorer.layer.press("Control+z")
    explorer.layer.press("Control+Shift+z")
    notebook.expect_python("explorer.layer", 4)
    assert cell.inner_text() == written

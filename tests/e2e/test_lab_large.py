"""12 x 12 heads over 512 tokens: only what is looked at crosses, and the kernel may be slow."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

LARGE = """
import numpy as np
from attention_explorer import AttentionExplorer
weights = np.random.default_rng(0).standard_normal((12, 12, 512, 512), dtype="float32")
np.exp(3 * weights, out=weights)
weights /= weights.sum(axis=-1, keepdims=True)
weights[2] = 0
weights[2, :, :, :256] = 1 / 256
explorer = AttentionExplorer(weights, [f"token{i}" for i in range(512)], layer=7, heads=3)
explorer
"""


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(LARGE) as notebook:
        notebook.explorer().expect_live()
        yield notebook


@pytest.fixture
def explorer(notebook: LabNotebook) -> Explorer:
    return notebook.explorer()


def test_hovered_weights_are_the_arrays_float32(notebook: LabNotebook, explorer: Explorer) -> None:
    """Catches read-outs from the 8-bit tiles, and rows of another head or layer."""
    explorer.token(40).hover()
    strongest = notebook.python(
        "row = weights[7, 3, 40]; at = row.argmax(); print(f'token{at} {row[at]:.4f}')"
    )
    reads = explorer.item("“token40” (40) reads").locator(".read")
    expect(reads.first).to_have_text(strongest)
    readers = notebook.python(
        "column = weights[7, 3, :, 40]; at = column.argmax(); print(f'token{at} {column[at]:.4f}')"
    )
    expect(explorer.item("“token40” (40) is read by").locator(".read").first).to_have_text(readers)

    explorer.token(40).click()
    explorer.token(57).hover()
    expect(explorer.item("“token40” (40) reads “token57” (57)").locator(".weight")).to_have_text(
        notebook.python("print(f'{weights[7, 3, 40, 57]:.4f}')")
    )
    explorer.root.page.keyboard.press("Escape")


def test_the_matrix_draws_the_tiles_of_the_chosen_layer(explorer: Explorer) -> None:
    """Catches tiles that never come, or stay those of the layer before."""
    explorer.layer.select_option("2")
    canvas = explorer.matrix.locator("canvas").first
    # Left of the middle all weights are alike and right of it there are none.
    explorer.root.page.wait_for_function(_HALVES_DIFFER, arg=canvas.element_handle())
    expect(explorer.matrix).to_contain_text("layer 2 · head 3")


def test_a_kernel_that_does_not_answer_is_busy_and_comes_back(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a slow answer taken for an error, and a request that is never finished."""
    kernel = int(notebook.python("import os; print(os.getpid())"))
    os.kill(kernel, signal.SIGSTOP)
    try:
        explorer.layer.select_option("9")
        expect(explorer.status).to_contain_text("kernel busy")
        explorer.token(8).hover()
        expect(explorer.token(8)).to_have_class("token looked")
        expect(explorer.root.get_by_role("alert")).to_have_count(0)
    finally:
        os.kill(kernel, signal.SIGCONT)
    expect(explorer.status).to_have_text("live, exact", timeout=20_000)
    reads = explorer.item("“token8” (8) reads").locator(".read")
    expect(reads.first).to_have_text(
        notebook.python(
            "row = weights[9, 3, 8]; at = row.argmax(); print(f'token{at} {row[at]:.4f}')"
        )
    )
    notebook.expect_python("explorer.layer", 9)


_HALVES_DIFFER = """(canvas) => {
  const { width, height } = canvas;
  const middle = (x) => [...canvas.getContext("2d").getImageData(x, height / 2, 1, 1).data].join();
  return middle(width / 4) === middle(width / 3) && middle(width / 4) !== middle((3 * width) / 4)
    && middle((3 * width) / 4) === middle((2 * width) / 3);
}"""

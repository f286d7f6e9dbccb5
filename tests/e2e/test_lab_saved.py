"""A notebook saved with its widgets, and reopened where no kernel runs."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from .conftest import watched_page
from .lab import LabNotebook, write_notebook
from .shown import Explorer

SMALL = "from attention_explorer import AttentionExplorer\nAttentionExplorer.demo()"
LARGE = """
import numpy as np
rng = np.random.default_rng(0)
weights = rng.standard_normal((12, 12, 512, 512), dtype="float32")
np.exp(3 * weights, out=weights)
weights /= weights.sum(axis=-1, keepdims=True)
words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 7)) for _ in range(512)]
AttentionExplorer(weights, words, layer=7, heads=3)
"""
# Weights that no compression makes smaller, as many as are saved whole.
FULL = """
weights = rng.dirichlet(np.ones(19), (6, 12, 19)).astype("float32")
AttentionExplorer(weights, words[:19])
"""
NAME = "saved.ipynb"


@pytest.fixture(scope="module")
def grown(browser: Browser, lab_url: str, lab_folder: Path) -> dict[str, int]:
    """Save a notebook after each of its explorers; returns by how many bytes it grew for each."""
    path = write_notebook(lab_folder / NAME, [SMALL, LARGE, FULL])
    with watched_page(browser) as page:
        notebook = LabNotebook(page, lab_url, NAME)
        notebook.wait_for_kernel()
        notebook.save()
        sizes = [path.stat().st_size]
        for cell in range(3):
            notebook.run_cell(cell)
            notebook.explorer(cell).expect_live()
            notebook.save()
            sizes.append(path.stat().st_size)
        notebook.shut_down()
    grown = [after - before for before, after in itertools.pairwise(sizes)]
    return dict(zip(["small", "large", "full"], grown, strict=True))


@pytest.fixture(scope="module")
def reopened(browser: Browser, lab_url: str, grown: dict[str, int]) -> Iterator[LabNotebook]:
    """The saved notebook in a new page, and no kernel."""
    with watched_page(browser) as page:
        notebook = LabNotebook(page, lab_url, NAME)
        # Lab restores widgets only where it started a kernel, be it one that knows nothing of them.
        notebook.wait_for_kernel()
        try:
            notebook.explorers.nth(2).wait_for(timeout=10_000)
        except PlaywrightTimeout:
            # On a busy machine Lab once gave up restoring, without a word; a person reloads.
            warnings.warn(f"Lab restored no widgets: {notebook.outputs()}", stacklevel=1)
            page.reload()
            notebook.wait_for_kernel()
        expect(notebook.explorers).to_have_count(3)
        notebook.shut_down()
        yield notebook


@pytest.mark.parametrize("explorer", ["small", "large", "full"])
def test_an_explorer_adds_less_than_100_kb(grown: dict[str, int], explorer: str) -> None:
    """Catches a trait or an output that grows with the weights."""
    print(f"the {explorer} explorer adds {grown[explorer]:,} bytes to the notebook")
    assert 0 < grown[explorer] < 100_000


def test_all_of_a_small_one_is_there_without_a_kernel(reopened: LabNotebook) -> None:
    """Catches saved state that can't be opened again, and weights that only the kernel had."""
    explorer = reopened.explorer(0)
    expect(explorer.status).to_have_text("no kernel")
    expect(explorer.notes).to_contain_text("kernel")
    explorer.token(8).hover()
    expect(explorer.item("“it” (8) reads").locator(".read").first).to_have_text("cat ≈ 0.71")
    _shows_other_layers_and_heads(explorer)


def test_what_takes_the_kernel_says_so(reopened: LabNotebook) -> None:
    """Catches buttons that do nothing: the code that draws pictures isn't saved."""
    explorer = reopened.explorer(0)
    explorer.root.get_by_label("take away", exact=True).click()
    expect(explorer.root.locator(".take .panel")).to_contain_text("This takes the kernel")
    expect(explorer.root.get_by_role("button", name="Heads as SVG")).to_be_disabled()


def _shows_other_layers_and_heads(explorer: Explorer) -> None:
    explorer.layer.select_option("0")
    explorer.chip(2).dblclick()
    expect(explorer.heads).to_contain_text("layer 0 · head 2")
    explorer.token(5).hover()
    expect(explorer.item("“the” (5) reads").locator(".read").first).to_contain_text("≈")


def test_a_large_one_shows_its_overview_and_says_so(reopened: LabNotebook) -> None:
    """Catches an empty frame where the weights were too many to be saved."""
    explorer = reopened.explorer(1)
    expect(explorer.status).to_have_text("no kernel")
    expect(explorer.notes).to_contain_text("kernel")
    canvas = explorer.matrix.locator("canvas").first
    expect(canvas).to_be_visible()
    reopened.page.wait_for_function(_SHADES, arg=canvas.element_handle())
    explorer.root.press("]")
    expect(explorer.root.get_by_role("alert")).to_have_count(0)


_SHADES = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size > 8;
}"""

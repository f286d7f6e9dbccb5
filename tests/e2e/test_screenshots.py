"""Pictures for a person to look at, where EXPLORER_SHOTS names a folder for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook

FOLDER = os.environ.get("EXPLORER_SHOTS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EXPLORER_SHOTS names no folder")

# Short: a real model's. Long: heads that look back, at the start, around, and anywhere.
CELLS = (
    "from attention_explorer import AttentionExplorer\nAttentionExplorer.demo()",
    """
import numpy as np
rng = np.random.default_rng(0)
n = 500
away = np.arange(n)[:, None] - np.arange(n)
shapes = [-abs(away - 1), -abs(away) / 9, np.where(np.arange(n) < 2, 6.0, 0) + 0 * away, 0 * away]
weights = np.stack([2.0 * shapes[h % 4] + rng.normal(0, 1.5, (n, n)) for h in range(12)])
weights = np.exp(weights - weights.max(-1, keepdims=True))
weights /= weights.sum(-1, keepdims=True)
words = "attention reads from what it finds useful , and the rest goes to the first token .".split()
AttentionExplorer(weights[None], list(rng.choice(words, n)), heads=[0, 1, 2])
""",
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        for i in range(len(CELLS)):
            notebook.explorer(i).expect_live()
        yield notebook


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [700, 1200])
def test_pictures(notebook: LabNotebook, theme: str, width: int) -> None:
    folder = Path(str(FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    page = notebook.page
    page.set_viewport_size({"width": 1600, "height": 2200})
    notebook.set_theme(f"JupyterLab {theme}")
    notebook.set_output_width(width)
    for i, name in enumerate(["n12", "n500"]):
        explorer = notebook.explorer(i)
        expect(explorer.root).to_have_attribute("data-theme", theme.lower())
        page.mouse.move(2, 2)
        for act in ["rest", "hover", "pair"]:
            if act == "hover":
                explorer.token(8).hover()
            if act == "pair":
                explorer.token(8).click()
                explorer.token(2).hover()
            if act != "rest":
                expect(explorer.item("(8) reads").locator("b").first).to_be_visible()
            explorer.root.screenshot(path=folder / f"{name}-{width}-{theme.lower()}-{act}.png")
        page.keyboard.press("Escape")
    notebook.set_theme("JupyterLab Light")

"""Pictures of every view for a person to look at, where EXPLORER_SHOTS names a folder for them.

EXPLORER_SHOTS=examples/images pytest tests/e2e/test_screenshots.py   the gallery and the README's
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

FOLDER = os.environ.get("EXPLORER_SHOTS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EXPLORER_SHOTS names no folder")

# A sentence and a paragraph of a real model; long, a Llama's shape with random weights.
CELLS = (
    """
from attention_explorer import AttentionExplorer, demo_model, trace
model, tokenizer = demo_model()
sentence = "The cat sat on the mat because it was tired."
e0 = AttentionExplorer(trace(model, tokenizer, sentence), layer=5, heads=11, selected=8)
e0
""",
    """
paragraph = (
    "The old house at the end of the road had been empty for years. Nobody in the village could "
    "say who owned it, but everybody had a story about the woman who once lived there. She kept "
    "bees, they said, and sold the honey at the market every Saturday, until one spring the bees "
    "were gone and so was she. Children dared each other to knock at the door. When a light was "
    "seen in the attic last winter, the mayor sent two men with a ladder; they found a lamp, a "
    "chair, and a letter that was addressed to the bees."
)
e1 = AttentionExplorer(trace(model, tokenizer, paragraph), layer=5, heads=11, selected=28)
e1
""",
    """
import torch
from transformers import LlamaConfig, LlamaModel
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=999, hidden_size=512, intermediate_size=64, num_hidden_layers=8,
    num_attention_heads=8, num_key_value_heads=2, initializer_range=0.09,
)
ids = torch.randint(0, 999, (1, 2000))
words = (paragraph.replace(".", " .").replace(",", " ,").split() * 20)[:2000]
llama = LlamaModel(config).eval()
e2 = AttentionExplorer(
    trace(llama, inputs={"input_ids": ids}, tokens=words), layer=1, heads=3, selected=1990,
    model_name="a Llama with random weights",
)
e2
""",
)
# The same questions as the notebook's, of a sentence and of a page that fills several windows.
ASKED = (
    """
from attention_explorer import AttentionExplorer, demo_qa_model
model, tokenizer = demo_qa_model()
e0 = AttentionExplorer.qa(
    model, tokenizer, "Who is the famous architect in Barcelona?",
    "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
)
e0
""",
    """
page = (
    "The old house at the end of the road had been empty for years. Nobody in the village could "
    "say who owned it, but everybody had a story about the woman who once lived there. She kept "
    "bees, they said, and sold the honey at the market every Saturday, until one spring the bees "
    "were gone and so was she. When a light was seen in the attic last winter, the mayor sent two "
    "men with a ladder; they found a lamp, a chair, and a letter that was addressed to the bees. "
) * 6
e1 = AttentionExplorer.qa(model, tokenizer, "What did the woman sell at the market?", page)
e1
""",
)
# The course's exercise, and a pair of sentences that differ in a word.
STUDIED = (
    """
from attention_explorer import AttentionExplorer, demo_model, trace
model, tokenizer = demo_model()
e0 = AttentionExplorer(
    trace(model, tokenizer, "I saw the man with the telescope."), layer=1, heads=2,
    view=["text", "evidence"], selected=5, also=[2, 4],
)
e0
""",
    """
said = "The {} sat on the mat because it was tired."
e1 = AttentionExplorer.compare(
    *(trace(model, tokenizer, said.format(word)) for word in ("cat", "dog")),
    names=("cat", "dog"), selected=8,
)
e1
""",
)
VIEWS = ("text", "heads", "matrix", "model", "neuron")
SIZES = ("n13", "n120", "n2000")


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        for i in range(len(CELLS)):
            complete(notebook.explorer(i))
        yield notebook


def complete(explorer: Explorer) -> None:
    explorer.root.page.wait_for_function(
        "el => el.ariaBusy === 'false'", arg=explorer.root.element_handle()
    )


def take(root: Locator, name: str) -> None:
    """Take a picture in few colours: a fifth of the bytes, and nobody sees it."""
    folder = Path(str(FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(root.screenshot())).convert("RGB")
    few = picture.quantize(255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(folder / f"{name}.png", optimize=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gallery(notebook: LabNotebook, theme: str) -> None:
    page = notebook.page
    page.set_viewport_size({"width": 1600, "height": 2200})
    notebook.set_theme(f"JupyterLab {theme.title()}")
    notebook.set_output_width(1000)
    for i, size in enumerate(SIZES):
        explorer = notebook.explorer(i)
        for view in VIEWS:
            notebook.python(f"e{i}.view = ['{view}']")
            page.mouse.move(2, 2)
            pane = ".text" if view == "text" else f".pane.{view}"
            explorer.root.locator(pane).wait_for()
            complete(explorer)
            take(explorer.root, f"{size}-{view}-{theme}")
    notebook.set_output_width(1200)
    notebook.python("e0.view = ['text', 'heads', 'matrix', 'model']")
    notebook.explorer(0).root.locator(".pane.matrix").wait_for()
    complete(notebook.explorer(0))
    take(notebook.explorer(0).root, f"heads-{theme}")
    notebook.set_theme("JupyterLab Light")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gallery_of_questions(open_cells: OpenCells, theme: str) -> None:
    with open_cells(*ASKED) as notebook:
        notebook.page.set_viewport_size({"width": 1600, "height": 2200})
        notebook.set_theme(f"JupyterLab {theme.title()}")
        notebook.set_output_width(1000)
        # "architect", and "sell".
        for i, (size, word) in enumerate((("short", 5), ("long", 5))):
            explorer = notebook.explorer(i)
            first = f"e{i}._qa['question_tokens'][0]"
            notebook.python(f"e{i}.selected = ({first} + {word - 1}, None)")
            explorer.root.locator(".qa .pinned").wait_for()
            notebook.page.mouse.move(2, 2)
            complete(explorer)
            take(explorer.root, f"qa-{size}-{theme}")
        notebook.set_theme("JupyterLab Light")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_gallery_of_evidence(open_cells: OpenCells, theme: str) -> None:
    with open_cells(*STUDIED) as notebook:
        notebook.page.set_viewport_size({"width": 1600, "height": 2400})
        notebook.set_theme(f"JupyterLab {theme.title()}")
        notebook.set_output_width(1000)
        evidence, comparing = (notebook.explorer(i) for i in range(2))
        for name in ("Cut the edge", "Ablate every head"):
            evidence.root.get_by_role("button", name=name).first.click()
            evidence.root.get_by_role("button", name="Stop").wait_for(state="hidden")
        evidence.root.locator(".edge .effect").wait_for()
        evidence.root.locator(".studies canvas").wait_for()
        comparing.root.get_by_role("listitem").first.wait_for()
        for name, explorer in (("evidence", evidence), ("compare", comparing)):
            notebook.page.mouse.move(2, 2)
            complete(explorer)
            take(explorer.root, f"{name}-{theme}")
        notebook.set_theme("JupyterLab Light")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 1200])
def test_widths(notebook: LabNotebook, theme: str, width: int) -> None:
    notebook.page.set_viewport_size({"width": 1600, "height": 3000})
    notebook.set_theme(f"JupyterLab {theme.title()}")
    notebook.set_output_width(width)
    for i, size in enumerate(SIZES):
        notebook.python(f"e{i}.view = ['text', 'heads', 'matrix', 'model']")
        explorer = notebook.explorer(i)
        explorer.root.locator(".pane.matrix").wait_for()
        complete(explorer)
        take(explorer.root, f"all-{size}-{width}-{theme}")
    notebook.set_theme("JupyterLab Light")

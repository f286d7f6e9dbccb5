"""Every head of every layer at once: found by what it reads, opened, and shown in long texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

LAYERS, HEADS, TOKENS = 6, 12, 13
IT, CAT = 8, 2

LONG_LAYERS, LONG_HEADS, LONG_TOKENS = 4, 8, 3000
# One query reads one key with all its weight: of 64 queries a cell, a sample takes others.
NEEDLE = 2903, 100
CELLS = (
    "from attention_explorer import AttentionExplorer\n"
    "explorer = AttentionExplorer.demo()\n"
    "explorer",
    "import torch\n"
    "from attention_explorer.attention.from_qk import LayerStates, QKAttention\n"
    "from attention_explorer.attention.masks import KeyIntervals\n"
    f"n = {LONG_TOKENS}\n"
    "torch.manual_seed(0)\n"
    "mask = KeyIntervals.causal(n, n, torch.device('cpu'))\n"
    f"states = [LayerStates(torch.randn({LONG_HEADS}, n, 64), torch.randn(2, n, 64), 0.125, mask)\n"
    f"          for _ in range({LONG_LAYERS})]\n"
    "for layer in states:\n"
    f"    keys = layer.key[:, {NEEDLE[1]}].repeat_interleave({LONG_HEADS // 2}, dim=0)\n"
    f"    layer.query[:, {NEEDLE[0]}] = 4 * keys\n"
    f"attention = QKAttention(states, layer_numbers=range({LONG_LAYERS}))\n"
    "long = AttentionExplorer(attention, [f'word{i}' for i in range(n)],\n"
    "                         view=['text', 'model'], pooling='mean')\n"
    "long",
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        expect(notebook.explorers).to_have_count(2, timeout=60_000)
        yield notebook


@pytest.fixture
def explorer(notebook: LabNotebook) -> Explorer:
    """The demo as it opened: layer 5, head 11, nothing hovered."""
    notebook.python("explorer.layer, explorer.heads, explorer.hovered = 5, 11, None")
    explorer = notebook.explorer(0)
    explorer.expect_live()
    expect(explorer.matrix).to_contain_text("layer 5 · head 11")
    return explorer


def test_a_hovered_token_shows_which_head_reads_what(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches heads at each other's places, and rows that start at another key."""
    explorer.token(IT).hover()
    expect(explorer.model).to_contain_text("every head: what “it” reads")
    darkness = {
        (layer, head): explorer.darkness(
            explorer.head_at(LAYERS, HEADS, layer, head, (CAT + 0.5) / TOKENS)
        )
        for layer in range(LAYERS)
        for head in range(HEADS)
    }
    weights = notebook.python(
        f"print([explorer.attention.row(layer, head, {IT})[{CAT}].item()\n"
        f"       for layer in range({LAYERS}) for head in range({HEADS})])"
    )
    places = list(darkness)
    by_weight = dict(zip(places, map(float, weights.strip("[]").split(",")), strict=True))
    assert max(places, key=by_weight.__getitem__) == (5, 11)
    for lighter, darker in itertools.permutations(places, 2):
        if by_weight[darker] > 1.2 * by_weight[lighter] + 0.01:
            assert darkness[lighter] < darkness[darker], f"{lighter} and {darker}"
    assert max(places, key=darkness.__getitem__) == (5, 11)


def test_pointing_at_a_head_shows_it_and_a_click_opens_it(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a peek that changes what is chosen, and a click that opens a head's neighbour."""
    explorer.map.hover(position=explorer.head_at(LAYERS, HEADS, 2, 7))
    expect(explorer.matrix).to_contain_text("layer 2 · head 7")
    notebook.expect_python("(explorer.layer, explorer.heads)", (5, [11]))
    explorer.map.click(position=explorer.head_at(LAYERS, HEADS, 3, 1))
    notebook.expect_python("(explorer.layer, explorer.heads)", (3, [1]))
    expect(explorer.layer).to_have_value("3")
    explorer.map.click(position=explorer.head_at(LAYERS, HEADS, 3, 4), modifiers=["Shift"])
    notebook.expect_python("(explorer.layer, explorer.heads)", (3, [1, 4]))
    expect(explorer.chosen_heads()).to_have_count(2)
    explorer.token(IT).hover()
    expect(explorer.matrix).to_contain_text("layer 3 · heads 1, 4")


def test_the_keyboard_opens_heads_and_runs_no_cell(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches Shift+Enter that reaches Lab, which would run the cell and replace the explorer."""
    notebook.python("explorer.layer, explorer.heads = 1, 2")
    expect(explorer.map).to_have_accessible_name(re.compile(r"layer 1 · head 2;"))
    explorer.map.evaluate("(map) => map.focus()")
    explorer.root.evaluate("(root) => { root.dataset.kept = 'yes'; }")
    keyboard = notebook.page.keyboard
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        keyboard.press(key)
    expect(explorer.map).to_have_accessible_name(re.compile(r"layer 2 · head 4;"))
    notebook.expect_python("(explorer.layer, explorer.heads)", (1, [2]))
    keyboard.press("Enter")
    notebook.expect_python("(explorer.layer, explorer.heads)", (2, [4]))
    keyboard.press("ArrowLeft")
    keyboard.press("Shift+Enter")
    notebook.expect_python("(explorer.layer, explorer.heads)", (2, [3, 4]))
    expect(explorer.root).to_have_attribute("data-kept", "yes")


def test_a_long_text_has_previews_first_and_is_exact_in_the_end(notebook: LabNotebook) -> None:
    """Catches a map that waits for all exact overviews, that stays a preview, or blocks a hover."""
    explorer = notebook.explorer(1)
    remark = explorer.model.locator(".remark")
    expect(remark).to_contain_text("mean-pooled")
    explorer.expect_live()
    expect(remark).not_to_contain_text("previews")
    notebook.python("long.pooling = 'max'")
    # In every frame, as they last no longer than the exact ones take.
    notebook.page.wait_for_function(
        "(remark) => /max-pooled.*previews/.test(remark.textContent)", arg=remark.element_handle()
    )
    explorer.token(40).hover()
    expect(explorer.model).to_contain_text("every head: what “word40” reads")
    strongest = notebook.python("print(f'{attention.row(0, 0, 40).max():.4f}')")
    expect(explorer.item("(40) reads").locator(".read b").first).to_have_text(strongest)
    notebook.page.mouse.move(2, 2)
    expect(explorer.model).to_contain_text(re.compile(r"every head(?!:)"))
    expect(remark).not_to_contain_text("previews")
    explorer.expect_live()
    query, key = ((position + 0.5) / LONG_TOKENS for position in NEEDLE)
    for layer in range(LONG_LAYERS):
        for head in range(LONG_HEADS):
            place = (LONG_LAYERS, LONG_HEADS, layer, head)
            needle = explorer.darkness(explorer.head_at(*place, key, query))
            elsewhere = explorer.darkness(explorer.head_at(*place, 0.5, query))
            assert needle > elsewhere + 40, f"layer {layer}, head {head}"


def test_what_a_pooled_cell_says_is_changed_in_the_browser_and_in_python(
    notebook: LabNotebook,
) -> None:
    """Catches a click that stays in the page, and a trait that one view doesn't follow."""
    explorer = notebook.explorer(1)
    notebook.python("long.pooling = 'max'")
    button = explorer.model.get_by_role("button", name="max-pooled")
    button.click()
    notebook.expect_python("long.pooling", "mean")
    expect(explorer.model.locator(".remark")).to_contain_text("mean-pooled")
    notebook.python("long.pooling = 'max'")
    expect(button).to_be_visible()

"""Words, hidden keys with their meter, and the search, in a real JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook

CELL = (
    "import numpy as np\n"
    "from attention_explorer import AttentionExplorer\n"
    "strings = '[CLS] the un ##believ ##able cat , sat [SEP]'.split()\n"
    "scores = np.random.default_rng(0).normal(0, 2, (2, 3, 9, 9)).astype(np.float32)\n"
    "scores[..., 0] += 2\n"
    "layers = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)\n"
    "explorer = AttentionExplorer(layers, strings, layer=1, heads=[0, 2])\n"
    "explorer"
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(CELL) as notebook:
        yield notebook


@pytest.fixture(autouse=True)
def _anew(notebook: LabNotebook) -> None:
    notebook.explorer().expect_live()
    notebook.python(
        "explorer.unit, explorer.hide, explorer.hide_tokens = 'token', [], []\n"
        "explorer.renormalise, explorer.selected, explorer.hovered = False, None, None"
    )
    explorer = notebook.explorer()
    # What was shown before is still there for a moment, and takes its focus along when it goes.
    expect(explorer.root.locator(".meter")).to_have_count(0)
    unit = explorer.root.get_by_role("group", name="unit")
    expect(unit.get_by_role("button", name="Tokens")).to_have_attribute("aria-pressed", "true")
    expect(explorer.tokens).to_have_count(9)


def test_words_are_chosen_and_left_again(notebook: LabNotebook) -> None:
    """Catches tokens of one unit with the weights of the other."""
    explorer = notebook.explorer()
    unit = explorer.root.get_by_role("group", name="unit")
    unit.get_by_role("button", name="Words").click()
    notebook.expect_python("(explorer.unit, explorer.weights().shape)", ("word", (7, 7)))
    expect(explorer.tokens).to_have_count(7)
    expect(explorer.token(2)).to_have_text("unbelievable")
    expect(unit.get_by_role("button", name="Words"), "the focus stays").to_be_focused()
    explorer.token(2).click()
    rows = "layers[1, [0, 2]][:, 2:5].mean((0, 1))"
    sums = f"np.add.reduceat({rows}, [0, 1, 2, 5, 6, 7, 8])"
    strongest = notebook.python(f"print(f'{{{sums}.max():.4f}}')")
    expect(explorer.item("(2) reads").locator(".read b").first).to_have_text(strongest)
    expect(explorer.notes).to_contain_text("the mean over those from them")
    unit.get_by_role("button", name="Tokens").click()
    notebook.expect_python("(explorer.unit, explorer.selected)", ("token", None))


def test_hidden_specials_and_how_much_they_had(notebook: LabNotebook) -> None:
    """Catches a meter of another row or head, and a share of what is left instead of all."""
    explorer = notebook.explorer()
    menu = explorer.root.get_by_label(re.compile("^hide .*keys$"))
    menu.click()
    special = explorer.root.get_by_role("checkbox", name="special")
    special.check()
    notebook.expect_python("explorer.hide", ["special"])
    meter = explorer.root.locator(".meter")
    hidden = "layers[1, [0, 2]][..., [0, 8]].sum(-1)"
    share = notebook.python(f"print(f'{{100 * {hidden}.mean():.0f}} %')")
    expect(meter).to_have_text(f"hidden: {share} of what a token reads, on average")
    expect(special, "the menu is open still").to_be_visible()
    explorer.token(5).click()
    expect(special, "a click elsewhere closes it").not_to_be_visible()
    menu.click()
    share = notebook.python(f"print(f'{{100 * {hidden}[:, 5].mean():.0f}} %')")
    expect(meter).to_have_text(f"hidden: {share} of what “cat” reads")
    read = explorer.item("(5) reads").locator(".read b").first
    left = "layers[1, [0, 2], 5][:, 1:8]"
    expect(read).to_have_text(notebook.python(f"print(f'{{{left}.mean(0).max():.4f}}')"))
    explorer.root.get_by_role("checkbox", name="renormalise").check()
    raised = f"({left} / {left}.sum(-1, keepdims=True)).mean(0).max()"
    expect(read).to_have_text(notebook.python(f"print(f'{{{raised}:.4f}}')"))
    expect(meter).to_have_text(f"hidden: {share} of what “cat” reads")
    explorer.root.get_by_role("button", name="hide “cat”").click()
    notebook.expect_python("explorer.hide_tokens", [5])
    explorer.root.get_by_role("button", name="show cat, position 5").click()
    notebook.expect_python("(explorer.hide_tokens, explorer.hide)", ([], ["special"]))
    special.press("Escape")
    expect(special).not_to_be_visible()


def test_a_search_goes_from_hit_to_hit_and_the_notebook_stays_where_it_is(
    notebook: LabNotebook,
) -> None:
    """Catches Shift+Enter running the cell, and letters that Lab takes for commands."""
    explorer = notebook.explorer()
    explorer.token(1).focus()
    notebook.page.keyboard.press("/")
    notebook.page.keyboard.type("AT")
    found = explorer.root.locator(".find span")
    expect(found).to_have_text("1 of 2")
    notebook.expect_python("(explorer.hovered, explorer.selected)", ((5, 5), None))
    notebook.page.keyboard.press("Enter")
    expect(found).to_have_text("2 of 2")
    notebook.expect_python("explorer.hovered", (7, 7))
    notebook.page.keyboard.press("Shift+Enter")
    expect(found).to_have_text("1 of 2")
    expect(explorer.text.locator(".found")).to_have_text(["cat", "sat"])
    notebook.page.keyboard.press("Escape")
    notebook.expect_python("explorer.hovered", None)
    expect(explorer.text.locator(".found")).to_have_count(0)
    expect(notebook.explorers).to_have_count(1)


def test_r_turns_the_direction_round(notebook: LabNotebook) -> None:
    explorer = notebook.explorer()
    explorer.token(3).focus()
    notebook.page.keyboard.press("r")
    notebook.expect_python("explorer.direction", "is read by")
    expect(explorer.text.locator(".caption span").first).to_have_text("what reads “believ”")
    notebook.page.keyboard.press("r")
    notebook.expect_python("explorer.direction", "reads")

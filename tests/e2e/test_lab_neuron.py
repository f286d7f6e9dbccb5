"""The neuron view of a real model: the numbers on screen add up to the weights of the kernel."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

TOKENS, SIZE, IT, CAT = 13, 32, 8, 2
CELLS = (
    "from attention_explorer import AttentionExplorer, demo_model, trace\n"
    "traced = trace(*demo_model(), 'The cat sat on the mat because it was tired.')\n"
    "explorer = AttentionExplorer(traced, layer=5, heads=11, view=['text', 'neuron'])\n"
    "explorer",
    "given = AttentionExplorer.demo()\ngiven.view = 'neuron'\ngiven",
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        expect(notebook.explorers).to_have_count(2, timeout=60_000)
        yield notebook


@pytest.fixture
def explorer(notebook: LabNotebook) -> Explorer:
    notebook.python("explorer.layer, explorer.heads, explorer.selected = 5, 11, None")
    return notebook.explorer(0)


def neuron(explorer: Explorer) -> Locator:
    return explorer.root.get_by_role("region", name="neuron view", exact=True)


def rows(explorer: Explorer) -> Locator:
    return neuron(explorer).locator(".scroll .term")


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text.replace("−", "-"))]


def test_the_numbers_on_screen_add_up_to_the_kernels_weights(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches another head's or query's vectors, and a step that is shown but isn't taken."""
    explorer.token(IT).hover()
    expect(neuron(explorer)).to_contain_text("how “it” reads: layer 5 · head 11")
    expect(rows(explorer)).to_have_count(TOKENS)
    weights = json.loads(notebook.python(f"print(explorer.weights(5, 11)[{IT}].tolist())"))
    log_sum = numbers(neuron(explorer).locator(".names").inner_text())[-1]
    for text, weight in zip(rows(explorer).all_inner_texts(), weights, strict=True):
        product, score, shown = numbers(text)
        assert score == pytest.approx(product / math.sqrt(SIZE), abs=1e-4), text
        assert shown == pytest.approx(math.exp(score - log_sum), abs=2e-4), text
        assert shown == pytest.approx(weight, abs=6e-5), text


def test_a_hovered_key_says_the_whole_sum_and_is_hovered_in_the_text(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    explorer.token(IT).hover()
    rows(explorer).nth(CAT).locator("span").first.hover()
    expect(neuron(explorer).locator(".focused")).to_have_text(re.compile("^cat"))
    notebook.expect_python("explorer.hovered", (IT, CAT))
    said = neuron(explorer).locator(".sums").inner_text()
    weight = float(notebook.python(f"print(explorer.attention.row(5, 11, {IT})[{CAT}])"))
    assert numbers(said)[-1] == pytest.approx(weight, abs=1e-6)
    product, score = numbers(said.split("Σ q × k:")[1])[0], numbers(said.split("score:")[1])[0]
    assert score == pytest.approx(product / math.sqrt(SIZE), abs=1e-4)
    rows(explorer).nth(CAT).locator("span").first.click()
    notebook.expect_python("explorer.selected", (IT, CAT))


def test_arrow_keys_move_along_the_keys_and_the_queries(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    notebook.python(f"explorer.selected = ({IT}, {CAT})")
    expect(neuron(explorer).locator(".focused")).to_have_text(re.compile("^cat"))
    neuron(explorer).get_by_role("application").focus()
    for key, token in (("ArrowDown", "sat"), ("ArrowDown", "on"), ("ArrowLeft", "on")):
        explorer.root.page.keyboard.press(key)
        expect(neuron(explorer).locator(".focused")).to_have_text(re.compile(f"^{token}"))
    expect(neuron(explorer)).to_contain_text("how “because” reads")
    explorer.root.page.keyboard.press("Enter")
    notebook.expect_python("explorer.selected", (IT - 1, CAT + 2))
    explorer.root.page.keyboard.press("Escape")


def test_weights_that_were_given_say_that_they_have_none(notebook: LabNotebook) -> None:
    given = notebook.explorer(1)
    expect(neuron(given).locator(".sums")).to_contain_text("aren't kept with these weights")
    expect(rows(given)).to_have_count(0)


@pytest.mark.parametrize("theme", ["Light", "Dark"])
@pytest.mark.parametrize("width", [700, 1200])
def test_it_fits_narrow_and_wide_cells(
    notebook: LabNotebook, explorer: Explorer, width: int, theme: str
) -> None:
    """Catches columns that are cut: the last one, with the weights, ends within the view."""
    notebook.set_theme(f"JupyterLab {theme}")
    notebook.set_output_width(width)
    explorer.expect_legible(theme.lower())
    expect(rows(explorer)).to_have_count(TOKENS)
    table = neuron(explorer).locator(".terms")
    assert table.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    assert table.evaluate("(el) => el.querySelector('b').getBoundingClientRect().width") > 0

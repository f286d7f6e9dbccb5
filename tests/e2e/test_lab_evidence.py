"""The evidence view in JupyterLab, of a real model: what is said there is what Python measures."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

CELL = """from attention_explorer import AttentionExplorer, demo_model, trace
from attention_explorer.interventions import CutEdges, ablate_all_heads, measure
model, tokenizer = demo_model()
text = "I saw the man with the telescope."
explorer = AttentionExplorer(
    trace(model, tokenizer, text), layer=1, heads=2, view=["text", "evidence"], theme="light"
)
explorer"""
WITH, SAW = 5, 2
# Long enough to be interrupted: some hundred tokens, all heads.
LONG = "explorer.retrace(' '.join([text] * 24))"


class Evidence:
    """The view by what a person sees of it."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self.root = explorer.root.get_by_role("region", name="evidence view")
        self.edge = self.part("one edge")
        self.edits = self.part("change and run again")
        self.each = self.part("each alone")

    def part(self, name: str) -> Locator:
        return self.root.get_by_role("region", name=name)

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name).first.click()


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(CELL) as notebook:
        yield notebook


@pytest.fixture
def evidence(notebook: LabNotebook) -> Evidence:
    explorer = notebook.explorer()
    explorer.expect_live()
    return Evidence(explorer)


def test_an_edge_is_looked_at_then_cut(notebook: LabNotebook, evidence: Evidence) -> None:
    """Catches an edge of other tokens, another head's number, and an effect of something else."""
    evidence.explorer.token(WITH).click()
    evidence.explorer.token(SAW).click(modifiers=["Shift"])
    notebook.expect_python("(explorer.selected, explorer.also)", ((5, 5), [(2, 2)]))
    expect(evidence.edge).to_contain_text("“with” reads from “saw”")
    weight = notebook.python(f"print(f'{{explorer.weights(1, 2)[{WITH}, {SAW}]:.4f}}')")
    expect(evidence.edge).to_contain_text(weight)
    found = "explorer.find_heads(5, 2).loc[(1, 2)]"
    expect(evidence.edge).to_contain_text(notebook.python(f"print(f'{{{found}.percentile:.1f}}')"))
    expect(evidence.edge).to_contain_text("not yet: matters")
    evidence.press("Cut the edge")
    said = notebook.python(f"print(measure(explorer.trace, CutEdges({WITH}, {SAW}, 1, 2)).said)")
    expect(evidence.edge.locator(".effect b")).to_have_text(said)


def test_heads_are_ranked_and_gone_to(notebook: LabNotebook, evidence: Evidence) -> None:
    reads = evidence.part("does X read Y?")
    first = reads.get_by_role("listitem").first
    expect(first).to_contain_text("1.2")
    mass = notebook.python("print(f'{explorer.find_heads(5, 2).mass.iloc[0]:.3f}')")
    expect(first).to_contain_text(mass)
    expect(first).to_contain_text("not more than chance")
    reads.get_by_role("listitem").nth(1).get_by_role("button").click()
    notebook.expect_python(
        "(explorer.layer, explorer.heads[0]) == explorer.find_heads(5, 2).index[1]", True
    )
    notebook.python("explorer.layer, explorer.heads = 1, [2]")


def test_changes_are_listed_run_and_taken_back(notebook: LabNotebook, evidence: Evidence) -> None:
    """Catches a list that Python doesn't know, and a run of what is switched off."""
    evidence.press("+ ablate 1.2")
    notebook.expect_python(
        "explorer.edits",
        [
            {
                "do": "ablate",
                "on": True,
                "kind": "encoder",
                "layer": 1,
                "head": 2,
                "by": "zero",
            }
        ],
    )
    evidence.edits.get_by_role("button", name="Run", exact=True).click()
    said = notebook.python("print(explorer.intervene().said)")
    expect(evidence.edits.locator(".effect b")).to_have_text(said)
    evidence.edits.get_by_role("checkbox").uncheck()
    notebook.expect_python("explorer.edits[0]['on']", False)
    expect(evidence.edits.get_by_role("button", name="Run", exact=True)).to_be_disabled()
    evidence.explorer.token(WITH).focus()
    notebook.page.keyboard.press("Control+z")
    notebook.expect_python("explorer.edits[0]['on']", True)
    notebook.page.keyboard.press("Control+z")
    notebook.expect_python("explorer.edits", [])


def test_every_head_is_ablated_alone(notebook: LabNotebook, evidence: Evidence) -> None:
    evidence.press("Ablate every head")
    rank = (
        "from attention_explorer.analysis import spearman\n"
        "import numpy as np\n"
        "w = np.array([[explorer.weights(i, j)[5, 2] for j in range(12)] for i in range(6)])\n"
        "print(f'{spearman(w.ravel(), ablate_all_heads(explorer.trace).effect.ravel()):.2f}')"
    )
    expect(evidence.each).to_contain_text(f"Rank correlation {notebook.python(rank)}")


def test_norms_are_shown_in_the_place_of_weights(notebook: LabNotebook, evidence: Evidence) -> None:
    """Catches a dropdown that names one thing and numbers of another."""
    explorer = evidence.explorer
    explorer.root.get_by_label("what is shown").select_option("norms")
    notebook.expect_python("explorer.measure", "norms")
    explorer.token(WITH).click()
    row = f"explorer.weights(1, 2)[{WITH}]"
    largest = notebook.python(f"print(f'{{{row}.max():.4f}}')")
    expect(explorer.item("(5) reads").locator(".read b").first).to_have_text(largest)
    expect(explorer.notes).to_contain_text("|A f(x)|")
    explorer.root.get_by_label("what is shown").select_option("weights")
    notebook.expect_python("explorer.measure", "weights")
    explorer.token(WITH).press("Escape")


def test_another_text_is_read(notebook: LabNotebook, evidence: Evidence) -> None:
    """Catches typed letters that Lab takes for commands, and a text that never reaches Python."""
    evidence.explorer.token(1).focus()
    notebook.page.keyboard.press("e")
    box = evidence.root.get_by_role("textbox", name=re.compile("text")).first
    expect(box).to_have_value("I saw the man with the telescope.")
    box.fill("She ate the fish with the fork.")
    box.press("Control+Enter")
    expect(evidence.explorer.token(2)).to_have_text("ate")
    notebook.expect_python("explorer.trace.text", "She ate the fish with the fork.")
    expect(notebook.explorers).to_have_count(1)


def test_a_run_is_stopped_and_goes_on_with_the_kernel_gone(
    notebook: LabNotebook, evidence: Evidence
) -> None:
    """Catches a stop that stops nothing, and a view that waits for a kernel that is gone."""
    notebook.python(LONG)
    notebook.expect_python("len(explorer.tokens) > 180", True)
    expect(evidence.explorer.tokens.nth(100)).to_be_attached()
    evidence.press("Ablate every head")
    stop = evidence.each.get_by_role("button", name="Stop")
    stop.click()
    expect(stop).to_have_count(0)
    evidence.press("Ablate every head")
    expect(stop).to_be_visible()
    notebook.shut_down()
    expect(evidence.each).to_contain_text(re.compile("kernel.*gone"))
    expect(evidence.explorer.token(1)).to_be_visible()

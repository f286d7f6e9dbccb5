"""bertviz's own notebooks, with only the name of the package changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from attention_explorer import Tokens

from .shell import explorers_in, run_cells

NOTEBOOKS: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("notebooks.json").read_text(encoding="utf-8")
)["notebooks"]
# What transformers 5 doesn't have any more is no matter of a view: by notebook, as it was and is.
RENEWED = {
    "model_view_bert": ("tokenizer.encode_plus(", "tokenizer("),
    "model_view_encoder_decoder": (
        "with tokenizer.as_target_tokenizer():\n    decoder_input_ids = tokenizer(",
        "decoder_input_ids = tokenizer(text_target=",
    ),
}
# Of each what it opens with: views, layer, heads, and the text of each kind of attention.
HOUSE = "The House Budget Committee voted Saturday to pass a $3.5 trillion spending bill"
PASSED = "The House Budget Committee passed a spending bill."
SHE, SIE = "She sees the small elephant.", "Sie sieht den kleinen Elefanten."
MAT, RUG = "The cat sat on the mat", "The cat lay on the rug"
ALL = [0, 1, 2, 3]
OPENS = {
    "head_view_distilbert": (["heads"], 0, ALL, {"": MAT.lower()}),
    "model_view_bart": (
        ["model"],
        0,
        [0],
        {"encoder": HOUSE, "decoder": PASSED, "cross": PASSED},
    ),
    "model_view_bert": (
        ["model"],
        0,
        [0],
        {"": "the rabbit quickly hopped the turtle slowly crawled"},
    ),
    "model_view_distilbert": (["model"], 0, [0], {"": MAT.lower()}),
    "model_view_encoder_decoder": (
        ["model"],
        0,
        [0],
        {"encoder": SHE, "decoder": SIE, "cross": SIE},
    ),
    "neuron_view_bert": (["text", "neuron"], 2, [0], {"encoder": f"{MAT} {RUG}"}),
    "neuron_view_gpt2": (
        ["text", "neuron"],
        0,
        [0],
        {"decoder": "At the store, she bought apples, oranges, bananas,"},
    ),
    "neuron_view_roberta": (["text", "neuron"], 0, [0], {"encoder": f"{MAT} {RUG}"}),
}
pytestmark = pytest.mark.usefixtures("in_hub")


def as_ours(name: str, *changes: tuple[str, str]) -> list[str]:
    """Return a notebook's cells with the package's name, and no more, changed."""
    cells = NOTEBOOKS[name]
    for before, after in (("from bertviz", "from attention_explorer.bertviz"), *changes):
        assert any(before in cell for cell in cells), before
        cells = [cell.replace(before, after) for cell in cells]
    return cells


@pytest.mark.parametrize("name", sorted(OPENS.keys() - RENEWED))
def test_a_notebook_runs_with_another_import(name: str) -> None:
    """Catches a name, a parameter or an idiom of bertviz's users that isn't there."""
    _expect(name, as_ours(name))


def test_of_two_notebooks_transformers_lost_a_line() -> None:
    """Catches this list growing old: once their lines run again they are like the others."""
    for name, lost in (
        ("model_view_bert", "encode_plus"),
        ("model_view_encoder_decoder", "as_target_tokenizer"),
    ):
        for cells in (NOTEBOOKS[name], as_ours(name)):
            with pytest.raises(AttributeError, match=f"Tokenizer has no attribute {lost}"):
                run_cells(cells)


def test_a_notebook_runs_once_its_tokenizer_is_called_as_today() -> None:
    name = "model_view_encoder_decoder"
    _expect(name, as_ours(name, RENEWED[name]))


def test_the_last_output_of_a_bert_is_refused_with_its_cure() -> None:
    """Catches "list index out of range" for what is now the empty cross attentions."""
    name = "model_view_bert"
    with pytest.raises(ValueError, match=r"outputs\[-1\].*read outputs\.attentions by name"):
        run_cells(as_ours(name, RENEWED[name]))
    _expect(name, as_ours(name, RENEWED[name], ("[-1]", ".attentions")))


def test_every_notebook_is_among_these() -> None:
    assert NOTEBOOKS.keys() == OPENS.keys()


def _expect(name: str, cells: list[str]) -> None:
    (explorer,) = explorers_in(run_cells(cells))
    views, layer, heads, texts = OPENS[name]
    assert (explorer.view, explorer.layer, explorer.heads) == (views, layer, heads)
    kinds = explorer._variants.kinds
    assert {kind: _written(it.tokens) for kind, it in kinds.items()} == texts
    assert explorer.kind == next(iter(texts))
    assert name != "model_view_bert" or set(explorer.tokens.segment) == {0, 1}
    explorer.close()


def _written(tokens: Tokens) -> str:
    """Return the text of the tokens, with a space for what the tokenizer added."""
    columns = zip(tokens.gap, tokens.text, tokens.special, strict=True)
    pieces = [" " if special else gap + text for gap, text, special in columns]
    return re.sub(" +", " ", "".join(pieces)).strip()

"""Segments as the unit: the mass that one reads of another, held to loops and closed forms."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.attention import dense_attention
from attention_explorer.tracing import Kind, Step
from attention_explorer.tracing.segments import Part, name_segments
from attention_explorer.variants import Variant, Variants

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax

STRINGS = ["[CLS]", "who", "sat", "[SEP]", "the", "cat", "sat", "there", "a", "dog", "ran", "[SEP]"]
SEGMENTS: dict[str, Part] = {"question": "who sat", "doc 2": range(8, 11), "doc 1": slice(4, 8)}
# The runs in the order of the text: what each is called, and its tokens.
RUNS = {
    "[CLS]": [0],
    "question": [1, 2],
    "[SEP]": [3],
    "doc 1": [4, 5, 6, 7],
    "doc 2": [8, 9, 10],
    "[SEP] ": [11],
}


def mass(weights: Any, rows: list[int], columns: list[int]) -> float:
    """Return M(S -> T) by its definition: the mean over i in S of the sum over j in T."""
    return float(sum(sum(float(weights[i, j]) for j in columns) for i in rows) / len(rows))


@pytest.fixture
def explorer(softmax: Softmax) -> AttentionExplorer:
    return AttentionExplorer(softmax(2, 3, 12, 12), STRINGS, segments=SEGMENTS, unit="segment")


def test_rows_and_columns_are_segments_in_the_order_of_the_text(
    explorer: AttentionExplorer, softmax: Softmax
) -> None:
    assert [name.strip() for name in RUNS] == list(explorer.tokens.text)
    assert explorer.tokens.count == (1, 2, 1, 4, 3, 1)
    before = softmax(2, 3, 12, 12)
    for layer, head in [(0, 2), (1, 0)]:
        expected = [
            [mass(before[layer][head], rows, columns) for columns in RUNS.values()]
            for rows in RUNS.values()
        ]
        found = explorer.weights(layer, head)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert "Between segments" in explorer._description["notes"][-1]
    explorer.selected = 5
    explorer.unit = "token"
    assert (explorer.selected, len(explorer.tokens)) == (None, 12)


def test_of_even_attention_every_block_has_lift_1() -> None:
    """Queries aren't keys here: a transposition would divide by the other side's tokens."""
    queries, keys = Tokens.from_strings(list("abcde")), Tokens.from_strings(STRINGS)
    uniform = np.full((2, 3, 5, 12), 1 / 12, np.float32)
    explorer = AttentionExplorer(
        uniform,
        queries,
        name_segments(keys, SEGMENTS),
        segments={"first": range(2)},
        unit="segment",
    )
    assert explorer.tokens.text == ("first", "other")
    counts = np.array(explorer.key_tokens.count)
    assert counts.tolist() == [1, 2, 1, 4, 3, 1]
    lift = explorer.weights(1, 2) / (counts / counts.sum())
    np.testing.assert_allclose(lift, np.ones((2, 6)), rtol=1e-5)


def test_masses_are_those_of_a_models_eager_attention() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=16,
        initializer_range=0.2,
    )
    model = transformers.BertModel(config).eval()
    ids = torch.arange(12)[None] + 3
    explorer = AttentionExplorer.from_model(
        model, inputs={"input_ids": ids}, tokens=STRINGS, segments=SEGMENTS, unit="segment"
    )
    model.set_attn_implementation("eager")
    with torch.no_grad():
        eager = model(ids, output_attentions=True).attentions
    expected = [
        [mass(eager[2][0, 3], rows, columns) for columns in RUNS.values()] for rows in RUNS.values()
    ]
    np.testing.assert_allclose(explorer.weights(2, 3), expected, atol=1e-5)


def test_names_and_counts_cross_to_the_browser(explorer: AttentionExplorer) -> None:
    explorer.open()
    table = json.loads(zlib.decompress(explorer._snapshot["header"]))["tokens"]["queries"]
    assert table["segments"] == ["question", "doc 2", "doc 1"]
    assert table["segment"] == [-1, 0, -1, 2, 1, -1]
    assert table["count"] == [1, 2, 1, 4, 3, 1]
    assert table["special"] == [True, False, True, False, False, True]


def test_what_was_generated_are_tokens_and_no_segments(softmax: Softmax) -> None:
    """A step of a segment would say that one choice made all of it."""
    tokens = Tokens.from_strings(STRINGS)
    kind = Kind(
        dense_attention(softmax(1, 2, 12, 12, causal=True)), tokens, steps=(Step(7, 6, 0.5, ()),)
    )
    assert Variants({"": kind}).show(Variant("", unit="segment")).steps == ()


def test_few_segments_of_a_long_text_are_not_worked_out_at_once() -> None:
    """All 64 weights would be asked for as a whole, and 40 million had to be computed for them."""
    torch = pytest.importorskip("torch")
    from attention_explorer.attention.from_qk import LayerStates, QKAttention

    states = [LayerStates(torch.zeros(4, 1600, 2), torch.zeros(4, 1600, 2), 1.0, None)] * 4
    attention = QKAttention(states, layer_numbers=range(4))
    words = [f"w{i}" for i in range(1600)]
    segments = {"a": range(100), "b": range(100, 1600)}
    long = AttentionExplorer(attention, words, segments=segments, unit="segment")
    assert (long._description["queries"], long._description["whole"]) == (2, False)
    np.testing.assert_allclose(long.weights(3, 1), [[0.0625, 0.9375]] * 2, rtol=1e-4)
    long.unit = "word"
    assert not long._description["whole"]


def test_the_demo_has_one_segment_and_its_specials() -> None:
    explorer = AttentionExplorer.demo(unit="segment")
    assert explorer.tokens.text == ("[CLS]", "A", "[SEP]")
    assert "3 segments" in repr(explorer)

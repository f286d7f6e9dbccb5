from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.analysis import sums
from attention_explorer.analysis.annotations import read_annotations
from attention_explorer.analysis.labels import Label, head_labels
from attention_explorer.analysis.misses import (
    CounterExample,
    counter_example_steps,
    counter_examples,
)
from attention_explorer.attention import dense_attention
from attention_explorer.demo import demo_trace
from attention_explorer.tracing import Kind

Weights = npt.NDArray[np.float32]
WORDS = list("abcdefgh")
N = len(WORDS)


def kind_of(*heads: Weights, words: list[str] = WORDS) -> Kind:
    return Kind(dense_attention([np.stack(heads)]), Tokens.from_strings(words))


def previous(misses: dict[int, tuple[float, int, float]]) -> Weights:
    """Return a previous-token head; some queries read that with (weight, another key, weight)."""
    matrix = np.eye(N, k=-1, dtype=np.float32)
    matrix[0, 0] = 1
    for query, (weight, instead, other) in misses.items():
        matrix[query] = 0
        matrix[query, [query - 1, instead]] = weight, other
        matrix[query, 0] += 1 - weight - other
    return matrix


@pytest.mark.parametrize("cells", [N, 1 << 20], ids=["a row a step", "one step"])
def test_queries_that_read_something_else_the_least_first(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches rows without such a key, rows that do as they should, and another order."""
    monkeypatch.setattr(sums, "CELLS", cells)
    head = previous({3: (0.25, 5, 0.75), 6: (0.125, 2, 0.75), 7: (0.75, 1, 0.25)})
    kind = kind_of(np.eye(N, dtype=np.float32), head)
    expected = [
        CounterExample(6, (5,), 0.125, 2, 0.75, 0.0),
        CounterExample(3, (2,), 0.25, 5, 0.75, 0.0),
    ]
    assert counter_examples(kind, 0, 1, "previous token") == expected
    assert counter_examples(kind, 0, 1, "previous token", top=1) == expected[:1]
    assert counter_examples(kind, 0, 0, "self") == []
    # A head that has no such label has counter-examples all the more; query 0 has none before it.
    none = counter_examples(kind, 0, 0, "previous token", top=20)
    assert [(it.query, it.weight, it.instead) for it in none] == [
        (query, 0.0, query) for query in range(1, N)
    ]


def test_what_is_left_beside_a_sink_counts() -> None:
    """Of 0.75 on the sink and 0.25 on the token before, all that is left is as it should be."""
    sunk = np.zeros((N, N), np.float32)
    sunk[:, 0] = 0.75
    sunk += 0.25 * previous({5: (0.25, 2, 0.75)})
    kind = kind_of(sunk)
    sink, label = head_labels(kind)[0, 0]
    assert (sink.name, label.name) == ("first token", "previous token")
    expected = [CounterExample(5, (4,), 0.0625, 2, 0.1875, 0.75)]
    assert counter_examples(kind, 0, 0, label) == expected
    assert counter_examples(kind, 0, 0, "previous token") == expected
    # Of the sink itself nothing is set aside.
    assert counter_examples(kind, 0, 0, sink) == []
    assert counter_examples(kind, 0, 0, Label("previous token", 1, 0, N), 1)[0].aside == 0


def test_what_a_causal_row_cannot_read_is_not_expected() -> None:
    uniform = np.tri(N, dtype=np.float32)
    uniform /= uniform.sum(1, keepdims=True)
    kind = kind_of(uniform)
    assert kind.attention.causal
    assert counter_examples(kind, 0, 0, "next token") == []
    local = counter_examples(kind, 0, 0, "local", top=20)
    # From 6 tokens on less than half of uniform attention is within two.
    assert [it.query for it in local] == [7, 6]
    assert local[0].expected == (5, 6, 7)


def test_copies_and_what_followed_them() -> None:
    words = list("abcabd")
    back = np.roll(np.eye(6, dtype=np.float32), 1, 1)
    kind = kind_of(back, words=words)
    (copy, other) = counter_examples(kind, 0, 0, "duplicate token")
    assert (copy.query, copy.expected, copy.instead) == (3, (0,), 4)
    assert (other.query, other.expected, other.instead) == (4, (1,), 5)
    assert [it.expected for it in counter_examples(kind, 0, 0, "induction")] == [(1,), (2,)]


def test_a_pronoun_that_reads_another_word() -> None:
    trace = demo_trace()
    weights = np.eye(13, dtype=np.float32)
    weights[8] = 0
    weights[8, [0, 2, 6]] = 0.5, 0.125, 0.375
    kind = Kind(dense_attention([weights[None]]), trace.tokens)
    (miss,) = counter_examples(kind, 0, 0, "coreference", antecedents=[(7, 1)])
    assert miss == CounterExample(8, (2,), 0.125, 6, 0.375, 0.5)
    assert counter_examples(kind, 0, 0, "coreference", antecedents=[(7, 5)]) == []


def test_an_explorer_and_a_channel_can_ask() -> None:
    trace = demo_trace()
    explorer = AttentionExplorer(trace)
    found = counter_examples(explorer, 0, 2, "previous token", top=3)
    assert found == counter_examples(trace, 0, 2, "previous token", top=3)
    shares = list(counter_example_steps(trace, 3, 4, "local"))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_what_has_no_counter_examples_is_said_in_a_sentence() -> None:
    trace = demo_trace()
    for layer, head, label, message in (
        (6, 0, "self", "expected 0 to 5, as there are 6 layers"),
        (0, 12, "self", "expected 0 to 11, as there are 12 heads"),
        (0, 0, "broad", "no one key is expected"),
        (0, 0, "coreference", "'coreference' is no label here: use one of 'first token', .*edges="),
        (0, 0, "previous", "'previous' is no label here"),
    ):
        with pytest.raises(ValueError, match=message):
            counter_examples(trace, layer, head, label)
    annotated = read_annotations(trace, antecedents=[(7, 1)])
    with pytest.raises(ValueError, match=r"'syntactic' is no label here: use .*'coreference'"):
        list(counter_example_steps(trace, 0, 0, "syntactic", annotated=annotated))
    signed = Kind(
        dense_attention([np.array([[[-1.0, 2.0], [0.5, 0.5]]], np.float32)]),
        Tokens.from_strings(["a", "b"]),
    )
    with pytest.raises(ValueError, match="below 0"):
        counter_examples(signed, 0, 0, "self")

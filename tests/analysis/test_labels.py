from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import Tokens
from attention_explorer.analysis import sums
from attention_explorer.analysis.labels import (
    LEAST_SUPPORT,
    NAMES,
    Label,
    head_labels,
    label_steps,
)
from attention_explorer.analysis.patterns import PATTERNS, Text
from attention_explorer.analysis.steps import finish
from attention_explorer.analysis.sums import MEASURES, Part, sum_steps
from attention_explorer.attention import dense_attention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.tracing import Kind

Weights = npt.NDArray[np.float32]
# Twice the same ten words, with marks.
WORDS = [*"abcde,fghi", *"abcde,fghi"]
N = len(WORDS)


def kind_of(*heads: Weights, words: list[str] = WORDS) -> Kind:
    """Wrap the heads of one layer."""
    return Kind(dense_attention([np.stack(heads)]), Tokens.from_strings(words))


def uniform(n: int = N, causal: bool = False) -> Weights:
    mask = (np.tri(n) if causal else np.ones((n, n))).astype(np.float32)
    mask /= mask.sum(1, keepdims=True)
    return mask


def reading(offset: int) -> Weights:
    """Return a head that reads one offset, and itself where that isn't there."""
    matrix = np.eye(N, k=offset, dtype=np.float32)
    matrix[~matrix.any(1)] = np.eye(N, dtype=np.float32)[~matrix.any(1)]
    return matrix


def mixed(*parts: tuple[float, Weights]) -> Weights:
    total: Weights = np.zeros((N, N), np.float32)
    for share, weights in parts:
        total += np.float32(share) * weights
    return total


def to_keys(keys: list[int]) -> Weights:
    matrix = np.zeros((N, N), np.float32)
    matrix[:, keys] = 1 / len(keys)
    return matrix


FIRST = to_keys([0])


def is_label(label: Label, *expected: object) -> bool:
    """Compare numbers as floats of 32 bits."""
    return list(label) == [
        pytest.approx(it, rel=1e-5) if isinstance(it, float) else it for it in expected
    ]


def names(labels: tuple[Label, ...]) -> list[str]:
    return [label.name for label in labels]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (reading(-1), ["previous token"]),
        (reading(1), ["next token"]),
        (reading(0), ["self"]),
        # Half before, half after: no single offset has it.
        (mixed((0.5, reading(-1)), (0.5, reading(1))), ["local"]),
        (reading(-10), ["duplicate token"]),
        (reading(-9), ["induction"]),
        (to_keys([5, 15]), ["punctuation"]),
        (FIRST, ["first token"]),
        (uniform(), ["broad"]),
        (reading(5), []),
    ],
    ids=[
        "previous",
        "next",
        "self",
        "local",
        "duplicate",
        "induction",
        "marks",
        "first",
        "broad",
        "5",
    ],
)
def test_a_head_of_one_pattern_is_named_for_it(matrix: Weights, expected: list[str]) -> None:
    (labels,) = head_labels(kind_of(matrix)).values()
    assert names(labels) == expected
    for label in labels:
        assert label.score > 0.9
        assert label.aside == ()


def test_a_sink_comes_first_and_drowns_nothing() -> None:
    """Of 0.7 on the first token and 0.3 on the one before, the latter is all that is left."""
    head = mixed((0.7, FIRST), (0.3, reading(-1)))
    both = head_labels(kind_of(head, uniform()))
    sink, previous = both[0, 0]
    assert is_label(sink, "first token", 0.7 + 0.3 * 2 / N, 1 / N, N, ())
    # Queries 0 and 1 have nothing but the first token.
    assert is_label(previous, "previous token", 1.0, 1 / (N - 1), N - 2, ("first token",))
    assert names(both[0, 1]) == ["broad"]


def test_added_tokens_are_a_sink_besides_the_first() -> None:
    words = ["[CLS]", *WORDS[1:-1], "[SEP]"]
    head = mixed((0.4, FIRST), (0.4, to_keys([N - 1])), (0.2, reading(1)))
    only = mixed((0.8, to_keys([N - 1])), (0.2, reading(1)))
    labels = head_labels(kind_of(head, only, words=words))
    assert names(labels[0, 0]) == ["first token", "delimiter", "next token"]
    first, delimiter, following = labels[0, 0]
    # 0.4 of the 0.6 that the first token leaves; of the last two rows, whose next one it is, all.
    assert delimiter.score == pytest.approx((18 * 2 / 3 + 2) / N)
    assert delimiter.baseline == pytest.approx(1 / (N - 1))
    assert following.baseline == pytest.approx(1 / (N - 2))
    assert [label.aside for label in (first, delimiter, following)] == [
        (),
        ("first token",),
        ("first token", "delimiter"),
    ]
    assert names(labels[0, 1]) == ["delimiter", "next token"]
    # Both added tokens are set aside, also the one that isn't read.
    assert labels[0, 1][1].baseline == pytest.approx(1 / (N - 2))


@pytest.mark.parametrize("causal", [False, True])
def test_a_baseline_is_what_uniform_attention_scores(causal: bool) -> None:
    """By closed form from the mask; catches keys that a causal row can't read."""
    words = ["[CLS]", *WORDS[1:-1], "[SEP]"]
    kind = kind_of(uniform(causal=causal), words=words)
    assert kind.attention.causal == causal
    for aside, keys in (((), ()), (("first",), (0,)), (("first", "special"), (0, N - 1))):
        text, queries = Text.of(kind), np.arange(N)
        found = finish(sum_steps(kind.attention, text, [Part(0, (0,), aside)], queries))
        # Of what is hidden and raised to the row's sum, as the explorer shows it.
        hidden = HiddenAttention(kind.attention, keys, renormalise=True)
        rows = hidden.rows(0, [0], range(N))[0]
        for pattern in PATTERNS:
            at, its = text.pairs(pattern, queries)
            left = ~np.isin(its, keys)
            expected = [
                rows[i, its[left & (at == i)]].sum()
                for i in range(N)
                if rows[i].sum() > 0 and ((left & (at == i)).any() or pattern in PATTERNS[:3])
            ]
            measure = MEASURES.index(pattern)
            mean = pytest.approx(np.mean(expected), abs=1e-6)
            assert found.score[measure, 0, 0] == mean, pattern
            assert found.baseline[measure, 0, 0] == mean, pattern
            assert found.support[measure, 0, 0] == len(expected), pattern


def test_closed_forms_of_causal_baselines() -> None:
    harmonic = sum(1 / i for i in range(1, N + 1))
    kind = kind_of(uniform(causal=True))
    found = finish(sum_steps(kind.attention, Text.of(kind), [Part(0, (0,))], np.arange(N)))
    baseline = dict(zip(MEASURES, found.baseline[:, 0, 0], strict=True))
    assert baseline["first"] == pytest.approx(harmonic / N)
    assert baseline["previous"] == pytest.approx((harmonic - 1) / (N - 1))
    assert baseline["self"] == pytest.approx(harmonic / N)
    assert baseline["next"] == 0


def test_what_uniform_attention_has_too_names_no_head() -> None:
    """In a causal text of 6 tokens uniform attention gives the first one 0.41: that is no sink."""
    (labels,) = head_labels(kind_of(uniform(6, causal=True), words=list("abcdef"))).values()
    assert names(labels) == ["broad"]


@pytest.mark.parametrize(("share", "expected"), [(0.49, []), (0.51, ["previous token"])])
def test_most_is_more_than_half(share: float, expected: list[str]) -> None:
    elsewhere = np.roll(np.eye(N, dtype=np.float32), 7, 1)
    (labels,) = head_labels(kind_of(mixed((share, reading(-1)), (1 - share, elsewhere)))).values()
    assert names(labels) == expected


@pytest.mark.parametrize("n_rows", [LEAST_SUPPORT - 1, LEAST_SUPPORT])
def test_too_few_rows_name_nothing(n_rows: int) -> None:
    """A perfect induction head of a text that repeats but four tokens may be one by chance."""
    repeated = [chr(97 + i) for i in range(n_rows)]
    words = [*repeated, *(f"x{i}" for i in range(14)), *repeated]
    back = n_rows + 14
    matrix = np.eye(len(words), dtype=np.float32)
    matrix[back:] = np.eye(len(words), k=1 - back)[back:]
    (labels,) = head_labels(kind_of(matrix, words=words)).values()
    assert ("induction" in names(labels)) == (n_rows == LEAST_SUPPORT)


def test_signed_attention_has_no_labels() -> None:
    signed = np.array([[[-1.0, 2.0], [0.5, 0.5]]] * 3, np.float32)
    kind = Kind(dense_attention([signed, signed]), Tokens.from_strings(["a", "b"]))
    assert kind.attention.signed
    assert head_labels(kind) == {(layer, head): () for layer in range(2) for head in range(3)}


def test_every_head_has_an_entry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches heads in the layers' place, and heads of a group that are read again as others."""
    monkeypatch.setattr(sums, "CELLS", 2 * N)
    sunk = mixed((0.6, FIRST), (0.4, reading(1)))
    layers = [
        np.stack([uniform(), reading(-1), sunk]),
        np.stack([sunk, mixed((0.8, FIRST), (0.2, reading(0))), reading(0)]),
    ]
    labels = head_labels(Kind(dense_attention(layers), Tokens.from_strings(WORDS)))
    assert {at: names(its) for at, its in labels.items()} == {
        (0, 0): ["broad"],
        (0, 1): ["previous token"],
        (0, 2): ["first token", "next token"],
        (1, 0): ["first token", "next token"],
        (1, 1): ["first token", "self"],
        (1, 2): ["self"],
    }
    shares = list(label_steps(Kind(dense_attention(layers), Tokens.from_strings(WORDS))))
    assert len(shares) > 6
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


def test_other_tokens_have_labels_of_what_is_read_alone() -> None:
    matrix = np.zeros((1, 6, 8), np.float32)
    matrix[..., 0] = 1
    kind = Kind(
        dense_attention([matrix]),
        Tokens.from_strings(list("abcdef")),
        Tokens.from_strings(list("abcdefgh")),
    )
    (labels,) = head_labels(kind).values()
    assert [is_label(label, "first token", 1.0, 1 / 8, 6, ()) for label in labels] == [True]


def test_each_pattern_has_a_name() -> None:
    assert set(NAMES) == {*PATTERNS, "broad"}

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.analysis import sums
from attention_explorer.analysis.patterns import FIXED, Text
from attention_explorer.analysis.scores import SCORES, head_scores, score_steps
from attention_explorer.analysis.steps import finish
from attention_explorer.analysis.sums import sampled_queries
from attention_explorer.attention import dense_attention
from attention_explorer.demo import demo_trace
from attention_explorer.tracing import Kind

Weights = npt.NDArray[np.float32]
Half = npt.NDArray[np.float16]
NAMES = [score.name for score in SCORES]
BY_POSITION = {"distance", "self", "previous", "next", "duplicate", "induction", "local"}


def kind_of(
    layers: Sequence[Weights | Half], words: Sequence[str], key_words: Sequence[str] | None = None
) -> Kind:
    """Wrap weights, one array (heads, queries, keys) a layer."""
    keys = None if key_words is None else Tokens.from_strings(key_words)
    return Kind(dense_attention(layers), Tokens.from_strings(words), keys)


def scored(kind: Kind) -> dict[str, Weights]:
    """Return each score of every head, shape (layers, heads)."""
    return dict(zip(NAMES, finish(score_steps(kind)), strict=True))


def random_rows(rng: np.random.Generator, shape: Sequence[int], causal: bool = False) -> Weights:
    weights = rng.gamma(0.5, size=tuple(shape)).astype(np.float32)
    if causal:
        weights = np.tril(weights)
    weights /= weights.sum(-1, keepdims=True)
    return weights


def uniform(n: int) -> Weights:
    return np.full((n, n), 1 / n, np.float32)


def uniform_causal(n: int) -> Weights:
    return (np.tri(n) / np.arange(1, n + 1)[:, None]).astype(np.float32)


def by_hand(weights: Weights, words: Sequence[str], causal: bool) -> dict[str, float]:
    """Score one head by loops over its rows: the definitions, one after the other."""
    n, special = len(words), [word.startswith("[") for word in words]
    rows: dict[str, list[float]] = {name: [] for name in NAMES}
    for i, row in enumerate(weights.astype(np.float64)):
        entropy = -sum(w * math.log(w) for w in row if w > 0)
        rows["entropy"].append(entropy)
        rows["peak"].append(max(row))
        rows["distance"].append(sum(w * abs(i - j) for j, w in enumerate(row)))
        rows["first"].append(row[0])
        rows["special"].append(sum(w for w, it in zip(row, special, strict=True) if it))
        rows["punctuation"].append(sum(w for w, it in zip(row, words, strict=True) if it in ",."))
        rows["local"].append(sum(w for j, w in enumerate(row) if abs(i - j) <= 2))
        if (readable := i + 1 if causal else n) > 1:
            rows["broad"].append(entropy / math.log(readable))
        for name, j in (("self", i), ("previous", i - 1), ("next", i + 1)):
            if 0 <= j < n:
                rows[name].append(row[j])
        copies = [j for j in range(i) if words[j] == words[i] and not special[i]]
        if copies:
            rows["duplicate"].append(sum(row[j] for j in copies))
        after = [j + 1 for j in copies if j + 1 != i and not special[j + 1]]
        if after:
            rows["induction"].append(sum(row[j] for j in after))
    return {name: float(np.mean(its)) for name, its in rows.items()}


WORDS = ["[CLS]", "a", "b", ",", "a", "a", "b", "[SEP]", "c", ",", "a", "c", "."]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("cells", [1, 60, 1 << 20], ids=["a row", "some rows", "all in one step"])
def test_every_score_is_its_definition(
    causal: bool, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a wrong denominator, heads in the layers' place, and a step that is left out."""
    monkeypatch.setattr(sums, "CELLS", cells)
    n = len(WORDS)
    layers = random_rows(np.random.default_rng(0), (3, 2, n, n), causal)
    got = scored(kind_of(list(layers), WORDS))
    for layer in range(3):
        for head in range(2):
            for name, value in by_hand(layers[layer, head], WORDS, causal).items():
                assert got[name][layer, head] == pytest.approx(value, abs=2e-6), name


def test_closed_forms_of_uniform_attention() -> None:
    """Catches another base of the logarithm, and a denominator that isn't the rows'."""
    n = 9
    harmonic = sum(1 / i for i in range(1, n + 1))
    words = ["[CLS]", *"abcdef", ".", "[SEP]"]
    got = scored(kind_of([np.stack([uniform(n), uniform_causal(n)])], words))
    expected = {
        "entropy": (math.log(n), math.log(math.factorial(n)) / n),
        "peak": (1 / n, harmonic / n),
        "distance": ((n * n - 1) / (3 * n), (n - 1) / 4),
        "self": (1 / n, harmonic / n),
        "previous": (1 / n, (harmonic - 1) / (n - 1)),
        "next": (1 / n, 0),
        "first": (1 / n, harmonic / n),
        "special": (2 / n, (harmonic + 1 / n) / n),
        "punctuation": (1 / n, (1 / 8 + 1 / 9) / n),
        # A row has 5 keys around it, at the ends 4 and 3.
        "local": ((5 * 9 - 2 - 2 - 1 - 1) / n**2, None),
        "duplicate": (np.nan, np.nan),
        "induction": (np.nan, np.nan),
    }
    for name, values in expected.items():
        # All in one: not known to be causal, since the first head isn't.
        for head, value in enumerate(values):
            if value is not None:
                assert got[name][0, head] == pytest.approx(value, abs=1e-6, nan_ok=True), name


@pytest.mark.parametrize("matrix", [uniform(11), uniform_causal(11)])
def test_uniform_attention_is_as_broad_as_can_be(matrix: Weights) -> None:
    """Causal rows are held to ln(i + 1), and the first, which can only read itself, is none."""
    kind = kind_of([matrix[None]], list("abcdefghijk"))
    assert scored(kind)["broad"][0, 0] == pytest.approx(1)


@pytest.mark.parametrize(("name", "offset"), [("self", 0), ("previous", -1), ("next", 1)])
def test_a_perfect_head_scores_one(name: str, offset: int) -> None:
    """Divided by all rows, a perfect previous-token head would have (n - 1) / n."""
    matrix = np.eye(7, k=offset, dtype=np.float32)
    matrix[~matrix.any(1), 3] = 1
    got = scored(kind_of([matrix[None]], list("abcdefg")))
    assert got[name][0, 0] == pytest.approx(1)
    assert got["entropy"][0, 0] == pytest.approx(0, abs=1e-6)
    assert got["peak"][0, 0] == 1


@pytest.mark.parametrize(
    ("text", "pairs"), [("ABCABC", [(3, 1), (4, 2), (5, 3)]), ("AAA", [(2, 1)])]
)
def test_induction_reads_what_followed_an_earlier_copy(
    text: str, pairs: list[tuple[int, int]]
) -> None:
    """Catches the copy itself, a later copy's follower, and the query taken for its own."""
    n = len(text)
    matrix = np.eye(n, dtype=np.float32)
    for query, key in pairs:
        matrix[query] = np.eye(n)[key]
    kind = kind_of([np.stack([matrix, np.eye(n, dtype=np.float32)])], list(text))
    rows, keys = Text.of(kind).pairs("induction", np.arange(n))
    assert list(zip(rows.tolist(), keys.tolist(), strict=True)) == pairs
    np.testing.assert_allclose(scored(kind)["induction"][0], [1, 0])


def test_copies_are_earlier_ones_and_not_the_token_itself() -> None:
    matrix = np.zeros((4, 4), np.float32)
    matrix[[0, 1, 2, 3], [0, 1, 0, 1]] = 1
    kind = kind_of([np.stack([matrix, np.eye(4, dtype=np.float32)])], list("abab"))
    np.testing.assert_allclose(scored(kind)["duplicate"][0], [1, 0])


@pytest.mark.parametrize("causal", [False, True])
def test_head_detectors_of_transformer_lens(causal: bool) -> None:
    """The same sums as its patterns have, by mask; only the denominator is another.

    Not taken over: of a token that follows its own copy its induction pattern has the query's own
    key; what is excluded is zeroed in the cache itself; of several texts the heads, the cache and
    the measure that were asked for are forgotten; and the measure by differences is rounded.
    """
    rng = np.random.default_rng(3)
    for n, letters in ((5, 2), (12, 3), (40, 7)):
        ids = rng.integers(0, letters, n)
        weights = random_rows(rng, (2, 3, n, n), causal)
        duplicate = np.tril(ids[:, None] == ids, -1)
        masks = {
            "previous": np.eye(n, k=-1, dtype=bool),
            "duplicate": duplicate,
            "induction": np.tril(np.roll(duplicate, 1, 1), -1),
        }
        got = scored(kind_of(list(weights), [f"t{i}" for i in ids]))
        for name, mask in masks.items():
            share_of_all = (weights * mask).sum((-2, -1)) / weights.sum((-2, -1))
            n_rows = np.count_nonzero(mask.any(1))
            np.testing.assert_allclose(got[name] * n_rows / n, share_of_all, atol=1e-6)


def test_over_a_partition_of_the_keys_the_scores_sum_to_one() -> None:
    """Catches a key that is counted in two of them."""
    n = len(WORDS)
    weights = random_rows(np.random.default_rng(1), (2, 3, n, n))
    is_other = [not word.startswith("[") and word not in ",." for word in WORDS]
    others = Tokens.from_strings(WORDS, special=is_other)
    one, other = (
        scored(Kind(dense_attention(weights), tokens))
        for tokens in (Tokens.from_strings(WORDS), others)
    )
    total = one["special"] + one["punctuation"] + other["special"]
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_other_tokens_have_no_place_in_common() -> None:
    layers = list(random_rows(np.random.default_rng(0), (2, 3, 4, 5)))
    got = scored(kind_of(layers, list("abab"), ["[CLS]", *"ab.", "[SEP]"]))
    for name in NAMES:
        assert np.isnan(got[name]).all() == (name in BY_POSITION), name
    np.testing.assert_allclose(
        got["special"], np.stack([w[:, :, [0, 4]].sum(-1).mean(-1) for w in layers]), atol=1e-6
    )
    np.testing.assert_allclose(
        got["punctuation"], np.stack([w[:, :, 3].mean(-1) for w in layers]), atol=1e-6
    )


def test_steps_say_how_much_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel gives way between them: each is some rows of a head."""
    monkeypatch.setattr(sums, "CELLS", 2 * 5)
    layers = list(random_rows(np.random.default_rng(0), (2, 3, 4, 5)))
    steps = score_steps(kind_of(layers, list("abcd"), list("abcde")))
    assert list(steps) == pytest.approx([i / 12 for i in range(1, 13)])


def test_long_texts_are_sampled_evenly_and_always_alike() -> None:
    queries = sampled_queries(100, 16)
    edges = np.linspace(0, 100, 17)
    assert len(queries) == 16
    assert (np.floor(edges[:-1]) <= queries).all()
    assert (queries < edges[1:]).all()
    np.testing.assert_array_equal(queries, sampled_queries(100, 16))
    np.testing.assert_array_equal(sampled_queries(15, 16), np.arange(15))
    with pytest.raises(ValueError, match="rows has to be 1 or more, got 0"):
        sampled_queries(15, 0)


def test_signed_numbers_have_no_scores() -> None:
    kind = kind_of([np.array([[[-1.0, 2.0], [0.5, 0.5]]], np.float32)], ["a", "b"])
    assert kind.attention.signed
    assert np.isnan(finish(score_steps(kind))).all()


def test_half_precision_is_summed_in_full() -> None:
    """In float16 a row of 4,000 weights would sum to what its own step rounds it to."""
    n = 4000
    weights = np.full((1, 2, n), 1 / n, np.float16)
    exact = float(weights[0, 0, 0]) * n
    kind = kind_of([weights], ["a", "b"], ["[CLS]", *["x"] * (n - 2), "[SEP]"])
    got = scored(kind)
    assert got["special"][0, 0] == pytest.approx(2 / n, rel=1e-3)
    assert got["entropy"][0, 0] == pytest.approx(exact * math.log(n), rel=1e-4)


def test_a_frame_has_a_row_a_head_by_layer_and_head() -> None:
    trace = demo_trace()
    frame = head_scores(trace)
    attention = trace.attention
    assert frame.index.names == ["layer", "head"]
    assert list(frame.index) == [
        (layer, head) for layer in range(attention.n_layers) for head in range(attention.n_heads)
    ]
    assert list(frame.columns) == NAMES
    row = attention.rows(3, [7], range(attention.n_queries))[0]
    assert frame.loc[(3, 7), "first"] == pytest.approx(row[:, 0].mean(), rel=1e-5)
    assert frame.attrs["queries"] == frame.attrs["read"] == len(trace.tokens)


def test_a_sample_estimates_what_all_rows_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches scores that are divided by rows which weren't read."""
    n = 200
    weights = random_rows(np.random.default_rng(2), (1, 2, n, n))
    words = [f"t{i % 9}" for i in range(n)]
    some, every = (head_scores(kind_of(list(weights), words), rows=rows) for rows in (50, n))
    assert (some.attrs["read"], every.attrs["read"]) == (50, n)
    # The weights are independent, so that a mean of 50 rows is off by a seventh of a row's spread.
    np.testing.assert_allclose(some["entropy"], every["entropy"], rtol=0.05)
    np.testing.assert_allclose(some["duplicate"], every["duplicate"], atol=0.02)
    queries = sampled_queries(n, 50)
    np.testing.assert_allclose(some["peak"], weights[0][:, queries].max(-1).mean(-1), rtol=1e-5)


def test_an_explorer_is_scored_as_it_shows() -> None:
    """Catches hidden keys that are scored, and keys that are taken for other tokens."""
    trace = demo_trace()
    plain = AttentionExplorer(trace)
    np.testing.assert_allclose(head_scores(plain), head_scores(trace), equal_nan=True)
    assert head_scores(plain)["previous"].notna().all()
    hiding = head_scores(AttentionExplorer(trace, hide=["special"]))
    np.testing.assert_allclose(hiding["special"], 0)
    np.testing.assert_allclose(hiding["punctuation"], head_scores(trace)["punctuation"], rtol=1e-6)
    words = head_scores(AttentionExplorer(trace, unit="word"))
    np.testing.assert_allclose(words["first"], head_scores(trace)["first"], rtol=1e-5)


def test_patterns_that_are_the_same_for_every_query_are_pairs_too() -> None:
    """Counter-examples stand on pairs, scores on columns: both are of the same keys."""
    text = Text.of(kind_of([random_rows(np.random.default_rng(0), (1, 13, 13))], WORDS))
    for pattern in FIXED:
        rows, keys = text.pairs(pattern, np.array([2, 7]))
        its = np.flatnonzero(text.fixed(pattern)).tolist()
        assert rows.tolist() == [0] * len(its) + [1] * len(its)
        assert keys.tolist() == its * 2

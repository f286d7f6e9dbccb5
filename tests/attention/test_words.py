"""Attention between words: the sum to a word's tokens, the mean from them."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from attention_explorer.attention import Attention, DenseAttention, dense_attention, derived, words
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.attention.words import WordAttention

LAYERS, HEADS, SIZE = 2, 3, 5
Array = npt.NDArray[Any]
Words = tuple[int, ...]


def numbered(*lengths: int) -> Words:
    """Return the word of each token, for words of these lengths."""
    return tuple(word for word, length in enumerate(lengths) for _ in range(length))


QUERY_WORDS = numbered(1, 1, 3, 2, 1, 9, 1, 1, 4, 2, 1, 5, 1, 1, 3, 1)
KEY_WORDS = numbered(1, 4, 1, 1, 2, 1, 1, 3, 1, 12, 2, 1, 1, 1, 1, 1, 1, 5, 1)
QUERIES, KEYS = len(QUERY_WORDS), len(KEY_WORDS)


def rebuilt(n_queries: int = QUERIES, n_keys: int = KEYS, **options: Any) -> QKAttention:
    generator = torch.Generator().manual_seed(4)
    layers = [
        LayerStates(
            torch.randn(HEADS, n_queries, SIZE, generator=generator),
            torch.randn(1, n_keys, SIZE, generator=generator),
            0.7,
            **options,
        )
        for _ in range(LAYERS)
    ]
    return QKAttention(layers, layer_numbers=[1, 4])


def causal(n: int) -> QKAttention:
    return rebuilt(n, n, mask=KeyIntervals.causal(n, n, torch.device("cpu")))


def whole(attention: Attention) -> Array:
    """Return all weights, (layers, heads, queries, keys)."""
    layers, heads = range(attention.n_layers), range(attention.n_heads)
    return np.array([[attention.matrix(layer, head) for head in heads] for layer in layers])


def by_hand(attention: Attention, query_words: Words, key_words: Words) -> Array:
    """Return the words' weights as two products: the mean over queries, the sum over keys."""
    mean, total = (np.eye(max(of) + 1)[:, list(of)] for of in (query_words, key_words))
    mean /= mean.sum(1, keepdims=True)
    found: Array = mean @ whole(attention).astype(np.float64) @ total.T
    return found


def pooled_by_hand(block: Array, factor: int, reduction: str) -> Array:
    rows, columns = (range(0, length, factor) for length in block.shape)
    return np.array(
        [
            [getattr(block[i : i + factor, j : j + factor], reduction)() for j in columns]
            for i in rows
        ]
    )


CASES: dict[str, Any] = {
    "dense": lambda: (dense_attention(whole(rebuilt())), QUERY_WORDS, KEY_WORDS),
    "from queries and keys": lambda: (rebuilt(), QUERY_WORDS, KEY_WORDS),
    "causal": lambda: (causal(KEYS), KEY_WORDS, KEY_WORDS),
}


@pytest.fixture(params=[1, 4 * KEYS, 1 << 19], ids=["single rows", "4 rows", "whole"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks end within words, so that a word is put together from several."""
    monkeypatch.setattr(derived, "BLOCK_CELLS", request.param)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("usual_length", [1, 3, 32])
@pytest.mark.parametrize("case", CASES)
def test_every_answer_is_of_the_same_matrix(
    case: str, usual_length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "USUAL_LENGTH", usual_length)
    base, query_words, key_words = CASES[case]()
    expected = by_hand(base, query_words, key_words)
    found = WordAttention(base, query_words, key_words)
    assert (found.n_queries, found.n_keys) == expected.shape[2:]

    def check(ours: Array, theirs: Array) -> None:
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-6)

    check(found.rows(1, [2, 0], [14, 4, 4]), expected[1][[2, 0]][:, [14, 4, 4]])
    columns = expected[1].transpose(0, 2, 1)
    check(found.columns(1, [2, 0], [9, 5, 5]), columns[[2, 0]][:, [9, 5, 5]])
    check(found.tile(1, 2, slice(3, 99), slice(4, 11)), expected[1, 2, 3:, 4:11])
    check(found.matrix(0, 1), expected[0, 1])
    for part in ((slice(0, 99), slice(0, 99)), (slice(3, 13), slice(5, 18))):
        for reduction in ("max", "mean"):
            for factor in (1, 3, 64):
                pooled = found.pooled(1, 2, *part, factor, reduction)
                check(pooled, pooled_by_hand(expected[1, 2][part], factor, reduction))


def test_rows_of_words_sum_to_one() -> None:
    """The sum from and the mean to would make rows of long words sum to more."""
    found = WordAttention(rebuilt(), QUERY_WORDS, KEY_WORDS)
    np.testing.assert_allclose(whole(found).sum(-1), 1, atol=1e-5)


def test_uniform_attention_reads_words_by_their_length() -> None:
    uniform = np.full((1, 2, 6, 8), 1 / 8, np.float32)
    found = WordAttention(dense_attention(uniform), numbered(3, 2, 1), numbered(1, 5, 2))
    np.testing.assert_allclose(found.matrix(0, 1), np.tile([1 / 8, 5 / 8, 2 / 8], (3, 1)))
    np.testing.assert_allclose(found.columns(0, [1], [1]), np.full((1, 1, 3), 5 / 8))


def test_one_token_a_word_is_the_base() -> None:
    base = rebuilt()
    found = WordAttention(base, tuple(range(QUERIES)), tuple(range(KEYS)))
    assert np.array_equal(whole(found), whole(base))
    assert np.array_equal(found.rows(1, [2], [5]), base.rows(1, [2], [5]))
    assert np.array_equal(found.columns(1, [2], [5]), base.columns(1, [2], [5]))


def test_one_word_alone_reads_itself() -> None:
    found = WordAttention(causal(7), (0,) * 7, (0,) * 7)
    np.testing.assert_allclose(found.matrix(1, 2), [[1]], atol=1e-6)


def test_words_of_a_causal_model_read_none_after_them() -> None:
    found = WordAttention(causal(KEYS), KEY_WORDS, KEY_WORDS)
    assert found.causal
    assert not np.triu(whole(found), 1).any()
    other = numbered(2, *(1,) * (KEYS - 2))
    assert not WordAttention(causal(KEYS), KEY_WORDS, other).causal
    assert not WordAttention(rebuilt(), QUERY_WORDS, KEY_WORDS).causal


def test_what_is_said_of_it_is_the_bases_and_what_was_done() -> None:
    base = rebuilt()
    base.notes = ("Rows are as they were.",)
    found = WordAttention(base, QUERY_WORDS, KEY_WORDS)
    assert found.layer_numbers == (1, 4)
    assert found.n_heads == HEADS
    assert (found.scale, found.signed) == (1.0, False)
    assert found.source == base.source
    assert found.notes == ("Rows are as they were.", words.NOTE.format("word"))


def test_the_scale_of_what_is_no_softmax_is_found() -> None:
    """Two weights of 0.6 in one word are 1.2: above the base's scale it would be cut off."""
    signed = np.array([[[[-0.6, -0.6, 0.5], [0.1, 0.2, -0.3]]]], np.float32)
    found = WordAttention(dense_attention(signed), (0, 1), (0, 0, 1))
    assert found.scale == pytest.approx(1.2)
    assert found.signed
    assert found.pooled(0, 0, slice(0, 2), slice(0, 2), 2) == np.float32(-1.2)


def test_hidden_keys_and_words_go_together() -> None:
    """Keys are hidden as tokens; a word is then what is left of it."""
    base = rebuilt()
    keys = (0, 2, 3, 17)
    for renormalise in (False, True):
        hidden = HiddenAttention(base, keys, renormalise)
        found = WordAttention(hidden, QUERY_WORDS, KEY_WORDS)
        expected = by_hand(hidden, QUERY_WORDS, KEY_WORDS)
        np.testing.assert_allclose(whole(found), expected, atol=1e-6)
        assert found.scale == 1
    hidden = HiddenAttention(WordAttention(base, QUERY_WORDS, KEY_WORDS), (0, 1), True)
    np.testing.assert_allclose(whole(hidden).sum(-1), 1, atol=1e-5)
    assert not whole(hidden)[..., :2].any()


@pytest.mark.parametrize(
    ("query_words", "message"),
    [
        ((0, 1, 2), "query_words has 3 entries for 4 tokens"),
        ((1, 1, 2, 3), "start at 0 .* got 1, 1, 2, 3$"),
        ((0, 2, 3, 3), "go on by 0 or 1"),
        ((0, 1, 0, 1), "go on by 0 or 1"),
        ((-1, 0, 1, 2), "start at 0"),
    ],
)
def test_words_that_leave_one_out_are_refused(query_words: Words, message: str) -> None:
    """The -1 of special tokens would be the last word."""
    base = dense_attention(np.full((1, 1, 4, 2), 0.5, np.float32))
    with pytest.raises(ValueError, match=message):
        WordAttention(base, query_words, (0, 1))


def test_bands_can_be_left_and_mixed_with_other_questions() -> None:
    found = WordAttention(rebuilt(), QUERY_WORDS, KEY_WORDS)
    part = slice(1, 15), slice(2, 19), 3
    next(found.bands(0, 2, *part))
    bands = []
    for band in found.bands(0, 2, *part):
        bands.append(band.copy())
        band[...] = 9
        found.column(0, 2, 7)
        found.pooled(0, 1, *part, "mean")
    assert all(band.shape[1] == 6 for band in bands)
    theirs = by_hand(found.base, QUERY_WORDS, KEY_WORDS)[0, 2, 1:15, 2:]
    theirs = pooled_by_hand(theirs, 3, "max")
    np.testing.assert_allclose(np.concatenate(bands), theirs, atol=1e-6)


def test_a_block_without_rows_or_columns_is_empty() -> None:
    found = WordAttention(rebuilt(), QUERY_WORDS, KEY_WORDS)
    for factor in (1, 4):
        columns = -(-9 // factor)
        assert found.pooled(0, 1, slice(4, 4), slice(0, 9), factor).shape == (0, columns)
        assert found.pooled(0, 1, slice(0, 9), slice(4, 4), factor).shape == (columns, 0)
    assert found.rows(0, [1], []).shape == (1, 0, len(set(KEY_WORDS)))
    assert found.columns(0, [1], []).shape == (1, 0, len(set(QUERY_WORDS)))


def test_previews_read_a_sample_of_words_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all queries of a cell are equal, any sample has their mean and maximum."""
    monkeypatch.setattr(derived, "EXACT_CELLS", 0)
    rows = np.random.default_rng(1).dirichlet(np.ones(KEYS), 5).repeat(32, 0)[:140]
    query_words = numbered(*[2] * 70)
    found = WordAttention(dense_attention(rows[None, None]), query_words, KEY_WORDS)
    for reduction in ("max", "mean"):
        preview = found.preview(0, 0, 16, reduction)
        assert not preview.exact
        theirs = pooled_by_hand(by_hand(found.base, query_words, KEY_WORDS)[0, 0], 16, reduction)
        np.testing.assert_allclose(preview.cells, theirs, atol=1e-6)


class Counted(DenseAttention):
    """Notes how many weights each answer holds."""

    most = 0

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Any:
        found = super().tile(layer, head, queries, keys)
        self.most = max(self.most, found.size)
        return found


@pytest.mark.parametrize("longest", [2, 600])
def test_nothing_is_as_large_as_a_matrix(longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where one word is most of the text: as much base64 is."""
    monkeypatch.setattr(derived, "BLOCK_CELLS", 1 << 13)
    n = 1024
    of_token = numbered(*[2] * ((n - longest) // 2), longest)
    base = Counted(list(np.full((1, 1, n, n), 1 / n, np.float32)))
    found = WordAttention(base, of_token, of_token)
    tracemalloc.start()
    everything = slice(0, found.n_queries), slice(0, found.n_keys)
    pooled = found.pooled(0, 0, *everything, 512, "mean")
    found.row(0, 0, found.n_queries - 1)
    found.column(0, 0, found.n_keys - 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(pooled, 1 / found.n_keys, rtol=1e-5)
    assert base.most <= 1 << 13
    assert peak < n * n  # a quarter of a matrix


def test_it_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import attention_explorer.attention.words"
    subprocess.run([sys.executable, "-c", code], check=True)

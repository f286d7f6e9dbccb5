"""The difference of two attentions: exactly the one less the other where they stand opposite."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from attention_explorer.attention import Attention, dense_attention, derived
from attention_explorer.attention.difference import DifferenceAttention, Opposite
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.attention.terms import NoTermsError
from attention_explorer.attention.words import WordAttention

LAYERS, HEADS, SIZE = 2, 3, 5
CLOSE = 1e-6
FIRST, SECOND = (31, 37), (34, 29)
Array = npt.NDArray[Any]


def opposite(first: list[int], second: list[int]) -> Opposite:
    return np.array(first, np.intp), np.array(second, np.intp)


# With a stretch that only one side has, and with every other token.
QUERIES = opposite([0, 1, 2, 20, 22, 24, 26, 30], [0, 3, 4, 5, 6, 7, 8, 33])
KEYS = opposite([0, 1, 2, 3, 30, 31, 36], [0, 2, 4, 6, 8, 10, 28])


def rebuilt(queries: int, keys: int, seed: int = 0, **options: Any) -> QKAttention:
    generator = torch.Generator().manual_seed(seed)
    layers = [
        LayerStates(
            torch.randn(HEADS, queries, SIZE, generator=generator),
            torch.randn(1, keys, SIZE, generator=generator),
            0.7,
            **options,
        )
        for _ in range(LAYERS)
    ]
    return QKAttention(layers, layer_numbers=[1, 4])


def whole(attention: Attention) -> Array:
    """Return all weights, (layers, heads, queries, keys)."""
    at = product(range(attention.n_layers), range(attention.n_heads))
    heads = np.array([attention.matrix(*head) for head in at])
    return heads.reshape(attention.n_layers, attention.n_heads, *heads.shape[1:])


def dense(attention: Attention) -> Attention:
    return dense_attention(whole(attention), layer_numbers=attention.layer_numbers)


@pytest.fixture(params=["dense", "from queries and keys"])
def sides(request: pytest.FixtureRequest) -> tuple[Attention, Attention]:
    first, second = rebuilt(*FIRST), rebuilt(*SECOND, seed=1)
    return (dense(first), dense(second)) if request.param == "dense" else (first, second)


@pytest.fixture(params=[1, 3 * 37, 1 << 19], ids=["single rows", "3 rows", "whole"])
def difference(
    request: pytest.FixtureRequest,
    sides: tuple[Attention, Attention],
    monkeypatch: pytest.MonkeyPatch,
) -> DifferenceAttention:
    monkeypatch.setattr(derived, "BLOCK_CELLS", request.param)
    return DifferenceAttention(*sides, QUERIES, KEYS)


def by_hand(sides: tuple[Attention, Attention]) -> Array:
    first, second = (
        whole(side)[:, :, queries][:, :, :, keys]
        for side, queries, keys in zip(sides, QUERIES, KEYS, strict=True)
    )
    return second - first


def pooled_by_hand(block: Array, factor: int, reduction: str) -> Array:
    down, along = (range(0, length, factor) for length in block.shape)
    cells = [[block[i : i + factor, j : j + factor] for j in along] for i in down]
    if reduction == "mean":
        return np.array([[cell.mean() for cell in row] for row in cells])
    return np.array([[cell.flat[np.abs(cell).argmax()] for cell in row] for row in cells])


def test_it_is_the_second_less_the_first_however_it_is_asked(
    difference: DifferenceAttention, sides: tuple[Attention, Attention]
) -> None:
    """Catches sides that are swapped, positions of the wrong side, and a transposition."""
    expected = by_hand(sides)
    assert expected.shape == (LAYERS, HEADS, 8, 7)
    np.testing.assert_allclose(whole(difference), expected, atol=CLOSE)
    for layer in range(LAYERS):
        rows = difference.rows(layer, [2, 0], [7, 1, 1])
        np.testing.assert_allclose(rows, expected[layer][[2, 0]][:, [7, 1, 1]], atol=CLOSE)
        for _ in difference.prepare(layer, 1, slice(0, 8)):
            pass
        columns = difference.columns(layer, [1], [6, 0])
        np.testing.assert_allclose(columns[0], expected[layer, 1][:, [6, 0]].T, atol=CLOSE)
        tile = difference.tile(layer, 1, slice(2, 5), slice(3, 99))
        np.testing.assert_allclose(tile, expected[layer, 1, 2:5, 3:], atol=CLOSE)
        for factor, reduction in product((2, 3, 16), ("max", "mean")):
            pooled = difference.pooled(layer, 1, slice(1, 8), slice(0, 6), factor, reduction)  # type: ignore[arg-type]
            block = expected[layer, 1, 1:8, :6]
            np.testing.assert_allclose(pooled, pooled_by_hand(block, factor, reduction), atol=CLOSE)
    assert difference.layer_numbers == (1, 4)
    assert (difference.n_queries, difference.n_keys) == (8, 7)


def test_of_dense_weights_it_is_exact_to_the_bit() -> None:
    sides = dense(rebuilt(*FIRST)), dense(rebuilt(*SECOND, seed=1))
    difference = DifferenceAttention(*sides, QUERIES, KEYS)
    np.testing.assert_array_equal(whole(difference), by_hand(sides))


def test_swapped_it_changes_its_sign_and_of_one_it_is_nothing(
    difference: DifferenceAttention, sides: tuple[Attention, Attention]
) -> None:
    swapped = DifferenceAttention(*sides[::-1], QUERIES[::-1], KEYS[::-1])
    np.testing.assert_array_equal(whole(swapped), -whole(difference))
    every = opposite([*range(31)], [*range(31)]), opposite([*range(37)], [*range(37)])
    assert not whole(DifferenceAttention(sides[0], sides[0], *every)).any()


def test_it_says_what_its_numbers_are(difference: DifferenceAttention) -> None:
    assert difference.signed
    assert difference.against == "the first"
    assert difference.scale == difference.row_limit(0) == 1
    assert not derived.is_softmax(difference, 0)
    assert difference.n_worked_out == LAYERS * HEADS * (31 * 37 + 34 * 29)
    with pytest.raises(NoTermsError, match="show one of the two"):
        difference.terms(0, 0, 1, [0])


def test_scales_of_what_is_no_softmax_are_as_large_as_a_difference_can_be() -> None:
    random = np.random.default_rng(0)
    above, signed = random.uniform(0, 3, (1, 2, 4, 4)), random.normal(0, 2, (1, 2, 4, 4))
    every = opposite([0, 1, 2, 3], [0, 1, 2, 3])
    for one, other in product((above, signed), repeat=2):
        sides = dense_attention(one), dense_attention(other[::, ::, ::-1].copy())
        difference = DifferenceAttention(*sides, every, every)
        assert np.abs(whole(difference)).max() <= difference.scale
        assert difference.row_limit(0) is None
    same = dense_attention(above)
    assert DifferenceAttention(same, same, every, every).scale <= 3


def test_causal_it_is_where_both_are_and_the_same_tokens_are_read() -> None:
    def masked(n: int) -> Attention:
        return rebuilt(n, n, mask=KeyIntervals.causal(n, n, torch.device("cpu")))

    some = opposite([0, 2, 3, 9], [0, 1, 5, 7])
    both = DifferenceAttention(masked(10), masked(8), some, some)
    assert both.causal
    assert not np.triu(whole(both), 1).any()
    np.testing.assert_allclose(whole(both)[:, :, 0, 0], 0, atol=CLOSE)
    assert not DifferenceAttention(masked(10), rebuilt(8, 8), some, some).causal


def test_keys_are_hidden_and_words_summed_on_top(
    difference: DifferenceAttention, sides: tuple[Attention, Attention]
) -> None:
    expected = by_hand(sides)
    hidden = HiddenAttention(difference, (0, 3), renormalise=False)
    left = expected.copy()
    left[..., [0, 3]] = 0
    np.testing.assert_allclose(whole(hidden), left, atol=CLOSE)
    words = WordAttention(hidden, (0, 0, 0, 1, 2, 2, 3, 4), (0, 1, 1, 1, 2, 3, 3))
    summed = np.add.reduceat(left, [0, 1, 4, 5], -1)
    means = [summed[:, :, rows].mean(2) for rows in ([0, 1, 2], [3], [4, 5], [6], [7])]
    np.testing.assert_allclose(whole(words), np.stack(means, 2), atol=CLOSE)
    assert (words.scale, words.against, words.signed) == (1, "the first", True)
    with pytest.raises(ValueError, match="below 0"):
        HiddenAttention(difference, (0,), renormalise=True)


def test_what_does_not_stand_opposite_is_refused() -> None:
    first = rebuilt(6, 7)
    queries, keys = opposite([0, 5], [1, 2]), opposite([3], [4])
    with pytest.raises(ValueError, match="1 queries of the first and 2 of the second"):
        DifferenceAttention(first, first, opposite([0], [1, 2]), keys)
    with pytest.raises(
        ValueError, match="queries of the second have to ascend from 0 to at most 5"
    ):
        DifferenceAttention(first, first, opposite([0, 1], [2, 2]), keys)
    with pytest.raises(ValueError, match="keys of the first have to ascend"):
        DifferenceAttention(first, first, queries, opposite([7], [1]))
    other = dense_attention(np.full((3, 2, 6, 7), 1 / 7, np.float32))
    with pytest.raises(ValueError, match="the first has 2 layers × 3 heads and the second has 3 "):
        DifferenceAttention(first, other, queries, keys)
    elsewhere = dense_attention(whole(first), layer_numbers=[0, 1])
    with pytest.raises(ValueError, match=r"\(1, 4\) of the first and \(0, 1\) of the second"):
        DifferenceAttention(first, elsewhere, queries, keys)

"""Percentiles, permutation tests, rank correlation and bands, against closed forms and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer.analysis import chance
from attention_explorer.analysis.chance import (
    band,
    diagonal_queries,
    diagonal_steps,
    p_values,
    percentile,
    percentile_at_distance,
    spearman,
)
from attention_explorer.analysis.steps import finish
from attention_explorer.attention import dense_attention
from attention_explorer.attention.words import WordAttention

Numbers = npt.NDArray[np.float64]


def softmax_rows(*shape: int, seed: int = 0) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(np.float32)


def test_percentile_counts_half_of_the_equals() -> None:
    among = np.array([[1, 2, 2], [2, 3, 9]])
    expected = [0, 100 / 12, 100 * (1 + 1.5) / 6, 100 * 4.5 / 6, 100, np.nan]
    np.testing.assert_allclose(percentile([0, 1, 2, 3, 10, np.nan], among), expected)
    assert percentile(0.3, np.full(7, 0.3)) == 50
    assert np.isnan(percentile(1.0, []))


def test_weights_of_one_distance_are_a_diagonal_of_every_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches queries and keys swapped, the other sign, and layers in the heads' place."""
    weights = softmax_rows(2, 3, 7, 7)
    attention = dense_attention(weights)
    for offset in (-6, -2, 0, 3, 6, 7, -8):
        expected = np.diagonal(weights, offset, 2, 3)
        np.testing.assert_array_equal(finish(diagonal_steps(attention, offset)), expected)
    whole = finish(diagonal_steps(attention, -2))
    monkeypatch.setattr(chance, "CELLS", 7 * 2)
    shares = [head / 6 for head in range(1, 7) for _ in range(3)]
    assert list(diagonal_steps(attention, -2)) == pytest.approx(shares)
    np.testing.assert_array_equal(finish(diagonal_steps(attention, -2)), whole)


def test_special_tokens_are_set_apart_on_both_sides() -> None:
    attention = dense_attention(softmax_rows(2, 3, 7, 7))
    special = np.array([True, False, False, True, False, False, True])
    assert diagonal_queries(attention, -1, special).tolist() == [2, 5]
    assert diagonal_queries(attention, 2, special).tolist() == [2]
    assert finish(diagonal_steps(attention, -6, special)).shape == (2, 3, 0)


def test_a_weight_stands_among_those_of_its_distance() -> None:
    """Catches a percentile among the weights of the head alone, or of all distances."""
    weights = softmax_rows(2, 3, 8, 8)
    attention = dense_attention(weights)
    found = percentile_at_distance(attention, 1, 2, 5, 3)
    cells = [weights[l, h, q, q - 2] for l in range(2) for h in range(3) for q in range(2, 8)]  # noqa: E741
    below = sum(cell < weights[1, 2, 5, 3] for cell in cells)
    assert found.percentile == pytest.approx(100 * (below + 0.5) / 36)
    assert found[1:] == (36, False)
    uniform = dense_attention(np.full((2, 3, 8, 8), 1 / 8, np.float32))
    assert percentile_at_distance(uniform, 0, 1, 2, 4)[:2] == (50, 36)
    # A head that reads the token before, as half of the others do, is nothing special there.
    previous = np.eye(8, k=-1, dtype=np.float32)
    previous[0, 0] = 1
    heads = np.stack([previous, previous, np.full((8, 8), 1 / 8, np.float32)])
    found = percentile_at_distance(dense_attention([heads]), 0, 0, 5, 4)
    assert found.percentile == pytest.approx(100 * 2 / 3)


def test_words_are_compared_with_words() -> None:
    """Catches a distance in tokens where rows are words."""
    tokens = dense_attention(softmax_rows(2, 3, 9, 9))
    of_token = (0, 1, 1, 2, 3, 3, 3, 4, 5)
    words = WordAttention(tokens, of_token, of_token)
    matrices = np.array([[words.matrix(l, h) for h in range(3)] for l in range(2)])  # noqa: E741
    cells = np.diagonal(matrices, -1, 2, 3)
    found = percentile_at_distance(words, 1, 0, 3, 2)
    assert found.n_cells == 2 * 3 * 5
    assert found.percentile == pytest.approx(
        100 * ((cells < matrices[1, 0, 3, 2]).sum() + 0.5) / 30
    )


def test_long_diagonals_are_sampled_evenly_and_always_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chance, "PLACES", 8)
    weights = np.zeros((1, 2, 40, 40), np.float32)
    weights[..., np.arange(40), np.arange(40)] = np.arange(40)
    weights[..., np.arange(1, 40), np.arange(39)] = np.arange(1, 40)
    attention = dense_attention(weights)
    cells = finish(diagonal_steps(attention, -1))
    assert cells.shape == (1, 2, 8)
    edges = 1 + np.linspace(0, 39, 9)
    assert (np.floor(edges[:-1]) <= cells[0, 1]).all()
    assert (cells[0, 1] < edges[1:]).all()
    np.testing.assert_array_equal(cells, finish(diagonal_steps(attention, -1)))
    assert percentile_at_distance(attention, 0, 0, 9, 8)[1:] == (16, True)
    assert percentile_at_distance(attention, 0, 0, 39, 31)[1:] == (16, True)
    assert percentile_at_distance(attention, 0, 0, 39, 7)[1:] == (16, False)


def test_p_is_the_share_of_places_that_have_as_much() -> None:
    """Catches a p of 0, its own place left out, and equals that don't count."""
    places = np.array([[[5, 1, 2, 3], [2, 2, 1, 7]], [[0, 0, 0, 0], [1, 2, 3, 4.0]]])
    p, corrected = p_values(places, np.zeros((2, 2)))
    np.testing.assert_allclose(p, [[0.25, 0.75], [1.0, 1.0]])
    # The largest of any head is 5, 2, 3 and 7.
    np.testing.assert_allclose(corrected, [[0.5, 1.0], [1.0, 1.0]])
    p, _ = p_values([[[1.0, 1.0 - 1e-9, 0.5]]], [[1e-6]])
    assert p == pytest.approx(2 / 3), "what differs by rounding is the same"
    assert np.isnan(p_values(places[..., :1], np.zeros((2, 2)))).all()


def test_heads_that_read_alike_need_no_correction() -> None:
    """Catches a correction that takes heads for independent, as Bonferroni's does."""
    one = np.random.default_rng(0).random(40)
    p, corrected = p_values(np.broadcast_to(one, (3, 4, 40)), np.zeros((3, 4)))
    np.testing.assert_allclose(corrected, p)
    assert 0 < p[0, 0] < 1
    many = np.random.default_rng(1).random((3, 4, 40))
    p, corrected = p_values(many, np.zeros((3, 4)))
    assert (corrected >= p).all()
    assert (corrected > p).any()


def brute_spearman(a: Numbers, b: Numbers) -> float:
    """Rank by counting the smaller and half of the equal ones, then Pearson's by its definition."""
    first, second = (
        np.array([(y < x).sum() + ((y == x).sum() + 1) / 2 for x in y], np.float64) for y in (a, b)
    )
    return float(np.corrcoef(first, second)[0, 1])


def test_rank_correlation_is_that_of_average_ranks() -> None:
    rng = np.random.default_rng(0)
    for n, levels in itertools.product((2, 5, 30), (2, 4, 1000)):
        a, b = (rng.integers(0, levels, n).astype(float) for _ in range(2))
        if np.ptp(a) and np.ptp(b):
            assert spearman(a, b) == pytest.approx(brute_spearman(a, b))
    a = rng.normal(size=(4, 3))
    assert spearman(a, np.exp(a)) == pytest.approx(1)
    assert spearman(a, -(a**3)) == pytest.approx(-1)
    # Without equals: 1 - 6 sum d^2 / (n (n^2 - 1)).
    assert spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(1 - 6 * 4 / 120)


def test_rank_correlation_leaves_pairs_with_nan_out() -> None:
    nan = np.nan
    a, b = np.array([1.0, nan, 3, 2, 9]), np.array([5.0, 1, nan, 6, 7])
    assert spearman(a, b) == pytest.approx(brute_spearman(a[[0, 3, 4]], b[[0, 3, 4]]))
    assert np.isnan(spearman([1, nan], [1, 2]))
    assert np.isnan(spearman([1, 1, 1], [1, 2, 3]))
    assert np.isnan(spearman([], []))
    with pytest.raises(ValueError, match=r"\(3,\) and \(2,\) have to be the same"):
        spearman([1, 2, 3], [1, 2])


def test_a_band_holds_the_middle_share() -> None:
    assert band(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert band(np.arange(101.0).reshape(1, 101)[:, ::-1], 0.5) == pytest.approx((25, 75))
    assert band([3.0, np.nan], 1) == (3, 3)
    assert np.isnan(band([np.nan])).all()
    with pytest.raises(ValueError, match="above 0 and up to 1, got 95"):
        band([1.0], 95)

"""How much heads differ: the divergence of rows by hand, and the weight that differs most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer.analysis import differing
from attention_explorer.analysis.differing import Differing, differing_steps
from attention_explorer.analysis.steps import finish
from attention_explorer.attention import dense_attention
from attention_explorer.attention.difference import DifferenceAttention

LAYERS, HEADS = 2, 3
Array = npt.NDArray[Any]
QUERIES = np.array([0, 1, 4, 5]), np.array([0, 2, 3, 6])
KEYS = np.array([0, 2, 3, 7, 8]), np.array([0, 1, 2, 3, 5])


def softmax(queries: int, keys: int, seed: int) -> Array:
    scores = np.exp(np.random.default_rng(seed).normal(0, 1, (LAYERS, HEADS, queries, keys)))
    weights: Array = (scores / scores.sum(-1, keepdims=True)).astype(np.float32)
    return weights


def of(first: Array, second: Array, queries: Any = QUERIES, keys: Any = KEYS) -> Any:
    return DifferenceAttention(dense_attention(first), dense_attention(second), queries, keys)


def found_in(difference: DifferenceAttention, **options: Any) -> Differing:
    return finish(differing_steps(difference, **options))


def divergence(p: Sequence[float], q: Sequence[float]) -> float:
    p, q = ([weight / sum(side) for weight in side] for side in (p, q))
    total = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        total += sum(part / 2 * math.log(part / middle) for part in (a, b) if part > 0)
    return total


@pytest.fixture(params=[1, 1 << 17], ids=["row by row", "at once"])
def _steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differing, "_CELLS", request.param)


@pytest.mark.usefixtures("_steps")
@pytest.mark.parametrize("hidden", [(), (0, 3)])
def test_it_is_the_mean_divergence_of_what_is_left_of_both_rows(hidden: tuple[int, ...]) -> None:
    """Catches rows that aren't divided by what is left, and a side's own positions mixed up."""
    first, second = softmax(6, 9, 0), softmax(7, 6, 1)
    found = found_in(of(first, second), hidden=hidden)
    kept = [key for key in range(5) if key not in hidden]
    for layer in range(LAYERS):
        for head in range(HEADS):
            rows = [
                (first[layer, head, i, KEYS[0][kept]], second[layer, head, j, KEYS[1][kept]])
                for i, j in zip(*QUERIES, strict=True)
            ]
            mean = np.mean([divergence(p.tolist(), q.tolist()) for p, q in rows])
            assert found.js[layer, head] == pytest.approx(mean, rel=1e-5)
            by = np.array([q - p for p, q in rows])
            query, at = np.unravel_index(np.abs(by).argmax(), by.shape)
            assert (found.query[layer, head], found.key[layer, head]) == (query, kept[at])
            assert found.first[layer, head] == rows[query][0][at]
            assert found.second[layer, head] == rows[query][1][at]


def test_of_one_text_it_is_nothing_and_of_rows_that_share_nothing_ln_2() -> None:
    weights = softmax(6, 9, 0)
    queries, keys = (np.arange(6),) * 2, (np.arange(9),) * 2
    assert not found_in(of(weights, weights, queries, keys)).js.any()
    one, other = np.zeros((2, 1, 1, 6, 9), np.float32)
    one[..., 2], other[..., 5] = 1, 1
    found = found_in(of(one, other, queries, keys))
    assert found.js == pytest.approx(math.log(2))
    assert (found.query[0, 0], found.key[0, 0]) == (0, 2)
    assert (found.first[0, 0], found.second[0, 0]) == (1, 0)


def test_it_is_symmetric_and_never_above_ln_2() -> None:
    first, second = softmax(6, 9, 0), softmax(7, 6, 1)
    here = found_in(of(first, second))
    there = found_in(of(second, first, QUERIES[::-1], KEYS[::-1]))
    np.testing.assert_allclose(here.js, there.js)
    np.testing.assert_array_equal(here.first, there.second)
    assert (here.js > 0).all()
    assert (here.js <= math.log(2)).all()


def test_rows_that_read_next_to_nothing_of_these_keys_say_nothing() -> None:
    """Divided by their sum, which is next to nothing, they would say anything."""
    first, second = softmax(6, 9, 0), softmax(7, 6, 1)
    without = of(first[:, :, :5], second, (QUERIES[0][:3], QUERIES[1][:3]))
    first[0, 1, 5] = 0
    first[0, 1, 5, 1] = 1
    found, left = found_in(of(first, second)), found_in(without)
    assert found.js[0, 1] == pytest.approx(left.js[0, 1])
    first[1, 2] = 0
    first[1, 2, :, 1] = 1
    found = found_in(of(first, second))
    assert np.isnan(found.js[1, 2])
    assert np.isfinite(np.delete(found.js.ravel(), 5)).all()


def test_of_many_queries_a_sample_is_read_and_the_same_each_time() -> None:
    first, second = softmax(300, 8, 0), softmax(300, 8, 1)
    every = (np.arange(300),) * 2, (np.arange(8),) * 2
    shares = list(differing_steps(of(first, second, *every), rows=50))
    found = found_in(of(first, second, *every), rows=50)
    again = found_in(of(first, second, *every), rows=50)
    exact = found_in(of(first, second, *every), rows=300)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    np.testing.assert_array_equal(found.js, again.js)
    assert not np.array_equal(found.js, exact.js)
    np.testing.assert_allclose(found.js, exact.js, rtol=0.2)

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer.analysis import scores
from attention_explorer.analysis.scores import SCORES, sampled_queries, score_steps
from attention_explorer.attention import dense_attention

Weights = npt.NDArray[np.float32]
NAMES = [score.name for score in SCORES]


def finished(steps: Generator[float, None, Weights]) -> tuple[Weights, list[float]]:
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as stop:
            return stop.value, shares


def scored(matrices: list[Weights], special: list[int] | None = None) -> dict[str, Weights]:
    """Score one layer whose heads are these matrices."""
    attention = dense_attention([np.stack(matrices)])
    marks = np.zeros(attention.n_keys, bool)
    marks[special or []] = True
    same = attention.n_queries == attention.n_keys
    found, _ = finished(score_steps(attention, same, marks))
    return {name: found[i, 0] for i, name in enumerate(NAMES)}


def uniform_causal(n: int) -> Weights:
    return (np.tri(n) / np.arange(1, n + 1)[:, None]).astype(np.float32)


def test_closed_forms_of_uniform_attention() -> None:
    """Catches another base of the logarithm, and a denominator that isn't the rows'."""
    n = 9
    harmonic = sum(1 / i for i in range(1, n + 1))
    got = scored([np.full((n, n), 1 / n, np.float32), uniform_causal(n)], special=[0, 8])
    expected = {
        "entropy": (math.log(n), math.log(math.factorial(n)) / n),
        "peak": (1 / n, harmonic / n),
        "distance": ((n * n - 1) / (3 * n), (n - 1) / 4),
        "self": (1 / n, harmonic / n),
        "previous": (1 / n, (harmonic - 1) / (n - 1)),
        "next": (1 / n, 0),
        "first": (1 / n, harmonic / n),
        "special": (2 / n, (harmonic + 1 / n) / n),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(("name", "offset"), [("self", 0), ("previous", -1), ("next", 1)])
def test_a_perfect_head_scores_one(name: str, offset: int) -> None:
    """Divided by all rows, a perfect previous-token head would have (n - 1) / n."""
    matrix = np.eye(7, k=offset, dtype=np.float32)
    matrix[~matrix.any(1), 3] = 1
    got = scored([matrix])
    assert got[name][0] == pytest.approx(1)
    assert got["entropy"][0] == 0
    assert got["peak"][0] == 1


def test_layers_and_heads_stand_at_their_places() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.dirichlet(np.ones(5), (3, 4)).astype(np.float32) for _ in range(2)]
    special = np.array([True, False, False, False, True])
    found, shares = finished(score_steps(dense_attention(layers), False, special))
    assert found.shape == (len(SCORES), 2, 3)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    by_hand = [[-(w * np.log(w)).sum(-1).mean() for w in layer] for layer in layers]
    np.testing.assert_allclose(found[NAMES.index("entropy")], by_hand, rtol=1e-5)
    by_hand = [[w[:, [0, 4]].sum(-1).mean() for w in layer] for layer in layers]
    np.testing.assert_allclose(found[NAMES.index("special")], by_hand, rtol=1e-5)
    positions = found[[NAMES.index(name) for name in ("distance", "self", "previous", "next")]]
    assert np.isnan(positions).all(), "other tokens have no place in common"


def test_long_texts_are_sampled_evenly_and_always_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "ROWS", 16)
    attention = dense_attention([np.full((1, 100, 100), 0.01, np.float32)])
    queries = sampled_queries(attention)
    assert len(queries) == 16
    edges = np.linspace(0, 100, 17)
    assert (np.floor(edges[:-1]) <= queries).all()
    assert (queries < edges[1:]).all()
    np.testing.assert_array_equal(queries, sampled_queries(attention))


def test_signed_numbers_have_no_scores() -> None:
    attention = dense_attention([np.array([[[-1.0, 2.0], [0.5, 0.5]]], np.float32)])
    assert attention.signed
    assert np.isnan(finished(score_steps(attention, True, np.zeros(2, bool)))[0]).all()

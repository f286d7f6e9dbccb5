from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.analysis import distances
from attention_explorer.analysis.distances import distance_steps, head_distances
from attention_explorer.attention import dense_attention
from attention_explorer.demo import demo_trace
from attention_explorer.tracing import Kind

Weights = npt.NDArray[np.float32]


def kind_of(layers: list[Weights]) -> Kind:
    return Kind(dense_attention(layers), Tokens.from_strings([f"t{i}" for i in range(7)]))


def random_layers(causal: bool) -> list[Weights]:
    weights = np.random.default_rng(0).gamma(0.3, size=(2, 3, 7, 7)).astype(np.float32)
    if causal:
        weights = np.tril(weights)
    weights /= weights.sum(-1, keepdims=True)
    return list(weights)


def divergence(p: Weights, q: Weights, causal: bool) -> float:
    """Return the mean over rows of half the two Kullback-Leibler divergences to the middle."""
    total = 0.0
    for i in range(7):
        keys = i + 1 if causal else 7
        a, b = (0.999 * m[i, :keys].astype(np.float64) + 0.001 / keys for m in (p, q))
        middle = (a + b) / 2
        total += (sum(a * np.log(a / middle)) + sum(b * np.log(b / middle))) / 2
    return total / 7


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("cells", [14, 1 << 20], ids=["two heads at once", "all"])
def test_the_mean_divergence_of_rows(
    causal: bool, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches another smoothing, a sum over rows, and heads in the layers' place."""
    monkeypatch.setattr(distances, "CELLS", cells)
    layers = random_layers(causal)
    found = head_distances(kind_of(layers))
    for side in (found.index, found.columns):
        assert [tuple(at) for at in side] == list(np.ndindex(2, 3))
    heads = [head for layer in layers for head in layer]
    expected = [[divergence(one, other, causal) for other in heads] for one in heads]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_it_is_symmetric_between_nothing_and_ln_2() -> None:
    eye = np.eye(7, dtype=np.float32)
    found = head_distances(kind_of([np.stack([eye, np.roll(eye, 1, 1), eye])])).to_numpy()
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), 0)
    assert found[0, 2] == 0
    # One reads what the other doesn't: ln 2, less what is spread.
    assert math.log(2) - 0.01 < found[0, 1] <= math.log(2)


def test_some_layers_alone_and_an_explorer() -> None:
    trace = demo_trace()
    found = head_distances(trace, layers=[4, 1])
    assert found.shape == (24, 24)
    assert found.index.names == ["layer", "head"]
    assert found.index[0] == (4, 0)
    whole = head_distances(AttentionExplorer(trace))
    assert found.loc[(4, 3), (1, 5)] == pytest.approx(whole.loc[(4, 3), (1, 5)])
    shares = list(distance_steps(trace, [0, 1]))
    assert shares == sorted(shares)


def test_what_has_no_distances_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = kind_of(random_layers(False))
    with pytest.raises(ValueError, match="expected 0 to 1, as there are 2 layers"):
        head_distances(kind, layers=[2])
    monkeypatch.setattr(distances, "MOST_HEADS", 5)
    with pytest.raises(ValueError, match=r"6 heads are 15 pairs, .* at most 5 heads"):
        head_distances(kind)
    signed = kind_of([np.where(layer > 0.5, -layer, layer) for layer in random_layers(False)])
    with pytest.raises(ValueError, match="below 0"):
        head_distances(signed)

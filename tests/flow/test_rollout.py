"""Rollout, held to closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import Trace
from attention_explorer.attention import dense_attention
from attention_explorer.flow import measure
from attention_explorer.flow import rollout as room
from attention_explorer.tracing import Kind, Tokens

from .conftest import traced

Weights = npt.NDArray[np.float32]


def trace_of(layers: Sequence[Weights], **options: Any) -> Trace:
    attention = dense_attention(layers, **options)
    tokens = Tokens.from_strings([f"w{i}" for i in range(attention.n_queries)])
    return Trace({"encoder": Kind(attention, tokens)}, "encoder", "made up")


def random_rows(n_layers: int, n_heads: int, n: int, causal: bool = False) -> list[Weights]:
    weights = np.random.default_rng(0).random((n_layers, n_heads, n, n)).astype(np.float32) ** 3
    if causal:
        weights *= np.tri(n, dtype=np.float32)
    return list(weights / weights.sum(-1, keepdims=True))


def test_of_uniform_attention_half_of_each_layer_is_spread_evenly() -> None:
    """R_l = 0.5^l I + (1 - 0.5^l) / n: catches an identity that is left out, or added twice."""
    n = 7
    shown = measure(trace_of([np.full((4, n, n), 1 / n, np.float32)] * 3), "rollout").attention
    assert (shown.n_layers, shown.n_heads) == (3, 1)
    for layer in range(3):
        rest = 0.5 ** (layer + 1)
        expected = rest * np.eye(n) + (1 - rest) / n
        np.testing.assert_allclose(shown.matrix(layer, 0), expected, atol=1e-6)


def test_layers_follow_each_other_in_their_order() -> None:
    """Catches R_(l-1) A' for A' R_(l-1): two permutations that don't commute tell them apart."""
    first, second = np.eye(5)[[1, 2, 0, 3, 4]], np.eye(5)[[0, 1, 4, 2, 3]]
    given = [matrix[None].astype(np.float32) for matrix in (first, second)]
    shown = measure(trace_of(given), "rollout").attention
    half = [(matrix + np.eye(5)) / 2 for matrix in (first, second)]
    np.testing.assert_allclose(shown.matrix(1, 0), half[1] @ half[0], atol=1e-7)
    assert np.abs(half[1] @ half[0] - half[0] @ half[1]).max() > 0.1


def test_heads_count_alike_and_rows_sum_to_1() -> None:
    layers = random_rows(3, 4, 6)
    shown = measure(trace_of(layers), "rollout").attention
    first = (layers[0].mean(0) + np.eye(6)) / 2
    np.testing.assert_allclose(shown.matrix(0, 0), first, atol=1e-6)
    np.testing.assert_allclose(shown.matrix(2, 0).sum(-1), 1, atol=1e-5)
    assert shown.scale == 1
    assert any("Rows sum to 1." in note for note in shown.notes)
    assert not any("first token" in note for note in shown.notes)


def test_a_causal_model_is_told_to_gather_on_its_first_token(
    tiny_model: Any, inputs_of: Any
) -> None:
    """By construction: an average of what can only go back. A person must not take it for news."""
    shown = measure(trace_of(random_rows(6, 4, 9, causal=True)), "rollout").attention
    assert shown.causal
    assert any("gathers on the first token by construction" in note for note in shown.notes)
    on_first = [shown.matrix(layer, 0)[1:, 0].mean() for layer in range(6)]
    assert on_first == sorted(on_first)
    model, found, _ = traced("gpt_oss", tiny_model, inputs_of)
    sinks = measure(found, "rollout").attention
    assert sinks.matrix(2, 0).sum(-1).max() < 0.999
    assert any("Rows sum to less than 1, as the heads have learned" in it for it in sinks.notes)
    del model


def test_where_it_means_nothing_it_is_refused(
    tiny_model: Any, inputs_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found, _ = traced("bart", tiny_model, inputs_of)
    with pytest.raises(ValueError, match="keys here are other tokens than the queries"):
        measure(found, "rollout", "cross")
    beside = measure(found, "rollout", "decoder").attention.notes
    assert room.BESIDE_CROSS in beside
    assert room.BESIDE_CROSS not in measure(found, "rollout", "encoder").attention.notes
    _, found, _ = traced("qwen3_next", tiny_model, inputs_of)
    with pytest.raises(ValueError, match="layer 0 has no attention"):
        measure(found, "rollout")
    monkeypatch.setattr(room, "LONGEST", 6)
    with pytest.raises(ValueError, match="limited to 6 tokens; there are 7"):
        measure(trace_of(random_rows(1, 2, 7)), "rollout")


def test_a_number_is_not_made_of_queries_and_keys() -> None:
    from attention_explorer.attention.terms import NoTermsError

    shown = measure(trace_of(random_rows(2, 3, 5)), "rollout").attention
    with pytest.raises(NoTermsError, match="show weights"):
        shown.terms(0, 0, 1, [0])

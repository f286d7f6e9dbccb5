"""Weights from queries and keys against the whole softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer.attention import Attention, DenseAttention, biases, from_qk
from attention_explorer.attention.biases import Bias, CellBias, KeyBias, OffsetBias
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import BiasedMask, DenseMask, KeyIntervals, compress
from attention_explorer.attention.states import RowScores

HEADS, KEY_HEADS, QUERIES, KEYS, SIZE = 6, 2, 23, 23, 4


def states(mask: Any = None, **options: Any) -> LayerStates:
    generator = torch.Generator().manual_seed(3)
    return LayerStates(
        query=torch.randn(HEADS, QUERIES, SIZE, generator=generator),
        key=torch.randn(KEY_HEADS, KEYS, SIZE, generator=generator),
        scaling=0.7,
        mask=mask,
        **options,
    )


def whole(layer: LayerStates, readable: torch.Tensor | None = None) -> torch.Tensor:
    """Return the weights by the textbook, in float64."""
    key = layer.key.double().repeat_interleave(HEADS // KEY_HEADS, dim=0)
    scores = layer.query.double() @ key.mT * layer.scaling
    if layer.softcap is not None:
        scores = layer.softcap * torch.tanh(scores / layer.softcap)
    if readable is not None:
        scores = scores.masked_fill(~readable, -torch.inf)
    if layer.sinks is not None:
        sinks = layer.sinks.double()[:, None, None].expand(-1, QUERIES, 1)
        scores = torch.cat([scores, sinks], -1)
    return scores.softmax(-1)[..., :KEYS]


LOWER = torch.ones(QUERIES, KEYS, dtype=torch.bool).tril()
WINDOW = LOWER & ~LOWER.tril(-5)
HOLES = torch.rand(QUERIES, KEYS, generator=torch.Generator().manual_seed(0)) > 0.4
CASES: dict[str, tuple[LayerStates, torch.Tensor | None]] = {
    "full": (states(), None),
    "causal": (states(KeyIntervals.causal(QUERIES, KEYS, torch.device("cpu"))), LOWER),
    "window": (states(KeyIntervals.causal(QUERIES, KEYS, torch.device("cpu"), 5)), WINDOW),
    "holes": (states(DenseMask(HOLES[None])), HOLES),
    "softcap": (states(softcap=1.5), None),
    "sinks": (states(sinks=torch.linspace(-2, 3, HEADS)), None),
}


@pytest.fixture(params=[64, 1 << 22], ids=["blocks of two rows", "one block"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_qk, "BLOCK_CELLS", request.param)
    monkeypatch.setattr(biases, "BLOCK_CELLS", request.param)


def same(ours: Any, expected: Any) -> bool:
    return bool(ours.dtype == np.float32 and np.abs(ours - expected).max() < 2e-6)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("case", CASES)
def test_every_question_has_the_dense_answer(case: str) -> None:
    """A block border, a stale normaliser or a wrong key head shows against the whole softmax."""
    layer, readable = CASES[case]
    expected = whole(layer, readable).numpy()
    dense: Attention = DenseAttention([expected.astype(np.float32)])
    for order in (0, 1):  # with normalisers unknown and known
        attention: Attention = QKAttention([layer], layer_numbers=[0])
        if order:
            attention.columns(0, range(HEADS), [0])
        for head in (0, 2, 5):
            assert same(attention.matrix(0, head), dense.matrix(0, head))
            part = (0, head, slice(3, 20), slice(5, 19))
            assert same(attention.tile(*part), dense.tile(*part))
            for factor in (1, 3, 4, 64):
                for reduction in ("max", "mean"):
                    pooled: Any = (*part, factor, reduction)
                    assert same(attention.pooled(*pooled), dense.pooled(*pooled))
        assert same(attention.rows(0, [5, 1], [22, 0]), dense.rows(0, [5, 1], [22, 0]))
        assert same(attention.columns(0, [4, 0], [21, 7]), dense.columns(0, [4, 0], [21, 7]))
        assert attention.tile(0, 1, slice(4, 4), slice(0, 3)).shape == (0, 3)


@pytest.mark.parametrize("case", ["causal", "window"])
def test_what_may_not_be_read_is_exactly_zero(case: str) -> None:
    layer, readable = CASES[case]
    attention = QKAttention([layer], layer_numbers=[0])
    assert readable is not None
    assert attention.causal
    tile = attention.tile(0, 3, slice(0, QUERIES), slice(0, KEYS - 1))
    assert not tile[~readable[:, :-1].numpy()].any()


def test_a_later_tile_costs_only_its_own_products(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the kept normalisers each tile costs its rows times all keys."""
    layer, _ = CASES["full"]
    attention = QKAttention([layer], layer_numbers=[0])
    attention.tile(0, 3, slice(0, 8), slice(0, 8))
    seen: list[tuple[int, ...]] = []
    original = RowScores.against

    def watched(self: RowScores, *arguments: Any) -> torch.Tensor:
        scores = original(self, *arguments)
        seen.append(tuple(scores.shape))
        return scores

    monkeypatch.setattr(RowScores, "against", watched)
    attention.tile(0, 3, slice(2, 8), slice(10, 15))
    assert seen == [(6, 5)]


def test_large_scores_keep_their_precision() -> None:
    """exp(score - logsumexp) loses digits where scores are in the thousands; they cancel first."""
    layer = LayerStates(
        query=torch.full((1, 3, 1), 300.0), key=torch.tensor([[[10.0], [10.001]]]), scaling=1.0
    )
    attention = QKAttention([layer], layer_numbers=[0])
    expected = (300.0 * layer.key[0, :, 0]).double().softmax(-1).numpy()
    tile = attention.tile(0, 0, slice(0, 3), slice(1, 2))
    assert np.allclose(tile[:, 0], expected[1], atol=1e-4)
    assert tile[0, 0] == attention.row(0, 0, 0)[1]


def test_half_precision_states_are_multiplied_in_float32() -> None:
    layer, _ = CASES["full"]
    half = LayerStates(layer.query.bfloat16(), layer.key.bfloat16(), 0.7)
    ours = QKAttention([half], layer_numbers=[0]).matrix(0, 4)
    assert same(ours, whole(half).numpy()[4])


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("form", ["bool", "float", "minus infinity"])
@pytest.mark.parametrize("pattern", [LOWER, WINDOW, torch.ones_like(LOWER)])
def test_masks_of_intervals_are_compressed(form: str, pattern: torch.Tensor) -> None:
    least = torch.finfo(torch.float32).min if form == "float" else -torch.inf
    values = pattern if form == "bool" else torch.zeros(pattern.shape).masked_fill(~pattern, least)
    mask = compress([values[None]], QUERIES)
    assert isinstance(mask, KeyIntervals)
    ours = QKAttention([states(mask)], layer_numbers=[0]).matrix(0, 1)
    assert same(ours, whole(states(), pattern)[1].numpy())


def test_masks_that_are_no_intervals_stay_whole() -> None:
    """A hole inside a row or a pattern by head must not be lost."""
    assert isinstance(compress([HOLES[None]], QUERIES), DenseMask)
    by_head = torch.stack([LOWER, WINDOW] * 3)
    mask = compress([by_head], QUERIES)
    assert isinstance(mask, DenseMask)
    assert mask.is_causal
    ours = QKAttention([states(mask)], layer_numbers=[0])
    assert same(ours.matrix(0, 3), whole(states(), by_head)[3].numpy())


OFFSETS = torch.arange(KEYS) - torch.arange(QUERIES)[:, None] + QUERIES - 1
BIASES: dict[str, tuple[torch.Tensor, type[Bias]]] = {
    "by key": (torch.randn(HEADS, 1, KEYS), KeyBias),
    "by key, written out": (torch.randn(HEADS, 1, KEYS).expand(-1, QUERIES, -1), KeyBias),
    "by offset": (torch.randn(HEADS, QUERIES + KEYS - 1)[:, OFFSETS], OffsetBias),
    "by cell": (torch.randn(HEADS, QUERIES, KEYS), CellBias),
    "by cell, the same for all heads": (torch.randn(1, QUERIES, KEYS), CellBias),
}


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("together", [False, True], ids=["bias and mask", "bias in the mask"])
@pytest.mark.parametrize("case", BIASES)
def test_biases_are_kept_in_their_smallest_form(case: str, together: bool) -> None:
    """A bias read with its hidden cells, a sign or a head off by one shows in the weights."""
    bias, form = BIASES[case]
    expanded = bias.expand(HEADS, QUERIES, KEYS)
    terms = [bias, LOWER[None]]
    if together:
        terms = [bias.expand(-1, QUERIES, -1).masked_fill(~LOWER, -torch.inf)]
    mask = compress(terms, QUERIES)
    assert isinstance(mask, BiasedMask)
    assert isinstance(mask.pattern, KeyIntervals)
    assert mask.is_causal
    assert [type(found) for found in mask.biases] == [form]
    layer = states(mask)
    key = layer.key.repeat_interleave(HEADS // KEY_HEADS, dim=0)
    scores = (layer.query @ key.mT * 0.7 + expanded).masked_fill(~LOWER, -torch.inf)
    ours, expected = QKAttention([layer], layer_numbers=[0]), scores.softmax(-1).numpy()
    assert same(ours.tile(0, 2, slice(0, 23), slice(2, 9)), expected[2, :, 2:9])
    assert same(ours.rows(0, [5, 1], [22, 0, 7]), expected[[5, 1]][:, [22, 0, 7]])


def test_a_bias_of_zeros_is_none() -> None:
    assert isinstance(compress([torch.zeros(2, 4, 4), torch.zeros(1, 1, 4)], 4), KeyIntervals)


def test_a_query_that_may_read_nothing_is_refused() -> None:
    """What a softmax of only hidden keys is depends on the backend: uniform, zero or NaN."""
    pattern = LOWER.clone()
    pattern[4] = False
    with pytest.raises(ValueError, match="every key from query 4"):
        compress([pattern[None]], QUERIES)


def test_sinks_are_told_of() -> None:
    attention = QKAttention([CASES["sinks"][0]], layer_numbers=[0])
    assert "sum to less than 1" in attention.notes[0]
    assert attention.rows(0, [5], [3]).sum() < 0.999

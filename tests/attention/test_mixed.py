"""Layers of several attentions answer as each by itself, under the model's own numbers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer.attention import Attention, DenseAttention, dense_attention
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.attention.mixed import MixedAttention

HEADS, QUERIES, KEYS, SIZE = 3, 17, 13, 4


def rebuilt(numbers: tuple[int, ...], **options: Any) -> QKAttention:
    generator = torch.Generator().manual_seed(1)
    layers = [
        LayerStates(
            torch.randn(HEADS, QUERIES, SIZE, generator=generator),
            torch.randn(HEADS, KEYS, SIZE, generator=generator),
            0.6,
            **options,
        )
        for _ in numbers
    ]
    return QKAttention(layers, layer_numbers=numbers)


def returned(numbers: tuple[int, ...], n_heads: int = HEADS) -> DenseAttention:
    scores = np.random.default_rng(2).random((len(numbers), n_heads, QUERIES, KEYS), np.float32)
    weights = scores / scores.sum(-1, keepdims=True)
    return dense_attention(weights, layer_numbers=numbers, source="as returned")


def answers(attention: Attention, layer: int) -> list[Any]:
    """Return one of everything that can be asked."""
    part = slice(2, 15), slice(3, 12)
    return [
        attention.rows(layer, [2, 0], [16, 5]),
        attention.columns(layer, [1], [12, 0, 3]),
        attention.tile(layer, 2, *part),
        attention.pooled(layer, 1, *part, 4),
        attention.pooled(layer, 1, *part, 4, "mean"),
        np.concatenate(list(attention.bands(layer, 1, *part, 3, "mean"))),
        attention.thumbnails(layer, 5),
        attention.preview(layer, 2, 6).cells,
        attention.preview(layer, 2, 6, "mean").cells,
        [list(attention.prepare(layer, 2, part[0])), attention.preview(layer, 2, 6).exact],
        attention.row(layer, 1, 3),
        attention.column(layer, 1, 3),
        attention.matrix(layer, 0),
    ]


def test_each_layer_answers_as_by_itself() -> None:
    """Sorted by number but asked by index, one layer would answer for another."""
    first, second = rebuilt((5, 0, 3)), returned((4, 1))
    mixed = MixedAttention([first, second])
    assert mixed.layer_numbers == (0, 1, 3, 4, 5)
    assert mixed.n_layers == 5
    assert (mixed.n_heads, mixed.n_queries, mixed.n_keys) == (HEADS, QUERIES, KEYS)
    own = [(first, 1), (second, 1), (first, 2), (second, 0), (first, 0)]
    for layer, (part, its_layer) in enumerate(own):
        for ours, theirs in zip(answers(mixed, layer), answers(part, its_layer), strict=True):
            if isinstance(theirs, np.ndarray):
                np.testing.assert_allclose(ours, theirs, atol=1e-6)
            else:
                assert ours == theirs


def test_what_is_said_of_it_is_true_of_every_layer() -> None:
    first, second = rebuilt((0, 2)), returned((1, 7))
    second.notes = ("Rows are as given.",)
    mixed = MixedAttention([first, second])
    assert mixed.source == "queries and keys of the forward pass; layers 1 and 7: as returned"
    assert mixed.notes == ("Rows are as given.",)
    assert (mixed.scale, mixed.signed, mixed.causal) == (1.0, False, False)
    odd = dense_attention(np.full((1, HEADS, QUERIES, KEYS), -3.0, np.float32), layer_numbers=[1])
    mixed = MixedAttention([first, odd])
    assert (mixed.scale, mixed.signed) == (3.0, True)
    assert mixed.source.endswith("; layer 1: attention weights as given")
    assert mixed.notes == odd.notes


def test_it_is_causal_only_where_every_layer_is() -> None:
    def square(mask: KeyIntervals | None) -> QKAttention:
        layer = LayerStates(torch.randn(HEADS, KEYS, SIZE), torch.randn(HEADS, KEYS, SIZE), 1, mask)
        return QKAttention([layer], layer_numbers=[0])

    lower = KeyIntervals.causal(KEYS, KEYS, torch.device("cpu"))
    eye = dense_attention(np.eye(KEYS)[None, None].repeat(HEADS, 1), layer_numbers=[1])
    assert MixedAttention([square(lower), eye]).causal
    assert not MixedAttention([square(None), eye]).causal


def test_parts_that_do_not_fit_are_refused_by_their_layers() -> None:
    with pytest.raises(ValueError, match="there are no layers"):
        MixedAttention([])
    with pytest.raises(
        ValueError, match=r"\(3, 17, 13\) in layers 0 and 2 and \(2, 17, 13\) in layer 1"
    ):
        MixedAttention([rebuilt((0, 2)), returned((1,), n_heads=2)])
    with pytest.raises(ValueError, match="there are two of layer 2"):
        MixedAttention([rebuilt((0, 2)), returned((2, 3))])


def test_it_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import attention_explorer.attention.mixed"
    subprocess.run([sys.executable, "-c", code], check=True)

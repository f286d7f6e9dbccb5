"""Attention rollout: where the layers' weights lead, one after the other.

Source: Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..attention.base import Attention, Float
from ..attention.dense import DenseAttention
from ..attention.terms import NoTermsError, Terms
from ..runs import Progress
from ..tracing.trace import Kind
from .factors import NO_TERMS, notes_of_weights

# Products of whole matrices: n x n numbers are kept for each layer.
LONGEST = 2048

NOTE = (
    "Attention rollout (Abnar & Zuidema 2020) up to this layer: R = A' R of the layer before, with "
    "A' = (mean over heads + I) / 2, as if every head counted alike and half of each token were "
    "passed by each layer. Rows sum to {sums}."
)
CAUSAL = (
    "Where tokens read only earlier ones, rollout gathers on the first token by construction: it "
    "says little about this text."
)
BESIDE_CROSS = "What the decoder reads of the encoder has no part in it."


class LayeredAttention(DenseAttention):
    """A matrix for each layer, made of the weights of this one and those before.

    Parameters
    ----------
    layers : sequence of array, shape (1, queries, keys)
        The matrices.
    base : Attention
        The weights.
    source : str
        How the numbers were had.
    notes : sequence of str
        What a person must know to read them rightly.
    """

    def __init__(
        self, layers: Sequence[Float], base: Attention, source: str, notes: Sequence[str]
    ) -> None:
        super().__init__(layers, layer_numbers=base.layer_numbers, source=source)
        # What it says of sums is meant for weights.
        self.notes = (*notes, *notes_of_weights(base))
        self.causal = base.causal

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        raise NoTermsError(NO_TERMS)


def rollout(kind: Kind, beside_cross: bool, progress: Progress) -> Kind:
    """Return the rollout up to each layer, one head a layer; see `measures.measure`.

    Parameters
    ----------
    kind : Kind
        Whose queries are its keys.
    beside_cross : bool
        Whether the tokens read another text too.
    progress : callable
        Told the share that is done.
    """
    base = kind.attention
    reached: Float = np.eye(base.n_queries, dtype=np.float32)
    layers = []
    for layer in range(base.n_layers):
        step = mean_over_heads(base, layer)
        step[np.diag_indices_from(step)] += 1
        reached = step @ reached / np.float32(2)
        layers.append(reached[None])
        progress((layer + 1) / base.n_layers)
    sums = "1" if has_whole_rows(layers) else "less than 1, as the heads have learned sinks"
    notes = [NOTE.format(sums=sums), *([CAUSAL] if base.causal else [])]
    notes += [BESIDE_CROSS] if beside_cross else []
    found = LayeredAttention(layers, base, f"rollout of {base.source}", notes)
    return replace(kind, attention=found, check=None)


def why_not(kind: Kind, what: str) -> str:
    """Return why matrices of all layers can't be multiplied, "" where they can."""
    attention = kind.attention
    if kind.key_tokens is not None or attention.n_queries != attention.n_keys:
        return f"{what} goes from layer to layer, and keys here are other tokens than the queries"
    if attention.n_queries > LONGEST:
        return (
            f"{what} multiplies whole matrices and is limited to {LONGEST:,} tokens; there are "
            f"{attention.n_queries:,}"
        )
    missing = sorted(set(range(max(attention.layer_numbers) + 1)) - set(attention.layer_numbers))
    if missing:
        return f"layer {missing[0]} has no attention, and {what} needs that of every layer"
    return ""


def mean_over_heads(attention: Attention, layer: int) -> Float:
    """Return the mean of a layer's matrices."""
    total = np.zeros((attention.n_queries, attention.n_keys), np.float32)
    for head in range(attention.n_heads):
        total += attention.matrix(layer, head)
    return total / np.float32(attention.n_heads)


def has_whole_rows(layers: list[Float]) -> bool:
    """Tell whether all rows sum to 1."""
    return all(np.allclose(layer.sum(-1), 1, atol=1e-3) for layer in layers)

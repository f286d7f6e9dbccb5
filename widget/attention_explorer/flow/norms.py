"""Norms of what heads move: the weight and what is read, in one number.

Source: Kobayashi et al. 2020, "Attention is Not Only a Weight: Analyzing Transformers with Vector
Norms".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..attention import derived
from ..attention.base import Attention, Float
from ..attention.blocks import pieces
from ..attention.derived import DerivedAttention
from ..attention.terms import NoTermsError, Terms
from ..runs import Progress
from ..tracing.trace import Kind
from .factors import (
    NO_TERMS,
    READ_FOR_SCALE,
    FactorAttention,
    Index,
    largest_of,
    notes_of_weights,
)

if TYPE_CHECKING:
    import torch

    from ..tracing.live import Live
    from .values import LayerValues

_SOURCE = "values and output projection of one more pass"
NOTE = (
    "Each number is |A f(x)|, a weight times the length of what its head would move from that key, "
    "f(x) = v W_O (Kobayashi et al. 2020). Rows don't sum to 1."
)
NOTE_SUMMED = (
    "Each number is |Σ A f(x)|, the length of all that a layer's heads move from that key "
    "together, f(x) = v W_O (Kobayashi et al. 2020). Rows don't sum to 1."
)

# Keys whose vectors are worked out together, and what is kept of them at most.
_BLOCK_KEYS = 2048
_FACTORS_BYTES = 1 << 30
# What rounding may take from a product of vectors with themselves, as a share of the largest.
_ROUNDING = 1e-14


class NormAttention(FactorAttention):
    """The length of what each head moves from each key, ``A |f(x)|``.

    Parameters
    ----------
    base : Attention
        The weights.
    lengths : array, shape (layers, heads, keys)
        |f(x)| of each key in each head.
    """

    def __init__(self, base: Attention, lengths: Float) -> None:
        super().__init__(base, NOTE, _SOURCE)
        self.lengths = lengths
        self.scale = self._known_scale()

    def _factors(self, layer: int, head: int, queries: Index, keys: Index) -> Float:
        found: Float = self.lengths[layer, head][keys][None]
        return found

    def _limit(self, layer: int) -> float:
        return float(self.lengths[layer].max())


class SummedNormAttention(DerivedAttention):
    """The length of what all heads of a layer move from each key together: one head a layer.

    ``|sum_h A_h f_h| = |R.T a|`` with a the heads' weights and R R.T the products of their vectors
    with each other, so that no vector of the model's width is needed for a pair.

    Parameters
    ----------
    base : Attention
        The weights.
    roots : sequence of array, shape (keys, heads, heads)
        R of each key, by layer.
    limits : sequence of float
        What no sum of some of a row's numbers exceeds, by layer.
    """

    keeps_shares = False

    def __init__(self, base: Attention, roots: Sequence[Float], limits: Sequence[float]) -> None:
        super().__init__(base, "")
        self.notes = (NOTE_SUMMED, *notes_of_weights(base))
        self.source = f"{base.source}; {_SOURCE}"
        self._roots, self._limits = tuple(roots), tuple(limits)
        self.n_heads = 1
        few = self.n_worked_out <= READ_FOR_SCALE
        self.scale = largest_of(self) if few else base.scale * max(limits) or 1.0

    def row_limit(self, layer: int) -> float | None:
        limit = derived.row_limit(self.base, layer)
        return None if limit is None else limit * self._limits[layer]

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        weights = self.base.rows(layer, self._every_head, queries)
        found = _lengths(weights, self._roots[layer])
        return np.repeat(found[None], len(heads), 0)

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        weights = self.base.columns(layer, self._every_head, keys)
        found = _lengths(weights.transpose(0, 2, 1), self._roots[layer][list(keys)]).T
        return np.repeat(found[None], len(heads), 0)

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        raise NoTermsError(NO_TERMS)

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        for own in self._every_head:
            yield from self.base.prepare(layer, own, queries)

    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        for _ in self.prepare(layer, head, queries):
            yield np.zeros((0, keys.stop - keys.start), np.float32)
        width = max(1, (keys.stop - keys.start) * self.base.n_heads)
        for rows in pieces(queries, factor, max(1, derived.BLOCK_CELLS // width)):
            weights = np.stack([self._read(layer, own, rows, keys) for own in self._every_head])
            yield _lengths(weights, self._roots[layer][keys])

    @property
    def _every_head(self) -> range:
        return range(self.base.n_heads)


def norms(kind: Kind, name: str, live: Live, progress: Progress) -> Kind:
    """Return ``|A_ij f(x_j)|`` of each head; see `measures.measure`."""
    from .values import read_values

    layers, checked = read_values(kind.attention, name, live)
    lengths = []
    for i, layer in enumerate(layers):
        progress((i + 1) / (len(layers) + 1))
        lengths.append([_lengths_of(layer, head) for head in range(kind.attention.n_heads)])
    attention = NormAttention(kind.attention, np.array(lengths, np.float32))
    return replace(kind, attention=attention, check=checked)


def summed_norms(kind: Kind, name: str, live: Live, progress: Progress) -> Kind:
    """Return ``|sum_h A_ij f(x_j)|`` of each layer; see `measures.measure`."""
    from .values import read_values

    layers, checked = read_values(kind.attention, name, live)
    roots, limits = [], []
    for i, layer in enumerate(layers):
        progress((i + 1) / (len(layers) + 1))
        roots.append(_roots_of(layer))
        # The sum of the longest vectors of each head, as no sum of its weights exceeds 1.
        limits.append(sum(float(_lengths_of(layer, h).max()) for h in range(len(layer.weight))))
    attention = SummedNormAttention(kind.attention, roots, limits)
    return replace(kind, attention=attention, check=checked)


def why_not_summed(attention: Attention) -> str:
    """Return why the heads' sum can't be had, "" where it can: what is kept grows by heads²."""
    needed = attention.n_layers * attention.n_keys * attention.n_heads**2 * 4
    if needed <= _FACTORS_BYTES:
        return ""
    return (
        f"for {attention.n_keys:,} keys and {attention.n_heads} heads it would keep "
        f"{needed / (1 << 30):.1f} GiB, above the limit of 1 GiB: take a shorter text, or the "
        "norms of single heads"
    )


def _lengths_of(layer: LayerValues, head: int) -> Float:
    """Return |f(x)| of each key."""
    import torch

    found = [
        torch.linalg.vector_norm(layer.moved(head, part), dim=-1)
        for part in pieces(slice(0, layer.value.shape[1]), 1, _BLOCK_KEYS)
    ]
    return _numpy(torch.cat(found))


def _roots_of(layer: LayerValues) -> Float:
    """Return R of each key, lower triangular, with R R.T the products of the heads' vectors."""
    import torch

    n_heads, width = len(layer.weight), layer.weight.shape[-1]
    found = []
    longest = max(1, (1 << 24) // (n_heads * width))
    for part in pieces(slice(0, layer.value.shape[1]), 1, longest):
        vectors = torch.stack([layer.moved(head, part) for head in range(n_heads)], 1)
        vectors = vectors.to("cpu", torch.float64)
        products = vectors @ vectors.mT
        # Vectors that are no bases of their own (0, or a sum of others) still have a root.
        diagonal = products.diagonal(dim1=-2, dim2=-1)
        diagonal += _ROUNDING * diagonal.amax(-1, keepdim=True) + 1e-300
        found.append(torch.linalg.cholesky(products))
    return _numpy(torch.cat(found))


def _lengths(weights: Float, roots: Float) -> Float:
    """Return |R.T a| for weights (heads, queries, keys) and roots (keys, heads, heads)."""
    by_key = np.ascontiguousarray(weights.transpose(2, 1, 0)) @ roots
    found: Float = np.sqrt(np.einsum("kqr,kqr->qk", by_key, by_key))
    return found


def _numpy(tensor: torch.Tensor) -> Float:
    from ..attention.head import to_numpy

    return to_numpy(tensor)

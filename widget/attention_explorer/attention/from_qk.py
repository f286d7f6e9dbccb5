"""Attention weights from queries and keys when they are asked for; never queries x keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from .base import Attention, Float, Preview, Reduction
from .blocks import PREVIEW_BLOCK_ROWS, check_pooling, clip, pieces, preview_samples, sample
from .head import Head, exactly, pooled_queries, to_numpy
from .states import LayerStates as LayerStates
from .terms import Terms

# What is done without giving way: some 10 ms on one core.
BLOCK_CELLS = 1 << 23
# Rows that are read together: a square chunk of scores is the cheapest to multiply and to reduce.
BLOCK_ROWS = 512


class QKAttention(Attention):
    """Exact weights from queries and keys, in blocks of rows.

    The peak and sum of each row's softmax are kept once they were needed, so that a later tile
    costs only its own products: O(queries) numbers a head.

    Parameters
    ----------
    layers : sequence of LayerStates
        All with the same heads, queries and keys.
    layer_numbers : sequence of int
        The model's own number of each layer.
    source : str
        How the numbers were had, in words.
    notes : sequence of str
        What a person must know to read the numbers rightly.
    """

    samples = True

    def __init__(
        self,
        layers: Sequence[LayerStates],
        *,
        layer_numbers: Sequence[int],
        source: str = "queries and keys of the forward pass",
        notes: Sequence[str] = (),
    ) -> None:
        self._layers = list(layers)
        self._normalisers: dict[tuple[int, int], torch.Tensor] = {}
        self.layer_numbers = tuple(layer_numbers)
        self.n_heads, self.n_queries, _ = layers[0].query.shape
        self.n_keys = layers[0].key.shape[1]
        self.causal = self.n_queries == self.n_keys > 1 and all(
            layer.mask is not None and layer.mask.is_causal for layer in layers
        )
        self.source = source
        self.notes = tuple(notes)
        if any(layer.sinks is not None for layer in layers):
            self.notes += ("Rows sum to less than 1: the heads have learned sinks.",)

    @property
    def layers(self) -> tuple[LayerStates, ...]:
        """What enters each layer's softmax."""
        return tuple(self._layers)

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        chosen = self._positions(layer, queries)
        return to_numpy(torch.stack([self._head(layer, head).whole_rows(chosen) for head in heads]))

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        chosen, every = self._positions(layer, keys), slice(0, self.n_queries)
        columns = []
        for number in heads:
            head = self._head(layer, number)
            for rows in self._blocks(every):
                head.learn(rows)
            columns.append(head.weights(every, chosen).T)
        return to_numpy(torch.stack(columns))

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        queries, keys = clip(queries, self.n_queries), clip(keys, self.n_keys)
        found = np.empty((queries.stop - queries.start, keys.stop - keys.start), np.float32)
        shown = self._head(layer, head)
        for rows in self._blocks(queries):
            shown.learn(rows)
            band = slice(rows.start - queries.start, rows.stop - queries.start)
            found[band] = to_numpy(shown.weights(rows, keys))
        return found

    def bands(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Iterator[Float]:
        check_pooling(factor, reduction)
        queries, keys = clip(queries, self.n_queries), clip(keys, self.n_keys)
        nothing = np.zeros((0, -(-(keys.stop - keys.start) // factor)), np.float32)
        yield nothing
        shown, lines = self._head(layer, head), list[torch.Tensor]()
        for rows in self._blocks(queries, factor):
            if factor == 1:
                yield self.tile(layer, head, rows, keys)
                continue
            lines.append(shown.pooled_keys(rows, keys, factor, reduction))
            if rows.stop < queries.stop and (rows.stop - queries.start) % factor:
                yield nothing
            else:
                yield to_numpy(pooled_queries(torch.cat(lines, 1), factor, reduction).T)
                lines.clear()

    def preview(self, layer: int, head: int, factor: int, reduction: Reduction = "max") -> Preview:
        check_pooling(factor, reduction)
        n_samples = preview_samples(self.n_queries, self.n_keys, factor)
        if n_samples is None:
            return super().preview(layer, head, factor, reduction)
        sampled = self._positions(layer, sample(self.n_queries, factor, n_samples))
        shown, keys = self._head(layer, head), slice(0, self.n_keys)
        blocks = torch.split(sampled, PREVIEW_BLOCK_ROWS)
        lines = torch.cat([shown.pooled_keys(rows, keys, factor, reduction) for rows in blocks], 1)
        return Preview(to_numpy(pooled_queries(lines, n_samples, reduction).T), exact=False)

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        shown = self._head(layer, head)
        for rows in self._blocks(clip(queries, self.n_queries)):
            shown.learn(rows)
            yield

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        return self._head(layer, head).terms(query, self._positions(layer, keys))

    def _head(self, layer: int, head: int) -> Head:
        """Return a head with what is kept of it; one for each question, as questions may mix."""
        states = self._layers[layer]
        with exactly(states.query.device):
            if (layer, head) not in self._normalisers:
                self._normalisers[layer, head] = torch.full(
                    (2, self.n_queries), torch.nan, dtype=states.dtype, device=states.query.device
                )
            return Head(states, head, self._normalisers[layer, head])

    def _blocks(self, queries: slice, factor: int = 1) -> Iterator[slice]:
        """Cut the queries into blocks that are read without giving way."""
        return pieces(queries, factor, max(1, min(BLOCK_ROWS, BLOCK_CELLS // self.n_keys)))

    def _positions(self, layer: int, indices: Sequence[int]) -> torch.Tensor:
        return torch.tensor(list(indices), dtype=torch.long, device=self._layers[layer].key.device)

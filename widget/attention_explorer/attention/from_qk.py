"""Attention weights from queries and keys when they are asked for; never queries x keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from .base import Attention, Float, Reduction
from .blocks import clip, pool
from .masks import Index, Mask

# 16 MiB of float32: large enough for a matmul to run at full speed, small enough for any machine.
BLOCK_CELLS = 1 << 22


@dataclass(frozen=True)
class LayerStates:
    """What enters one layer's softmax.

    Attributes
    ----------
    query : tensor, shape (heads, queries, d)
        After rotary embedding and normalisation.
    key : tensor, shape (key heads, keys, d)
        Each key head serves heads / key heads consecutive heads.
    scaling : float
        Factor of the products.
    mask : Mask or None
        None: every query reads every key.
    softcap : float or None
        Scores s become softcap * tanh(s / softcap) before the mask.
    sinks : tensor or None, shape (heads,)
        A score of each head that takes weight but is no key: rows sum to less than 1.
    """

    query: torch.Tensor
    key: torch.Tensor
    scaling: float
    mask: Mask | None = None
    softcap: float | None = None
    sinks: torch.Tensor | None = None

    def scores(self, head: int, queries: Index, keys: Index) -> torch.Tensor:
        """Return what the softmax is taken of, float32 or wider, shape (queries, keys)."""
        dtype = torch.promote_types(self.query.dtype, torch.float32)
        key_head = head * len(self.key) // len(self.query)
        query, key = self.query[head, queries].to(dtype), self.key[key_head, keys].to(dtype)
        scores = (query @ key.T).mul_(self.scaling)
        if self.softcap is not None:
            scores.div_(self.softcap).tanh_().mul_(self.softcap)
        if self.mask is not None:
            positions = torch.arange(self.key.shape[1], device=self.key.device)[keys]
            self.mask.hide(scores, head, queries, positions)
        return scores

    def normalisers(self, head: int, scores: torch.Tensor) -> torch.Tensor:
        """Return the peak and the sum of exp(score - peak) of whole rows, shape (2, queries)."""
        peak = scores.amax(-1)
        if self.sinks is None:
            return torch.stack([peak, (scores - peak[:, None]).exp_().sum(-1)])
        sink = self.sinks[head].to(scores)
        peak = torch.maximum(peak, sink)
        total = (scores - peak[:, None]).exp_().sum(-1) + (sink - peak).exp()
        return torch.stack([peak, total])


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

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        chosen = torch.tensor(
            list(queries), dtype=torch.long, device=self._layers[layer].query.device
        )
        every = slice(0, self.n_keys)
        return _stack(self._weights(layer, head, chosen, every) for head in heads)

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        chosen = torch.tensor(list(keys), dtype=torch.long, device=self._layers[layer].key.device)
        every = slice(0, self.n_queries)
        return _stack(self._weights(layer, head, every, chosen).T for head in heads)

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        return self.pooled(layer, head, queries, keys, 1)

    def pooled(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Float:
        queries, keys = clip(queries, self.n_queries), clip(keys, self.n_keys)
        parts = [
            torch.from_numpy(
                pool(_numpy(self._weights(layer, head, rows, keys)), factor, reduction)
            )
            for rows in self._blocks(queries, factor)
        ]
        if not parts:
            return pool(_numpy(torch.zeros(0, keys.stop - keys.start)), factor, reduction)
        return _numpy(torch.cat(parts))

    def _weights(self, layer: int, head: int, queries: Index, keys: Index) -> torch.Tensor:
        """Return exact weights, shape (queries, keys)."""
        states = self._layers[layer]
        scores = states.scores(head, queries, keys)
        if keys == slice(0, self.n_keys):
            peak, total = states.normalisers(head, scores)
        else:
            assert isinstance(queries, slice)  # only whole rows are asked for by index
            peak, total = self._normalisers_of(layer, head, queries)
        return scores.sub_(peak[:, None]).exp_().div_(total[:, None])

    def _normalisers_of(self, layer: int, head: int, queries: slice) -> torch.Tensor:
        """Return the normalisers of the queries, shape (2, queries), from memory where known."""
        states = self._layers[layer]
        known = self._normalisers.get((layer, head))
        if known is None:
            dtype = torch.promote_types(states.query.dtype, torch.float32)
            known = torch.full(
                (2, self.n_queries), torch.nan, dtype=dtype, device=states.query.device
            )
            self._normalisers[layer, head] = known
        if bool(known[:, queries].isnan().any()):
            for rows in self._blocks(queries):
                keys = slice(0, self.n_keys) if states.mask is None else states.mask.bounds(rows)
                known[:, rows] = states.normalisers(head, states.scores(head, rows, keys))
        return known[:, queries]

    def _blocks(self, queries: slice, factor: int = 1) -> Iterator[slice]:
        """Cut the queries into blocks of a multiple of `factor` rows that fit the budget."""
        step = max(1, BLOCK_CELLS // self.n_keys // factor) * factor
        for first in range(queries.start, queries.stop, step):
            yield slice(first, min(first + step, queries.stop))


def _stack(matrices: Iterator[torch.Tensor]) -> Float:
    return _numpy(torch.stack(list(matrices)))


def _numpy(tensor: torch.Tensor) -> Float:
    array: Float = tensor.to("cpu", torch.float32).contiguous().numpy()
    return array

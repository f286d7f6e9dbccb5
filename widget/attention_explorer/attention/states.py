"""What enters a layer's softmax, and the scores that come of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .biases import Index
from .masks import BiasedMask, Mask

LOG2_E = math.log2(math.e)


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

    @property
    def dtype(self) -> torch.dtype:
        """What is computed in: float32 or wider."""
        return torch.promote_types(self.query.dtype, torch.float32)

    def keys_of(self, head: int) -> torch.Tensor:
        """Return the keys that a head reads, shape (keys, d)."""
        return self.key[head * len(self.key) // len(self.query)]

    def biases(self, head: int, queries: Index, keys: torch.Tensor) -> torch.Tensor | None:
        """Return what is added to the scores, shape (queries, keys); None where nothing is."""
        if not isinstance(self.mask, BiasedMask):
            return None
        added = torch.zeros(
            len(self.query[head, queries]), len(keys), dtype=self.dtype, device=keys.device
        )
        for bias in self.mask.biases:
            bias.add(added, head, queries, keys)
        return added

    def bound(self, head: int) -> float:
        """Return what no readable score's magnitude exceeds, by the longest query and key."""
        if isinstance(self.mask, BiasedMask):
            return math.inf
        sides = self.query[head], self.keys_of(head)
        norms = [torch.linalg.vector_norm(side, dim=-1, dtype=self.dtype) for side in sides]
        return abs(self.scaling) * math.prod(float(norm.amax()) for norm in norms)


class RowScores:
    """The scores of some rows of one head.

    Parameters
    ----------
    states : LayerStates
        Of the layer.
    head : int
        Which head.
    queries : slice or tensor of int64
        Which rows.
    """

    def __init__(self, states: LayerStates, head: int, queries: Index) -> None:
        self.states, self.head, self.queries = states, head, queries
        self._query = states.query[head, queries].to(states.dtype) * states.scaling
        self._key = states.keys_of(head)

    def __len__(self) -> int:
        return len(self._query)

    def against(
        self, keys: Index, is_open: bool = False, out: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the scores against some keys, minus infinity where a key may not be read.

        Parameters
        ----------
        keys : slice or tensor of int64
            Which columns.
        is_open : bool
            Whether it is known that the mask leaves these scores as they are.
        out : tensor, shape (keys, queries), optional
            Where to put them.

        Returns
        -------
        tensor, shape (queries, keys)
            Key by key in memory: what is reduced over keys is so at several times the speed.
        """
        states = self.states
        scores = torch.mm(self._key[keys].to(states.dtype), self._query.T, out=out).T
        if states.softcap is not None:
            scores.div_(states.softcap).tanh_().mul_(states.softcap)
        if states.mask is not None and not is_open:
            positions = _positions(keys, self._key)
            states.mask.hide(scores, self.head, self.queries, positions)
        return scores

    def softmax(self, scores: torch.Tensor) -> torch.Tensor:
        """Return the weights of all keys, in the place of the scores against them."""
        sinks = self.states.sinks
        return softmax_(scores, None if sinks is None else sinks[self.head])

    def with_sink(self, peak: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
        """Return the rows' sums of exp(score - peak), the head's sink included."""
        sinks = self.states.sinks
        return _with_sink(peak, total, None if sinks is None else sinks[self.head])


def scores_of_heads(
    states: LayerStates, heads: torch.Tensor, queries: torch.Tensor
) -> torch.Tensor:
    """Return the scores of the same few rows of several heads, as `RowScores.against` every key.

    Parameters
    ----------
    states : LayerStates
        Of the layer.
    heads, queries : tensor of int64
        Which heads, and which rows of each.

    Returns
    -------
    tensor, shape (heads, queries, keys)
    """
    query = states.query[heads[:, None], queries].to(states.dtype) * states.scaling
    key = states.key[heads * len(states.key) // len(states.query)].to(states.dtype)
    scores = query @ key.mT
    if states.softcap is not None:
        scores.div_(states.softcap).tanh_().mul_(states.softcap)
    if states.mask is not None:
        keys = torch.arange(key.shape[1], device=key.device)
        for own, head in zip(scores, heads.tolist(), strict=True):
            states.mask.hide(own, head, queries, keys)
    return scores


def softmax_(scores: torch.Tensor, sinks: torch.Tensor | None) -> torch.Tensor:
    """Return the weights of all keys, in the place of the scores against them.

    Parameters
    ----------
    scores : tensor, shape (..., queries, keys)
        Minus infinity where a key may not be read.
    sinks : tensor, shape (...), or None
        As `LayerStates` has them.
    """
    peak = scores.amax(-1)
    weights = exp_(scores.sub_(peak[..., None]))
    return weights.div_(_with_sink(peak, weights.sum(-1), sinks)[..., None])


def _with_sink(peak: torch.Tensor, total: torch.Tensor, sinks: torch.Tensor | None) -> torch.Tensor:
    return total if sinks is None else total + exp_(sinks.to(total)[..., None] - peak)


def exp_(numbers: torch.Tensor) -> torch.Tensor:
    """Take e to the power of each in place.

    As a power of 2: torch's exp takes up to 200 times as long where results underflow.
    """
    return numbers.mul_(LOG2_E).exp2_()


def _positions(keys: Index, key: torch.Tensor) -> torch.Tensor:
    if isinstance(keys, slice):
        return torch.arange(*keys.indices(len(key)), device=key.device)
    return keys

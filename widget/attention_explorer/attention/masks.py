"""Which keys a query may read and what is added to its scores, as small as the pattern allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .biases import Bias, compress_bias, row_blocks
from .biases import Index as Index


@dataclass(frozen=True)
class KeyIntervals:
    """Each query reads the keys from `start` up to, not including, `stop`: causal, windowed, full.

    Attributes
    ----------
    start, stop : tensor of int64, shape (queries,)
        On the device of the queries and keys.
    """

    start: torch.Tensor
    stop: torch.Tensor

    @classmethod
    def causal(
        cls, n_queries: int, n_keys: int, device: torch.device, window: int | None = None
    ) -> KeyIntervals:
        """Let the last query read the last key, and no query a later one or `window` back."""
        stop = torch.arange(n_keys - n_queries, n_keys, device=device) + 1
        start = torch.zeros_like(stop) if window is None else (stop - window).clamp(min=0)
        return cls(start, stop)

    @property
    def is_causal(self) -> bool:
        """Whether no query reads a key after it, where queries and keys are the same tokens."""
        last = torch.arange(1, len(self.stop) + 1, device=self.stop.device)
        return bool((self.stop <= last).all())

    def bounds(self, queries: Index) -> slice:
        """Return the keys that any of the queries may read, and some between."""
        return slice(int(self.start[queries].min()), int(self.stop[queries].max()))

    def common(self, queries: Index) -> slice:
        """Return the keys that all of the queries may read."""
        return slice(int(self.start[queries].max()), int(self.stop[queries].min()))

    def hide(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Set the scores (queries, keys) of what may not be read to minus infinity."""
        # Key by key, as scores lie in memory; in floats, which compare and fill 3 times as fast.
        positions = keys[:, None].to(scores.dtype)
        start, stop = (bound[queries].to(scores.dtype) - 0.5 for bound in (self.start, self.stop))
        if float(start.max()) > 0:
            torch.minimum(scores.T, (positions - start).mul_(torch.inf), out=scores.T)
        torch.minimum(scores.T, (stop - positions).mul_(torch.inf), out=scores.T)

    def to(self, device: torch.device) -> KeyIntervals:
        """Return it on the device."""
        return KeyIntervals(self.start.to(device), self.stop.to(device))


@dataclass(frozen=True)
class DenseMask:
    """Any other pattern: one value a cell.

    Attributes
    ----------
    readable : tensor of bool, shape (heads or 1, queries, keys)
        True where the key may be read.
    """

    readable: torch.Tensor

    @property
    def is_causal(self) -> bool:
        """Whether no query reads a key after it, where queries and keys are the same tokens."""
        return not bool(torch.triu(self.readable, 1).any())

    def bounds(self, queries: Index) -> slice:
        """Return the keys that any of the queries may read: all, for want of a pattern."""
        return slice(0, self.readable.shape[-1])

    def common(self, queries: Index) -> slice:
        """Return keys that all of the queries may read: none, for want of a pattern."""
        return slice(0, 0)

    def hide(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Set the scores (queries, keys) of what may not be read to minus infinity."""
        readable = self.readable[min(head, len(self.readable) - 1), queries][:, keys]
        scores.masked_fill_(~readable, -torch.inf)

    def to(self, device: torch.device) -> DenseMask:
        """Return it on the device."""
        return DenseMask(self.readable.to(device))


@dataclass(frozen=True)
class BiasedMask:
    """Addends to the scores, and what may be read after that.

    Attributes
    ----------
    biases : tuple of Bias
    pattern : KeyIntervals or DenseMask
    """

    biases: tuple[Bias, ...]
    pattern: KeyIntervals | DenseMask

    @property
    def is_causal(self) -> bool:
        """Whether no query reads a key after it, where queries and keys are the same tokens."""
        return self.pattern.is_causal

    def bounds(self, queries: Index) -> slice:
        """Return the keys that any of the queries may read, and some between."""
        return self.pattern.bounds(queries)

    def common(self, queries: Index) -> slice:
        """Return keys whose scores are left as they are: none, as all are added to."""
        return slice(0, 0)

    def hide(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Add the biases to the scores (queries, keys) in place and hide what may not be read."""
        for bias in self.biases:
            bias.add(scores, head, queries, keys)
        self.pattern.hide(scores, head, queries, keys)

    def to(self, device: torch.device) -> BiasedMask:
        """Return it on the device."""
        return BiasedMask(tuple(b.to(device) for b in self.biases), self.pattern.to(device))


Mask = KeyIntervals | DenseMask | BiasedMask


def compress(terms: Sequence[torch.Tensor], n_queries: int) -> Mask:
    """Return the smallest exact form of what applies to the scores before the softmax.

    Parameters
    ----------
    terms : sequence of tensor, shape (heads or 1, queries or 1, keys)
        One or more. Boolean ones are True where the key may be read; numbers are added to the
        scores, and hide the key where they are as low as the least number of their type.
    n_queries : int
        Rows of the scores.

    Raises
    ------
    ValueError
        A query that may read no key: what a softmax makes of it depends on the backend.
    """
    readable = _readable(terms, n_queries)
    pattern = _compress_pattern(readable)
    numbers = [term for term in terms if term.dtype != torch.bool]
    found = [compress_bias(term, readable) for term in numbers]
    biases = tuple(bias for bias in found if bias is not None)
    return BiasedMask(biases, pattern) if biases else pattern


def _readable(terms: Sequence[torch.Tensor], n_queries: int) -> torch.Tensor:
    """Return which keys may be read, shape (heads or 1, queries, keys)."""
    readable = torch.ones(1, n_queries, terms[0].shape[-1], dtype=torch.bool).to(terms[0].device)
    for term in terms:
        shown = term if term.dtype == torch.bool else term > hiding(term.dtype)
        if not bool(shown.all()):
            readable = readable & shown
    return readable


def _compress_pattern(readable: torch.Tensor) -> KeyIntervals | DenseMask:
    counts = readable.sum(-1)
    if bool((counts == 0).any()):
        _, query = (int(i) for i in (counts == 0).nonzero()[0])
        raise ValueError(f"its mask hides every key from query {query}")
    start = readable.to(torch.uint8).argmax(-1)
    stop = start + counts
    if bool((start == start[0]).all() and (stop == stop[0]).all()):
        intervals = KeyIntervals(start[0], stop[0])
        if _are_intervals(readable, intervals):
            return intervals
    return DenseMask(readable)


def _are_intervals(readable: torch.Tensor, intervals: KeyIntervals) -> bool:
    """Tell whether the intervals hold no hidden key, in blocks of rows."""
    keys = torch.arange(readable.shape[-1], device=readable.device)
    for rows in row_blocks(readable.shape[-2], readable.shape[-1]):
        scores = torch.zeros(readable[0, rows].shape, device=readable.device)
        intervals.hide(scores, 0, rows, keys)
        if not bool(((scores == 0) == readable[:, rows]).all()):
            return False
    return True


def hiding(dtype: torch.dtype) -> float:
    """Return the value at or below which an addend hides a key: libraries use the least number."""
    return torch.finfo(dtype).min / 2

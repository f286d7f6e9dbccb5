"""Which keys a query may read, in as little memory as the pattern allows."""

from __future__ import annotations

from dataclasses import dataclass

import torch

Index = slice | torch.Tensor

_BLOCK_CELLS = 1 << 22


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

    def bounds(self, queries: slice) -> slice:
        """Return the keys that any of the queries may read."""
        return slice(int(self.start[queries].min()), int(self.stop[queries].max()))

    def hide(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Set the scores (queries, keys) of what may not be read to minus infinity."""
        hidden = (keys < self.start[queries, None]) | (keys >= self.stop[queries, None])
        scores.masked_fill_(hidden, -torch.inf)


@dataclass(frozen=True)
class DenseMask:
    """Any other pattern: one value a cell.

    Attributes
    ----------
    values : tensor, shape (heads or 1, queries, keys)
        Boolean, True where the key may be read; or numbers that are added to the scores.
    """

    values: torch.Tensor

    @property
    def is_causal(self) -> bool:
        """Whether no query reads a key after it, where queries and keys are the same tokens."""
        readable = self.values
        if readable.dtype != torch.bool:
            readable = readable > _hiding(readable.dtype)
        return not bool(torch.triu(readable, 1).any())

    def bounds(self, queries: slice) -> slice:
        """Return the keys that any of the queries may read: all, for want of a pattern."""
        return slice(0, self.values.shape[-1])

    def hide(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Apply the mask to the scores (queries, keys) in place."""
        values = self.values[min(head, len(self.values) - 1), queries][:, keys]
        if values.dtype == torch.bool:
            scores.masked_fill_(~values, -torch.inf)
        else:
            scores.add_(values).masked_fill_(values <= _hiding(values.dtype), -torch.inf)


Mask = KeyIntervals | DenseMask


def compress(values: torch.Tensor) -> Mask:
    """Return the smallest exact form of a mask.

    Parameters
    ----------
    values : tensor, shape (heads or 1, queries, keys)
        As `DenseMask` has them.

    Raises
    ------
    ValueError
        A query that may read no key: what a softmax makes of it depends on the backend.
    """
    if values.dtype != torch.bool:
        readable = values > _hiding(values.dtype)
        only_hides = bool(((values == 0) | ~readable).all())
    else:
        readable, only_hides = values, True
    counts = readable.sum(-1)
    if bool((counts == 0).any()):
        _, query = (int(i) for i in (counts == 0).nonzero()[0])
        raise ValueError(f"its mask hides every key from query {query}")
    start = readable.to(torch.uint8).argmax(-1)
    stop = start + counts
    same_for_heads = bool((start == start[0]).all() and (stop == stop[0]).all())
    if only_hides and same_for_heads:
        intervals = KeyIntervals(start[0], stop[0])
        if _are_intervals(readable, intervals):
            return intervals
    return DenseMask(readable if only_hides else values)


def _are_intervals(readable: torch.Tensor, intervals: KeyIntervals) -> bool:
    """Tell whether the intervals hold no hidden key, in blocks of rows."""
    keys = torch.arange(readable.shape[-1], device=readable.device)
    step = max(1, _BLOCK_CELLS // readable.shape[-1])
    for first in range(0, readable.shape[-2], step):
        rows = slice(first, first + step)
        scores = torch.zeros(readable[0, rows].shape, device=readable.device)
        intervals.hide(scores, 0, rows, keys)
        if not bool(((scores == 0) == readable[:, rows]).all()):
            return False
    return True


def _hiding(dtype: torch.dtype) -> float:
    """Return the value at or below which an addend hides a key: libraries use the least number."""
    return torch.finfo(dtype).min / 2

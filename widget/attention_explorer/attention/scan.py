"""One pass over the scores of some rows, in chunks of keys that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .blocks import pieces
from .states import RowScores

# 1 MiB of float32: what a core's own cache holds, so that the products are what takes time.
CHUNK_CELLS = 1 << 18
# Powers of peaks up to this lose nothing where no peak is subtracted, which saves a pass.
SMALL_SCORE = 32.0


class Bins(NamedTuple):
    """What the softmax of some rows needs, by bins of keys.

    Attributes
    ----------
    highest : tensor, shape (bins, rows)
        The highest score; minus infinity where no key may be read.
    peak : tensor, shape (rows,)
        The highest score of all bins, finite in any case.
    sums : tensor, shape (bins, rows)
        The sum of 2 ** (score - peak); without rows where it wasn't asked for.
    """

    highest: torch.Tensor
    peak: torch.Tensor
    sums: torch.Tensor


def scan(rows: RowScores, keys: slice, factor: int, with_sums: bool, space: torch.Tensor) -> Bins:
    """Read the scores of some rows once, by bins of `factor` keys counted from ``keys.start``.

    Each chunk's powers are taken over its own peak while it is in the cache, and brought to
    the rows' peak afterwards (the online softmax of Milakov and Gimelshein, 2018).

    Parameters
    ----------
    rows : RowScores
        Some hundred are fastest.
    keys : slice
        Which keys; chunks that none of the queries may read are skipped.
    factor : int
        Keys a bin.
    with_sums : bool
        Whether powers are needed, which take half as long as the products.
    space : tensor
        From `new_space`, overwritten.
    """
    mask = rows.states.mask
    readable = keys if mask is None else mask.bounds(rows.queries)
    by_all = keys if mask is None else mask.common(rows.queries)
    n_rows, n_bins = len(rows), -(-(keys.stop - keys.start) // factor)
    highest = space.new_full((n_bins, n_rows), -torch.inf)
    sums = highest.new_zeros(n_bins, n_rows if with_sums else 0)
    found: list[tuple[slice, torch.Tensor, torch.Tensor]] = []
    for chunk in pieces(keys, factor, max(1, len(space) // n_rows)):
        if chunk.stop <= readable.start or readable.stop <= chunk.start:
            continue
        is_open = by_all.start <= chunk.start and chunk.stop <= by_all.stop
        out = space[: (chunk.stop - chunk.start) * n_rows].view(-1, n_rows)
        scores = rows.against(chunk, is_open, out).T
        peaks = by_bin(torch.amax, scores, factor)
        first = (chunk.start - keys.start) // factor
        bins = slice(first, first + len(peaks))
        torch.maximum(highest[bins], peaks, out=highest[bins])
        if with_sums:
            peak = _finite(peaks.amax(0))
            if float(peak.abs().amax()) < SMALL_SCORE:
                peak = torch.zeros_like(peak)
            else:
                scores.sub_(peak)
            found.append((bins, peak, by_bin(torch.sum, scores.exp2_(), factor)))
    if n_bins == 0:
        return Bins(highest, highest.new_zeros(n_rows), sums)
    peak_of_all = _finite(highest.amax(0))
    for bins, peak, its_sums in found:
        sums[bins] += its_sums * (peak - peak_of_all).exp2_()
    return Bins(highest, peak_of_all, sums)


def new_space(like: torch.Tensor) -> torch.Tensor:
    """Return memory for a chunk of scores: to ask for it each time costs a third of the time."""
    return like.new_empty(max(CHUNK_CELLS, like.shape[-1]))


def by_bin(
    reduce: Callable[..., Any], numbers: torch.Tensor, factor: int, axis: int = 0
) -> torch.Tensor:
    """Reduce an axis by bins of `factor`; the last one may be smaller."""
    length = numbers.shape[axis]
    whole = length // factor * factor
    parts = []
    if whole:
        shape = list(numbers.shape)
        shape[axis : axis + 1] = [whole // factor, factor]
        parts.append(reduce(numbers.narrow(axis, 0, whole).reshape(shape), axis + 1))
    if whole < length:
        parts.append(reduce(numbers.narrow(axis, whole, length - whole), axis, keepdim=True))
    return parts[0] if len(parts) == 1 else torch.cat(parts, axis)


def _finite(peak: torch.Tensor) -> torch.Tensor:
    """Bring the peak of rows that may read no key to a number that can be subtracted."""
    return peak.clamp_(min=torch.finfo(peak.dtype).min)

"""One pass over the scores of some rows, in chunks of keys that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch

from .blocks import pieces
from .states import RowScores

# 1 MiB of float32: what a core's own cache holds, so that the products are what takes time.
CHUNK_CELLS = 1 << 18
# Peaks up to this need no level of their own, which saves a pass.
SMALL_SCORE = 32.0
# Powers of what lies within this of the level lose nothing, and their sums don't overflow.
REACH = 64.0


# The sums of powers that are needed: none, one a row, or one a bin of each row.
Sums = Literal["none", "row", "bins"]


class Bins(NamedTuple):
    """What the softmax of some rows needs, by bins of keys.

    Attributes
    ----------
    highest : tensor, shape (bins, rows)
        The highest score; minus infinity where no key may be read.
    peak : tensor, shape (rows,)
        The highest score of all bins, finite in any case.
    level : tensor, shape (rows,)
        A number within `REACH` of the peak.
    sums : tensor, shape (bins of sums, rows)
        The sum of 2 ** (score - level).
    """

    highest: torch.Tensor
    peak: torch.Tensor
    level: torch.Tensor
    sums: torch.Tensor

    @property
    def are_within_reach(self) -> bool:
        """Whether the sums lost nothing."""
        return bool(((self.peak - self.level).abs_() <= REACH).all())


def scan(rows: RowScores, keys: slice, factor: int, sums: Sums, space: torch.Tensor) -> Bins:
    """Read the scores of some rows once, by bins of `factor` keys counted from ``keys.start``.

    Powers are taken while a chunk is in the cache, over a level that the first chunk gives. Where
    rows turn out to lie far off it, all is read once more, over the peaks.

    Parameters
    ----------
    rows : RowScores
        Some hundred are fastest.
    keys : slice
        Which keys; chunks that none of the queries may read are skipped.
    factor : int
        Keys a bin.
    sums : "none", "row" or "bins"
        Which powers to sum; to take them costs a third of the products.
    space : tensor
        From `new_space`, overwritten.
    """
    bins = _read(rows, keys, factor, sums, space, None)
    if sums == "none" or bins.are_within_reach:
        return bins
    return _read(rows, keys, factor, sums, space, bins.peak)


def _read(
    rows: RowScores,
    keys: slice,
    factor: int,
    sums: Sums,
    space: torch.Tensor,
    level: torch.Tensor | None,
) -> Bins:
    mask = rows.states.mask
    readable = keys if mask is None else mask.bounds(rows.queries)
    by_all = keys if mask is None else mask.common(rows.queries)
    n_rows, n_bins = len(rows), -(-(keys.stop - keys.start) // factor)
    highest = space.new_full((n_bins, n_rows), -torch.inf)
    totals = space.new_zeros({"none": 0, "row": 1, "bins": n_bins}[sums], n_rows)
    longest = max(1, len(space) // n_rows)
    ones = space.new_ones(longest)
    is_zero = False
    for chunk in pieces(keys, factor, longest):
        if chunk.stop <= readable.start or readable.stop <= chunk.start:
            continue
        is_open = by_all.start <= chunk.start and chunk.stop <= by_all.stop
        length = chunk.stop - chunk.start
        scores = rows.against(chunk, is_open, space[: length * n_rows].view(length, n_rows)).T
        peaks = by_bin(torch.amax, scores, factor)
        first = (chunk.start - keys.start) // factor
        here = slice(first, first + len(peaks))
        torch.maximum(highest[here], peaks, out=highest[here])
        if sums == "none":
            continue
        if level is None:
            level = _level(peaks)
            is_zero = not bool(level.any())
        powers = (scores if is_zero else scores.sub_(level)).exp2_()
        if sums == "row":
            # As a product it takes two thirds of the time.
            totals[0].addmv_(powers.T, ones[:length])
        else:
            totals[here] += by_bin(torch.sum, powers, factor)
    peak = _finite(highest.amax(0)) if n_bins else highest.new_zeros(n_rows)
    return Bins(highest, peak, peak if level is None else level, totals)


def _level(peaks: torch.Tensor) -> torch.Tensor:
    """Return what to take powers over by the peaks of the first bins; 0 where those are small."""
    level = _finite(peaks.amax(0))
    return torch.zeros_like(level) if float(level.abs().amax()) < SMALL_SCORE else level


def _finite(peak: torch.Tensor) -> torch.Tensor:
    """Return a number for rows that may read no key, too."""
    return peak.nan_to_num_(neginf=0.0)


def new_space(like: torch.Tensor) -> torch.Tensor:
    """Return memory for a chunk of scores: to ask for it each time costs a third of the time."""
    return like.new_empty(max(CHUNK_CELLS, like.shape[-1]))


def by_bin(
    reduce: Callable[..., Any], numbers: torch.Tensor, factor: int, axis: int = 0
) -> torch.Tensor:
    """Reduce an axis by bins of `factor`; the last one may be smaller."""
    length = numbers.shape[axis]
    rest = length % factor
    parts = []
    if rest < length:
        whole = numbers.narrow(axis, 0, length - rest) if rest else numbers
        shape = (*whole.shape[:axis], length // factor, factor, *whole.shape[axis + 1 :])
        parts.append(reduce(whole.reshape(shape), axis + 1))
    if rest:
        parts.append(reduce(numbers.narrow(axis, length - rest, rest), axis, keepdim=True))
    return parts[0] if len(parts) == 1 else torch.cat(parts, axis)

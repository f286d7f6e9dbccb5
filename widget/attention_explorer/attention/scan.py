"""One pass over the scores of some rows, in chunks of keys that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch

from .blocks import pieces
from .states import RowScores, exp_

# 1 MiB of float32: what a core's own cache holds, so that the products are what takes time.
CHUNK_CELLS = 1 << 18
# Powers of scores this far from their level lose nothing, and their sums don't overflow.
REACH = 40.0
# Powers of lower ones would underflow, which takes torch's exp up to 200 times as long.
LOWEST = -87.0

# The sums of powers that are needed: none, one a row, or one a bin of each row.
Sums = Literal["none", "row", "bins"]


class Bins(NamedTuple):
    """What the softmax of some rows needs, by bins of keys.

    Attributes
    ----------
    where : slice
        Which bins these are; no key of the others may be read.
    highest : tensor, shape (bins, rows)
        The highest score; minus infinity where no key may be read.
    peak : tensor, shape (rows,)
        The highest score of all bins, finite in any case.
    level : tensor, shape (rows,)
        A number within `REACH` of the peak.
    sums : tensor, shape (bins of sums, rows)
        The sum of exp(score - level).
    """

    where: slice
    highest: torch.Tensor
    peak: torch.Tensor
    level: torch.Tensor
    sums: torch.Tensor

    @property
    def are_within_reach(self) -> bool:
        """Whether the sums lost nothing."""
        return bool(((self.peak - self.level).abs_() <= REACH).all())


def scan(
    rows: RowScores, keys: slice, factor: int, sums: Sums, bound: float, space: torch.Tensor
) -> Bins:
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
    bound : float
        What no readable score's magnitude exceeds; matters where powers are summed.
    space : tensor
        From `new_space`, overwritten.
    """
    level = space.new_zeros(len(rows)) if bound < REACH else None
    bins = _read(rows, keys, factor, sums, space, level, bound)
    if sums == "none" or bound < REACH or bins.are_within_reach:
        return bins
    return _read(rows, keys, factor, sums, space, bins.peak, bound)


def _read(
    rows: RowScores,
    keys: slice,
    factor: int,
    sums: Sums,
    space: torch.Tensor,
    level: torch.Tensor | None,
    bound: float,
) -> Bins:
    mask = rows.states.mask
    readable = keys if mask is None else mask.bounds(rows.queries)
    by_all = keys if mask is None else mask.common(rows.queries)
    where = _bins_of(readable, keys, factor)
    n_rows, n_bins = len(rows), where.stop - where.start
    start = keys.start + where.start * factor
    highest = space.new_full((n_bins, n_rows), -torch.inf)
    totals = space.new_zeros({"none": 0, "row": 1, "bins": n_bins}[sums], n_rows)
    longest = max(1, len(space) // n_rows)
    ones = space.new_ones(1, longest)
    for chunk in pieces(slice(start, min(keys.stop, start + n_bins * factor)), factor, longest):
        if chunk.stop <= readable.start or readable.stop <= chunk.start:
            continue
        is_open = by_all.start <= chunk.start and chunk.stop <= by_all.stop
        length = chunk.stop - chunk.start
        scores = rows.against(chunk, is_open, space[: length * n_rows].view(length, n_rows)).T
        first = (chunk.start - start) // factor
        bins = slice(first, first - (-length // factor))
        if length % factor:
            peaks = by_bin(torch.amax, scores, factor)
            torch.maximum(highest[bins], peaks, out=highest[bins])
        else:
            torch.amax(scores.view(-1, factor, n_rows), 1, out=highest[bins])
        if sums == "none":
            continue
        if level is None:
            level = _finite(highest[bins].amax(0))
        if bound >= REACH:
            scores.sub_(level)
        if not is_open:
            exp_(scores)
        elif bound < REACH:
            scores.exp_()
        else:
            scores.clamp_(min=LOWEST).exp_()
        if sums == "row":
            # As a product it takes two thirds of the time.
            totals.addmm_(ones[:, :length], scores)
        else:
            totals[bins] += by_bin(torch.sum, scores, factor)
    peak = _finite(highest.amax(0)) if n_bins else highest.new_zeros(n_rows)
    return Bins(where, highest, peak, peak if level is None else level, totals)


def _bins_of(readable: slice, keys: slice, factor: int) -> slice:
    """Return the bins of `keys` that hold what is readable."""
    start, stop = max(readable.start, keys.start), min(readable.stop, keys.stop)
    first = (start - keys.start) // factor
    return slice(first, max(first, -((keys.start - stop) // factor)))


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

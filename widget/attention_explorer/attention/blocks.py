"""Blocks of a matrix: clipping a slice to it, cutting it up, pooling its cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .base import Float, Reduction

# Sampled rows in each row of a preview's cells, and a limit on what one preview reads.
PREVIEW_ROWS = 8
PREVIEW_CELLS = 1 << 24
# Rows of it that are read together: few, as they lie far apart, so that most keys of a causal mask
# are skipped.
PREVIEW_BLOCK_ROWS = 64


def clip(part: slice, length: int) -> slice:
    """Return `part` with both ends within ``0..length``; a step other than 1 is a ValueError."""
    start, stop, step = part.indices(length)
    if step != 1:
        raise ValueError(f"a block has to be a slice with step 1, got {part}")
    return slice(start, max(start, stop))


def pieces(part: slice, factor: int, longest: int) -> Iterator[slice]:
    """Cut `part` up for pooling by `factor`, counted from its start.

    A piece is at most `longest` long and holds whole cells, or lies within one.
    """
    step = longest // factor * factor or factor
    for first in range(part.start, part.stop, step):
        stop = min(first + step, part.stop)
        for start in range(first, stop, longest):
            yield slice(start, min(start + longest, stop))


def check_pooling(factor: int, reduction: Reduction) -> None:
    """Refuse a factor below 1 and an unknown reduction."""
    if factor < 1:
        raise ValueError(f"the pooling factor has to be 1 or more, got {factor}")
    if reduction not in ("max", "mean"):
        raise ValueError(f"the reduction has to be 'max' or 'mean', got {reduction!r}")


def pool(block: Float, factor: int, reduction: Reduction, signed: bool = False) -> Float:
    """Pool the last two axes of `block` by `factor` x `factor` cells.

    Parameters
    ----------
    block : array, shape (..., rows, columns)
        The weights.
    factor : int
        Cells a side; cells at the border pool what there is.
    reduction : "max" or "mean"
        What one cell says of its weights.
    signed : bool
        Whether the maximum is of the absolute value, sign kept.

    Returns
    -------
    array, shape (..., ceil(rows / factor), ceil(columns / factor))
    """
    check_pooling(factor, reduction)
    if factor == 1:
        return block
    if reduction == "max" and signed:
        highest = pool(block, factor, "max")
        lowest = -pool(-block, factor, "max")
        return np.where(highest >= -lowest, highest, lowest)
    # Rows first: that pass is along contiguous memory and leaves little for the other.
    return _pool_axis(_pool_axis(block, factor, reduction, -2), factor, reduction, -1)


def cell_sizes(length: int, factor: int) -> Float:
    """Return how many of `length` entries each cell of `factor` holds."""
    starts = np.arange(0, length, factor)
    return np.minimum(length - starts, factor).astype(np.float32)


def preview_samples(n_queries: int, n_keys: int, factor: int) -> int | None:
    """Return how many rows a preview reads for each row of its cells; None where it reads all."""
    n_bands = -(-n_queries // factor)
    n_samples = min(PREVIEW_ROWS, max(1, PREVIEW_CELLS // (n_bands * n_keys)))
    return None if factor <= n_samples else n_samples


def sample(length: int, factor: int, count: int) -> list[int]:
    """Return `count` positions of each stretch of `factor`, one at random in each of its parts.

    Evenly spaced ones would meet, or miss, whatever repeats in a text at their distance.
    """
    starts = np.arange(0, length, factor)[:, None]
    sizes = np.minimum(length - starts, factor)
    shares = (np.arange(count) + np.random.default_rng(0).random((len(starts), count))) / count
    positions: list[int] = (starts + (shares * sizes).astype(np.int64)).ravel().tolist()
    return positions


def _pool_axis(block: Float, factor: int, reduction: Reduction, axis: int) -> Float:
    """Pool one of the last two axes; what doesn't fill a cell at the end is a cell of its own."""
    whole = block.shape[axis] // factor * factor
    parts = [_reduce(np.split(block, [whole], axis)[0], factor, reduction, axis)] if whole else []
    if whole < block.shape[axis]:
        rest = np.split(block, [whole], axis)[1]
        parts.append(_reduce(rest, rest.shape[axis], reduction, axis))
    return parts[0] if len(parts) == 1 else np.concatenate(parts or [block], axis)


def _reduce(block: Float, factor: int, reduction: Reduction, axis: int) -> Float:
    """Pool an axis that `factor` divides: ten times as fast as numpy's ``reduceat``."""
    shape = list(block.shape)
    at = axis % block.ndim
    shape[at : at + 1] = [shape[at] // factor, factor]
    cells = block.reshape(shape)
    pooled: Float = cells.max(at + 1) if reduction == "max" else cells.mean(at + 1)
    return pooled

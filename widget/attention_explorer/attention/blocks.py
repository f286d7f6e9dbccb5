"""Blocks of a matrix: clipping a slice to it, pooling its cells."""

from __future__ import annotations

import numpy as np

from .base import Float, Reduction


def clip(part: slice, length: int) -> slice:
    """Return `part` with both ends within ``0..length``; a step other than 1 is a ValueError."""
    start, stop, step = part.indices(length)
    if step != 1:
        raise ValueError(f"a block has to be a slice with step 1, got {part}")
    return slice(start, max(start, stop))


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
    if factor < 1:
        raise ValueError(f"the pooling factor has to be 1 or more, got {factor}")
    if factor == 1:
        return block
    shape = (*block.shape[:-2], -(-block.shape[-2] // factor), -(-block.shape[-1] // factor))
    if 0 in shape:
        return np.zeros(shape, np.float32)
    if reduction == "mean":
        sums = _reduce(np.add, block, factor)
        return sums / _counts(block.shape[-2], factor)[:, None] / _counts(block.shape[-1], factor)
    if reduction != "max":
        raise ValueError(f"the reduction has to be 'max' or 'mean', got {reduction!r}")
    highest = _reduce(np.maximum, block, factor)
    if not signed:
        return highest
    lowest = _reduce(np.minimum, block, factor)
    return np.where(highest >= -lowest, highest, lowest)


def _reduce(function: np.ufunc, block: Float, factor: int) -> Float:
    """Reduce rows first: that pass is along contiguous memory and leaves little for the other."""
    for axis in (-2, -1):
        block = function.reduceat(block, np.arange(0, block.shape[axis], factor), axis=axis)
    return block


def _counts(length: int, factor: int) -> Float:
    starts = np.arange(0, length, factor)
    return np.minimum(length - starts, factor).astype(np.float32)

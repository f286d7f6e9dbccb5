"""How much each head differs between two attentions, and where most."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention.base import Float
from ..attention.difference import DifferenceAttention
from .sums import LEAST_LEFT, ROWS, sampled_queries

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

# Weights of each side that are worked on in one step: some ms.
_CELLS = 1 << 17
# Below it a weight has no logarithm in float64.
_LEAST = np.finfo(np.float64).tiny


class Differing(NamedTuple):
    """How each head differs, arrays of shape (n_layers, n_heads).

    Attributes
    ----------
    js : array of float64
        The mean over queries of the Jensen-Shannon divergence between what they read on both sides,
        in nats: 0 to ln 2; NaN where no row says anything, and of numbers below 0.
    query, key : array of int
        Where the weights differ most.
    first, second : array of float32
        What these are there.
    """

    js: Numbers
    query: Indices
    key: Indices
    first: Float
    second: Float


def differing_steps(
    difference: DifferenceAttention, hidden: Sequence[int] = (), rows: int = ROWS
) -> Generator[float, None, Differing]:
    """Compare two attentions head by head, some rows a step; yields the share that is done.

    Rows are compared over the keys that stand opposite each other: on each side their weights are
    divided by their sum. A row with less than `sums.LEAST_LEFT` there on either side is left out.

    Parameters
    ----------
    difference : DifferenceAttention
        Of the two.
    hidden : sequence of int
        Keys that are set aside.
    rows : int
        Of more queries than that one at random is read of each of so many equal stretches: an
        estimate, but the same each time.

    Returns
    -------
    Differing
        Of all heads.
    """
    n_layers, n_heads = difference.n_layers, difference.n_heads
    queries = sampled_queries(difference.n_queries, rows)
    shown = np.setdiff1d(np.arange(difference.n_keys), hidden)
    widest = max(difference.first.n_keys, difference.base.n_keys)
    is_signed = difference.first.signed or difference.base.signed
    at_once = max(1, _CELLS // (n_heads * widest))
    js, counts = np.zeros((n_layers, n_heads)), np.zeros((n_layers, n_heads))
    query, key = np.zeros((2, n_layers, n_heads), np.int64)
    ends = np.zeros((2, n_layers, n_heads), np.float32)
    for layer in range(n_layers):
        for start in range(0, len(queries), at_once):
            some = queries[start : start + at_once]
            both = difference.both_rows(layer, range(n_heads), some.tolist())
            first, second = (weights[..., shown] for weights in both)
            if not is_signed:
                divergence, says = _divergence(first, second)
                js[layer] += divergence.sum(1)
                counts[layer] += says.sum(1)
            if len(shown):
                where, found = _largest(first, second)
                is_larger = np.abs(found[1] - found[0]) > np.abs(ends[1, layer] - ends[0, layer])
                query[layer, is_larger] = some[where[0]][is_larger]
                key[layer, is_larger] = shown[where[1]][is_larger]
                ends[:, layer, is_larger] = found[:, is_larger]
            yield (layer + (start + len(some)) / len(queries)) / n_layers
    with np.errstate(invalid="ignore"):
        return Differing(js / counts, query, key, *ends)


def _divergence(first: Float, second: Float) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Return the divergence of each row, 0 where it says nothing, and whether it says something."""
    sums = np.stack([first.sum(-1, dtype=np.float64), second.sum(-1, dtype=np.float64)])
    says = np.all(sums >= LEAST_LEFT, axis=0)
    p, q = (
        weights / np.maximum(own, LEAST_LEFT)[..., None]
        for weights, own in zip((first, second), sums, strict=True)
    )
    middle = np.maximum((p + q) / 2, _LEAST)
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return np.maximum(divergence, 0) * says, says


def _relative_entropy(p: Numbers, q: Numbers) -> Numbers:
    found: Numbers = (p * np.log(np.maximum(p, _LEAST) / q)).sum(-1)
    return found


def _largest(first: Float, second: Float) -> tuple[Indices, Float]:
    """Return row and column of each head's largest difference, and both weights there."""
    n_heads, _, n_keys = first.shape
    flat = [weights.reshape(n_heads, -1) for weights in (first, second)]
    at = np.abs(flat[1] - flat[0]).argmax(1)
    found = np.stack([weights[np.arange(n_heads), at] for weights in flat])
    return np.stack(np.divmod(at, n_keys)), found

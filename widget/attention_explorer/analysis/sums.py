"""One pass over the rows of heads, summed up: what scores and labels are made of."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from ..attention.base import Float
from ..attention.blocks import pieces
from .moved import sample
from .patterns import FIXED, PATTERNS, RELATIVE, Flags, Indices, Text

Numbers = npt.NDArray[np.float64]

# Weights that are worked on in one step, 4 MB: some ms.
CELLS = 1 << 20
# Up to so many queries all are read, else so many of them: an estimate.
ROWS = 256
_SEED = 0

# A row that reads less than this beside what is set aside says nothing of its head.
LEAST_LEFT = 0.01
# Below it a weight has no logarithm in float32.
_LEAST = np.finfo(np.float32).tiny

# What of a row is averaged beside the weight on a pattern's keys.
SHAPES = ("entropy", "peak", "distance", "broad")
MEASURES = (*SHAPES, *PATTERNS)


class Part(NamedTuple):
    """Heads of a layer, and the fixed patterns whose keys are set aside in their rows."""

    layer: int
    heads: tuple[int, ...]
    aside: tuple[str, ...] = ()


class Sums(NamedTuple):
    """Means over rows, of every head; NaN where no row has such a key.

    Attributes
    ----------
    score, baseline : array of float64, shape (len(MEASURES), n_layers, n_heads)
        Of the head, and of uniform attention on the same rows (of shapes NaN).
    support : array of float64, shape (len(MEASURES), n_layers, n_heads)
        How many rows these are means of.
    """

    score: Numbers
    baseline: Numbers
    support: Numbers


def sampled_queries(n_queries: int, rows: int = ROWS) -> Indices:
    """Return the queries that are read: all, or one at random of each of `rows` equal stretches."""
    if rows < 1:
        raise ValueError(f"rows has to be 1 or more, got {rows}")
    return sample(n_queries, rows, _SEED)


def every_head(attention: Attention) -> list[Part]:
    """Return all heads, with nothing set aside."""
    return [Part(layer, tuple(range(attention.n_heads))) for layer in range(attention.n_layers)]


def sum_steps(
    attention: Attention, text: Text, parts: Sequence[Part], queries: Indices
) -> Generator[float, None, Sums]:
    """Read some rows of heads once, and sum up what is measured of them.

    Parameters
    ----------
    attention : Attention
        Not signed.
    text : Text
        Its tokens.
    parts : sequence of Part
        Which heads; the others stay NaN. What is set aside counts as not there: the other weights
        of a row are raised to the sum that all had, and rows with nothing left are left out.
    queries : array of int
        Which rows.
    """
    shape = (len(MEASURES), attention.n_layers, attention.n_heads)
    score, baseline, support = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    done, total = 0, sum(len(part.heads) for part in parts) * len(queries)
    for some in blocks(queries, attention.n_keys):
        known: dict[tuple[str, ...], Expected] = {}
        for part in parts:
            if part.aside not in known:
                known[part.aside] = Expected(text, some, part.aside)
            expected = known[part.aside]
            at_once = max(1, CELLS // (len(some) * attention.n_keys))
            for first in range(0, len(part.heads), at_once):
                heads = part.heads[first : first + at_once]
                rows = attention.rows(part.layer, heads, some.tolist())
                where = np.s_[:, part.layer, list(heads)]
                is_left = _set_aside(rows, expected.aside)
                score[where] += np.concatenate([expected.shapes(rows), expected.masses(rows)])
                support[where] += expected.counts(is_left)
                baseline[where] += expected.uniform(is_left)
                done += len(heads) * len(some)
                yield done / total
    return Sums(_over(score, support), _over(baseline, support), support)


def _over(sums: Numbers, counts: Numbers) -> Numbers:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def blocks(queries: Indices, n_keys: int) -> Iterator[Indices]:
    """Cut queries up so that a head's rows of them fit in a step."""
    for part in pieces(slice(0, len(queries)), 1, max(1, CELLS // n_keys)):
        yield queries[part]


def _set_aside(rows: Float, keys: Indices) -> Flags:
    """Take keys out of rows, in place; return which rows have something left."""
    if not len(keys):
        return np.ones(rows.shape[:2], bool)
    whole = rows.sum(-1)
    rows[..., keys] = 0
    left = rows.sum(-1)
    is_left: Flags = left > LEAST_LEFT * whole
    rows *= np.divide(whole, left, out=np.zeros_like(left), where=is_left)[..., None]
    return is_left


def distances_to(queries: Indices, n_keys: int) -> Float:
    """Return how far each key is from each query, in tokens, shape (..., queries, keys)."""
    found: Float = abs(queries[..., None] - np.arange(n_keys)).astype(np.float32)
    return found


class Cells(NamedTuple):
    """Cells of relative patterns: the row and the key of each, and which of `RELATIVE` it is of."""

    row: Indices
    key: Indices
    pattern: Indices


class Expected:
    """What some rows would read by each pattern, without the keys that are set aside.

    Attributes
    ----------
    aside : array of int
        The keys that are set aside.
    fixed : array of float32, shape (keys, len(FIXED))
        1 for the keys of each pattern that has the same ones for every row.
    readable : array of int64, shape (rows,)
        How many keys a row may read.
    logs : array of float64, shape (rows,)
        The entropy of a row that is uniform.
    cells : Cells
        Pattern by pattern, and row by row.
    has, baselines : array of float64, shape (len(MEASURES), rows)
        1 for the rows that have what is measured; and what uniform attention would have of it.
    """

    def __init__(self, text: Text, queries: Indices, patterns_aside: tuple[str, ...]) -> None:
        hidden = np.zeros(text.n_keys, bool)
        for pattern in patterns_aside:
            hidden |= text.fixed(pattern)
        self.aside = np.flatnonzero(hidden)
        self._queries = queries
        fixed = np.stack([text.fixed(pattern) for pattern in FIXED], 1) & ~hidden[:, None]
        self.fixed = fixed.astype(np.float32)
        self.readable = text.count(queries, ~hidden)
        self.logs = np.log(np.maximum(self.readable, 2))
        every = np.ones(len(queries))
        by_pattern = text.relative(queries)
        row, key = (np.concatenate(each) for each in zip(*by_pattern, strict=True))
        of = np.repeat(np.arange(len(RELATIVE)), [len(pairs.rows) for pairs in by_pattern])
        self.cells = Cells(*(each[~hidden[key]] for each in (row, key, of)))
        is_read = text.may_read(queries[self.cells.row], self.cells.key)
        counts = [text.count(queries, fixed).T, self._by_row(is_read)]
        # A fixed pattern is a share of every row, be it nothing.
        always = [every, every, every * text.same, self.readable > 1, *[every] * len(FIXED)]
        self.has = np.concatenate([always, self._by_row(np.ones_like(is_read)) > 0])
        # Uniform attention is as broad as can be; its other shapes are compared with nothing.
        no_share = every * np.nan
        shares = np.concatenate(counts) / np.maximum(self.readable, 1)
        shapes = [no_share, no_share, no_share, every]
        self.baselines = self.has * np.concatenate([shapes, shares])

    def _by_row(self, which: Flags) -> Indices:
        """Return how many of some cells each row has, shape (len(RELATIVE), rows)."""
        n_rows = len(self._queries)
        at = (self.cells.pattern * n_rows + self.cells.row)[which]
        return np.bincount(at, minlength=len(RELATIVE) * n_rows).reshape(-1, n_rows)

    @cached_property
    def distances(self) -> Float:
        """How far each key is from each row's query, in tokens, shape (rows, keys)."""
        return distances_to(self._queries, len(self.fixed))

    @cached_property
    def _flat_cells(self) -> list[Indices]:
        """Of each relative pattern its cells, counted through (rows, keys)."""
        at = self.cells.row * len(self.fixed) + self.cells.key
        return np.split(at, np.searchsorted(self.cells.pattern, np.arange(1, len(RELATIVE))))

    def shapes(self, rows: Float) -> Numbers:
        """Return the sums over rows of entropy, peak, distance and breadth, shape (4, heads)."""
        work = np.maximum(rows, _LEAST)
        np.log(work, out=work)
        work *= rows
        entropies = -work.sum(-1)
        distances = np.multiply(rows, self.distances, out=work).sum(-1)
        by_row = (entropies, rows.max(-1), distances, entropies / self.logs)
        return np.stack([each.sum(-1, dtype=np.float64) for each in by_row])

    def masses(self, rows: Float) -> Numbers:
        """Return the sums of the weights on each pattern's keys, shape (len(PATTERNS), heads)."""
        fixed = (rows @ self.fixed).sum(1, dtype=np.float64)
        flat = rows.reshape(len(rows), -1)
        relative = [flat.take(at, 1).sum(1, dtype=np.float64) for at in self._flat_cells]
        return np.stack([*fixed.T, *relative])

    def counts(self, is_left: Flags) -> Numbers:
        """Return how many rows have such keys, of those with something left."""
        counts: Numbers = self.has @ is_left.T
        return counts

    def uniform(self, is_left: Flags) -> Numbers:
        """Return the sums over the same rows of what uniform attention would have."""
        shares: Numbers = self.baselines @ is_left.T
        return shares

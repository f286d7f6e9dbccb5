"""Which lines the head view draws: the largest weights of each row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention.base import Float
from .caption import mass
from .scene import MOST_QUERIES, Scene

# Those too faint to be seen are left out, and what no page can hold.
FAINTEST = 0.01
MOST_LINES = 10_000

Indices = npt.NDArray[np.intp]


class Lines(NamedTuple):
    """Weights as lines from queries to keys.

    Attributes
    ----------
    heads : array of int, shape (lines,)
        Which of the chosen heads, counted among them.
    queries, keys : array of int, shape (lines,)
        Their ends.
    weights : array of float32, shape (lines,)
        What they stand for.
    """

    heads: Indices
    queries: Indices
    keys: Indices
    weights: Float

    def __len__(self) -> int:
        return len(self.weights)

    def only(self, which: npt.NDArray[np.bool_] | Indices) -> Lines:
        """Return some of the lines."""
        return Lines(self.heads[which], self.queries[which], self.keys[which], self.weights[which])


class Resting(NamedTuple):
    """What all queries read: the lines, each how-many-th query has some, and the mass they hold."""

    lines: Lines
    every: int
    held: float


def top_mass(rows: Float, share: float) -> npt.NDArray[np.bool_]:
    """Return which weights are the largest of their row that together hold a share of its sum.

    Parameters
    ----------
    rows : array, shape (..., weights)
        Signed weights count by their size.
    share : float
        Above 0, at most 1.

    Returns
    -------
    array of bool, shape (..., weights)
    """
    sizes = np.abs(rows.astype(np.float64))
    order = np.argsort(-sizes, axis=-1, kind="stable")
    ranked = np.take_along_axis(sizes, order, axis=-1)
    before = np.cumsum(ranked, axis=-1) - ranked
    total = ranked.sum(-1, keepdims=True)
    wanted = total if share >= 1 else (share - 1e-6) * total
    chosen = (before < wanted) & (ranked > 0) if share < 1 else ranked > 0
    kept = np.zeros(rows.shape, bool)
    np.put_along_axis(kept, order, chosen, axis=-1)
    return kept


def lines_of(rows: Float, queries: npt.ArrayLike, share: float) -> Lines:
    """Return the lines of rows of weights, shape (heads, queries, keys)."""
    heads, places, keys = np.nonzero(top_mass(rows, share))
    return Lines(heads, np.asarray(queries, np.intp)[places], keys, rows[heads, places, keys])


def resting_lines(scene: Scene) -> Resting:
    """Return the lines of all queries that can be seen, of many every how-many-th."""
    every = -(-scene.attention.n_queries // MOST_QUERIES)
    found: list[Lines] = []
    total = held = 0.0
    for queries, rows in scene.row_blocks(range(0, scene.attention.n_queries, every)):
        lines = lines_of(rows, queries, scene.top_mass)
        lines = lines.only(strength(lines.weights, scene.attention.scale, scene) >= FAINTEST)
        total += mass(rows)
        held += mass(lines.weights)
        found.append(lines)
    joined = Lines(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    if len(joined) > MOST_LINES:
        joined = joined.only(np.sort(np.argsort(-np.abs(joined.weights))[:MOST_LINES]))
        held = mass(joined.weights)
    return Resting(joined, every, held / total if total else 1.0)


def strength(weights: Float, full: float, scene: Scene) -> Float:
    """Return the opacity of lines at rest; many heads over each other are lighter, or a haze."""
    opacity: Float = (np.abs(weights) / full) ** 0.7 / np.sqrt(len(scene.heads))
    return np.minimum(1, opacity)

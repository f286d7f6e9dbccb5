"""Which lines the head view draws: the largest weights of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention.base import Float
from .caption import mass, percent
from .scene import MOST_QUERIES, Scene

# Those too faint to be seen are left out, and what no page can hold.
FAINTEST = 0.01
MOST_LINES = 10_000

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


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

    def only(self, which: Mask | Indices) -> Lines:
        """Return some of the lines."""
        return Lines(self.heads[which], self.queries[which], self.keys[which], self.weights[which])


class Resting(NamedTuple):
    """What all queries read.

    Attributes
    ----------
    lines : Lines
        Those that are drawn.
    every : int
        Each how-many-th query has some.
    held : float
        The share of these queries' mass that they hold.
    faint : bool
        Whether some are left out only because they can't be seen, or are too many.
    """

    lines: Lines
    every: int
    held: float
    faint: bool


def chosen(scene: Scene, rows: Float, may: Mask | None = None) -> Mask:
    """Return which weights have lines: of those of a row that may, the largest within all limits.

    Parameters
    ----------
    scene : Scene
        Its `top_mass`, `top_k` and `threshold` are the limits; signed weights count by their size.
    rows : array, shape (..., weights)
        The weights.
    may : array of bool, broadcast to that shape, optional
        Which may have lines at all.

    Returns
    -------
    array of bool, shape (..., weights)
    """
    sizes = np.abs(rows.astype(np.float64)) * (1 if may is None else may)
    order = np.argsort(-sizes, axis=-1, kind="stable")
    ranked = np.take_along_axis(sizes, order, axis=-1)
    kept = (ranked > 0) & (ranked >= scene.threshold)
    if scene.top_mass < 1:
        before = np.cumsum(ranked, axis=-1) - ranked
        kept &= before < (scene.top_mass - 1e-6) * ranked.sum(-1, keepdims=True)
    if scene.top_k is not None:
        kept[..., scene.top_k :] = False
    drawn = np.zeros(rows.shape, bool)
    np.put_along_axis(drawn, order, kept, axis=-1)
    return drawn


def row_lines(scene: Scene, rows: Float, queries: Sequence[int]) -> Lines:
    """Return the lines of what queries read, shape (heads, queries, keys)."""
    which = np.asarray(queries, np.intp)
    heads, places, keys = np.nonzero(chosen(scene, rows, _between(scene, which, None)))
    return Lines(heads, which[places], keys, rows[heads, places, keys])


def column_lines(scene: Scene, columns: Float, key: int) -> Lines:
    """Return the lines of what reads a key, shape (heads, queries)."""
    may = _between(scene, None, np.array([key]))
    heads, queries = np.nonzero(chosen(scene, columns, None if may is None else may[:, 0]))
    return Lines(heads, queries, np.full_like(queries, key), columns[heads, queries])


def strongest(scene: Scene, resting: Resting, most: int) -> Resting:
    """Return at most so many of the lines."""
    lines = resting.lines
    if len(lines) <= most:
        return resting
    kept = lines.only(np.sort(np.argsort(-strength(lines.weights, scene), kind="stable")[:most]))
    return resting._replace(
        lines=kept, held=resting.held * mass(kept.weights) / mass(lines.weights)
    )


def left_out(scene: Scene, resting: Resting, fewer: str = "") -> list[str]:
    """Say how much of the weight has lines, and why the rest has none: by limits, or `fewer`."""
    limits = _limits_text(scene)
    remarks = []
    if limits or resting.held < 0.9995:
        faint = "less the faintest" if resting.faint else ""
        reasons = ", ".join(filter(None, (limits, fewer or faint)))
        remarks.append(f"lines hold {percent(resting.held)} of all {scene.number} ({reasons})")
    if resting.every > 1:
        remarks.append(f"lines of 1 query in {resting.every}")
    return remarks


def _limits_text(scene: Scene) -> str:
    """Return the limits that are set, in words."""
    limits = []
    if scene.between:
        limits.append("between segments " + ", ".join(f"{a} → {b}" for a, b in scene.between))
    if scene.top_mass < 1:
        limits.append(f"the top {percent(scene.top_mass)} of each row")
    if scene.top_k is not None:
        limits.append(f"at most {scene.top_k} a row")
    if scene.threshold > 0:
        limits.append(f"from {scene.threshold:.2g}")
    return ", ".join(limits)


def _between(scene: Scene, queries: Indices | None, keys: Indices | None) -> Mask | None:
    """Return which pairs the filter by segments lets through; None where there is none."""
    if not scene.between:
        return None
    of_query, of_key = np.array(scene.queries.segment), np.array(scene.keys.segment)
    reading = of_query if queries is None else of_query[queries]
    read = of_key if keys is None else of_key[keys]
    through = np.zeros((len(reading), len(read)), bool)
    for one, other in scene.between:
        through |= (reading == one)[:, None] & (read == other)
    return through


def resting_lines(scene: Scene) -> Resting:
    """Return the lines of all queries that can be seen, of many every how-many-th."""
    every = -(-scene.attention.n_queries // MOST_QUERIES)
    found: list[Lines] = []
    total = 0.0
    count = 0
    for queries, rows in scene.row_blocks(range(0, scene.attention.n_queries, every)):
        lines = row_lines(scene, rows, queries)
        count += len(lines)
        total += mass(rows)
        found.append(lines.only(strength(lines.weights, scene) >= FAINTEST))
    joined = Lines(*(np.concatenate(columns) for columns in zip(*found, strict=True)))
    if len(joined) > MOST_LINES:
        joined = joined.only(np.sort(np.argsort(-np.abs(joined.weights))[:MOST_LINES]))
    held = mass(joined.weights) / total if total else 1.0
    return Resting(joined, every, held, faint=held < 1 and len(joined) < count)


def strength(weights: Float, scene: Scene) -> Float:
    """Return the opacity of lines at rest; many heads over each other are lighter, or a haze."""
    shares = np.abs(weights) / scene.attention.scale
    opacity: Float = shares**0.7 / np.sqrt(len(scene.heads))
    return np.minimum(1, opacity)

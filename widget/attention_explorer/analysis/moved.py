"""Tokens that are asked about, moved to other places of the text: what chance would have them read.

Two moves keep what matters of a choice of tokens. Shifts move queries and keys together, so that
all distances stay what they are. Rotations move the keys alone, around the circle of the keys that
might have been chosen, so that neighbours stay neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from ..attention.base import Float

Indices = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]

# So many places of a text are looked at; where it has more, as many of them at random.
PLACES = 256
# Of weights that are read at once, and of those that are read of one head for all places.
CELLS = 1 << 20
_READ = 1 << 20
# So many places are worth more, as long as it is no more than a quarter of the head.
_WORTH = 24


def sample(count: int, most: int, seed: int) -> Indices:
    """Return all of 0, 1, ... `count` - 1, or one at random of each of `most` equal stretches."""
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, most + 1)
    within = np.random.default_rng(seed).random(most)
    return (edges[:-1] + within * np.diff(edges)).astype(np.int64)


def shifts(special: Marks, positions: Sequence[int]) -> Indices:
    """Return by how much some tokens can be moved along their text; 0 first.

    Special tokens are set apart: a place counts if its tokens are special just where those that are
    moved are.

    Parameters
    ----------
    special : array of bool, shape (n_tokens,)
        Which tokens the tokenizer added.
    positions : sequence of int
        The tokens that are moved.
    """
    found = np.arange(-min(positions), len(special) - max(positions))
    fits = found != 0
    for position in positions:
        fits &= special[position + found] == special[position]
    return np.append(0, found[fits])


def few(by: Indices, n_tokens: int, n_queries: int, seed: int) -> Indices:
    """Return the shifts that are read: all, or the first and a sample of the others.

    At most `PLACES`, and fewer in a long text, of which no more than a part is read.
    """
    n_rows = max(_READ // n_tokens, min(_WORTH * n_queries, n_tokens // 4))
    most = PLACES if n_rows >= n_tokens else max(2, min(PLACES, n_rows // n_queries))
    return np.append(0, by[1 + sample(len(by) - 1, most - 1, seed)])


def shifted(
    attention: Attention,
    layer: int,
    head: int,
    queries: Sequence[int],
    sets: Sequence[Sequence[int]],
    by: Indices,
) -> Iterator[Numbers]:
    """Yield a head's masses from queries to sets of keys, all shifted; shape (sets, shifts).

    Each time it is a part, after a few ms of work: their sum is the whole.
    """
    at_once = max(1, CELLS // attention.n_keys)
    for some in np.array_split(np.array(queries), -(-len(queries) // at_once)):
        n_parts = min(len(by), -(-len(by) * len(some) // at_once))
        for part in np.array_split(np.arange(len(by)), n_parts):
            rows, where = np.unique(by[part, None] + some, return_inverse=True)
            weights = attention.rows(layer, [head], rows.tolist())[0]
            found = np.zeros((len(sets), len(by)))
            for number, keys in enumerate(sets):
                for run in _runs(keys):
                    masses = _run_masses(weights, rows, some, run)
                    own = masses[where.reshape(len(part), len(some)), range(len(some))]
                    found[number, part] += own.sum(1) / len(queries)
            yield found


def _run_masses(weights: Float, rows: Indices, queries: Indices, run: tuple[int, int]) -> Numbers:
    """Return what each row reads of a run of keys moved as each query is to it: (rows, queries)."""
    start, stop = run
    # All that is needed of a row lies as far from it as some key of the run from some query.
    offsets = np.arange(start - queries[-1], stop - queries[0])
    keys = np.clip(rows[:, None] + offsets, 0, weights.shape[1] - 1)
    sums = np.zeros((len(rows), len(offsets) + 1))
    np.cumsum(np.take_along_axis(weights, keys, 1), 1, np.float64, out=sums[:, 1:])
    first = queries[-1] - queries
    masses: Numbers = sums[:, first + (stop - start)] - sums[:, first]
    return masses


def circle_of(
    picked: Sequence[int], queries: Sequence[int], special: Marks, same_tokens: bool, causal: bool
) -> Indices:
    """Return the keys that might have been picked, in the order of the text, with those picked.

    Keys that the tokenizer added are set apart, as are the queries themselves unless one of them
    is picked, and in a causal model what comes after the first query.
    """
    might = ~special
    if same_tokens and not set(queries) & set(picked):
        might[list(queries)] = False
    if causal:
        might[min(queries) + 1 :] = False
    might[list(picked)] = True
    return np.flatnonzero(might)


def rotations(circle: Indices, most: int, seed: int) -> Indices:
    """Return by how many places keys can be moved along the circle, `most` at random; 0 first."""
    return np.append(0, 1 + sample(len(circle) - 1, most, seed))


def rotated(values: Numbers, circle: Indices, keys: Sequence[int], by: Indices) -> Numbers:
    """Return sums of values (..., n_keys) over keys, rotated on the circle; (..., rotations)."""
    along = values[..., circle]
    found = np.zeros((*values.shape[:-1], len(by)))
    for place in np.searchsorted(circle, keys):
        found += along[..., (place + by) % len(circle)]
    return found


def _runs(positions: Sequence[int]) -> list[tuple[int, int]]:
    """Return runs of positions that follow each other, each as (start, stop)."""
    ascending = np.array(positions)
    cuts = np.flatnonzero(np.diff(ascending) != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(ascending, cuts)]

"""What chance makes of a number: percentiles, permutation tests, rank correlation, bands."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from ..attention.base import Float
from .moved import CELLS, PLACES, Marks, Numbers, sample
from .steps import finish

_SEED = 0
# Of float32, after some operations.
_ROUNDING = 1e-6


class Standing(NamedTuple):
    """Where a weight stands among those of its distance.

    Attributes
    ----------
    percentile : float
        0 to 100; NaN where there is nothing to compare with.
    n_cells : int
        How many weights it stands on, over all heads.
    is_sampled : bool
        Whether these are a sample of the text's.
    """

    percentile: float
    n_cells: int
    is_sampled: bool


def percentile(values: npt.ArrayLike, among: npt.ArrayLike) -> Numbers:
    """Return where values stand among others: the share of these below, and half of its equals.

    Parameters
    ----------
    values : array of any shape
        NaN stays NaN.
    among : array of any shape
        Without NaN. What is compared may be one of them: of N different numbers the largest has
        100 (1 - 1 / (2 N)), and equals all have 50. Numbers are equal where they differ by no more
        than rounding: read with other rows, a weight may.

    Returns
    -------
    ndarray, of the shape of `values`
        0 to 100; NaN where `among` is empty.
    """
    numbers, ordered = np.asarray(values, np.float64), np.sort(np.asarray(among), axis=None)
    if not ordered.size:
        return np.full(numbers.shape, np.nan)
    slack = _ROUNDING * np.abs(numbers)
    below = np.searchsorted(ordered, numbers - slack, "left")
    up_to = np.searchsorted(ordered, numbers + slack, "right")
    standing = (below + up_to) * (50 / ordered.size)
    return np.where(np.isnan(numbers), np.nan, standing)


def diagonal_queries(
    attention: Attention, offset: int, special: Marks | None = None
) -> npt.NDArray[np.int64]:
    """Return the queries that have a key at a distance.

    Parameters
    ----------
    attention : Attention
        Between the same tokens: of others, a distance says nothing.
    offset : int
        The key's position less the query's: -1 for the token before.
    special : array of bool, shape (n_keys,), optional
        Tokens to set apart: no cell is from one or to one.
    """
    queries = np.arange(max(0, -offset), min(attention.n_queries, attention.n_keys - offset))
    if special is not None:
        queries = queries[~(special[queries] | special[queries + offset])]
    return queries


def diagonal_steps(
    attention: Attention, offset: int, special: Marks | None = None
) -> Generator[float, None, Float]:
    """Read the weights of one distance in every head; yields the share that is done.

    Returns
    -------
    ndarray of float32, shape (n_layers, n_heads, n_cells)
        Of all `diagonal_queries`, or of `PLACES` of them at random where there are more. To be
        kept: what any head reads at this distance stands among these, by `percentile`.
    """
    queries = diagonal_queries(attention, offset, special)
    queries = queries[sample(len(queries), PLACES, _SEED)]
    cells = np.zeros((attention.n_layers, attention.n_heads, len(queries)), np.float32)
    at_once = max(1, CELLS // attention.n_keys)
    for layer, head in np.ndindex(cells.shape[:2]):
        for first in range(0, len(queries), at_once):
            some = queries[first : first + at_once]
            rows = attention.rows(layer, [head], some.tolist())[0]
            cells[layer, head, first : first + at_once] = rows[range(len(some)), some + offset]
            yield (layer * attention.n_heads + head + 1) / (cells.shape[0] * cells.shape[1])
    return cells


def percentile_at_distance(
    attention: Attention,
    layer: int,
    head: int,
    query: int,
    key: int,
    special: Marks | None = None,
) -> Standing:
    """Return where a weight stands among all of the same signed distance, of all heads.

    Large weights at some distances are nothing special: many heads read the token before, whatever
    it is. Reads a row of every head for each cell: who asks for several weights of one distance
    keeps what `diagonal_steps` returns.

    Parameters
    ----------
    attention : Attention
        Between the same tokens, or words or segments of them.
    layer, head, query, key : int
        Which weight.
    special : array of bool, shape (n_keys,), optional
        Tokens to set apart: no weight from one or to one is compared with. If the weight itself is,
        it stands among those of ordinary tokens.

    Returns
    -------
    Standing
        The percentile, by midranks, among at most `PLACES` weights of each head.
    """
    offset = key - query
    cells = finish(diagonal_steps(attention, offset, special))
    weight = attention.rows(layer, [head], [query])[0, 0, key]
    is_sampled = len(diagonal_queries(attention, offset, special)) > PLACES
    return Standing(float(percentile(weight, cells)), cells.size, is_sampled)


def p_values(places: npt.ArrayLike, rounding: npt.ArrayLike) -> tuple[Numbers, Numbers]:
    """Test in every head whether its number here is more than those at other places.

    A place is as good as any other under the null hypothesis, so the share of places, its own among
    them, that have at least this number is an exact p (Phipson and Smyth 2010: never 0). Corrected
    for the number of heads it is the share of places where the largest number of any head is at
    least this one: single-step max-T (Westfall and Young 1993, section 2.3), which controls the
    chance of one false find or more among all heads, and knows how far they read alike: of heads
    that are all the same it corrects nothing.

    Parameters
    ----------
    places : array, shape (n_layers, n_heads, n_places)
        Its own place first. Large ones are evidence.
    rounding : array, shape (n_layers, n_heads)
        How much less still counts as the same.

    Returns
    -------
    p, corrected : ndarray, shape (n_layers, n_heads)
        Not below 1 / n_places; NaN where there is no other place.
    """
    numbers = np.asarray(places, np.float64)
    least = numbers[..., 0] - np.asarray(rounding)
    n_places = numbers.shape[-1]
    if n_places < 2:
        return np.full(least.shape, np.nan), np.full(least.shape, np.nan)
    largest = np.sort(numbers.max((0, 1)))
    corrected = (n_places - np.searchsorted(largest, least)) / n_places
    return (numbers >= least[..., None]).mean(-1), corrected


def spearman(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation: Pearson's of the ranks, equals with their mean rank.

    Parameters
    ----------
    a, b : array, of one shape
        Pairs of numbers. Pairs with a NaN are left out.

    Returns
    -------
    float
        -1 to 1; NaN where fewer than two pairs are left, or all numbers of a side are equal.

    Raises
    ------
    ValueError
        Different shapes.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ValueError(
            f"a rank correlation is of pairs: the shapes {first.shape} and {second.shape} have to "
            "be the same"
        )
    known = ~(np.isnan(first) | np.isnan(second))
    ranks = [_ranks(side[known]) for side in (first, second)]
    if any(side.size < 2 or side.min() == side.max() for side in ranks):
        return float("nan")
    x, y = (side - side.mean() for side in ranks)
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def band(values: npt.ArrayLike, share: float = 0.95) -> tuple[float, float]:
    """Return the interval that holds the middle `share` of values: what random heads would give.

    Parameters
    ----------
    values : array of any shape
        Of heads or edges that were drawn at random; NaN are left out.
    share : float
        More than 0, at most 1.

    Returns
    -------
    low, high : float
        Quantiles (1 - share) / 2 and (1 + share) / 2, between values by linear interpolation; NaN
        where there is no value.

    Raises
    ------
    ValueError
        A share out of its range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is the part that the band holds, above 0 and up to 1, got {share}")
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def _ranks(values: Numbers) -> Numbers:
    """Return ranks from 1 on; equals share their mean."""
    _, own, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[own]
    return mean_ranks

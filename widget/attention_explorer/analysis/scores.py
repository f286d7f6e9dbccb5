"""Scores of heads: what each head's rows have in common, by definitions from the literature."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from ..attention.base import Float

# Up to so many queries all are read, else so many of them: an estimate.
ROWS = 256
_SEED = 0


class Score(NamedTuple):
    """A score's name, and what it means in a sentence."""

    name: str
    meaning: str


SCORES = (
    Score("entropy", "of a row, in nats; mean"),
    Score("peak", "a row's largest weight; mean"),
    Score("distance", "to what is read, in tokens; mean"),
    Score("self", "mean weight on itself"),
    Score("previous", "mean weight on the token before"),
    Score("next", "mean weight on the token after"),
    Score("first", "mean weight on the first token"),
    Score("special", "mean weight on added tokens"),
)


def is_sampled(attention: Attention) -> bool:
    """Tell whether scores are of a sample of the queries."""
    return attention.n_queries > ROWS


def sampled_queries(attention: Attention) -> npt.NDArray[np.int64]:
    """Return the queries that scores are of: all, or one at random of each equal stretch."""
    n = attention.n_queries
    if not is_sampled(attention):
        return np.arange(n)
    edges = np.linspace(0, n, ROWS + 1)
    within = np.random.default_rng(_SEED).random(ROWS)
    return (edges[:-1] + within * np.diff(edges)).astype(np.int64)


def score_steps(
    attention: Attention, same_tokens: bool, special: npt.NDArray[np.bool_]
) -> Generator[float, None, Float]:
    """Score every head, step by step.

    Entropy and the weights on the query itself, its neighbours, the first token and delimiters
    follow Clark et al. (2019), but neighbours count over the rows that have one, so that a perfect
    head has 1; distance follows Vig and Belinkov (2019).

    Parameters
    ----------
    attention : Attention
        Not signed: what is no share of attention has no entropy.
    same_tokens : bool
        Whether the keys are the queries; if not, scores by position are NaN.
    special : array of bool, shape (n_keys,)
        Which keys the tokenizer added.

    Yields
    ------
    float
        The share that is done.

    Returns
    -------
    array of float32, shape (len(SCORES), n_layers, n_heads)
        In the order of `SCORES`.
    """
    queries = sampled_queries(attention)
    found = np.full((len(SCORES), attention.n_layers, attention.n_heads), np.nan, np.float32)
    if attention.signed:
        return found
    for layer in range(attention.n_layers):
        for head in range(attention.n_heads):
            found[:, layer, head] = _scores(attention, layer, head, queries, same_tokens, special)
            yield (layer * attention.n_heads + head + 1) / (attention.n_layers * attention.n_heads)
    return found


def _scores(
    attention: Attention,
    layer: int,
    head: int,
    queries: npt.NDArray[np.int64],
    same_tokens: bool,
    special: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """Return one head's scores, a few rows at a time."""
    sums = np.zeros(len(SCORES))
    rows_of = np.full(len(SCORES), len(queries))
    rows_of[5] = np.count_nonzero(queries + 1 < attention.n_keys)
    rows_of[4] = np.count_nonzero(queries > 0)
    for some in np.array_split(queries, -(-len(queries) * attention.n_keys // (1 << 20))):
        rows = attention.rows(layer, [head], some.tolist())[0].astype(np.float64)
        logs = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
        sums += [
            -(rows * logs).sum(),
            rows.max(1).sum(),
            _mean_distances(rows, some).sum(),
            *(_at_offset(rows, some, offset) for offset in (0, -1, 1)),
            rows[:, 0].sum(),
            rows[:, special].sum(),
        ]
    with np.errstate(invalid="ignore"):
        scores: npt.NDArray[np.float64] = sums / rows_of
    if not same_tokens:
        scores[2:6] = np.nan
    return scores


def _mean_distances(
    rows: npt.NDArray[np.float64], queries: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    distances = abs(queries[:, None] - np.arange(rows.shape[1]))
    means: npt.NDArray[np.float64] = (rows * distances).sum(1)
    return means


def _at_offset(rows: npt.NDArray[np.float64], queries: npt.NDArray[np.int64], offset: int) -> float:
    """Return the sum of the weights on the keys at an offset from their query."""
    keys = queries + offset
    inside = (keys >= 0) & (keys < rows.shape[1])
    return float(rows[np.flatnonzero(inside), keys[inside]].sum())

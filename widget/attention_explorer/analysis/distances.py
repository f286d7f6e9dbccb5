"""How far heads are from each other, by what the same queries read in each."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..attention.base import Float
from ..export.needed import need
from ..state import check_index
from .patterns import Source, Text
from .steps import finish
from .sums import CELLS, Numbers, blocks, sampled_queries

if TYPE_CHECKING:
    from pandas import DataFrame

# Pairs of heads grow by the square: of fewer rows, an estimate.
ROWS = 64
# What a row keeps, and what is spread over all keys that it may read.
KEPT, SPREAD = np.float32(0.999), np.float32(0.001)
MOST_HEADS = 2048


def head_distances(
    source: Source, *, layers: Sequence[int] | None = None, rows: int = ROWS
) -> DataFrame:
    """Return how far every two heads are from each other: Jensen-Shannon divergence, in nats.

    The mean over queries of H((p + q) / 2) - (H(p) + H(q)) / 2, where p and q are what the query
    reads in the two heads, 0.999 of it, and 0.001 spread over the keys that it may read. It is 0
    for heads that read alike, at most ln 2, and symmetric.

    Source: Clark et al. 2019, section 6, which sums over the queries.

    Parameters
    ----------
    source : Trace, Kind or AttentionExplorer
        What has attention and tokens. An explorer's are as it shows them.
    layers : sequence of int, optional
        Only the heads of these, counted from 0.
    rows : int
        Of more queries than that one at random is read of each of so many equal stretches.

    Returns
    -------
    DataFrame of float64
        A row and a column a head, both by (layer, head).

    Raises
    ------
    ValueError
        A layer that isn't there, more than 2048 heads, or signed attention, which is no softmax.
    ModuleNotFoundError
        pandas isn't installed.
    """
    need("pandas", "head_distances")
    from pandas import DataFrame, MultiIndex

    attention = source.attention
    asked = range(attention.n_layers) if layers is None else layers
    chosen = [check_index(layer, attention.n_layers, "layers") for layer in asked]
    found = finish(distance_steps(source, chosen, rows), source)
    heads = MultiIndex.from_product([chosen, range(attention.n_heads)], names=["layer", "head"])
    return DataFrame(found, index=heads, columns=heads)


def distance_steps(
    source: Source, layers: Sequence[int], rows: int = ROWS
) -> Generator[float, None, Numbers]:
    """Work `head_distances` out step by step, shape (heads, heads); yields the share done."""
    attention = source.attention
    n_heads, n_keys = len(layers) * attention.n_heads, attention.n_keys
    if attention.signed:
        raise ValueError("some weights are below 0: they are no softmax, and have no divergence")
    if n_heads > MOST_HEADS:
        raise ValueError(
            f"{n_heads} heads are {n_heads * (n_heads - 1) // 2:,} pairs, which take long: choose "
            f"layers with at most {MOST_HEADS} heads together, e.g. layers=[0, 1]"
        )
    text, queries = Text.of(source), sampled_queries(attention.n_queries, rows)
    readable = text.count(queries, np.ones(n_keys, bool))
    found, done = np.zeros((n_heads, n_heads)), 0
    for some in blocks(queries, n_heads * n_keys):
        heads, asked = range(attention.n_heads), some.tolist()
        read = np.concatenate([attention.rows(layer, heads, asked) for layer in layers])
        for lines, query in zip(read.swapaxes(0, 1), asked, strict=True):
            keys = query + 1 if text.causal else n_keys
            _add(KEPT * lines[:, :keys] + SPREAD / np.float32(readable[done]), found)
            done += 1
            yield done / len(queries)
    # Rounding takes what is alike below 0.
    found = np.maximum(found / len(queries), 0)
    return found + found.T


def _add(lines: Float, found: Numbers) -> None:
    """Add the divergences of every two lines, the first one's in its row."""
    own, at_once = _entropies(lines), max(1, CELLS // lines.shape[1])
    for head in range(len(lines)):
        for first in range(head + 1, len(lines), at_once):
            others = slice(first, min(first + at_once, len(lines)))
            middle = (lines[head] + lines[others]) / 2
            found[head, others] += _entropies(middle) - (own[head] + own[others]) / 2


def _entropies(lines: Float) -> Numbers:
    work = np.log(lines)
    work *= lines
    entropies: Numbers = -work.sum(-1, dtype=np.float64)
    return entropies

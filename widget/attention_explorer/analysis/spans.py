"""How much some tokens read of some others, in every head."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ..attention import Attention
from ..attention.base import Float
from ..protocol import SpanKey
from .steps import finish

# Of weights that are read at once.
_CELLS = 1 << 20


def span_mass(attention: Attention, span: SpanKey) -> Float:
    """Return the mass from a span of queries to a span of keys, of every head.

    The mean over the queries of the sum over the keys: the segment mass M(S -> T). Divided by the
    keys' share of all keys it is the lift: 1 where attention is uniform.

    Source: Zhang et al. 2025 (QRscore), with the question's tokens and those of the passage.

    Parameters
    ----------
    attention : Attention
        Of any kind.
    span : (int, int, int, int)
        First query and stop, first key and stop.

    Returns
    -------
    ndarray of float32, shape (n_layers, n_heads)
        A share of what the queries read, where rows sum to 1.
    """
    return finish(span_steps(attention, span))


def span_steps(attention: Attention, span: SpanKey) -> Generator[float, None, Float]:
    """Work `span_mass` out layer by layer, some rows a step; yields the share that is done."""
    first, stop, first_key, stop_key = span
    found = np.zeros((attention.n_layers, attention.n_heads), np.float32)
    heads = range(attention.n_heads)
    at_once = max(1, _CELLS // (attention.n_heads * attention.n_keys))
    for layer in range(attention.n_layers):
        for query in range(first, stop, at_once):
            queries = range(query, min(query + at_once, stop))
            rows = attention.rows(layer, heads, queries)
            found[layer] += rows[:, :, first_key:stop_key].sum((1, 2))
            yield (layer + (queries.stop - first) / (stop - first)) / attention.n_layers
    found /= stop - first
    return found

"""Both sides' rows of a comparison, for a file: it works out what any queries read of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..attention.difference import DifferenceAttention
from ..encoding import encode
from ..protocol import RecordedRows
from .budget import Budget


def record_rows(
    difference: DifferenceAttention, hidden: Sequence[int], layers: Iterable[int], budget: Budget
) -> list[RecordedRows]:
    """Record some layers' weights on both sides, as many layers as there is room for."""
    found: list[RecordedRows] = []
    heads = range(difference.n_heads)
    for layer in layers:
        rows = []
        for attention, queries, keys in difference.sides:
            side = attention.rows(layer, heads, queries.tolist())
            side = np.array(side)
            side[..., keys[list(hidden)]] = 0
            rows.append(side)
        buffer = budget.pack(encode(side, "float32") for side in rows)
        if buffer is None:
            break
        first, second = (side.shape[-1] for side in rows)
        recorded: RecordedRows = {"layer": layer, "sizes": (first, second), "buffer": buffer}
        if not budget.take(recorded):
            break
        found.append(recorded)
    return found

"""Studies of two traces beside each other: their texts, both rows, and which heads differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..analysis.differing import Differing
from ..analysis.sums import sampled_queries
from ..attention.base import Float
from ..attention.difference import DifferenceAttention, Indices
from ..comparison import Comparison, Sides
from ..opening import MOST_LABELS
from ..protocol import (
    CompareStudied,
    CompareStudy,
    DifferStudied,
    EdgeInfo,
    RoleInfo,
    SidesStudied,
)
from ..state import check_index
from .numbers import known

# So many heads are told of.
RANKED = 8
_DECIMALS = 6
# Heads that differ by less, in nats, are the same.
_ROUNDING = 1e-9


def sides_info(comparison: Comparison) -> SidesStudied:
    """Return what stands opposite what, as it crosses to the browser."""
    one, other = (comparison.kinds[name] for name in comparison.names)
    same = comparison.keys is comparison.queries
    return {
        "of": "sides",
        "queries": _role_info(comparison.queries),
        "keys": None if same else _role_info(comparison.keys),
        "labels": [list(kind.labels[:MOST_LABELS]) for kind in (one, other)],
        "labels_by": [kind.labels_by for kind in (one, other)],
    }


def rows_info(
    difference: DifferenceAttention, hidden: Sequence[int], study: CompareStudy
) -> CompareStudied:
    """Return what queries read on both sides of all tokens, on average over them and over heads."""
    layer = check_index(study["layer"], difference.n_layers, "layers")
    heads = [check_index(head, difference.n_heads, "heads") for head in study["heads"]]
    queries = [check_index(query, difference.n_queries, "queries") for query in study["queries"]]
    if not heads or not queries:
        raise ValueError("rows to compare are of one head and one query at least")
    first, second = (
        _mean_row(attention.rows(layer, heads, of[queries].tolist()), keys[list(hidden)])
        for attention, of, keys in difference.sides
    )
    return {"of": "compare", "first": first, "second": second}


def differ_info(found: Differing, n_queries: int) -> DifferStudied:
    """Return how much heads differ, and of those that differ most where."""
    # What has no divergence is ranked by how much a number differs.
    has_none = np.isnan(found.js).all()
    by = np.abs(found.second - found.first) if has_none else np.nan_to_num(found.js)
    n_heads = found.js.shape[1]
    ranked = np.argsort(-by, axis=None, kind="stable")[:RANKED]
    return {
        "of": "differ",
        "js": known(found.js),
        "edges": [
            _edge(found, *divmod(int(at), n_heads)) for at in ranked if by.flat[at] > _ROUNDING
        ],
        "read": len(sampled_queries(n_queries)),
    }


def _role_info(sides: Sides) -> RoleInfo:
    first, second = sides.tokens
    return {
        "tables": (first.table(), second.table()),
        "pairs": [(int(i), int(j)) for i, j in zip(*sides.opposite, strict=True)],
        "changed": list(sides.alignment.changed),
    }


def _mean_row(rows: Float, hidden: Indices) -> list[float]:
    mean = rows.mean((0, 1), dtype=np.float64)
    mean[hidden] = 0
    return [round(weight, _DECIMALS) for weight in mean.tolist()]


def _edge(found: Differing, layer: int, head: int) -> EdgeInfo:
    at = layer, head
    return {
        "layer": layer,
        "head": head,
        "query": int(found.query[at]),
        "key": int(found.key[at]),
        "first": float(found.first[at]),
        "second": float(found.second[at]),
    }

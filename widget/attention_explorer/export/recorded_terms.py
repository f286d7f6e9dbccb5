"""What scores are made of, for a file: some heads' queries, keys and all steps to their scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..attention import Attention
from ..attention.terms import NoTermsError, Terms
from ..encoding import encode
from ..protocol import RecordedTerms
from .budget import Budget, packed


class RecordedHeads(NamedTuple):
    """The heads that were recorded, and why none has terms, where that is so."""

    terms: list[RecordedTerms]
    why: str


def record_terms(
    attention: Attention, heads: Iterable[tuple[int, int]], budget: Budget
) -> RecordedHeads:
    """Record the terms of some heads, as many as there is room for, in this order."""
    found: list[RecordedTerms] = []
    for layer, head in heads:
        try:
            first = attention.terms(layer, head, 0, range(attention.n_keys))
        except NoTermsError as error:
            return RecordedHeads(found, str(error))
        if _n_bytes(attention, first) > budget.left:
            break
        recorded = _head_terms(attention, layer, head, first)
        if recorded is None or not budget.take(recorded):
            break
        found.append(recorded)
    return RecordedHeads(found, "")


def terms_held(terms: Sequence[RecordedTerms], layer_numbers: Sequence[int]) -> str:
    """Return which heads' terms there are, where others' are asked for."""
    heads: dict[int, list[int]] = {}
    for of in terms:
        heads.setdefault(layer_numbers[of["layer"]], []).append(of["head"])
    named = "; ".join(
        f"layer {layer}, {'heads' if len(some) > 1 else 'head'} {', '.join(map(str, sorted(some)))}"
        for layer, some in heads.items()
    )
    if not named:
        return "This page doesn’t hold what scores are made of: open it in a notebook."
    return f"This page holds what scores are made of in {named} alone: open a notebook for others."


def _n_bytes(attention: Attention, terms: Terms) -> int:
    """Return about how many bytes a head takes: float32 packs to little less."""
    n_queries, n_keys = attention.n_queries, attention.n_keys
    size = len(terms.query)
    return 4 * ((n_queries + n_keys) * size + n_queries * n_keys * len(terms.steps))


def _head_terms(attention: Attention, layer: int, head: int, first: Terms) -> RecordedTerms | None:
    """Return one head's terms; None where a key isn't the same for all queries."""
    queries, steps, sums = [], [], []
    for query in range(attention.n_queries):
        terms = attention.terms(layer, head, query, range(attention.n_keys))
        if not np.array_equal(terms.key, first.key):
            return None
        queries.append(terms.query)
        steps.append(np.column_stack([*terms.steps.values()]))
        sums.append([terms.log_sum, *terms.largest])
    arrays = (np.stack(queries), first.key, np.stack(steps), np.array(sums))
    return {
        "layer": layer,
        "head": head,
        "size": len(first.query),
        "steps": list(first.steps),
        "sink": first.sink,
        "buffer": packed(encode(each, "float32") for each in arrays),
    }

"""Studies of known attention: what a head does, which heads read what, how unusual that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..analysis.chance import diagonal_steps, percentile
from ..analysis.finder import find_steps
from ..analysis.labels import Label, Labels, label_steps
from ..analysis.misses import counter_example_steps
from ..analysis.steps import within
from ..attention.base import Float
from ..protocol import HeadLabel, HeadStudy, Miss, PairStudied, PairStudy, ReadsStudy
from ..state import check_index
from ..tracing import Kind
from ..variants import key_tokens_of
from .desk import Look
from .numbers import known

MISSES = 5
# Of no one key: there is none to be missed.
_WITHOUT_KEYS = "broad"
_NO_SOFTMAX = "Some of these numbers are below 0: they are no softmax, and no head has a label."


class Looks:
    """What was found about one thing that is shown, and is of use again.

    Parameters
    ----------
    shown : Kind
        As it is shown: by token or word, with keys hidden or not.
    """

    def __init__(self, shown: Kind) -> None:
        self._shown = shown
        self._labels: Labels | None = None
        self._diagonals: dict[int, Float] = {}

    def head(self, study: HeadStudy) -> Look:
        """Name what a head does, and where in this text it doesn't."""
        attention = self._shown.attention
        at = (
            check_index(study["layer"], attention.n_layers, "layers"),
            check_index(study["head"], attention.n_heads, "heads"),
        )
        if attention.signed:
            return {"of": "head", "labels": [], "why": _NO_SOFTMAX}
        if self._labels is None:
            self._labels = yield from within(label_steps(self._shown), 0, 0.8)
        labels = list[HeadLabel]()
        for label in self._labels[at]:
            misses = list[Miss]()
            if label.name != _WITHOUT_KEYS:
                steps = counter_example_steps(self._shown, *at, label, MISSES)
                found = yield from within(steps, 0.8, 1)
                misses = [
                    {
                        "query": it.query,
                        "expected": list(it.expected),
                        "weight": it.weight,
                        "instead": it.instead,
                        "instead_weight": it.instead_weight,
                    }
                    for it in found
                ]
            labels.append(_as_info(label, misses))
        return {"of": "head", "labels": labels, "why": ""}

    def reads(self, study: ReadsStudy) -> Look:
        """Rank the heads by what some queries read of some keys, or rather than of others."""
        shown = self._shown
        attention, special = shown.attention, self._special
        queries = _positions(study["queries"], attention.n_queries, "queries")
        keys, against = (
            _positions(study[name], attention.n_keys, "keys") for name in ("keys", "against")
        )
        found = yield from find_steps(
            attention,
            queries,
            keys,
            against,
            special=special,
            same_tokens=shown.key_tokens is None,
        )
        uniform = found.mass[found.lift > 0] / found.lift[found.lift > 0]
        return {
            "of": "reads",
            "mass": _numbers(found.mass),
            "elsewhere": known(found.elsewhere),
            "percentile": known(found.percentile),
            "p": known(found.p_corrected),
            "against": _numbers(found.mass_against) if against else [],
            "difference_elsewhere": known(found.difference_elsewhere) if against else [],
            "p_difference": known(found.p_difference_corrected) if against else [],
            "uniform": float(np.median(uniform)) if uniform.size else None,
            "notes": list(found.notes),
        }

    def checked(self, study: PairStudy) -> PairStudy:
        """Return a pair that is there.

        Raises
        ------
        ValueError
            It isn't.
        """
        attention = self._shown.attention
        return {
            "of": "pair",
            "layer": check_index(study["layer"], attention.n_layers, "layers"),
            "head": check_index(study["head"], attention.n_heads, "heads"),
            "query": check_index(study["query"], attention.n_queries, "queries"),
            "key": check_index(study["key"], attention.n_keys, "keys"),
        }

    def name_of(self, query: int) -> str:
        """Return what a query is called."""
        return self._shown.tokens.text[query].strip()

    def pair(self, study: PairStudy, beside: PairStudied) -> Look:
        """Tell where a weight stands among those of its distance; `beside` is what it carries."""
        attention = self._shown.attention
        layer, head, query, key = (study[name] for name in ("layer", "head", "query", "key"))
        if self._shown.key_tokens is not None:
            return beside
        offset = key - query
        if offset not in self._diagonals:
            steps = diagonal_steps(attention, offset, self._special)
            self._diagonals[offset] = yield from steps
        cells = self._diagonals[offset]
        if not cells.size:
            return beside
        weight = attention.rows(layer, [head], [query])[0, 0, key]
        return {**beside, "percentile": float(percentile(weight, cells)), "cells": cells.size}

    @property
    def _special(self) -> npt.NDArray[np.bool_]:
        return np.array(key_tokens_of(self._shown).special, bool)


def _as_info(label: Label, misses: list[Miss]) -> HeadLabel:
    return {
        "name": label.name,
        "score": float(label.score),
        "baseline": float(label.baseline),
        "support": int(label.support),
        "misses": misses,
    }


def _positions(given: object, length: int, what: str) -> tuple[int, ...]:
    if not isinstance(given, Sequence):
        raise ValueError(f"a study names its {what} by a list, got {given!r:.80}")
    return tuple(check_index(position, length, what) for position in given)


def _numbers(values: npt.NDArray[Any]) -> list[float]:
    return [float(value) for value in values.ravel()]

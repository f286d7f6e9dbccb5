"""Weights times something else of each query, key and head, worked out when asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..attention import derived
from ..attention.base import Attention, Float
from ..attention.blocks import pieces
from ..attention.derived import DerivedAttention
from ..attention.terms import NoTermsError, Terms

Index = slice | npt.NDArray[np.intp]

# Up to so many weights the largest is looked for; beyond, it is what can't be exceeded.
READ_FOR_SCALE = 1 << 24


NO_TERMS = (
    "Queries and keys make weights, and these numbers are more than that: show weights to see what "
    "those are made of."
)


class FactorAttention(DerivedAttention):
    """Weights of another attention, each times a factor: such numbers are no shares of a row.

    Parameters
    ----------
    base : Attention
        The weights.
    note : str
        What a number is.
    source : str
        Where the factors were had.
    """

    keeps_shares = False

    def __init__(self, base: Attention, note: str, source: str) -> None:
        super().__init__(base, "")
        self.notes = (note, *notes_of_weights(base))
        self.source = f"{base.source}; {source}"

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        raise NoTermsError(NO_TERMS)

    @abstractmethod
    def _factors(self, layer: int, head: int, queries: Index, keys: Index) -> Float:
        """Return the factors of a block, shape (queries or 1, keys)."""

    @abstractmethod
    def _limit(self, layer: int) -> float:
        """Return what no factor's size exceeds."""

    def row_limit(self, layer: int) -> float | None:
        limit = derived.row_limit(self.base, layer)
        return None if limit is None else limit * self._limit(layer)

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        found = self.base.rows(layer, heads, queries)
        asked = np.array(queries, np.intp)
        for rows, head in zip(found, heads, strict=True):
            rows *= self._factors(layer, head, asked, slice(None))
        return found

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        found = self.base.columns(layer, heads, keys)
        asked = np.array(keys, np.intp)
        for columns, head in zip(found, heads, strict=True):
            columns *= self._factors(layer, head, slice(None), asked).T
        return found

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        return self.base.prepare(layer, head, queries)

    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        for _ in self.prepare(layer, head, queries):
            yield np.zeros((0, keys.stop - keys.start), np.float32)
        width = max(1, keys.stop - keys.start)
        for rows in pieces(queries, factor, max(1, derived.BLOCK_CELLS // width)):
            block = self._read(layer, head, rows, keys)
            block *= self._factors(layer, head, rows, keys)
            yield block

    def _known_scale(self) -> float:
        """Return the largest size of all numbers; where they are many, of what they can be."""
        if self.n_worked_out > READ_FOR_SCALE:
            limits = [self._limit(layer) for layer in range(self.n_layers)]
            return self.base.scale * max(limits) or 1.0
        return largest_of(self)


def largest_of(attention: Attention) -> float:
    """Return the largest size of all numbers, each read once; 1 where all are 0."""
    whole = slice(0, attention.n_queries), slice(0, attention.n_keys)
    longest = max(attention.n_queries, attention.n_keys)
    sizes = [
        np.abs(cells).max(initial=0.0)
        for layer in range(attention.n_layers)
        for head in range(attention.n_heads)
        for cells in attention.bands(layer, head, *whole, longest)
    ]
    return float(max(sizes)) or 1.0


def notes_of_weights(base: Attention) -> Iterator[str]:
    """Yield what there is to say of the weights that other numbers are made of."""
    for note in base.notes:
        yield f"Of the weights: {note}"

"""The difference of two attentions, over the queries and keys that stand opposite each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from . import derived
from .base import Attention, Float
from .blocks import pieces
from .derived import DerivedAttention, row_limit
from .terms import NoTermsError, Terms

Indices = npt.NDArray[np.intp]
# Positions of the first side, ascending, and those of the second that stand opposite them.
Opposite = tuple[Indices, Indices]


class DifferenceAttention(DerivedAttention):
    """The weights of a second attention less those of a first: above 0 where the second reads more.

    Parameters
    ----------
    first, second : Attention
        Of the same layers and heads.
    queries, keys : (array of int, array of int)
        The positions of the first, ascending, and those of the second that stand opposite them.
    against : str
        What the first is called.
    notes : sequence of str
        What a person must know to read the numbers rightly.
    source : str, optional
        How the numbers were had, in words.

    Raises
    ------
    ValueError
        Other layers or heads; positions that aren't there, don't ascend, or aren't as many.
    """

    keeps_shares = False

    def __init__(
        self,
        first: Attention,
        second: Attention,
        queries: Opposite,
        keys: Opposite,
        against: str = "the first",
        notes: Sequence[str] = (),
        source: str = "",
    ) -> None:
        check_same_heads(first, second)
        _check_opposite("queries", queries, (first.n_queries, second.n_queries))
        _check_opposite("keys", keys, (first.n_keys, second.n_keys))
        super().__init__(second, "")
        self.first, self.queries, self.keys = first, queries, keys
        self.n_queries, self.n_keys = len(queries[0]), len(keys[0])
        self.causal = first.causal and second.causal and queries is keys
        self.signed, self.against = True, against
        self.scale = self._largest()
        self.source = source or f"{second.source}, less {first.source}"
        self.notes = tuple(notes)

    @property
    def n_worked_out(self) -> int:
        """How many weights are worked out to know all of these: those of both attentions."""
        return self.first.n_worked_out + self.base.n_worked_out

    def row_limit(self, layer: int) -> float | None:
        limits = row_limit(self.first, layer), row_limit(self.base, layer)
        return None if None in limits else max(filter(None, limits))

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        first, second = self.both_rows(layer, heads, queries)
        return second - first

    def both_rows(
        self, layer: int, heads: Sequence[int], queries: Sequence[int]
    ) -> tuple[Float, Float]:
        """Return what queries read of these keys on each side, (heads, queries, n_keys) each."""
        first, second = (
            attention.rows(layer, heads, of[list(queries)].tolist())[..., keys]
            for attention, of, keys in self.sides
        )
        return first, second

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        first, second = (
            attention.columns(layer, heads, of[list(keys)].tolist())[..., queries]
            for attention, queries, of in self.sides
        )
        return second - first

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        for attention, of, _ in self.sides:
            some = of[queries]
            if len(some):
                yield from attention.prepare(layer, head, slice(int(some[0]), int(some[-1]) + 1))

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        raise NoTermsError("A difference has no query and no key of its own: show one of the two.")

    @property
    def sides(self) -> tuple[tuple[Attention, Indices, Indices], ...]:
        """Both attentions, each with its queries and keys."""
        return tuple(zip((self.first, self.base), self.queries, self.keys, strict=True))

    def _largest(self) -> float:
        """Return the largest absolute difference that can occur: of two softmaxes it is 1."""
        scales = self.first.scale, self.base.scale
        return sum(scales) if self.first.signed or self.base.signed else max(scales)

    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        widest = max(self.first.n_keys, self.base.n_keys)
        for rows in pieces(queries, factor, max(1, derived.BLOCK_CELLS // widest)):
            first, second = (
                _picked(attention, layer, head, of[rows], of_keys[keys])
                for attention, of, of_keys in self.sides
            )
            yield second - first


def check_same_heads(
    first: Attention, second: Attention, names: tuple[str, str] = ("the first", "the second")
) -> None:
    """Refuse attentions whose heads don't stand opposite each other."""
    shapes = [
        f"{name} has {side.n_layers} layers × {side.n_heads} heads"
        for name, side in zip(names, (first, second), strict=True)
    ]
    if (first.n_layers, first.n_heads) != (second.n_layers, second.n_heads):
        raise ValueError(
            f"{' and '.join(shapes)}: only models of the same layers and heads can be compared, "
            "head by head"
        )
    if first.layer_numbers != second.layer_numbers:
        raise ValueError(
            f"the layers with attention are {first.layer_numbers} of {names[0]} and "
            f"{second.layer_numbers} of {names[1]}: trace models whose layers are the same"
        )


def _picked(attention: Attention, layer: int, head: int, queries: Indices, keys: Indices) -> Float:
    """Return the weights of some queries and keys, both ascending."""
    if not len(queries) or not len(keys):
        return np.zeros((len(queries), len(keys)), np.float32)
    first, stop = int(queries[0]), int(queries[-1]) + 1
    # Of a block that would be read for the most part in vain, rows.
    if stop - first > 2 * len(queries):
        rows: Float = attention.rows(layer, [head], queries.tolist())[0][:, keys]
        return rows
    first_key = int(keys[0])
    block = attention.tile(layer, head, slice(first, stop), slice(first_key, int(keys[-1]) + 1))
    picked: Float = block[np.ix_(queries - first, keys - first_key)]
    return picked


def _check_opposite(what: str, opposite: Opposite, lengths: tuple[int, int]) -> None:
    if len(opposite[0]) != len(opposite[1]):
        raise ValueError(
            f"{len(opposite[0])} {what} of the first and {len(opposite[1])} of the second can't "
            "stand opposite each other: there has to be one for each"
        )
    for side, positions, length in zip(("first", "second"), opposite, lengths, strict=True):
        if np.any(np.diff(positions, prepend=-1) <= 0) or np.any(positions >= length):
            raise ValueError(
                f"the {what} of the {side} have to ascend from 0 to at most {length - 1}, got "
                f"{', '.join(map(str, positions[:12]))}{', ...' * (len(positions) > 12)}"
            )

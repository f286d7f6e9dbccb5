"""Attention without some of its keys: sinks, special tokens, punctuation or chosen ones."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from . import derived
from .base import Attention, Float, Reduction
from .blocks import check_pooling, clip, pieces
from .derived import DerivedAttention


class HiddenAttention(DerivedAttention):
    """Weights of another attention, 0 where keys are hidden.

    Renormalised, each row is divided by 1 - (its hidden mass / its sum), so that it sums to what it
    summed to before: 1, or less where heads have learned sinks, whose share stays as it was. A row
    that read nothing but hidden keys is all zeros. What is kept for it is O(queries) numbers a
    head.

    Parameters
    ----------
    base : Attention
        Of all keys.
    keys : tuple of int
        The hidden ones, in ascending order.
    renormalise : bool
        Whether what is left of each row is divided by its share.
    note : str, optional
        What was done, in words, e.g. ``"[CLS], [SEP] and 3 more keys are hidden."``.

    Raises
    ------
    ValueError
        Keys that don't exist or don't ascend; weights below 0, whose shares would be no shares.
    """

    def __init__(
        self, base: Attention, keys: tuple[int, ...], renormalise: bool, note: str = ""
    ) -> None:
        _check_keys(keys, base.n_keys)
        if renormalise and base.signed:
            raise ValueError(
                "some weights are below 0: what is left of a row is no share of it; hide keys "
                "with renormalise=False"
            )
        super().__init__(base, note)
        self.keys, self.renormalise = keys, renormalise
        self._hidden_keys = np.array(keys, np.intp)
        # Of each (layer, head): hidden mass and share that is left, NaN where they aren't known.
        self._known: dict[tuple[int, int], Float] = {}
        if renormalise:
            self.scale = self._whole_scale()

    def hidden_mass(self, layer: int, head: int, queries: Sequence[int]) -> Float:
        """Return the sum of each query's weights on the hidden keys, shape (len(queries),)."""
        known, asked = self._known_of(layer, head), np.array(queries, np.intp)
        new = asked[np.isnan(known[0, asked])]
        for part in pieces(slice(0, len(new)), 1, max(1, derived.BLOCK_CELLS // self.n_keys)):
            rows = self.base.rows(layer, [head], new[part].tolist())[0]
            known[:, new[part]] = self._hide(rows)
        found: Float = known[0, asked]
        return found

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        found = self.base.rows(layer, heads, queries)
        _, left = self._hide(found)
        if self.renormalise:
            found /= left[..., None]
        return found

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        found = self.base.columns(layer, heads, keys)
        found[:, np.isin(keys, self._hidden_keys)] = 0
        if self.renormalise:
            for column, head in zip(found, heads, strict=True):
                for _ in self.prepare(layer, head, slice(0, self.n_queries)):
                    pass
                column /= self._known_of(layer, head)[1]
        return found

    def bands(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Iterator[Float]:
        check_pooling(factor, reduction)
        queries, keys = clip(queries, self.n_queries), clip(keys, self.n_keys)
        cells = sorted({key // factor for key in self._hidden_within(keys)})
        n_cells = -(-(keys.stop - keys.start) // factor)
        if self.renormalise or factor == 1 or len(cells) > n_cells // 2:
            yield from super().bands(layer, head, queries, keys, factor, reduction)
            return
        # Most cells hold no hidden key: they are the base's own, at its speed.
        start = queries.start
        for band in self.base.bands(layer, head, queries, keys, factor, reduction):
            rows = slice(start, min(start + len(band) * factor, queries.stop))
            start = rows.stop
            for cell in cells if len(band) else ():
                first = keys.start + cell * factor
                part = slice(first, min(first + factor, keys.stop))
                done = 0
                for own in super().bands(layer, head, rows, part, factor, reduction):
                    band[done : done + len(own), cell] = own[:, 0]
                    done += len(own)
                    yield band[:0]
            yield band

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        yield from self.base.prepare(layer, head, queries)
        if not self.renormalise:
            return
        known = self._known_of(layer, head)
        for rows in self._row_blocks(clip(queries, self.n_queries), 1, self.n_keys):
            if np.isnan(known[0, rows]).any():
                self._whole_rows(layer, head, rows)
                yield

    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        reads_whole_rows = self.renormalise and keys == slice(0, self.n_keys)
        for _ in (self.base if reads_whole_rows else self).prepare(layer, head, queries):
            yield np.zeros((0, keys.stop - keys.start), np.float32)
        width = self.n_keys if self.renormalise else keys.stop - keys.start
        for rows in self._row_blocks(queries, factor, width):
            if reads_whole_rows:
                block = self._whole_rows(layer, head, rows)
            else:
                block = self._read(layer, head, rows, keys)
                block[:, self._hidden_within(keys)] = 0
            if self.renormalise:
                block /= self._known_of(layer, head)[1, rows, None]
            yield block

    def _whole_rows(self, layer: int, head: int, rows: slice) -> Float:
        """Return rows with all keys, hidden ones 0, and keep what they tell."""
        block = self._read(layer, head, rows, slice(0, self.n_keys))
        self._known_of(layer, head)[:, rows] = self._hide(block)
        return block

    def _hide(self, rows: Float) -> tuple[Float, Float]:
        """Set hidden keys to 0; return the mass that they had and the share that is left."""
        hidden: Float = rows[..., self._hidden_keys].sum(-1)
        rows[..., self._hidden_keys] = 0
        visible: Float = rows.sum(-1)
        if not self.renormalise:
            return hidden, np.ones_like(hidden)
        # Divided by infinity, what rounding left of such a row is 0, too.
        left = np.full_like(visible, np.inf)
        np.divide(visible, visible + hidden, out=left, where=visible > 0)
        return hidden, left

    def _hidden_within(self, keys: slice) -> list[int]:
        first, last = bisect_left(self.keys, keys.start), bisect_left(self.keys, keys.stop)
        return [key - keys.start for key in self.keys[first:last]]

    def _known_of(self, layer: int, head: int) -> Float:
        if (layer, head) not in self._known:
            self._known[layer, head] = np.full((2, self.n_queries), np.nan, np.float32)
        return self._known[layer, head]

    @staticmethod
    def _row_blocks(queries: slice, factor: int, width: int) -> Iterator[slice]:
        return pieces(queries, factor, max(1, derived.BLOCK_CELLS // max(1, width)))


def _check_keys(keys: Sequence[int], n_keys: int) -> None:
    for key, following in pairwise(keys):
        if key >= following:
            raise ValueError(f"the hidden keys have to ascend, but {following} comes after {key}")
    if keys and not 0 <= keys[0] <= keys[-1] < n_keys:
        wrong = keys[0] if keys[0] < 0 else keys[-1]
        raise ValueError(f"key {wrong} can't be hidden: there are keys 0 to {n_keys - 1}")

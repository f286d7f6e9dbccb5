"""What attentions that stand on another one share: exact rows, pooled block by block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from .base import Attention, Float, Preview, Reduction
from .blocks import PREVIEW_BLOCK_ROWS, check_pooling, clip, pool, preview_samples, sample
from .dense import DenseAttention
from .mixed import MixedAttention
from .terms import NoTermsError, Terms

# Weights that are read together, 2 MiB: in larger blocks memory takes half of the time.
BLOCK_CELLS = 1 << 19
# Fewer weights than this are all read for a preview.
EXACT_CELLS = 1 << 18


class DerivedAttention(Attention):
    """Weights that are worked out from those of another attention.

    Attributes
    ----------
    base : Attention
        The other one.
    keeps_shares : bool
        Whether rows that are shares of 1 stay so.
    """

    samples = True
    keeps_shares = True

    def __init__(self, base: Attention, note: str) -> None:
        self.base = base
        self.layer_numbers = base.layer_numbers
        self.n_heads, self.n_queries, self.n_keys = base.n_heads, base.n_queries, base.n_keys
        self.causal, self.signed, self.scale = base.causal, base.signed, base.scale
        self.against = base.against
        self.source = base.source
        self.notes = (*base.notes, note) if note else base.notes

    @property
    def n_worked_out(self) -> int:
        """How many weights are worked out to know all of these: those of the other attention."""
        return self.base.n_worked_out

    def row_limit(self, layer: int) -> float | None:
        """Return what no sum of some of a row's weights exceeds, where that is known."""
        return row_limit(self.base, layer)

    @abstractmethod
    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        """Yield a block's weights from top to bottom, each part after a few ms of work.

        Parts hold some rows: whole cells of `factor`, or some within one, or none.
        """

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        queries, keys = clip(queries, self.n_queries), clip(keys, self.n_keys)
        found = np.empty((queries.stop - queries.start, keys.stop - keys.start), np.float32)
        done = 0
        for block in self._exact(layer, head, queries, keys, 1):
            found[done : done + len(block)] = block
            done += len(block)
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
        nothing = np.zeros((0, -(-(keys.stop - keys.start) // factor)), np.float32)
        yield nothing
        lines, sizes, done = list[Float](), list[int](), queries.start
        for block in self._exact(layer, head, queries, keys, factor):
            done += len(block)
            if not len(block):
                yield nothing
                continue
            lines.append(pool(block, factor, reduction, self.signed))
            sizes.append(len(block))
            if done < queries.stop and (done - queries.start) % factor:
                yield nothing
                continue
            yield lines[0] if len(lines) == 1 else _merged(lines, sizes, reduction)
            lines.clear()
            sizes.clear()

    def preview(self, layer: int, head: int, factor: int, reduction: Reduction = "max") -> Preview:
        check_pooling(factor, reduction)
        n_samples = preview_samples(self.n_queries, self.n_keys, factor)
        if n_samples is None or self.n_queries * self.n_keys <= EXACT_CELLS:
            return super().preview(layer, head, factor, reduction)
        sampled = sample(self.n_queries, factor, n_samples)
        at_once = PREVIEW_BLOCK_ROWS // n_samples * n_samples
        cells = []
        for first in range(0, len(sampled), at_once):
            rows = self.rows(layer, [head], sampled[first : first + at_once])[0]
            bands = rows.reshape(-1, n_samples, self.n_keys)
            cells.append(pool(bands, factor, reduction, self.signed)[:, 0])
        return Preview(np.concatenate(cells), exact=False)

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        raise NoTermsError("Scores are known by token and with every key: hide none to see them.")

    def _read(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        """Return exact weights of the base, less what a causal mask makes 0 anyway."""
        if not self.base.causal or keys.stop <= queries.stop:
            return self.base.tile(layer, head, queries, keys)
        readable = slice(keys.start, max(keys.start, queries.stop))
        found = np.zeros((queries.stop - queries.start, keys.stop - keys.start), np.float32)
        found[:, : readable.stop - keys.start] = self.base.tile(layer, head, queries, readable)
        return found

    def _whole_scale(self) -> float:
        """Return the largest absolute weight that can occur: where that isn't known all are read.

        Of a softmax it is 1.
        """
        largest = 0.0
        for layer in range(self.n_layers):
            limit = self.row_limit(layer)
            if limit is not None:
                largest = max(largest, limit)
                continue
            for head in range(self.n_heads):
                whole = slice(0, self.n_queries), slice(0, self.n_keys)
                for block in self._exact(layer, head, *whole, 1):
                    largest = max(largest, float(np.abs(block).max(initial=0.0)))
        return largest or 1.0


def row_limit(attention: Attention, layer: int) -> float | None:
    """Return what no sum of some of a row's weights exceeds, where that is known."""
    if isinstance(attention, DerivedAttention):
        return attention.row_limit(layer)
    return 1.0 if is_softmax(attention, layer) else None


def is_softmax(attention: Attention, layer: int) -> bool:
    """Tell whether a layer's rows are known to be shares of 1, so that no sum exceeds it."""
    if isinstance(attention, DerivedAttention):
        return attention.keeps_shares and is_softmax(attention.base, layer)
    if isinstance(attention, MixedAttention):
        number = attention.layer_numbers[layer]
        part = next(part for part in attention.parts if number in part.layer_numbers)
        return is_softmax(part, part.layer_numbers.index(number))
    if isinstance(attention, DenseAttention):
        return attention.are_shares
    return attention.scale == 1 and not attention.signed


def _merged(lines: list[Float], sizes: list[int], reduction: Reduction) -> Float:
    """Return one row of cells, pooled from several of some rows each."""
    parts = np.concatenate(lines)
    if reduction == "mean":
        mean: Float = np.array(sizes, np.float32)[None] @ parts / np.float32(sum(sizes))
        return mean
    strongest = np.abs(parts).argmax(0)[None]
    return np.take_along_axis(parts, strongest, 0)

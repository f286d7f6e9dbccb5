"""What is drawn: the explorer's state and, read when asked for, its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from ..attention import Attention
from ..attention.base import Float
from ..attention.blocks import pool
from ..protocol import ColourScale, Reduction, ScaleTo, SegmentPair
from ..tracing import Tokens
from .colours import Ink, Palette, palette

if TYPE_CHECKING:
    from ..exported import ExportedView

# Beyond this many queries a picture of them all is one of a sample.
MOST_QUERIES = 1024
# Weights that are read in one go, 16 MB.
_AT_ONCE = 2**22


@dataclass(frozen=True)
class Scene:
    """One picture's state; numbers are read under the source's lock, given back in between.

    Attributes
    ----------
    attention : Attention
        The numbers.
    lock : Lock
        Whoever reads them holds it.
    queries, keys : Tokens
        Of the two sides.
    same_tokens : bool
        Whether both sides are the same tokens.
    model, kind : str
        Their names; the kind's is empty where there is only one.
    number : str
        What is shown: "weight", or what else it is called.
    unit : str
        What they are: tokens, words or segments.
    layer, heads
        Indices of what is shown.
    query, key : int or None
        The selected token in its two roles.
    top_mass, top_k, threshold, between, pooling, scale, scale_to
        As the explorer's.
    colours : Palette
        The theme's.
    """

    attention: Attention
    lock: Lock
    queries: Tokens
    keys: Tokens
    same_tokens: bool
    model: str
    kind: str
    number: str
    unit: str
    layer: int
    heads: Sequence[int]
    query: int | None
    key: int | None
    top_mass: float
    top_k: int | None
    threshold: float
    between: Sequence[SegmentPair]
    pooling: Reduction
    scale: ColourScale
    scale_to: ScaleTo
    colours: Palette

    @cached_property
    def ink(self) -> Ink:
        """The colours of weights, on one scale for all of a picture."""
        attention = self.attention
        largest = 0.0
        if self.scale_to == "head":
            whole = max(attention.n_queries, attention.n_keys)
            cells = [self._pooled(self.layer, head, whole, "max") for head in self.heads]
            largest = max(float(np.abs(cell).max()) for cell in cells)
        return Ink(self.colours, self.scale, largest or attention.scale, attention.signed)

    @cached_property
    def reads(self) -> Float | None:
        """What the selected query reads, shape (chosen heads, keys)."""
        if self.query is None:
            return None
        return self.rows(self.layer, self.heads, [self.query])[:, 0]

    @cached_property
    def readers(self) -> Float | None:
        """What reads the selected key, shape (chosen heads, queries)."""
        if self.key is None:
            return None
        return self._columns(self.layer, self.heads, self.key)

    @cached_property
    def received(self) -> Float | None:
        """The mean weight that each key receives over queries and heads, where they are few."""
        n_queries = self.attention.n_queries
        if n_queries > MOST_QUERIES:
            return None
        sums = np.zeros(self.attention.n_keys)
        for _, rows in self.row_blocks(range(n_queries)):
            sums += rows.sum((0, 1), np.float64)
        means: Float = (sums / (n_queries * len(self.heads))).astype(np.float32)
        return means

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        """Return what queries read, shape (heads, queries, keys)."""
        with self.lock:
            return self.attention.rows(layer, heads, queries)

    def row_blocks(self, queries: Sequence[int]) -> Iterator[tuple[Sequence[int], Float]]:
        """Yield queries and what they read in the chosen heads, some at a time."""
        step = max(1, _AT_ONCE // (self.attention.n_keys * len(self.heads)))
        for start in range(0, len(queries), step):
            some = queries[start : start + step]
            yield some, self.rows(self.layer, self.heads, some)

    def pooled(self, layer: int, head: int, factor: int) -> Float:
        """Return a whole head, pooled by `factor`."""
        return self._pooled(layer, head, factor, self.pooling)

    def _pooled(self, layer: int, head: int, factor: int, pooling: Reduction) -> Float:
        attention = self.attention
        whole = slice(0, attention.n_queries), slice(0, attention.n_keys)
        bands = attention.bands(layer, head, *whole, factor, pooling)
        return np.concatenate([*_held(bands, self.lock)])

    def sampled(self, layer: int, head: int, factor: int) -> Float:
        """Return a whole head, pooled by `factor`, from a sample of its queries."""
        with self.lock:
            return self.attention.preview(layer, head, factor, self.pooling).cells

    def strips(self, layer: int, factor: int) -> Float:
        """Return the selected token's row (else column) in every head of a layer, pooled."""
        heads = range(self.attention.n_heads)
        if self.query is not None:
            lines = self.rows(layer, heads, [self.query])[:, 0]
        else:
            assert self.key is not None
            lines = self._columns(layer, heads, self.key)
        return pool(lines[:, None], factor, self.pooling, self.attention.signed)[:, 0]

    def _columns(self, layer: int, heads: Sequence[int], key: int) -> Float:
        attention = self.attention
        for head in heads:
            steps = attention.prepare(layer, head, slice(0, attention.n_queries))
            for _ in _held(steps, self.lock):
                pass
        with self.lock:
            return attention.columns(layer, heads, [key])[:, 0]


def scene_of(explorer: ExportedView) -> Scene:
    """Return what the explorer shows now."""
    query, key = explorer.selected or (None, None)
    shown = explorer._shown
    return Scene(
        attention=shown.attention,
        lock=explorer._lock,
        queries=shown.tokens,
        keys=explorer.key_tokens,
        same_tokens=shown.key_tokens is None,
        model=explorer._description["model"],
        kind=explorer.kind if len(explorer._description["kinds"]) > 1 else "",
        number=explorer._description["number"],
        unit=explorer.unit,
        layer=explorer.layer,
        heads=explorer.heads,
        query=query,
        key=key,
        top_mass=explorer.top_mass,
        top_k=explorer.top_k,
        threshold=explorer.threshold,
        between=explorer.between,
        pooling=cast(Reduction, explorer.pooling),
        scale=cast(ColourScale, explorer.scale),
        scale_to=cast(ScaleTo, explorer.scale_to),
        colours=palette(explorer.theme == "dark"),
    )


def _held(steps: Iterator[Float] | Iterator[None], lock: Lock) -> Iterator[Float]:
    """Take each step under the lock, so that the browser is answered between two of them."""
    end = object()
    while True:
        with lock:
            step = next(steps, end)
        if step is end:
            return
        yield step  # type: ignore[misc]

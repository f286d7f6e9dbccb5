"""Attention whose layers were had in different ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .base import Attention, Float, Preview, Reduction
from .terms import Terms


class MixedAttention(Attention):
    """Layers of several attentions of one pass, in the order of the model's own numbers.

    Parameters
    ----------
    parts : sequence of Attention
        Of the same heads, queries and keys, each with layers of its own. The source of those after
        the first is told with their layers.
    source : str, optional
        How the numbers were had, in words, where it isn't to be told by parts.
    notes : sequence of str, optional
        What a person must know to read the numbers rightly, where it isn't what the parts say.

    Raises
    ------
    ValueError
        No parts, parts of different shapes, or two of the same layer.
    """

    def __init__(
        self,
        parts: Sequence[Attention],
        *,
        source: str | None = None,
        notes: Sequence[str] | None = None,
    ) -> None:
        if not parts:
            raise ValueError("there are no layers: pass one attention or more")
        self.parts = tuple(parts)
        places = sorted(
            (number, part, layer)
            for part, attention in enumerate(self.parts)
            for layer, number in enumerate(attention.layer_numbers)
        )
        self._places = [(self.parts[part], layer) for _, part, layer in places]
        self.layer_numbers = tuple(number for number, _, _ in places)
        _check_parts(self.parts, self.layer_numbers)
        first = self.parts[0]
        self.n_heads, self.n_queries, self.n_keys = _shape(first)
        self.causal = all(part.causal for part in self.parts)
        self.scale = max(part.scale for part in self.parts)
        self.signed = any(part.signed for part in self.parts)
        self.samples = any(part.samples for part in self.parts)
        self.source = "; ".join([first.source, *map(_named_source, self.parts[1:])])
        if source is not None:
            self.source = source
        own = [note for part in self.parts for note in part.notes] if notes is None else notes
        self.notes = tuple(dict.fromkeys(own))

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        part, own = self._places[layer]
        return part.rows(own, heads, queries)

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        part, own = self._places[layer]
        return part.columns(own, heads, keys)

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        part, own = self._places[layer]
        return part.tile(own, head, queries, keys)

    def bands(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Iterator[Float]:
        part, own = self._places[layer]
        return part.bands(own, head, queries, keys, factor, reduction)

    def pooled(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Float:
        part, own = self._places[layer]
        return part.pooled(own, head, queries, keys, factor, reduction)

    def thumbnails(self, layer: int, factor: int, reduction: Reduction = "max") -> Float:
        part, own = self._places[layer]
        return part.thumbnails(own, factor, reduction)

    def preview(self, layer: int, head: int, factor: int, reduction: Reduction = "max") -> Preview:
        part, own = self._places[layer]
        return part.preview(own, head, factor, reduction)

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        part, own = self._places[layer]
        return part.prepare(own, head, queries)

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        part, own = self._places[layer]
        return part.terms(own, head, query, keys)


def named_layers(numbers: Sequence[int]) -> str:
    """Return some layers' numbers in words: ``"layers 1, 4 and 5"``."""
    *most, last = map(str, numbers)
    return f"layers {', '.join(most)} and {last}" if most else f"layer {last}"


def _named_source(part: Attention) -> str:
    return f"{named_layers(part.layer_numbers)}: {part.source}"


def _check_parts(parts: Sequence[Attention], numbers: Sequence[int]) -> None:
    for part in parts:
        if _shape(part) != _shape(parts[0]):
            raise ValueError(
                f"(heads, queries, keys) are {_shape(parts[0])} in "
                f"{named_layers(parts[0].layer_numbers)} and {_shape(part)} in "
                f"{named_layers(part.layer_numbers)}: all layers have to be of one shape"
            )
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise ValueError(f"there are two of {named_layers(twice)}: each layer has one attention")


def _shape(attention: Attention) -> tuple[int, int, int]:
    return attention.n_heads, attention.n_queries, attention.n_keys

"""Weights for a file, where no kernel answers: all of them where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from ..analysis.scores import score_steps
from ..analysis.spans import span_steps
from ..analysis.steps import finish
from ..attention import Attention
from ..attention.base import Float
from ..attention.blocks import pool
from ..channel import weights_reply
from ..encoding import encode
from ..protocol import (
    TILE,
    Encoding,
    LineKey,
    MassKey,
    RecordedReply,
    Reduction,
    SpanKey,
    StripKey,
    TileKey,
)
from ..runs import Progress, silent
from ..tiles import (
    column_steps,
    encode_tiles,
    exact_tile_keys,
    mass_steps,
    n_weights,
    pixel_encoding,
    strip_steps,
    tile_steps,
)
from ..tracing import Kind
from .budget import Budget, packed

# The least share of their size that weights pack to, of a causal mask: more isn't even tried.
_PACKS_TO = 0.1
_ROUNDED = (
    "All weights are in this file, rounded to a byte (≈); more are exact with a larger max_mb=."
)
_READ_AT_ONCE = 4096**2


class Weights(NamedTuple):
    """What was recorded of some weights.

    Attributes
    ----------
    replies : list of RecordedReply
        As they cross.
    whole : bool
        Whether all of them are there.
    exact : bool
        Whether they are the model's own float32, not rounded to a byte.
    sampled : bool
        Whether overviews are of a sample of the queries.
    notes : tuple of str
        What has to be said of them on screen.
    """

    replies: list[RecordedReply]
    whole: bool = True
    exact: bool = True
    sampled: bool = False
    notes: tuple[str, ...] = ()


class Keys(NamedTuple):
    """What is recorded of some weights, by the names that requests have for it."""

    tiles: tuple[TileKey, ...] = ()
    strips: tuple[StripKey, ...] = ()
    rows: tuple[LineKey, ...] = ()
    columns: tuple[LineKey, ...] = ()
    masses: tuple[MassKey, ...] = ()
    spans: tuple[SpanKey, ...] = ()
    scores: bool = False


def record_whole(kind: Kind, beside: Keys, budget: Budget) -> Weights | None:
    """Return all weights, exact where there is room, else rounded; None where there is none.

    With them comes what is `beside`, where there is room for it.
    """
    encodings: tuple[Encoding, Encoding] = ("float32", pixel_encoding(kind.attention))
    for encoding in encodings:
        tiles = _everything(kind.attention, encoding, budget)
        if tiles is not None:
            more = record_keys(kind, [beside], encoding, budget)
            exact = encoding == "float32"
            return Weights([tiles, *more], exact=exact, notes=() if exact else (_ROUNDED,))
    return None


def record_keys(
    kind: Kind,
    wanted: Iterable[Keys],
    encoding: Encoding,
    budget: Budget,
    progress: Progress = silent,
) -> list[RecordedReply]:
    """Return those of some pieces that there is room for; tiles and strips are in `encoding`."""
    found = []
    for keys in wanted:
        recorded = reply_of(kind, keys, encoding, progress) if any(keys) else None
        if recorded is not None and budget.take(recorded):
            found.append(recorded)
    return found


def reply_of(
    kind: Kind, keys: Keys, encoding: Encoding, progress: Progress = silent
) -> RecordedReply:
    """Return what a kernel would have answered; `progress` is told how far its tiles are."""
    attention = kind.attention
    pixels = list[Float]()
    for tile in _tiles(attention, keys.tiles):
        pixels.append(tile)
        progress(len(pixels) / len(keys.tiles))
    pixels += [finish(strip_steps(attention, key)) for key in keys.strips]
    buffers = [
        packed(encode(each, encoding, attention.scale) for each in pixels),
        packed(encode(each, "float32") for each in _lines(kind, keys)),
    ]
    reply = weights_reply(
        keys.tiles,
        encoding,
        keys.strips,
        keys.rows,
        keys.columns,
        keys.masses,
        keys.spans,
        keys.scores,
    )
    return {"reply": reply, "buffers": buffers}


def _tiles(attention: Attention, keys: Iterable[TileKey]) -> Iterator[Float]:
    """Yield tiles; a head of which there are several is read once."""
    cells = attention.n_queries * attention.n_keys
    for at, of_head in groupby(keys, lambda key: key[:2]):
        tiles = list(of_head)
        if len(tiles) == 1 or cells > _READ_AT_ONCE:
            yield from (finish(tile_steps(attention, key)) for key in tiles)
            continue
        matrix = attention.matrix(*at)
        for _, _, level, query, key, pooling in tiles:
            side = TILE << level
            part = matrix[query * side : (query + 1) * side, key * side : (key + 1) * side]
            reduction: Reduction = "mean" if pooling == "mean" else "max"
            yield pool(part, 1 << level, reduction, attention.signed)


def _lines(kind: Kind, keys: Keys) -> list[Float]:
    attention = kind.attention
    lines = [attention.row(*key) for key in keys.rows]
    lines += [finish(column_steps(attention, key)) for key in keys.columns]
    lines += [finish(mass_steps(attention, key)) for key in keys.masses]
    lines += [finish(span_steps(attention, key)) for key in keys.spans]
    return [*lines, finish(score_steps(kind))] if keys.scores else lines


def _everything(attention: Attention, encoding: Encoding, budget: Budget) -> RecordedReply | None:
    size = 4 if encoding == "float32" else 1
    if n_weights(attention) * size * _PACKS_TO > budget.left:
        return None
    buffer = budget.pack(encode_tiles(attention, exact_tile_keys(attention), encoding))
    if buffer is None:
        return None
    recorded: RecordedReply = {"reply": weights_reply([], encoding), "buffers": [buffer]}
    return recorded if budget.take(recorded) else None

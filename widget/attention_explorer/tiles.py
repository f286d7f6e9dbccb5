"""The tiles that the browser draws from: a head's matrix, pooled by powers of two and cut up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .attention import Attention
from .attention.base import Float, Reduction
from .attention.blocks import pool
from .encoding import encode
from .protocol import EVERYTHING_BYTES, TILE, Encoding, LineKey, MassKey, Pooling, StripKey, TileKey
from .worker import Steps

# So many weights are worked out within a second: of a long text's segments many are for each one.
WHOLE_UP_TO = 1 << 25
_SAMPLED = " sampled"
# Of rows that are read at once to sum up what is hidden: some ms of work.
_MASS_CELLS = 1 << 19


def pixel_encoding(attention: Attention) -> Encoding:
    """Return the encoding in bytes that keeps these weights' range."""
    return "signed8" if attention.signed else "quartic8"


def n_weights(attention: Attention) -> int:
    """Return how many weights there are over all layers and heads."""
    return attention.n_layers * attention.n_heads * attention.n_queries * attention.n_keys


def comes_whole(attention: Attention) -> bool:
    """Tell whether all weights are sent at once: few, and soon worked out."""
    is_small = n_weights(attention) <= EVERYTHING_BYTES
    return is_small and attention.n_worked_out <= WHOLE_UP_TO


def n_levels(attention: Attention) -> int:
    """Return how many levels there are: at the last one a whole head is one cell."""
    return (max(attention.n_queries, attention.n_keys) - 1).bit_length() + 1


def tile_grid(attention: Attention, level: int) -> tuple[int, int]:
    """Return how many tiles a head has at a level, down the queries and along the keys."""
    side = TILE << level
    return -(-attention.n_queries // side), -(-attention.n_keys // side)


def tile_steps(attention: Attention, key: TileKey) -> Steps:
    """Compute one tile step by step: border tiles are smaller.

    Where it is of a sample of the queries, of its whole head and in a single step.
    """
    layer, head, level, _, _, pooling = key
    reduction = _reduction(pooling)
    if pooling.endswith(_SAMPLED):
        yield from ()
        return attention.preview(layer, head, 1 << level, reduction).cells
    queries, keys = _reach(attention, key)
    rows = -(-(queries.stop - queries.start) >> level)
    bands: list[Float] = []
    done = 0
    for band in attention.bands(layer, head, queries, keys, 1 << level, reduction):
        bands.append(band)
        done += len(band)
        yield done / rows
    return np.concatenate(bands)


def check_sampled(attention: Attention, key: TileKey) -> None:
    """Refuse a sample of less than a whole head."""
    _, _, level, _, _, pooling = key
    if pooling.endswith(_SAMPLED) and tile_grid(attention, level) != (1, 1):
        raise ValueError(f"{pooling!r} is of a whole head: ask for a level at which it is one tile")


def column_steps(attention: Attention, key: LineKey) -> Steps:
    """Compute one column; what it needs of every row is prepared step by step."""
    layer, head, index = key
    for _ in attention.prepare(layer, head, slice(0, attention.n_queries)):
        yield 0.0
    return attention.column(layer, head, index)


def row_steps(attention: Attention, key: LineKey) -> Steps:
    """Compute one row, in a single step."""
    yield from ()
    return attention.row(*key)


def mass_steps(attention: Attention, key: MassKey) -> Steps:
    """Compute what is hidden of each query's row, some rows a step."""
    n_queries = attention.n_queries
    at_once = max(1, _MASS_CELLS // attention.n_keys)
    parts = []
    for first in range(0, n_queries, at_once):
        queries = range(first, min(first + at_once, n_queries))
        parts.append(attention.hidden_mass(*key, queries))
        yield queries.stop / n_queries
    return np.concatenate(parts)


def strip_steps(attention: Attention, key: StripKey) -> Steps:
    """Compute one row or column, pooled."""
    layer, head, index, level, reduction, axis = key
    steps = row_steps if axis == "row" else column_steps
    line = yield from steps(attention, (layer, head, index))
    return pool(line[None], 1 << level, reduction, attention.signed)[0, :]


def _reach(attention: Attention, key: TileKey) -> tuple[slice, slice]:
    _, _, level, query_tile, key_tile, _ = key
    side = TILE << level
    return (
        slice(query_tile * side, min((query_tile + 1) * side, attention.n_queries)),
        slice(key_tile * side, min((key_tile + 1) * side, attention.n_keys)),
    )


def exact_tile_keys(attention: Attention) -> Iterator[TileKey]:
    """Yield the keys of all tiles of all heads at level 0, head by head."""
    down, along = tile_grid(attention, 0)
    for layer in range(attention.n_layers):
        for head in range(attention.n_heads):
            for query_tile in range(down):
                for key_tile in range(along):
                    yield layer, head, 0, query_tile, key_tile, "max"


def encode_tiles(
    attention: Attention, tiles: Iterable[TileKey], encoding: Encoding
) -> Iterator[bytes]:
    """Yield the bytes of each tile, computed when it is asked for."""
    for key in tiles:
        layer, head, level, _, _, pooling = key
        weights = attention.pooled(
            layer, head, *_reach(attention, key), 1 << level, _reduction(pooling)
        )
        yield encode(weights, encoding, attention.scale)


def _reduction(pooling: Pooling) -> Reduction:
    return "mean" if pooling.startswith("mean") else "max"

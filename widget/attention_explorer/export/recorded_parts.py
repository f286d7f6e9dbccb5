"""What a file holds of weights that are too many for it: the likeliest to be looked at, first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, get_args

from ..attention import Attention
from ..protocol import Axis, Encoding, Pooling, RecordedReply, Reduction, SpanKey, StripKey, TileKey
from ..runs import Progress, silent
from ..tiles import n_weights, pixel_encoding, tile_grid
from ..tracing import Kind
from .budget import Budget
from .recorded_weights import Keys, Weights, record_keys, reply_of

# How many cells a side the map of all heads has of each, as thumbnails.ts has them.
_SIDES = (64, 32, 16)
_LONG_FROM, _LONG_SIDES = 4096, (32,)
# Of what is left so much may be spent on overviews; a cell takes about a byte, packed, in base64.
_OVERVIEWS = 0.6
_REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
# Rounded weights pack to about so much of a byte each, in base64.
_PACKS_TO = 0.7
# Working more weights out takes minutes: then heads are shown from a sample, as in a notebook.
_EXACT_UP_TO = 1 << 33


class Looked(NamedTuple):
    """What is looked at: a layer, its chosen heads, and the tokens that are pinned."""

    layer: int
    heads: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]
    hides: bool
    scores: bool
    spans: tuple[SpanKey, ...]

    @property
    def at(self) -> list[tuple[int, int]]:
        """The chosen heads, with their layer."""
        return [(self.layer, head) for head in self.heads]


def record_part(kind: Kind, looked: Looked, budget: Budget, progress: Progress) -> Weights:
    """Record overviews of all heads, the chosen heads, and what is pinned in every head.

    The least is an overview of the chosen heads: that is counted whether or not it has room.
    `progress` is told how far the overviews are, which take nearly all of the time.
    """
    attention = kind.attention
    encoding = pixel_encoding(attention)
    sampled = attention.samples and attention.n_worked_out > _EXACT_UP_TO
    least = Keys(tiles=tuple(_overview(attention, looked.at, _levels(attention)[-1:], sampled)))
    replies = [reply_of(kind, least, encoding)]
    budget.spend(replies[0])
    held = list[str]()
    for number, alternatives in enumerate(_wishes(attention, looked, budget, sampled)):
        for words, keys, how in alternatives:
            found = record_keys(kind, [keys], how, budget, silent if number else progress)
            if found:
                replies += found
                held.append(words)
                break
    return Weights(replies, False, False, sampled, (_note(attention, held),))


def record_looked(kind: Kind, looked: Looked, budget: Budget) -> list[RecordedReply]:
    """Record exactly what is looked at, where all weights are there but rounded."""
    attention = kind.attention
    heads = [Keys(tiles=tuple(_whole_head(attention, looked.layer, head))) for head in looked.heads]
    lines = [_lines(heads_in, looked) for heads_in in _layer_and_all(attention, looked.layer)]
    return record_keys(kind, [*heads, *lines], "float32", budget)


# What it is in words, its names, and how it is encoded.
_Wish = tuple[str, Keys, Encoding]


def _wishes(
    attention: Attention, looked: Looked, budget: Budget, sampled: bool
) -> Iterator[list[_Wish]]:
    """Yield what is to be recorded, the likeliest looked at first; of each list one is enough."""
    encoding = pixel_encoding(attention)
    in_layer, every = _layer_and_all(attention, looked.layer)
    lines = looked._replace(keys=()) if sampled else looked
    levels = _levels(attention)
    while levels and _n_cells(attention, levels) > budget.left * _OVERVIEWS:
        levels = levels[1:]
    overviews = Keys(
        tiles=tuple(_overview(attention, every, levels, sampled)),
        strips=tuple(_strips(every, levels, {"row": lines.queries, "column": lines.keys})),
        spans=looked.spans,
        scores=looked.scores,
    )
    yield [("an overview of every head", overviews, encoding)]
    for layer, head in looked.at:
        name = f"layer {attention.layer_numbers[layer]} head {head} whole"
        masses = ((layer, head),) if looked.hides else ()
        whole = Keys(tiles=tuple(_whole_head(attention, layer, head)), masses=masses)
        yield [(name, whole, "float32"), (f"{name}, rounded", whole, encoding)]
    words = "what the pinned tokens read and what reads them"
    yield [
        (f"{words}, in every head", _lines(every, lines), encoding),
        (f"{words}, in the chosen layer", _lines(in_layer, lines), encoding),
    ]
    yield from _layers(attention, looked, budget)


def _layers(attention: Attention, looked: Looked, budget: Budget) -> Iterator[list[_Wish]]:
    """Yield whole layers, the nearest first, while one may have room."""
    cells = attention.n_heads * attention.n_queries * attention.n_keys
    nearest = sorted(range(attention.n_layers), key=lambda layer: abs(layer - looked.layer))
    for layer in nearest:
        before = budget.left
        if cells * _PACKS_TO > before:
            return
        heads = [head for head in range(attention.n_heads) if (layer, head) not in looked.at]
        tiles = tuple(it for head in heads for it in _whole_head(attention, layer, head))
        name = f"layer {attention.layer_numbers[layer]}, rounded"
        yield [(name, Keys(tiles=tiles), pixel_encoding(attention))]
        # Where one had no room, the next has none.
        if budget.left == before:
            return


def _layer_and_all(
    attention: Attention, layer: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    heads = range(attention.n_heads)
    every = [(one, head) for one in range(attention.n_layers) for head in heads]
    return [at for at in every if at[0] == layer], every


def _lines(heads: list[tuple[int, int]], looked: Looked) -> Keys:
    return Keys(
        rows=tuple((*at, query) for at in heads for query in looked.queries),
        columns=tuple((*at, key) for at in heads for key in looked.keys),
    )


def _note(attention: Attention, held: list[str]) -> str:
    size = 4 * n_weights(attention) / 1e6
    return (
        f"All weights are {size:,.0f} MB; this file holds {'; '.join(held) or 'an overview'}. "
        "More is in it with a larger max_mb=, and all in a notebook."
    )


def _levels(attention: Attention) -> list[int]:
    """Return the levels of the map of all heads, the finest first."""
    longest = max(attention.n_queries, attention.n_keys)
    sides = _LONG_SIDES if longest > _LONG_FROM else _SIDES
    levels = [(-(-longest // side) - 1).bit_length() for side in sides]
    return list(dict.fromkeys(levels))


def _n_cells(attention: Attention, levels: list[int]) -> int:
    heads = attention.n_layers * attention.n_heads * len(_REDUCTIONS)
    sides = [(-(-attention.n_queries >> it), -(-attention.n_keys >> it)) for it in levels]
    return heads * sum(down * along for down, along in sides)


def _overview(
    attention: Attention, heads: list[tuple[int, int]], levels: list[int], sampled: bool
) -> Iterator[TileKey]:
    poolings: tuple[Pooling, Pooling] = ("max", "mean")
    if sampled:
        poolings = ("max sampled", "mean sampled")
    for layer, head in heads:
        for level in levels:
            # At full resolution nothing is pooled, and one name is enough.
            for pooling in poolings if level else poolings[:1]:
                yield layer, head, level, 0, 0, pooling


def _strips(
    heads: list[tuple[int, int]], levels: list[int], lines: dict[Axis, tuple[int, ...]]
) -> Iterator[StripKey]:
    for layer, head in heads:
        for axis, tokens in lines.items():
            for token in tokens:
                for level in levels:
                    for reduction in _REDUCTIONS:
                        yield layer, head, token, level, reduction, axis


def _whole_head(attention: Attention, layer: int, head: int) -> Iterator[TileKey]:
    down, along = tile_grid(attention, 0)
    for query in range(down):
        for key in range(along):
            yield layer, head, 0, query, key, "max"

"""Weights for a file, where no kernel answers: all of them where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..analysis.scores import score_steps
from ..analysis.steps import finish
from ..attention import Attention
from ..channel import weights_reply
from ..encoding import encode
from ..protocol import Description, Encoding, LineKey, MassKey, RecordedReply, TileKey
from ..tiles import encode_tiles, exact_tile_keys, n_weights, pixel_encoding
from ..tracing import Kind
from .budget import Budget, packed

# The least share of their size that weights pack to, of a causal mask: more isn't even tried.
_PACKS_TO = 0.1


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
    """

    replies: list[RecordedReply]
    whole: bool
    exact: bool


def record_whole(kind: Kind, about: Description, budget: Budget) -> Weights | None:
    """Return all weights, exact where there is room, else rounded; None where there is none."""
    encodings: tuple[Encoding, Encoding] = ("float32", pixel_encoding(kind.attention))
    for encoding in encodings:
        tiles = _everything(kind.attention, encoding, budget)
        if tiles is not None:
            return Weights([tiles, *_sums(kind, about, budget)], True, encoding == "float32")
    return None


def lines_of(
    kind: Kind,
    tiles: Sequence[TileKey] = (),
    encoding: Encoding = "float32",
    rows: Sequence[LineKey] = (),
    columns: Sequence[LineKey] = (),
    masses: Sequence[MassKey] = (),
    scores: bool = False,
) -> RecordedReply:
    """Return tiles, exact rows and columns, what is hidden of rows, and the heads' scores."""
    attention = kind.attention
    queries = range(attention.n_queries)
    lines = [attention.row(*key) for key in rows]
    lines += [attention.column(*key) for key in columns]
    lines += [attention.hidden_mass(*key, queries) for key in masses]
    lines += [finish(score_steps(kind))] if scores else []
    return {
        "reply": weights_reply(tiles, encoding, (), rows, columns, masses, scores=scores),
        "buffers": [
            packed(encode_tiles(attention, tiles, encoding)),
            packed(encode(line, "float32") for line in lines),
        ],
    }


def _everything(attention: Attention, encoding: Encoding, budget: Budget) -> RecordedReply | None:
    size = 4 if encoding == "float32" else 1
    if n_weights(attention) * size * _PACKS_TO > budget.left:
        return None
    buffer = budget.pack(encode_tiles(attention, exact_tile_keys(attention), encoding))
    if buffer is None:
        return None
    recorded: RecordedReply = {"reply": weights_reply([], encoding), "buffers": [buffer]}
    return recorded if budget.take(recorded) else None


def _sums(kind: Kind, about: Description, budget: Budget) -> list[RecordedReply]:
    """Return what of all heads is small: what is hidden of their rows, and their scores."""
    layers, heads = range(kind.attention.n_layers), range(kind.attention.n_heads)
    masses = [(layer, head) for layer in layers for head in heads] if about["hides"] else []
    recorded = lines_of(kind, masses=masses, scores=bool(about["scores"]))
    return [recorded] if budget.take(recorded) else []

"""What the browser has before it asks for anything: the description, and a snapshot that is saved.

The snapshot travels with a saved notebook, so that it shows something where no kernel runs: all
weights where they are few, else an overview of the head that the explorer opened with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from .attention import Attention
from .channel import EVERYTHING_BYTES, tokens_reply, weights_reply
from .encoding import compress_within
from .protocol import Description, Snapshot, TileKey
from .tiles import encode_tiles, exact_tile_keys, n_weights, pixel_encoding
from .tracing.tokens import Tokens

# Of the notebook file, measured as it is written there.
SNAPSHOT_BYTES = 42_000
TOKENS_BYTES = 16_000

OVERVIEW_SIDE = 128

# A notebook file has a line for each entry of a list, and this many spaces before what we measure.
_NOTEBOOK_INDENT = 8


def describe(attention: Attention, same_tokens: bool, model_name: str) -> Description:
    """Return what there is to see and how to read it."""
    return {
        "layers": list(attention.layer_numbers),
        "heads": attention.n_heads,
        "queries": attention.n_queries,
        "keys": attention.n_keys,
        "causal": attention.causal,
        "same_tokens": same_tokens,
        "scale": attention.scale,
        "encoding": pixel_encoding(attention),
        "model": model_name,
        "source": attention.source,
        "notes": list(attention.notes),
    }


def take_snapshot(
    attention: Attention, tokens: Tokens, key_tokens: Tokens | None, layer: int, head: int
) -> Snapshot:
    """Return the tokens and weights that a saved notebook has room for.

    Weights are all of them at full resolution, else one head's overview of at most `OVERVIEW_SIDE`
    cells a side, else none.
    """
    table = tokens_reply(tokens, key_tokens)
    size = _notebook_bytes(table)
    kept = table if size <= TOKENS_BYTES else None
    room = SNAPSHOT_BYTES - (size if kept else 0)
    encoding = pixel_encoding(attention)
    for tiles in _candidates(attention, layer, head):
        header = weights_reply(tiles, encoding)
        in_base64 = room - _notebook_bytes(header)
        buffer = compress_within(in_base64 * 3 // 4, encode_tiles(attention, tiles, encoding))
        if buffer is not None:
            return {"tokens": kept, "weights": header, "buffer": buffer}
    return {"tokens": kept, "weights": None, "buffer": None}


def _candidates(attention: Attention, layer: int, head: int) -> Iterator[Sequence[TileKey]]:
    if n_weights(attention) <= EVERYTHING_BYTES:
        yield list(exact_tile_keys(attention))
    longest = max(attention.n_queries, attention.n_keys)
    yield [(layer, head, ((longest - 1) // OVERVIEW_SIDE).bit_length(), 0, 0)]


def _notebook_bytes(value: object) -> int:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return len(text.encode()) + text.count("\n") * _NOTEBOOK_INDENT

"""What the browser has before it asks for anything: the description, and a snapshot that is saved.

The snapshot travels with a saved notebook, so that it shows something where no kernel runs: all
weights where they are few, else an overview of the head that the explorer opened with.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from .analysis.scores import SCORES
from .attention import Attention
from .attention.derived import is_softmax
from .channel import tokens_reply, weights_reply
from .encoding import compress_within
from .flow.measures import MEASURES
from .protocol import (
    CheckResult,
    Description,
    Measure,
    SavedReplies,
    Snapshot,
    TileKey,
    TokensReply,
)
from .tiles import comes_whole, encode_tiles, exact_tile_keys, pixel_encoding
from .tracing import Kind
from .tracing.trace import Check
from .variants import Variant, Variants, hidden_keys, key_tokens_of

# What a notebook grows by with a view: its module, its state, as base64 the snapshot, and a still
# for pages without widgets (`export.still`), which may have more where the others leave it.
SAVED_BYTES = 100_000
STATE_BYTES = 4_500
STILL_BYTES = 5_000
MOST_STILL_BYTES = 8_000
SNAPSHOT_BYTES = 31_800
TOKENS_BYTES = 16_000

# Of a classifier's labels so many are shown.
MOST_LABELS = 6

OVERVIEW_SIDE = 128
# A head above this takes seconds to pool, and opening must not wait for what may never be saved.
OVERVIEW_CELLS = 4096**2


def describe(variants: Variants, variant: Variant, model_name: str) -> Description:
    """Return what there is to see of what is shown, and how to read it."""
    kind, traced = variants.show(variant), variants.kinds[variant.kind]
    attention, weights = kind.attention, traced.attention
    about = MEASURES[variant.measure]
    have_shares = all(is_softmax(weights, layer) for layer in range(weights.n_layers))
    return {
        "shown": variants.name_of(variant),
        "hides": len(hidden_keys(traced, variant)),
        "hidden_tokens": [key_tokens_of(traced).text[key] for key in variant.hide_tokens],
        "kind": variant.kind,
        "kinds": list(variants.kinds),
        "check": None if kind.check is None else _check_result(kind.check),
        "measure": variant.measure,
        "measures": _by_reason(variants.measures.available(variant.kind)),
        "number": _number(variant.measure, attention),
        "against": attention.against,
        "shares": about.are_shares and have_shares,
        "layers": list(attention.layer_numbers),
        "heads": attention.n_heads,
        "queries": attention.n_queries,
        "keys": attention.n_keys,
        "causal": attention.causal,
        "same_tokens": kind.key_tokens is None,
        "samples": attention.samples,
        "whole": comes_whole(attention),
        "scale": attention.scale,
        "encoding": pixel_encoding(attention),
        "model": model_name,
        "source": attention.source,
        "notes": list(attention.notes),
        "scores": [
            f"{score.name}: {score.meaning}" for score in SCORES if variant.measure == "weights"
        ],
        "labels": list(kind.labels[:MOST_LABELS]),
        "labels_by": kind.labels_by,
        "texts": variants.texts,
        "held": "",
    }


def _by_reason(measures: Mapping[Measure, str]) -> list[str]:
    """Return one line for those that can be had, and one for each reason why others can't."""
    named: dict[str, list[str]] = {}
    for name, why in measures.items():
        named.setdefault(why, []).append(name)
    return [f"{', '.join(names)}: {why}" for why, names in named.items()]


def _number(measure: Measure, attention: Attention) -> str:
    """Return what one number is called."""
    number = MEASURES[measure].number
    if not attention.against:
        return number
    return "difference" if measure == "weights" else f"difference of {number}"


def room_beside(module: str, state: Mapping[str, object]) -> int:
    """Return how many bytes a snapshot may have beside a module and more state than is usual."""
    return min(SNAPSHOT_BYTES, _left_beside(module, state) - STILL_BYTES)


def room_for_still(module: str, state: Mapping[str, object], snapshot: Snapshot) -> int:
    """Return how many bytes a still may have beside the same and a snapshot."""
    saved = sum(_base64_bytes(data) for data in (snapshot["header"], snapshot["buffer"]) if data)
    return min(MOST_STILL_BYTES, _left_beside(module, state) - saved)


def _left_beside(module: str, state: Mapping[str, object]) -> int:
    more = len(json.dumps(state, default=lambda data: b64encode(data).decode()))
    return SAVED_BYTES - STATE_BYTES - more - len(json.dumps(module))


def take_snapshot(kind: Kind, layer: int, head: int, room: int = SNAPSHOT_BYTES) -> Snapshot:
    """Return the tokens and weights that a saved notebook has room for, in bytes.

    Weights are all of them at full resolution, else one head's overview of at most `OVERVIEW_SIDE`
    cells a side, else (of heads that take long to pool) none.
    """
    attention = kind.attention
    tokens = tokens_reply(kind)
    without_steps: TokensReply = {**tokens, "steps": []}
    most = min(TOKENS_BYTES, room // 2)
    table = next((it for it in (tokens, without_steps) if _size(it) <= most), None)
    encoding = pixel_encoding(attention)
    for named, tiles in _candidates(attention, layer, head):
        header = _header({"tokens": table, "weights": weights_reply(named, encoding)})
        left = (room - _base64_bytes(header)) * 3 // 4
        buffer = compress_within(left, encode_tiles(attention, tiles, encoding))
        if buffer is not None:
            return {"header": header, "buffer": buffer}
    return {"header": _header({"tokens": table, "weights": None}), "buffer": None}


def _check_result(check: Check) -> CheckResult:
    return {"worst": check.worst, "tolerance": check.tolerance, "ok": check.ok}


def _candidates(
    attention: Attention, layer: int, head: int
) -> Iterator[tuple[Sequence[TileKey], Sequence[TileKey]]]:
    """Yield what may be saved, the best first: how the header names it, and the tiles."""
    if comes_whole(attention):
        yield [], list(exact_tile_keys(attention))
    if attention.n_worked_out > attention.n_layers * attention.n_heads * OVERVIEW_CELLS:
        return
    longest = max(attention.n_queries, attention.n_keys)
    level = ((longest - 1) // OVERVIEW_SIDE).bit_length()
    overview: list[TileKey] = [(layer, head, level, 0, 0, "max")]
    yield overview, overview


def _size(tokens: TokensReply) -> int:
    return _base64_bytes(_header({"tokens": tokens, "weights": None}))


def _header(replies: SavedReplies) -> bytes:
    text = json.dumps(replies, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 9)


def _base64_bytes(data: bytes) -> int:
    return len(b64encode(data))

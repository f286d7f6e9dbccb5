"""The data model: it answers the browser's requests for numbers, and never speaks unasked.

Python sends nothing on this model but replies, so that Jupyter keeps routing its requests to a
thread of their own, where they are answered while a cell runs.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np

from .attention import Attention
from .encoding import compress, encode
from .protocol import (
    EVERYTHING_BYTES,
    Encoding,
    ErrorReply,
    LineKey,
    Reply,
    TileKey,
    TokensReply,
    WeightsReply,
)
from .tiles import (
    column_steps,
    encode_tiles,
    exact_tile_keys,
    n_levels,
    n_weights,
    pixel_encoding,
    row_steps,
    tile_grid,
    tile_steps,
)
from .tracing import Kind
from .worker import Steps, Worker

Answer = tuple[Reply, list[bytes]]


class SavedWidget(anywidget.AnyWidget):
    """An AnyWidget that keeps its JavaScript where its state is saved or embedded in a page."""

    def _get_embed_state(self, drop_defaults: bool = False) -> dict[str, Any]:
        # AnyWidget declares the module as the default of a trait, and saving drops what is default.
        state: dict[str, Any] = super()._get_embed_state(drop_defaults=False)
        return state


class AttentionSource(SavedWidget):
    """Answers requests for tokens and weights (`protocol.Request`) with a `protocol.Reply` each.

    Parameters
    ----------
    kinds : mapping of str to Kind
        Where the numbers come from; each request names the kind of attention that it is for.
        Requests arrive in a thread of Jupyter's beside the user's code, so whoever reads the
        numbers does so under `lock`.
    """

    _esm = "export default {}"

    # Seconds after which a request is answered with what is ready.
    answer_within = 0.04

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.lock = threading.Lock()
        self._worker = Worker(self.lock)
        self._kinds = kinds
        super().__init__()
        self.on_msg(self._on_request)

    def close(self) -> None:
        """Close the comm and let go of the weights."""
        super().close()
        self._worker.close()
        self._kinds = {}

    def _on_request(self, _widget: object, request: object, _buffers: object) -> None:
        identity = ""
        reply: Reply
        try:
            fields = _fields(request)
            identity = _identity(fields)
            reply, buffers = self._answer(identity, fields)
        # An interrupt too is answered: the browser has one request in flight and would wait on.
        except (Exception, KeyboardInterrupt) as error:
            reply, buffers = _error_reply(identity, error), []
        self.send(reply, buffers)

    def _answer(self, identity: str, fields: Mapping[str, object]) -> Answer:
        kind = fields.get("kind")
        if kind not in ("tokens", "weights", "everything"):
            raise ValueError(
                f"unknown kind of request {kind!r:.80}: use tokens, weights or everything"
            )
        shown = _shown(fields, self._kinds)
        if kind == "tokens":
            return tokens_reply(self._kinds[shown], identity), []
        if kind == "weights":
            return self._ready_weights(identity, shown, fields)
        with self.lock:
            return _all_weights(identity, self._kinds[shown].attention)

    def _ready_weights(self, identity: str, shown: str, fields: Mapping[str, object]) -> Answer:
        attention = self._kinds[shown].attention
        tiles = [_tile_key(attention, key) for key in _list(fields, "tiles")]
        rows = [_line_key(attention, key, "query") for key in _list(fields, "rows")]
        columns = [_line_key(attention, key, "key") for key in _list(fields, "columns")]
        # What was worked on for another kind of attention is never taken for this one's.
        jobs: dict[tuple[str, str, TileKey | LineKey], Steps] = {
            **{(shown, "row", key): row_steps(attention, key) for key in rows},
            **{(shown, "column", key): column_steps(attention, key) for key in columns},
            **{(shown, "tile", key): tile_steps(attention, key) for key in tiles},
        }
        finished, progress = self._worker.finish(jobs, self.answer_within)
        ready = {(what, key): numbers for (_, what, key), numbers in finished.items()}
        rows = [key for key in rows if ("row", key) in ready]
        columns = [key for key in columns if ("column", key) in ready]
        tiles = [key for key in tiles if ("tile", key) in ready]
        lines = [ready["row", key] for key in rows] + [ready["column", key] for key in columns]
        encoding = pixel_encoding(attention)
        return weights_reply(tiles, encoding, rows, columns, identity, progress), [
            compress(encode(ready["tile", key], encoding, attention.scale) for key in tiles),
            compress(encode(line, "float32") for line in lines),
        ]


def tokens_reply(kind: Kind, identity: str = "") -> TokensReply:
    """Return the tokens of both sides as they cross to the browser."""
    return {
        "id": identity,
        "kind": "tokens",
        "queries": kind.tokens.table(),
        "keys": None if kind.key_tokens is None else kind.key_tokens.table(),
        "steps": [
            {
                "token": step.position,
                "query": step.query,
                "probability": step.probability,
                "alternatives": list(step.alternatives),
            }
            for step in kind.steps
        ],
    }


def weights_reply(
    tiles: Sequence[TileKey],
    encoding: Encoding,
    rows: Sequence[LineKey] = (),
    columns: Sequence[LineKey] = (),
    identity: str = "",
    progress: float | None = None,
) -> WeightsReply:
    """Return the header that says what a reply's buffers hold."""
    return {
        "id": identity,
        "kind": "weights",
        "tiles": list(tiles),
        "encoding": encoding,
        "rows": list(rows),
        "columns": list(columns),
        "progress": progress,
    }


def _error_reply(identity: str, error: BaseException) -> ErrorReply:
    unexpected = "" if isinstance(error, ValueError) else f"{type(error).__name__} in the kernel: "
    return {
        "id": identity,
        "kind": "error",
        "message": f"{unexpected}{error}",
        "detail": "".join(traceback.format_exception(error)),
    }


def _all_weights(identity: str, attention: Attention) -> Answer:
    cells = n_weights(attention)
    if cells > EVERYTHING_BYTES:
        raise ValueError(
            f"all {cells:,} weights together are above the limit of {EVERYTHING_BYTES:,} bytes: "
            "ask for tiles"
        )
    exact = cells * np.dtype(np.float32).itemsize <= EVERYTHING_BYTES
    encoding: Encoding = "float32" if exact else pixel_encoding(attention)
    tiles = list(exact_tile_keys(attention))
    return weights_reply(tiles, encoding, identity=identity), [
        compress(encode_tiles(attention, tiles, encoding)),
        compress([]),
    ]


def _fields(request: object) -> Mapping[str, object]:
    if not isinstance(request, Mapping):
        raise ValueError(f"a request is an object with id and kind, got {request!r:.80}")
    return request


def _identity(fields: Mapping[str, object]) -> str:
    identity = fields.get("id")
    if not isinstance(identity, str):
        raise ValueError(f"a request needs an id, a string; got {identity!r:.80}")
    return identity


def _shown(fields: Mapping[str, object], kinds: Mapping[str, Kind]) -> str:
    if not kinds:
        raise ValueError("the explorer was closed in Python")
    shown = fields.get("shown")
    if not isinstance(shown, str) or shown not in kinds:
        known = ", ".join(map(repr, kinds))
        raise ValueError(
            f"a request names the kind of attention that it is for, shown: {known}; "
            f"got {shown!r:.80}"
        )
    return shown


def _list(fields: Mapping[str, object], name: str) -> Sequence[object]:
    keys = fields.get(name)
    if not isinstance(keys, (list, tuple)):
        raise ValueError(f"a request for weights needs {name}, a list; got {keys!r:.80}")
    return keys


def _tile_key(attention: Attention, key: object) -> TileKey:
    layer, head, level, query_tile, key_tile = _integers(
        key, ("layer", "head", "level", "query tile", "key tile")
    )
    _check_index("layer", layer, attention.n_layers)
    _check_index("head", head, attention.n_heads)
    _check_index("level", level, n_levels(attention))
    down, along = tile_grid(attention, level)
    _check_index(f"level {level} query tile", query_tile, down)
    _check_index(f"level {level} key tile", key_tile, along)
    return layer, head, level, query_tile, key_tile


def _line_key(attention: Attention, key: object, axis: str) -> LineKey:
    layer, head, index = _integers(key, ("layer", "head", axis))
    _check_index("layer", layer, attention.n_layers)
    _check_index("head", head, attention.n_heads)
    _check_index(axis, index, attention.n_queries if axis == "query" else attention.n_keys)
    return layer, head, index


def _integers(key: object, names: Sequence[str]) -> Sequence[int]:
    if (
        isinstance(key, (list, tuple))
        and len(key) == len(names)
        and all(type(index) is int for index in key)
    ):
        return key
    raise ValueError(f"{key!r:.80} isn't a list of integers [{', '.join(names)}]")


def _check_index(name: str, index: int, length: int) -> None:
    if not 0 <= index < length:
        raise ValueError(f"{name} {index} is out of range: 0 to {length - 1}")

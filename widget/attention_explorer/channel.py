"""The data model: it answers the browser's requests for numbers, and never speaks unasked.

Python sends nothing on this model but replies, so that Jupyter keeps routing its requests to a
thread of their own, where they are answered while a cell runs.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import anywidget
import numpy as np

from .analysis.scores import score_steps
from .analysis.spans import span_steps
from .attention import Attention
from .attention.terms import NoTermsError
from .encoding import compress, encode
from .part import part_named
from .protocol import (
    EVERYTHING_BYTES,
    AskReply,
    Axis,
    Encoding,
    ErrorReply,
    LineKey,
    MassKey,
    PartReply,
    Reply,
    SpanKey,
    StripKey,
    Studied,
    StudyReply,
    TermsReply,
    TileKey,
    TokensReply,
    WeightsReply,
)
from .requests import (
    Question,
    Wish,
    read_fields,
    read_flag,
    read_identity,
    read_lines,
    read_masses,
    read_part,
    read_question,
    read_shown,
    read_spans,
    read_strips,
    read_study,
    read_terms,
    read_tiles,
)
from .tiles import (
    column_steps,
    encode_tiles,
    exact_tile_keys,
    mass_steps,
    n_weights,
    pixel_encoding,
    row_steps,
    strip_steps,
    tile_steps,
)
from .tracing import Kind
from .worker import Steps, Worker

_KINDS = ("tokens", "weights", "everything", "terms", "ask", "study", "part")

Answer = tuple[Reply, list[bytes]]
_Key = TileKey | StripKey | LineKey | MassKey | SpanKey | None


def nobody_to_ask(question: Question) -> float | None:
    """Refuse a question where there is no model."""
    raise ValueError(
        "there is no model to ask: make the explorer by AttentionExplorer.qa(model, tokenizer, "
        "question, context)"
    )


def nothing_to_study(wish: Wish) -> tuple[float, Studied | None]:
    """Refuse a study where there is no explorer."""
    raise ValueError("there is nothing to study: make an explorer by AttentionExplorer(...)")


class SavedWidget(anywidget.AnyWidget):
    """An AnyWidget that keeps its JavaScript where its state is saved or embedded in a page."""

    def _get_embed_state(self, drop_defaults: bool = False) -> dict[str, Any]:
        # AnyWidget declares the module as the default of a trait, and saving drops what is default.
        state: dict[str, Any] = super()._get_embed_state(drop_defaults=False)
        return state

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the view, and beside it a picture for pages that show no widgets."""
        bundle: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**options)
        if bundle is not None and (still := self._still()):
            bundle[0]["text/html"] = still
        return bundle

    def _still(self) -> str:
        """Return a picture of the view as HTML; "" where there is none."""
        return ""


class ReplyingModel(SavedWidget):
    """A data model: each request, which has an id, is answered once, if only by an error."""

    _esm = "export default {}"

    def __init__(self) -> None:
        super().__init__()
        self.on_msg(self._on_request)

    def _on_request(self, _widget: object, request: object, _buffers: object) -> None:
        identity = ""
        reply: Mapping[str, Any]
        try:
            fields = read_fields(request)
            identity = read_identity(fields)
            reply, buffers = self._answer(identity, fields)
        # An interrupt too is answered: the browser has one request in flight and would wait on.
        except (Exception, KeyboardInterrupt) as error:
            reply, buffers = _error_reply(identity, error), []
        self.send(reply, buffers)

    def _answer(
        self, identity: str, fields: Mapping[str, object]
    ) -> tuple[Mapping[str, Any], list[bytes]]:
        raise NotImplementedError


class AttentionSource(ReplyingModel):
    """Answers requests for tokens and weights (`protocol.Request`) with a `protocol.Reply` each.

    Parameters
    ----------
    kinds : mapping of str to Kind
        Where the numbers come from; each request names the kind of attention that it is for.
        Requests arrive in a thread of Jupyter's beside the user's code, so whoever reads the
        numbers does so under `lock`.
    ask : callable
        Puts a question to the model; returns the share that is done, None when all is.
    study : callable
        Goes on with a study; returns the share that is done, and what came of it, once.
    """

    # Seconds after which a request is answered with what is ready.
    answer_within = 0.04

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        ask: Callable[[Question], float | None] = nobody_to_ask,
        study: Callable[[Wish], tuple[float, Studied | None]] = nothing_to_study,
    ) -> None:
        self.lock = threading.Lock()
        self._ask, self._study = ask, study
        self._worker = Worker(self.lock)
        self.kinds = kinds
        super().__init__()

    def close(self) -> None:
        """Close the comm and let go of the weights."""
        super().close()
        self._worker.close()
        self.kinds = {}

    def _answer(self, identity: str, fields: Mapping[str, object]) -> Answer:
        kind = fields.get("kind")
        if kind not in _KINDS:
            raise ValueError(f"unknown kind of request {kind!r:.80}: use {', '.join(_KINDS)}")
        if kind == "ask":
            return self._asked(identity, fields), []
        if kind == "part":
            part: PartReply = {"id": identity, "kind": "part"}
            return part, [compress([part_named(read_part(fields))])]
        shown = read_shown(fields, self.kinds)
        if kind == "study":
            return self._studied(identity, shown, fields), []
        if kind == "tokens":
            return tokens_reply(self.kinds[shown], identity), []
        if kind == "weights":
            return self._ready_weights(identity, shown, fields)
        if kind == "terms":
            with self.lock:
                return _terms(identity, self.kinds[shown].attention, fields)
        with self.lock:
            return _all_weights(identity, self.kinds[shown].attention)

    def _asked(self, identity: str, fields: Mapping[str, object]) -> AskReply:
        return {"id": identity, "kind": "ask", "progress": self._ask(read_question(fields))}

    def _studied(self, identity: str, shown: str, fields: Mapping[str, object]) -> StudyReply:
        share, studied = self._study(read_study(fields, shown))
        return {"id": identity, "kind": "study", "progress": share, "studied": studied}

    def _ready_weights(self, identity: str, shown: str, fields: Mapping[str, object]) -> Answer:
        attention = self.kinds[shown].attention
        tiles, strips = read_tiles(fields, attention), read_strips(fields, attention)
        masses, spans = read_masses(fields, attention), read_spans(fields, attention)
        scores = read_flag(fields, "scores")
        rows, columns = (read_lines(fields, attention, axis) for axis in get_args(Axis))
        # What was worked on for another kind of attention is never taken for this one's.
        jobs: dict[tuple[str, str, _Key], Steps] = {
            **{(shown, "row", key): row_steps(attention, key) for key in rows},
            **{(shown, "column", key): column_steps(attention, key) for key in columns},
            **{(shown, "strip", key): strip_steps(attention, key) for key in strips},
            **{(shown, "mass", key): mass_steps(attention, key) for key in masses},
            **{(shown, "span", key): span_steps(attention, key) for key in spans},
            **({(shown, "scores", None): score_steps(self.kinds[shown])} if scores else {}),
            **{(shown, "tile", key): tile_steps(attention, key) for key in tiles},
        }
        finished, progress = self._worker.finish(jobs, self.answer_within)
        ready = {(what, key): numbers for (_, what, key), numbers in finished.items()}
        rows = [key for key in rows if ("row", key) in ready]
        columns = [key for key in columns if ("column", key) in ready]
        tiles = [key for key in tiles if ("tile", key) in ready]
        strips = [key for key in strips if ("strip", key) in ready]
        masses = [key for key in masses if ("mass", key) in ready]
        spans = [key for key in spans if ("span", key) in ready]
        cells = [ready["tile", key] for key in tiles] + [ready["strip", key] for key in strips]
        lines = [ready["row", key] for key in rows] + [ready["column", key] for key in columns]
        lines += [ready["mass", key] for key in masses] + [ready["span", key] for key in spans]
        scored = ("scores", None) in ready
        lines += [ready["scores", None]] if scored else []
        encoding = pixel_encoding(attention)
        reply = weights_reply(
            tiles, encoding, strips, rows, columns, masses, spans, scored, identity, progress
        )
        return reply, [
            compress(encode(pixels, encoding, attention.scale) for pixels in cells),
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
    strips: Sequence[StripKey] = (),
    rows: Sequence[LineKey] = (),
    columns: Sequence[LineKey] = (),
    masses: Sequence[MassKey] = (),
    spans: Sequence[SpanKey] = (),
    scores: bool = False,
    identity: str = "",
    progress: float | None = None,
) -> WeightsReply:
    """Return the header that says what a reply's buffers hold."""
    return {
        "id": identity,
        "kind": "weights",
        "tiles": list(tiles),
        "strips": list(strips),
        "encoding": encoding,
        "rows": list(rows),
        "columns": list(columns),
        "masses": list(masses),
        "spans": list(spans),
        "scores": scores,
        "progress": progress,
    }


def _terms(identity: str, attention: Attention, fields: Mapping[str, object]) -> Answer:
    line, keys = read_terms(fields, attention)
    reply: TermsReply = {
        "id": identity,
        "kind": "terms",
        "line": line,
        "keys": keys,
        "terms": None,
        "why": "",
    }
    try:
        terms = attention.terms(*line, keys)
    except NoTermsError as error:
        return {**reply, "why": str(error)}, []
    reply["terms"] = {
        "size": len(terms.query),
        "steps": list(terms.steps),
        "log_sum": terms.log_sum,
        "sink": terms.sink,
        "largest": terms.largest,
    }
    by_key = np.column_stack([terms.key, *terms.steps.values()])
    return reply, [compress(encode(each, "float32") for each in (terms.query, by_key))]


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

"""What the browser asks for, checked: bad requests are refused in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast, get_args

from .attention import Attention
from .part import PARTS
from .protocol import (
    Axis,
    LineKey,
    MassKey,
    Pooling,
    Reduction,
    SpanKey,
    StripKey,
    Study,
    TileKey,
)
from .tiles import check_sampled, n_levels, tile_grid
from .tracing import Kind

_ALONG: Mapping[Axis, str] = {"row": "query", "column": "key"}


def read_fields(request: object) -> Mapping[str, object]:
    """Accept an object with fields."""
    if not isinstance(request, Mapping):
        raise ValueError(f"a request is an object with id and kind, got {request!r:.80}")
    return request


def read_identity(fields: Mapping[str, object]) -> str:
    """Return the request's id, which its answer carries."""
    identity = fields.get("id")
    if not isinstance(identity, str):
        raise ValueError(f"a request needs an id, a string; got {identity!r:.80}")
    return identity


def read_shown(fields: Mapping[str, object], kinds: Mapping[str, Kind]) -> str:
    """Return the kind of attention that the request is for."""
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


def read_tiles(fields: Mapping[str, object], attention: Attention) -> list[TileKey]:
    """Return the tiles that are asked for."""
    return [_tile_key(attention, key) for key in _list(fields, "tiles")]


def read_strips(fields: Mapping[str, object], attention: Attention) -> list[StripKey]:
    """Return the pooled rows and columns that are asked for."""
    return [_strip_key(attention, key) for key in _list(fields, "strips")]


def read_lines(fields: Mapping[str, object], attention: Attention, axis: Axis) -> list[LineKey]:
    """Return the rows or the columns that are asked for."""
    return [_line_key(attention, key, axis) for key in _list(fields, f"{axis}s")]


def read_masses(fields: Mapping[str, object], attention: Attention) -> list[MassKey]:
    """Return the heads whose hidden mass is asked for."""
    return [_mass_key(attention, key) for key in _list(fields, "masses")]


def read_spans(fields: Mapping[str, object], attention: Attention) -> list[SpanKey]:
    """Return the spans whose mass in every head is asked for."""
    return [_span_key(attention, key) for key in _list(fields, "spans")]


def read_flag(fields: Mapping[str, object], name: str) -> bool:
    """Return whether something is asked for."""
    flag = fields.get(name)
    if not isinstance(flag, bool):
        raise ValueError(f"a request for weights needs {name}, true or false; got {flag!r:.80}")
    return flag


def read_terms(fields: Mapping[str, object], attention: Attention) -> tuple[LineKey, list[int]]:
    """Return the row and the keys whose terms are asked for."""
    line = _line_key(attention, fields.get("line"), "row")
    keys, _ = _split(_list(fields, "keys"), ["key"] * len(_list(fields, "keys")))
    for key in keys:
        _check_line(attention, "column", key)
    return line, list(keys)


def read_question(fields: Mapping[str, object]) -> Question:
    """Return what the model is to be asked."""
    question, context = (_text_or_none(fields, name) for name in ("question", "context"))
    window = fields.get("window")
    if window is not None and type(window) is not int:
        raise ValueError(f"window is the number of a window, or null; got {window!r:.80}")
    run = _text_or_none(fields, "run")
    if run is None:
        raise ValueError("a request to ask needs run, a string that names it")
    return Question(run, question, context, window)


class Wish(NamedTuple):
    """A study that is asked for: the run's name, what is shown, and what is to be studied."""

    run: str
    shown: str
    study: Study


def read_study(fields: Mapping[str, object], shown: str) -> Wish:
    """Return the study that is asked for; what it needs is checked by who does it."""
    study, run = fields.get("study"), fields.get("run")
    if not isinstance(run, str):
        raise ValueError(f"a study needs run, a string that names it; got {run!r:.80}")
    if not isinstance(study, Mapping) or not isinstance(study.get("of"), str):
        raise ValueError(f"a study is an object that says of what it is, got {study!r:.80}")
    return Wish(run, shown, cast(Study, study))


def read_part(fields: Mapping[str, object]) -> str:
    """Return the name of the part of the renderer that is asked for."""
    name = fields.get("name")
    if name not in PARTS:
        raise ValueError(f"there is no part {name!r:.80}: only {', '.join(PARTS)}")
    return name


class Question(NamedTuple):
    """What the model is to be asked; None where it stays as it is, or the best window is meant."""

    run: str
    question: str | None
    context: str | None
    window: int | None


def _text_or_none(fields: Mapping[str, object], name: str) -> str | None:
    text = fields.get(name)
    if text is not None and not isinstance(text, str):
        raise ValueError(f"{name} is a string or null, got {text!r:.80}")
    return text


def _list(fields: Mapping[str, object], name: str) -> Sequence[object]:
    keys = fields.get(name)
    if not isinstance(keys, (list, tuple)):
        kind = fields["kind"]
        raise ValueError(f"a request for {kind} needs {name}, a list; got {keys!r:.80}")
    return keys


def _tile_key(attention: Attention, key: object) -> TileKey:
    names = ("layer", "head", "level", "query tile", "key tile")
    (layer, head, level, query_tile, key_tile), (pooling,) = _split(key, names, ("pooling",))
    _check_head(attention, layer, head)
    _check_index("level", level, n_levels(attention))
    down, along = tile_grid(attention, level)
    _check_index(f"level {level} query tile", query_tile, down)
    _check_index(f"level {level} key tile", key_tile, along)
    _check_name("pooling", pooling, get_args(Pooling))
    checked: TileKey = (layer, head, level, query_tile, key_tile, cast(Pooling, pooling))
    check_sampled(attention, checked)
    return checked


def _strip_key(attention: Attention, key: object) -> StripKey:
    names = ("layer", "head", "index", "level")
    (layer, head, index, level), (reduction, along) = _split(key, names, ("reduction", "axis"))
    _check_head(attention, layer, head)
    _check_name("axis", along, get_args(Axis))
    axis = cast(Axis, along)
    _check_line(attention, axis, index)
    _check_index("level", level, n_levels(attention))
    _check_name("reduction", reduction, get_args(Reduction))
    return layer, head, index, level, cast(Reduction, reduction), axis


def _line_key(attention: Attention, key: object, axis: Axis) -> LineKey:
    (layer, head, index), _ = _split(key, ("layer", "head", _ALONG[axis]))
    _check_head(attention, layer, head)
    _check_line(attention, axis, index)
    return layer, head, index


def _mass_key(attention: Attention, key: object) -> MassKey:
    (layer, head), _ = _split(key, ("layer", "head"))
    _check_head(attention, layer, head)
    return layer, head


def _span_key(attention: Attention, key: object) -> SpanKey:
    (first, stop, first_key, stop_key), _ = _split(key, ("query", "stop", "key", "stop"))
    for axis, start, end in (("row", first, stop), ("column", first_key, stop_key)):
        _check_line(attention, cast(Axis, axis), start)
        _check_line(attention, cast(Axis, axis), end - 1)
        if end <= start:
            raise ValueError(f"{key!r:.80} has nothing between {start} and {end}")
    return first, stop, first_key, stop_key


def _check_line(attention: Attention, axis: Axis, index: int) -> None:
    _check_index(_ALONG[axis], index, attention.n_queries if axis == "row" else attention.n_keys)


def _split(
    key: object, numbers: Sequence[str], words: Sequence[str] = ()
) -> tuple[Sequence[int], Sequence[str]]:
    """Return a key's indices and the words after them."""
    if (
        isinstance(key, (list, tuple))
        and len(key) == len(numbers) + len(words)
        and all(type(index) is int for index in key[: len(numbers)])
        and all(type(word) is str for word in key[len(numbers) :])
    ):
        return key[: len(numbers)], key[len(numbers) :]
    named = ", ".join([*numbers, *words])
    given = f"{len(words)} words after them" if words else "and nothing else"
    raise ValueError(f"{key!r:.80} isn't [{named}]: {len(numbers)} integers, {given}")


def _check_head(attention: Attention, layer: int, head: int) -> None:
    _check_index("layer", layer, attention.n_layers)
    _check_index("head", head, attention.n_heads)


def _check_name(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r:.80}: use {', '.join(map(repr, known))}")


def _check_index(name: str, index: int, length: int) -> None:
    if not 0 <= index < length:
        raise ValueError(f"{name} {index} is out of range: 0 to {length - 1}")

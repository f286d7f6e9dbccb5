"""What each synced trait may hold, checked before anything changes."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, get_args

import traitlets

from .protocol import (
    AblateInfo,
    CutInfo,
    EditInfo,
    Pointer,
    ReplaceInfo,
    SegmentPair,
    ViewName,
)
from .tracing import Kind

T = TypeVar("T")

_EDIT_FIELDS = {
    "ablate": set(AblateInfo.__annotations__),
    "cut": set(CutInfo.__annotations__),
    "replace": set(ReplaceInfo.__annotations__),
}


@dataclass(frozen=True)
class Limits:
    """What may be chosen: how far indices reach, whether keys are queries, kinds of attention."""

    layers: int
    heads: int
    queries: int
    keys: int
    same_tokens: bool
    kinds: tuple[str, ...]
    token_keys: int
    views: tuple[ViewName, ...]

    @classmethod
    def of(
        cls,
        shown: Kind,
        kinds: Mapping[str, Kind],
        kind: str,
        views: tuple[ViewName, ...] = get_args(ViewName),
    ) -> Limits:
        """Return the limits of what is shown of one of the kinds of attention."""
        attention = shown.attention
        return cls(
            attention.n_layers,
            attention.n_heads,
            attention.n_queries,
            attention.n_keys,
            shown.key_tokens is None,
            tuple(kinds),
            kinds[kind].attention.n_keys,
            views,
        )


class Checked(traitlets.TraitType[T, object], Generic[T]):
    """A trait whose value a function of (value, limits) checks and brings into its one form.

    It runs for every way a value can come: the constructor, an assignment, a link, the browser. It
    raises ValueError with what was expected; the owner keeps its limits in ``_limits``.
    """

    def __init__(
        self, check: Callable[[object, Limits], T], default: T, allow_none: bool = False
    ) -> None:
        super().__init__(default_value=default, allow_none=allow_none)
        self._check = check

    def validate(self, obj: traitlets.HasTraits, value: object) -> T:
        """Return the value in its one form, or raise TraitError."""
        return self.checked(value, obj._limits)  # type: ignore[attr-defined]

    def checked(self, value: object, limits: Limits) -> T:
        """Check a value before there is an owner."""
        try:
            return self._check(value, limits)
        except ValueError as error:
            raise traitlets.TraitError(f"{self.name}={reprlib.repr(value)}: {error}") from None


class Shows(Checked[T]):
    """A trait that says what of the weights is shown; what depends on it changes in one message.

    The owner keeps its `Variant` in ``_variant``, and works out what a change brings along in
    ``_state_for(variant) -> (variant, limits, state)`` before anything changes.
    """

    def set(self, obj: Any, value: object) -> None:
        """Show something else, and change all that depends on it."""
        shown = self._validate(obj, value)
        name = cast(str, self.name)
        as_kept = tuple(shown) if isinstance(shown, list) else shown
        if getattr(obj._variant, name) == as_kept:
            super().set(obj, shown)
            return
        try:
            variant, limits, state = obj._state_for(obj._variant._replace(**{name: as_kept}))
        except ValueError as error:
            raise traitlets.TraitError(f"{name}={reprlib.repr(value)}: {error}") from None
        with obj.hold_sync(), obj.hold_trait_notifications():
            obj._variant, obj._limits = variant, limits
            super().set(obj, shown)
            for dependent, its in state.items():
                setattr(obj, dependent, its)


def check_kind(value: object, limits: Limits) -> str:
    """Accept the name of a kind of attention."""
    if not isinstance(value, str) or value not in limits.kinds:
        expected = ", ".join(map(repr, limits.kinds))
        raise ValueError(f"expected {'one of ' if len(limits.kinds) > 1 else 'only '}{expected}")
    return value


def check_layer(value: object, limits: Limits) -> int:
    """Accept the index of a layer."""
    return check_index(value, limits.layers, "layers")


def check_heads(value: object, limits: Limits) -> list[int]:
    """Accept one head or several; return them in order, each once."""
    heads = sorted({check_index(head, limits.heads, "heads") for head in _many(value)})
    if not heads:
        raise ValueError(f"expected at least one head, {_range(limits.heads)}")
    return heads


def check_answer(value: object, limits: Limits) -> int:
    """Accept the place of an answer; a view shows the best where there aren't as many."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("expected the place of an answer, counted from 0")
    return value


def check_views(value: object, limits: Limits) -> list[ViewName]:
    """Accept the name of a view or several; return them as given, each once."""
    names = _many(value)
    if not names or not all(name in limits.views for name in names):
        raise ValueError(f"expected one or several of {', '.join(map(repr, limits.views))}")
    return cast(list[ViewName], list(dict.fromkeys(names)))


def one_of(*names: str) -> Callable[[object, Limits], Any]:
    """Return a check that accepts one of some names."""

    def check(value: object, limits: Limits) -> object:
        if value not in names:
            raise ValueError(f"expected one of {', '.join(map(repr, names))}")
        return value

    return check


def some_of(*names: str) -> Callable[[object, Limits], list[Any]]:
    """Return a check that accepts some of some names, each once and in their order."""

    def check(value: object, limits: Limits) -> list[Any]:
        given = _many(value)
        if not all(name in names for name in given):
            raise ValueError(f"expected a list of {', '.join(map(repr, names))}, or []")
        return [name for name in names if name in given]

    return check


def check_flag(value: object, limits: Limits) -> bool:
    """Accept True or False."""
    if not isinstance(value, bool):
        raise ValueError("expected True or False")
    return value


def check_hidden(value: object, limits: Limits) -> list[int]:
    """Accept keys to hide, counted in tokens; return them in order, each once."""
    return sorted({check_index(key, limits.token_keys, "keys") for key in _many(value)})


def check_top_mass(value: object, limits: Limits) -> float:
    """Accept the share of each row's mass that is drawn."""
    mass = _number(value)
    if not 0 < mass <= 1:
        raise ValueError("expected a share of each row's mass, above 0 and at most 1")
    return mass


def check_threshold(value: object, limits: Limits) -> float:
    """Accept the weight from which lines are drawn."""
    weight = _number(value)
    if not weight >= 0:
        raise ValueError("expected the smallest weight that is drawn, 0 or above")
    return weight


def check_top_k(value: object, limits: Limits) -> int:
    """Accept how many lines are drawn at most of each row."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("expected how many lines a row has at most, 1 or more, or None for all")
    return value


def check_between(value: object, limits: Limits) -> list[SegmentPair]:
    """Accept pairs (segment that reads, segment that is read); none for all."""
    pairs = _many(value)
    for pair in pairs:
        entries = list(pair) if isinstance(pair, (list, tuple)) else []
        if len(entries) != 2 or not all(type(segment) is int for segment in entries):
            raise ValueError(
                "expected a list of pairs (segment that reads, segment that is read), e.g. [(0, 1)]"
            )
    return list(dict.fromkeys((pair[0], pair[1]) for pair in cast(list[SegmentPair], pairs)))


def check_edits(value: object, limits: Limits) -> list[EditInfo]:
    """Accept a list of edits, as `protocol.EditInfo`; what they reach is checked when run."""
    edits = list(value) if isinstance(value, (list, tuple)) else [value]
    for edit in edits:
        if not isinstance(edit, Mapping) or edit.get("do") not in _EDIT_FIELDS:
            known = ", ".join(map(repr, _EDIT_FIELDS))
            raise ValueError(f"expected a list of edits, dicts with do ({known}); got {edit!r:.80}")
        expected = _EDIT_FIELDS[edit["do"]]
        if set(edit) != expected:
            raise ValueError(
                f"an edit {edit['do']!r} has {', '.join(sorted(expected))}; got "
                f"{', '.join(sorted(map(str, edit)))}"
            )
    return cast("list[EditInfo]", edits)


def check_pointers(value: object, limits: Limits) -> list[Pointer]:
    """Accept a list of what `check_pointer` accepts."""
    if not isinstance(value, (list, tuple)):
        raise ValueError("expected a list of tokens or of pairs (query, key)")
    pointers = (check_pointer(pointer, limits) for pointer in value)
    return list(dict.fromkeys(pointer for pointer in pointers if pointer is not None))


def check_sort(value: object, limits: Limits) -> str:
    """Accept "layer" or the name of a score of heads."""
    if not isinstance(value, str) or not value:
        raise ValueError("expected 'layer' or the name of a score")
    return value


def check_pointer(value: object, limits: Limits) -> Pointer | None:
    """Accept a token, where queries and keys are the same, or a pair (query, key), either None."""
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError(f"expected a pair (query, key), got {len(value)} entries")
        query, key = value
        pair = (
            None if query is None else check_index(query, limits.queries, "queries"),
            None if key is None else check_index(key, limits.keys, "keys"),
        )
        return None if pair == (None, None) else pair
    if not limits.same_tokens:
        raise ValueError(
            "queries and keys are different tokens here, so expected a pair (query, key): "
            f"query {_range(limits.queries)} or None, key {_range(limits.keys)} or None"
        )
    token = check_index(value, limits.queries, "tokens")
    return token, token


def check_index(value: object, length: int, what: str) -> int:
    """Return an index as an int; numpy's integers pass, booleans and negative numbers don't."""
    expected = (
        f"expected {_range(length)}, as there are {length} {what} counted from 0; "
        f"got {reprlib.repr(value)}"
    )
    try:
        index = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(expected) from None
    if isinstance(value, bool) or not 0 <= index < length:
        raise ValueError(expected)
    return index


def _number(value: object) -> float:
    """Return a number as a float; NaN, which passes no comparison, for anything else."""
    try:
        return math.nan if isinstance(value, (str, bool)) else float(cast(float, value))
    except (TypeError, ValueError):
        return math.nan


def _many(value: object) -> list[object]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _range(length: int) -> str:
    return "only 0" if length == 1 else f"0 to {length - 1}"

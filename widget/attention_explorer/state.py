"""The view's state: what each synced trait may hold, checked before anything changes."""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, get_args

import traitlets

from .protocol import Pointer, Reduction, Theme, ViewName
from .tracing import Kind

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What may be chosen: how far indices reach, whether keys are queries, kinds of attention."""

    layers: int
    heads: int
    queries: int
    keys: int
    same_tokens: bool
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, kinds: Mapping[str, Kind], shown: str) -> Limits:
        """Return the limits that the kind of attention that is shown sets."""
        attention = kinds[shown].attention
        return cls(
            attention.n_layers,
            attention.n_heads,
            attention.n_queries,
            attention.n_keys,
            kinds[shown].key_tokens is None,
            tuple(kinds),
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
        try:
            return self._check(value, obj._limits)  # type: ignore[attr-defined]
        except ValueError as error:
            raise traitlets.TraitError(f"{self.name}={reprlib.repr(value)}: {error}") from None


class CheckedKind(Checked[str]):
    """The kind of attention that is shown; what depends on it changes with it, in one message.

    The owner works out the rest of its state in ``_state_for(kind, limits)`` before anything
    changes, and has the names of its kinds and their limits in ``_kinds``.
    """

    def set(self, obj: Any, value: object) -> None:
        """Change the kind, and all that depends on it."""
        kind = cast(str, self._validate(obj, value))
        if kind == obj._description.get("kind", kind) or not obj._kinds:
            super().set(obj, kind)
            return
        limits = Limits.of(obj._kinds, kind)
        state = obj._state_for(kind, limits)
        with obj.hold_sync(), obj.hold_trait_notifications():
            super().set(obj, kind)
            obj._limits = limits
            for name, dependent in state.items():
                setattr(obj, name, dependent)


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


def check_views(value: object, limits: Limits) -> list[ViewName]:
    """Accept the name of a view or several; return them as given, each once."""
    names = _many(value)
    if not names or not all(name in get_args(ViewName) for name in names):
        raise ValueError(f"expected one or several of {', '.join(map(repr, get_args(ViewName)))}")
    return cast(list[ViewName], list(dict.fromkeys(names)))


def check_theme(value: object, limits: Limits) -> Theme:
    """Accept the name of a theme."""
    return cast(Theme, _one_of(value, get_args(Theme)))


def check_pooling(value: object, limits: Limits) -> Reduction:
    """Accept what a pooled cell says of its weights."""
    return cast(Reduction, _one_of(value, get_args(Reduction)))


def check_top_mass(value: object, limits: Limits) -> float:
    """Accept the share of each row's mass that is drawn."""
    try:
        mass = float(cast(float, value))
    except (TypeError, ValueError):
        mass = 0.0
    if isinstance(value, (str, bool)) or not 0 < mass <= 1:
        raise ValueError("expected a share of each row's mass, above 0 and at most 1")
    return mass


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


def _one_of(value: object, names: tuple[str, ...]) -> object:
    if value not in names:
        raise ValueError(f"expected one of {', '.join(map(repr, names))}")
    return value


def _many(value: object) -> list[object]:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _range(length: int) -> str:
    return "only 0" if length == 1 else f"0 to {length - 1}"

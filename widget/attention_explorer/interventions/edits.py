"""What can be changed in a model's pass: a head, what tokens read of others, a token itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from operator import index
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from ..analysis.picks import Pick

By = Literal["zero", "mean"]
Side = Literal["source", "target"]
# Layers or heads: an index, several, or None for all.
Indices: TypeAlias = "int | Iterable[int] | None"


@dataclass(frozen=True)
class AblateHead:
    """A head's output is replaced before the output projection W_O.

    Zero is the same as zeroing the head's slice of W_O. The mean is over the queries of this text,
    without padding, of the head's outputs in the very pass that is changed: each query then gets
    what all of them get on average, and nothing that depends on where it stands. It is no mean over
    a data set. Where the head's edges are cut too, that comes first.

    Parameters
    ----------
    layer, head : int
        Counted from 0; layers among those that have attention.
    by : {"zero", "mean"}
        What takes the output's place.
    kind : str, optional
        Which attention of the model; by default the one that the trace shows.

    Raises
    ------
    TypeError, ValueError
        Numbers that are none, or below 0; another `by` or `kind`.
    """

    layer: int
    head: int
    by: By = "zero"
    kind: str | None = None

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        if self.by not in get_args(By):
            raise ValueError(f"a head is ablated by 'zero' or 'mean', got by={self.by!r:.60}")
        put(self, layer=as_index("layer", self.layer), head=as_index("head", self.head))


@dataclass(frozen=True)
class CutEdges:
    """Some queries don't read some keys: their scores are minus infinity before the softmax.

    Every query is cut from every key (attention knock-out, Geva et al. 2023). The weights of the
    other keys are rescaled by 1 / (1 - what was cut), as the softmax gives it.

    Parameters
    ----------
    queries, keys : int, range, slice, str, or a list of these
        Token positions, padding not counted, or pieces of the text; see `analysis.pick_tokens`.
    layers, heads : int, range or list of int, optional
        By default all. Layers count among those that have attention.
    kind : str, optional
        Which attention of the model; by default the one that the trace shows.

    Raises
    ------
    TypeError, ValueError
        What names no token, layer or head; another kind.
    """

    queries: Pick
    keys: Pick
    layers: Indices = None
    heads: Indices = None
    kind: str | None = None

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        put(
            self,
            queries=_picked("queries", self.queries),
            keys=_picked("keys", self.keys),
            layers=_indices("layers", self.layers),
            heads=_indices("heads", self.heads),
        )


@dataclass(frozen=True)
class ReplaceToken:
    """Another token stands at a position; the text keeps its length.

    Parameters
    ----------
    position : int or str
        Which token, padding not counted, or the piece of the text that it is.
    token : str or int
        Its text, which has to be one token of the model's tokenizer, as ``"dog"``, ``"##ing"`` or
        ``"[MASK]"``; or its number.
    side : {"source", "target"}
        Of what an encoder with a decoder reads, or of what it writes; all others have a source.

    Raises
    ------
    TypeError, ValueError
        What names no position, token or side.
    """

    position: int | str
    token: str | int
    side: Side = "source"

    def __post_init__(self) -> None:
        if self.side not in get_args(Side):
            raise ValueError(
                f"a token is replaced in the 'source' or in the 'target', got {self.side!r:.60}"
            )
        position = self.position
        if not isinstance(position, str):
            put(self, position=as_index("position", position))
        if isinstance(self.token, str):
            if not self.token:
                raise ValueError("an empty string is no token: give the text of one, or its number")
        else:
            put(self, token=as_index("token", self.token))


Edit = AblateHead | CutEdges | ReplaceToken


def arguments(edit: Edit) -> dict[str, Any]:
    """Return what an edit was made with, where it isn't what it would be anyway."""
    return {
        own.name: getattr(edit, own.name)
        for own in fields(edit)
        if getattr(edit, own.name) != own.default
    }


def put(self: object, **values: object) -> None:
    """Set attributes of what is frozen, while it is made."""
    for name, value in values.items():
        object.__setattr__(self, name, value)


def _check_kind(kind: object) -> None:
    if kind is not None and not isinstance(kind, str):
        raise TypeError(f"kind is the name of a kind of attention, got {type(kind).__name__}")


def as_index(name: str, given: object) -> int:
    """Return a whole number from 0 on; `name` tells what it is of."""
    try:
        if isinstance(given, bool):
            raise TypeError
        number = index(given)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} has to be a whole number, got {given!r:.60} ({type(given).__name__})"
        ) from None
    if number < 0:
        raise ValueError(f"{name} counts from 0, got {number}")
    return number


def _indices(name: str, given: object) -> tuple[int, ...] | None:
    if given is None:
        return None
    given = given.tolist() if hasattr(given, "tolist") else given
    several = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    found = sorted({as_index(f"each of {name}", one) for one in several})
    if not found:
        raise ValueError(f"{name} is empty: name one or more, or leave it away for all")
    return tuple(found)


def _picked(name: str, given: object) -> tuple[int | str, ...]:
    """Return positions and pieces of text one by one, each once."""
    given = given.tolist() if hasattr(given, "tolist") else given
    parts = given if isinstance(given, (list, tuple, set)) else [given]
    found: list[int | str] = []
    for part in parts:
        if isinstance(part, str):
            found.append(part)
            continue
        if isinstance(part, slice):
            if part.stop is None:
                raise ValueError(
                    f"{name} end nowhere: how long a text is isn't known here, so give the slice "
                    "its end"
                )
            part = range(part.start or 0, part.stop, part.step or 1)
        found += [
            as_index(f"each of {name}", i) for i in (part if isinstance(part, range) else [part])
        ]
    if not found:
        raise ValueError(f"{name} name no token: give one position or more")
    return tuple(dict.fromkeys(found))

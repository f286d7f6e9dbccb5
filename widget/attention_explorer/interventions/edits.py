"""What can be changed in a model's pass: a head, what tokens read of others, a token itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
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
        _set(self, layer=_index("layer", self.layer), head=_index("head", self.head))


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
        _set(
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
            _set(self, position=_index("position", position))
        if isinstance(self.token, str):
            if not self.token:
                raise ValueError("an empty string is no token: give the text of one, or its number")
        else:
            _set(self, token=_index("token", self.token))


Edit = AblateHead | CutEdges | ReplaceToken


@dataclass(frozen=True, init=False)
class Edits:
    """Edits that apply together, each of which can be switched off; every change makes a new one.

    Cuts come first in each layer, then ablations; of two that say different things of the same head
    or token the later one holds.

    Parameters
    ----------
    edits : Edit, or iterable of Edit
        In the order in which they were made.
    on : iterable of bool, optional
        Which of them apply; by default all.

    Raises
    ------
    TypeError, ValueError
        Something that is no edit; more or fewer switches than edits.
    """

    edits: tuple[Edit, ...] = ()
    on: tuple[bool, ...] = ()
    _before: Edits | None = field(default=None, repr=False, compare=False)

    def __init__(
        self,
        edits: Edit | Iterable[Edit] = (),
        on: Iterable[bool] | None = None,
        *,
        _before: Edits | None = None,
    ) -> None:
        listed = (edits,) if isinstance(edits, Edit) else tuple(edits)
        for edit in listed:
            if not isinstance(edit, Edit):
                raise TypeError(
                    "edits are AblateHead(...), CutEdges(...) and ReplaceToken(...), got "
                    f"{edit!r:.60} ({type(edit).__name__})"
                )
        switches = (True,) * len(listed) if on is None else tuple(map(bool, on))
        if len(switches) != len(listed):
            raise ValueError(
                f"{len(listed)} edits need {len(listed)} switches, got {len(switches)}"
            )
        _set(self, edits=listed, on=switches, _before=_before)

    def __len__(self) -> int:
        return len(self.edits)

    def __iter__(self) -> Iterator[Edit]:
        return iter(self.edits)

    def __getitem__(self, number: int) -> Edit:
        return self.edits[number]

    @property
    def active(self) -> tuple[Edit, ...]:
        """The edits that are switched on, in order."""
        return tuple(edit for edit, on in zip(self.edits, self.on, strict=True) if on)

    def with_(self, edit: Edit) -> Edits:
        """Return these and one more, switched on."""
        return self._next([*self.edits, edit], [*self.on, True])

    def without(self, number: int) -> Edits:
        """Return these less one."""
        gone = self._number(number)
        return self._next(
            [edit for i, edit in enumerate(self.edits) if i != gone],
            [on for i, on in enumerate(self.on) if i != gone],
        )

    def switch(self, number: int, on: bool | None = None) -> Edits:
        """Return these with one switched on or off; None: the other way than it is."""
        switched = list(self.on)
        number = self._number(number)
        switched[number] = not switched[number] if on is None else bool(on)
        return self._next(self.edits, switched)

    def replaced(self, number: int, edit: Edit) -> Edits:
        """Return these with another edit in the place of one, switched as that was."""
        edits = list(self.edits)
        edits[self._number(number)] = edit
        return self._next(edits, self.on)

    def undone(self) -> Edits:
        """Return these as they were before the last change; themselves where there was none."""
        return self if self._before is None else self._before

    def to_json(self) -> list[dict[str, Any]]:
        """Return small dicts for JSON; see `exporting.to_json`."""
        from .exporting import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, given: object) -> Edits:
        """Read what `to_json` returned; see `exporting.from_json`."""
        from .exporting import from_json

        return from_json(given)

    def as_python(self, trace: str = "traced", *, at: int | str | None = None) -> str:
        """Return Python source that measures the same; see `exporting.as_python`."""
        from .exporting import as_python

        return as_python(self, trace, at=at)

    def _next(self, edits: Iterable[Edit], on: Iterable[bool]) -> Edits:
        return Edits(edits, on, _before=self)

    def _number(self, number: int) -> int:
        if not 0 <= _index("number", number) < len(self):
            known = f"they are counted 0 to {len(self) - 1}" if self.edits else "there is none"
            raise ValueError(f"there is no edit {number}: {known}")
        return index(number)


def as_edits(given: Edits | Edit | Iterable[Edit]) -> Edits:
    """Return edits, given as such or one by one."""
    return given if isinstance(given, Edits) else Edits(given)


def arguments(edit: Edit) -> dict[str, Any]:
    """Return what an edit was made with, where it isn't what it would be anyway."""
    return {
        own.name: getattr(edit, own.name)
        for own in fields(edit)
        if getattr(edit, own.name) != own.default
    }


def _set(self: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(self, name, value)


def _check_kind(kind: object) -> None:
    if kind is not None and not isinstance(kind, str):
        raise TypeError(f"kind is the name of a kind of attention, got {type(kind).__name__}")


def _index(name: str, given: object) -> int:
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
    found = sorted({_index(f"each of {name}", one) for one in several})
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
            _index(f"each of {name}", i) for i in (part if isinstance(part, range) else [part])
        ]
    if not found:
        raise ValueError(f"{name} name no token: give one position or more")
    return tuple(dict.fromkeys(found))

"""Edits in a list: each can be switched off, and every change can be undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import index
from typing import Any

from .edits import Edit, as_index, put


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
        put(self, edits=listed, on=switches, _before=_before)

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
        if not 0 <= as_index("number", number) < len(self):
            known = f"they are counted 0 to {len(self) - 1}" if self.edits else "there is none"
            raise ValueError(f"there is no edit {number}: {known}")
        return index(number)


def as_edits(given: Edits | Edit | Iterable[Edit]) -> Edits:
    """Return edits, given as such or one by one."""
    return given if isinstance(given, Edits) else Edits(given)

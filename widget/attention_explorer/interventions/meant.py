"""What edits mean for one trace: where they act, on which positions, held to what is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..analysis.picks import pick_tokens
from ..tracing.live import Place
from ..tracing.trace import Kind, Trace
from .edits import AblateHead, By, CutEdges, Edit, ReplaceToken
from .replacing import Replacement, replacement


@dataclass(frozen=True)
class Cut:
    """Edges that are cut in one layer; positions without padding, ascending."""

    heads: tuple[int, ...]
    queries: tuple[int, ...]
    keys: tuple[int, ...]


@dataclass(frozen=True)
class Meant:
    """What is done in one pass.

    Attributes
    ----------
    cuts : mapping of Place to list of Cut
    ablations : mapping of Place to dict of int to By
        By head.
    replacements : list of Replacement
    """

    cuts: Mapping[Place, list[Cut]] = field(default_factory=dict)
    ablations: Mapping[Place, dict[int, By]] = field(default_factory=dict)
    replacements: list[Replacement] = field(default_factory=list)

    def touches(self, place: Place) -> bool:
        """Tell whether anything is done there."""
        return place in self.cuts or place in self.ablations


def meant(trace: Trace, edits: Iterable[Edit]) -> Meant:
    """Return what edits mean for a trace.

    Raises
    ------
    ValueError
        A kind of attention, layer, head or token that isn't there, or a text that doesn't name
        exactly one.
    """
    cuts: dict[Place, list[Cut]] = {}
    ablations: dict[Place, dict[int, By]] = {}
    replacements: list[Replacement] = []
    for edit in edits:
        if isinstance(edit, ReplaceToken):
            replacements.append(replacement(trace, edit))
        elif isinstance(edit, AblateHead):
            name, kind = kind_of(trace, edit.kind)
            place = Place(name, _known("layer", edit.layer, kind.attention.n_layers, name))
            head = _known("head", edit.head, kind.attention.n_heads, name)
            ablations.setdefault(place, {})[head] = edit.by
        else:
            name, _ = kind_of(trace, edit.kind)
            for layer, cut in cuts_of(trace, edit).items():
                cuts.setdefault(Place(name, layer), []).append(cut)
    return Meant(cuts, ablations, replacements)


def cuts_of(trace: Trace, edit: CutEdges) -> dict[int, Cut]:
    """Return what is cut, by layer."""
    name, kind = kind_of(trace, edit.kind)
    attention = kind.attention
    cut = Cut(
        _known_all("head", edit.heads, attention.n_heads, name),
        pick_tokens(kind.tokens, edit.queries),
        pick_tokens(kind.key_tokens or kind.tokens, edit.keys),
    )
    return dict.fromkeys(_known_all("layer", edit.layers, attention.n_layers, name), cut)


def kind_of(trace: Trace, given: str | None) -> tuple[str, Kind]:
    """Return the kind of attention that is meant, by default the one shown, with its name."""
    name = trace.kind if given is None else given
    if name not in trace.kinds:
        known = ", ".join(map(repr, trace.kinds))
        raise ValueError(f"{name!r} is not a kind of attention of {trace.model_name}: {known}")
    return name, trace.kinds[name]


def _known_all(what: str, given: object, n_there: int, kind: str) -> tuple[int, ...]:
    if given is None:
        return tuple(range(n_there))
    assert isinstance(given, tuple)
    return tuple(_known(what, number, n_there, kind) for number in given)


def _known(what: str, number: int, n_there: int, kind: str) -> int:
    if number >= n_there:
        raise ValueError(
            f"there is no {what} {number}: the {kind} attention has {n_there}, counted from 0 to "
            f"{n_there - 1}"
        )
    return number

"""The same edit at random other heads or edges: the band of effects that chance gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..analysis import chance, moved
from ..tracing.trace import Trace
from .change import Change
from .edits import AblateHead, CutEdges, Edit
from .listed import Edits, as_edits
from .meant import Cut, cuts_of, kind_of, meant
from .sweep import Sweep, measured
from .wording import notes

if TYPE_CHECKING:
    from .running import Progress

Like = Literal["distance", "keys"]
# A set of heads that was drawn before is drawn anew, so often for each that is wished for.
_TRIES = 20


@dataclass(frozen=True)
class Band(Sweep):
    """Effects of the same edit at random other places, over ("draw",).

    Attributes
    ----------
    draws : tuple of Edits
        What was done each time.
    """

    draws: tuple[Edits, ...] = ()

    @property
    def interval(self) -> tuple[float, float]:
        """The middle 95 % of the effects."""
        return chance.band(self.effect)

    def n_below(self, change: Change) -> tuple[int, int]:
        """Return how many of the effects are smaller than one, and how many there are."""
        known = np.abs(self.effect[~np.isnan(self.effect)])
        return int((known < abs(getattr(change, self.main))).sum()), known.size


def random_band(
    trace: Trace,
    edits: Edits | Edit | Iterable[Edit],
    n: int = 20,
    seed: int = 0,
    *,
    like: Like | None = None,
    at: int | str | None = None,
    target: str | int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> Band:
    """Measure the same edits at random other heads of the same layers, or at other edges.

    Parameters
    ----------
    trace : Trace
        Whose model is still there.
    edits : Edits, Edit, or iterable of Edit
        What the band is for: ablated heads and cut edges that are switched on. Several stay
        together.
    n : int
        How many are drawn, without repetition; fewer where there are no more.
    seed : int
        The same seed draws the same.
    like : {"distance", "keys"}, optional
        Which other edges: all tokens moved along the text by as much, so that distances stay what
        they are; or other keys of the same queries. Special tokens take the place of special ones
        only. By default the keys where the output is that of a query which is cut, as edges of
        other queries change that output by another way, or not at all; and where the tokens fit
        nowhere else, or keys are other tokens. Else the distance.
    at, target, batch, progress
        As for `ablate_all_heads`.

    Returns
    -------
    Band

    Raises
    ------
    ValueError
        As for `measure`; a replaced token, which has no others of its kind; or no other head or
        edge is there.
    """
    from .reading import Reading
    from .running import unchanged

    active = as_edits(edits).active
    if not active:
        raise ValueError("no edit is switched on: there is nothing to compare with")
    if any(not isinstance(edit, AblateHead | CutEdges) for edit in active):
        raise ValueError("a band is of heads or edges: switch replaced tokens off")
    if n < 1:
        raise ValueError(f"n is how many are drawn, 1 or more, got {n}")
    meant(trace, active)
    reading = Reading(trace, at)
    before = unchanged(reading)
    draws, said = drawn(trace, active, n, seed, like, before.at)
    found = measured(trace, draws, at, target, batch, progress)
    return Band(
        ("draw",),
        **found.over((len(draws),)),
        notes=(said, *notes(trace, active, before)),
        draws=tuple(map(Edits, draws)),
    )


def drawn(
    trace: Trace, edits: Sequence[Edit], n: int, seed: int, like: Like | None, at: int | None
) -> tuple[list[list[Edit]], str]:
    """Return edits like some others, and what was drawn, in words.

    Parameters
    ----------
    trace, n, seed, like
        As for `random_band`.
    edits : sequence of Edit
        Ablated heads and cut edges.
    at : int or None
        The token whose output is looked at.
    """
    rng = np.random.default_rng(seed)
    parts: list[tuple[list[list[Edit]], str]] = []
    ablations = [edit for edit in edits if isinstance(edit, AblateHead)]
    if ablations:
        heads = _other_heads(trace, ablations, n, rng)
        parts.append((heads, f"{len(heads)} other heads of the same layer"))
    by_kind: dict[str, list[CutEdges]] = {}
    for edit in edits:
        if isinstance(edit, CutEdges):
            by_kind.setdefault(kind_of(trace, edit.kind)[0], []).append(edit)
    for name, cuts in by_kind.items():
        parts.append(_other_edges(trace, name, cuts, n, seed, like, at))
    n_drawn = min(len(draws) for draws, _ in parts)
    if not n_drawn:
        raise ValueError("there is no other head or edge of this kind to compare with")
    together = [[edit for draws, _ in parts for edit in draws[rank]] for rank in range(n_drawn)]
    return together, f"The band is of {' and '.join(said for _, said in parts)}."


def _other_heads(
    trace: Trace, ablations: Sequence[AblateHead], n: int, rng: np.random.Generator
) -> list[list[Edit]]:
    """Draw other heads of the same layers, as many in each; none of those that are ablated."""
    named = [(kind_of(trace, edit.kind)[0], edit) for edit in ablations]
    taken: dict[tuple[str, int], list[int]] = {}
    for name, edit in named:
        own = taken.setdefault((name, edit.layer), [])
        own += [edit.head] * (edit.head not in own)
    found: dict[frozenset[Edit], list[Edit]] = {}
    for _ in range(_TRIES * n):
        others: dict[tuple[str, int], list[int]] = {
            place: rng.permutation(
                sorted(set(range(trace.kinds[place[0]].attention.n_heads)) - set(own))
            ).tolist()
            for place, own in taken.items()
        }
        if any(len(others[place]) < len(own) for place, own in taken.items()):
            return []
        draw = [_elsewhere(edit, name, taken, others) for name, edit in named]
        found.setdefault(frozenset(draw), draw)
        if len(found) == n:
            break
    return list(found.values())


def _elsewhere(
    edit: AblateHead,
    kind: str,
    taken: Mapping[tuple[str, int], Sequence[int]],
    others: Mapping[tuple[str, int], Sequence[int]],
) -> Edit:
    place = kind, edit.layer
    head = others[place][taken[place].index(edit.head)]
    return AblateHead(edit.layer, head, edit.by, kind)


def _other_edges(
    trace: Trace,
    kind: str,
    cuts: Sequence[CutEdges],
    n: int,
    seed: int,
    like: Like | None,
    at: int | None,
) -> tuple[list[list[Edit]], str]:
    """Draw other edges of one kind of attention; cuts that are made together move together."""
    of = trace.kinds[kind]
    places = [next(iter(cuts_of(trace, edit).values())) for edit in cuts]
    queries = sorted({i for place in places for i in place.queries})
    keys = sorted({i for place in places for i in place.keys})
    same_tokens = of.key_tokens is None
    if like == "distance" and not same_tokens:
        raise ValueError(
            f"keys of the {kind} attention are other tokens than its queries, so there are no "
            "distances: like='keys'"
        )
    special = np.array((of.key_tokens or of.tokens).special)
    shifts = moved.shifts(special, [*queries, *keys])[1:] if same_tokens else np.arange(0)
    if like == "keys" or (like is None and (at in queries or not len(shifts))):
        circle = moved.circle_of(keys, queries, special, same_tokens, of.attention.causal)
        by = moved.rotations(circle, n, seed)[1:]
        said = f"{len(by)} other keys of the same queries"

        def move(edit: CutEdges, place: Cut, step: int) -> Edit:
            rotated = circle[(np.searchsorted(circle, place.keys) + step) % len(circle)]
            return replace(edit, queries=place.queries, keys=rotated, kind=kind)

    else:
        by = shifts[moved.sample(len(shifts), n, seed)]
        said = f"{len(by)} places with the same distances"

        def move(edit: CutEdges, place: Cut, step: int) -> Edit:
            shifted = ([i + step for i in side] for side in (place.queries, place.keys))
            return replace(edit, **dict(zip(("queries", "keys"), shifted, strict=True)), kind=kind)

    draws = [
        [move(edit, place, int(step)) for edit, place in zip(cuts, places, strict=True)]
        for step in by
    ]
    return draws, f"{said}, special tokens apart"

"""What heads are named for over a corpus: the rules of `analysis.head_labels`, text after text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..analysis.labels import BROAD, LEAST_SUPPORT, LIFT, MOST, NAMES, OFFSETS, SINK, SINKS
from ..analysis.patterns import Flags
from ..analysis.sums import Numbers
from .names import ALSO_BESIDE, MEASURED, measure_index
from .tally import Tally

# From which mean a measure names a head.
_LEAST = {
    **dict.fromkeys(NAMES, MOST),
    **dict.fromkeys(SINKS, SINK),
    **dict.fromkeys([f"{pattern} beside sinks" for pattern in ALSO_BESIDE], MOST),
    "to special": SINK,
    "broad": BROAD,
}


class AtlasLabel(NamedTuple):
    """What a head is named for over a corpus.

    Attributes
    ----------
    name : str
        As `analysis.Label` has it.
    score : float
        The mean over texts.
    baseline : float
        What uniform attention has on the same texts (for broad 1, the most there can be).
    support : int
        How many texts the score is a mean of.
    holds : int
        In how many of them it stands out by itself.
    aside : tuple of str
        The labels before it whose keys were set aside.
    """

    name: str
    score: float
    baseline: float
    support: int
    holds: int
    aside: tuple[str, ...] = ()


def stands_out(values: Numbers, baselines: Numbers) -> Flags:
    """Tell what would name a head, by its score and uniform attention's.

    Parameters
    ----------
    values : array, shape (..., len(MEASURED), layers, heads)
        Scores.
    baselines : array, shape (..., len(MEASURED))
        Of uniform attention.

    Returns
    -------
    array of bool, shape of values
        A score above the measure's least and, but for broad, at least `LIFT` times the baseline.
        What names no head never stands out.
    """
    least = np.array([_LEAST.get(name, np.inf) for name in MEASURED])
    lift = np.array([0 if name == "broad" else LIFT for name in MEASURED])
    with np.errstate(invalid="ignore"):
        above = values > least[:, None, None]
        beats = values >= (lift * np.nan_to_num(baselines))[..., None, None]
    found: Flags = above & beats
    return found


def labels_of(tally: Tally) -> dict[tuple[int, int], tuple[AtlasLabel, ...]]:
    """Name every head for what stands out of its means over texts.

    Sinks come first: the first token, then added tokens; a head that is named for the first token
    is named for added ones by those after the first. Of a head with sinks the other patterns are
    then shares of what it reads beside first and added tokens; and whether it is broad isn't asked.
    Fewer than `LEAST_SUPPORT` texts name none.
    """
    enough = tally.scores.count >= LEAST_SUPPORT
    out = stands_out(tally.scores.mean, tally.baselines.mean) & enough
    _, n_layers, n_heads = out.shape
    return {
        (layer, head): _of_head(tally, out[:, layer, head], (layer, head))
        for layer in range(n_layers)
        for head in range(n_heads)
    }


def heads_by_label(
    labels: Mapping[tuple[int, int], Sequence[AtlasLabel]],
) -> dict[str, list[tuple[int, int]]]:
    """Return heads by the label that colours them, "" being that of those that have none.

    It is the first that is no sink: what a head does beside sinks says more of it.
    """
    found = dict[str, list[tuple[int, int]]]()
    for at, its in labels.items():
        names = [label.name for label in its]
        beside = [name for name in names if name not in SINKS.values()]
        found.setdefault(next(iter([*beside, *names]), ""), []).append(at)
    return found


def _of_head(tally: Tally, out: Flags, at: tuple[int, int]) -> tuple[AtlasLabel, ...]:
    def label(pattern: str, measure: str, aside: tuple[str, ...] = ()) -> AtlasLabel:
        which = measure_index(measure)
        numbers = tally.scores.mean, tally.scores.count, tally.holds
        score, support, holds = (its[(which, *at)] for its in numbers)
        baseline = float(tally.baselines.mean[which])
        return AtlasLabel(NAMES[pattern], float(score), baseline, int(support), int(holds), aside)

    def is_out(measure: str) -> bool:
        return bool(out[measure_index(measure)])

    found = [label("first", "first")] if is_out("first") else []
    special = "to special" if found else "special"
    if is_out(special):
        found.append(label("special", special, tuple(it.name for it in found)))
    aside = tuple(it.name for it in found)
    named = [
        (pattern, f"{pattern} beside sinks" if aside else pattern)
        for pattern in NAMES
        if pattern not in SINKS and not (aside and pattern == "broad")
    ]
    there = {pattern: measure for pattern, measure in named if is_out(measure)}
    if OFFSETS & set(there):
        there.pop("local", None)
    return (*found, *(label(pattern, measure, aside) for pattern, measure in there.items()))

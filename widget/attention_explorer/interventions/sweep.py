"""The effect of each head alone, and of each key of a query: which of them change the output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..tracing.trace import Trace
from .change import MAIN, Change, compare
from .edits import AblateHead, By, CutEdges, Edit
from .meant import cuts_of, kind_of, meant
from .outcome import Choice, Numbers, Outcome
from .replacing import pick_one
from .targets import target_of
from .wording import notes

if TYPE_CHECKING:
    from .running import Progress


@dataclass(frozen=True)
class Sweep:
    """The effects of many edits, each by itself.

    Attributes
    ----------
    axes : tuple of str
        What the axes of the arrays are: ``("layer", "head")``, ``("key",)`` or ``("draw",)``.
    changes : mapping of str to array of float64
        The numbers of `Change` by name, over the axes; those that this model's output has. NaN
        where there was nothing to measure: the notes say why.
    is_other : array of bool
        Where the most probable choice becomes another.
    before : Outcome
        What the model says as it is.
    target : Choice or None
        The choice that ``changes["log_p"]`` is of, as it was.
    attention : array of float64 or None
        What the effects are set against, over the same axes.
    attention_of : str
        What that is, in words.
    notes : tuple of str
        Which intervention it was, and what the numbers don't say.
    """

    axes: tuple[str, ...]
    changes: Mapping[str, Numbers]
    is_other: npt.NDArray[np.bool_]
    before: Outcome
    target: Choice | None
    attention: Numbers | None = None
    attention_of: str = ""
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> str:
        """Name of the number that stands for the whole change; see `Change.main`."""
        return next(name for name in MAIN if name in self.changes)

    @property
    def effect(self) -> Numbers:
        """That number, over the axes."""
        return self.changes[self.main]


def ablate_all_heads(
    trace: Trace,
    *,
    by: By = "zero",
    kind: str | None = None,
    at: int | str | None = None,
    target: str | int | None = None,
    attention: npt.ArrayLike | None = None,
    attention_of: str = "",
    batch: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Measure what ablating each head alone changes.

    The example goes through the model once for each head, several at once as a batch of copies.

    Parameters
    ----------
    trace : Trace
        Whose model is still there.
    by : {"zero", "mean"}
        As for `AblateHead`.
    kind : str, optional
        Which attention of the model; by default the one that the trace shows.
    at, target
        As for `measure`.
    attention : array, shape (layers, heads), optional
        A number of each head from attention alone, to be set against its effect.
    attention_of : str
        What that is, in words.
    batch : int, optional
        How many copies go through the model at once; by default as many as have 2,048 tokens, and
        256 MB of logits.
    progress : callable, optional
        Called with the share that is done, 0 to 1, after each batch. What it raises ends the sweep;
        the model is left as it was found in any case.

    Returns
    -------
    Sweep
        Over (layer, head).

    Raises
    ------
    ValueError
        As for `measure`; or `attention` has another shape.
    """
    name, of = kind_of(trace, kind)
    shape = of.attention.n_layers, of.attention.n_heads
    beside = None if attention is None else np.asarray(attention, np.float64)
    if beside is not None and beside.shape != shape:
        raise ValueError(
            f"attention has the shape {beside.shape}, and there are (layers, heads) {shape}"
        )
    edits = [[AblateHead(layer, head, by, name)] for layer, head in np.ndindex(*shape)]
    found = measured(trace, edits, at, target, batch, progress)
    return Sweep(
        ("layer", "head"),
        **found.over(shape),
        attention=beside,
        attention_of=attention_of,
        notes=notes(trace, edits[0], found.before),
    )


def cut_all_keys(
    trace: Trace,
    query: int | str,
    layers: int | Iterable[int] | None = None,
    heads: int | Iterable[int] | None = None,
    *,
    kind: str | None = None,
    at: int | str | None = None,
    target: str | int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Measure what cutting each key of one query changes, each alone.

    Parameters
    ----------
    trace : Trace
        Whose model is still there.
    query : int or str
        The token whose keys are cut, by position or piece of text.
    layers, heads : int, range or list of int, optional
        Where; by default in all.
    kind : str, optional
        Which attention of the model; by default the one that the trace shows.
    at, target, batch, progress
        As for `ablate_all_heads`.

    Returns
    -------
    Sweep
        Over (key,). ``attention`` is the weight with which the query reads the key, mean over these
        layers and heads. Keys that it doesn't read, and those without which it would have nothing
        to read in some head, are NaN.

    Raises
    ------
    ValueError
        As for `measure`; or the query reads but one key.
    """
    name, of = kind_of(trace, kind)
    position = pick_one(of.tokens, query, "query")
    whole = CutEdges(position, range(of.attention.n_keys), layers, heads, name)
    rows = [
        of.attention.rows(layer, cut.heads, [position])[:, 0]
        for layer, cut in cuts_of(trace, whole).items()
    ]
    weights = np.concatenate(rows).astype(np.float64)
    read = np.flatnonzero(weights.any(0))
    edits = [[CutEdges(position, int(key), layers, heads, name)] for key in read]
    found = measured(trace, edits, at, target, batch, progress)
    arrays = found.over(read.shape)
    spread: dict[str, Numbers] = {}
    for number, values in arrays["changes"].items():
        spread[number] = np.full(of.attention.n_keys, np.nan)
        spread[number][read] = values
    is_other = np.zeros(of.attention.n_keys, bool)
    is_other[read] = arrays["is_other"]
    n_unknown = int(np.isnan(spread[next(iter(spread))]).sum())
    unknown = (
        f"{n_unknown} of {of.attention.n_keys} keys have no effect to measure (NaN): the query "
        "doesn't read them, or reads nothing else in some head.",
    )
    return Sweep(
        ("key",),
        **{**arrays, "changes": spread, "is_other": is_other},
        attention=weights.mean(0),
        attention_of="weight, mean over the layers and heads that are cut",
        notes=notes(trace, edits[0], found.before) + unknown * (n_unknown > 0),
    )


@dataclass(frozen=True)
class Measured:
    """What came of edits that were each done by themselves.

    Attributes
    ----------
    before : Outcome
    target : Choice or None
    changes : list of Change or None
        In order; None where nothing was cut, or not all of it could be.
    """

    before: Outcome
    target: Choice | None
    changes: list[Change | None]

    def over(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return what a `Sweep` holds, over axes of some shape."""
        known = [change for change in self.changes if change is not None]
        if not known:
            raise ValueError(
                "there is nothing to measure: what is cut isn't read, or is all that is read"
            )
        names = [name for name, _ in known[0].numbers()]
        of_each = [dict(change.numbers()) if change else {} for change in self.changes]
        return {
            "before": self.before,
            "target": self.target,
            "changes": {
                name: np.array([own.get(name, np.nan) for own in of_each]).reshape(shape)
                for name in names
            },
            "is_other": np.array(
                [change is not None and change.is_other for change in self.changes]
            ).reshape(shape),
        }


def measured(
    trace: Trace,
    edits: Sequence[Sequence[Edit]],
    at: int | str | None,
    target: str | int | None,
    batch: int | None,
    progress: Progress | None,
) -> Measured:
    """Measure many changes of a trace's pass, each by itself; see `ablate_all_heads`."""
    from .reading import Reading
    from .running import changed_each, unchanged

    reading = Reading(trace, at)
    every = [meant(trace, some) for some in edits]
    before = unchanged(reading)
    followed = target_of(trace, before, target)
    changes: list[Change | None] = []
    for done, one in zip(every, changed_each(reading, every, batch, progress), strict=True):
        is_known = not one.is_empty and (one.n_cut > 0 or not done.cuts)
        changes.append(compare(before, one.outcome, followed) if is_known else None)
    return Measured(before, None if followed is None else before.choice(followed), changes)

"""What edits change in a model's output: measured, by running it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..tracing.trace import Trace
from .change import Change, compare
from .edits import Edit
from .listed import Edits, as_edits
from .meant import meant
from .outcome import Choice, Outcome
from .wording import notes, said, unread


@dataclass(frozen=True)
class Effect:
    """What edits change.

    Attributes
    ----------
    edits : Edits
        What was done; those that are switched off weren't.
    before, after : Outcome
        What the model says as it is, and with the edits: ``before.top``, ``after.top``.
    target : (Choice, Choice) or None
        The choice that `Change.log_p` is of, before and after; None for representations.
    change : Change
        The numbers, e.g. ``change.kl``; ``change.size`` is the one that stands for the whole.
    said : str
        The effect in a sentence, with its numbers and units.
    notes : tuple of str
        Which intervention it was, and what the numbers don't say.
    """

    edits: Edits
    before: Outcome
    after: Outcome
    target: tuple[Choice, Choice] | None
    change: Change
    said: str
    notes: tuple[str, ...]


def measure(
    trace: Trace,
    edits: Edits | Edit | Iterable[Edit],
    *,
    at: int | str | None = None,
    target: str | int | None = None,
) -> Effect:
    """Measure what edits change in the output of a trace's model.

    The model runs once with the edits, and once as it is, the first time that it is asked at this
    token. It is left exactly as it was found. What is measured is the effect of just this: a lower
    bound of what the edges, the head or the token are good for, as others may step in (self-repair,
    and the weight that goes to other keys).

    Parameters
    ----------
    trace : Trace
        Its kind of attention is that of edits that name none, and tells which of a text and an
        image a representation is of.
    edits : Edits, Edit, or iterable of Edit
        Those that are switched on are done together.
    at : int or str, optional
        The token whose output is looked at, by its position, padding not counted, or by the piece
        of the text that it is: in what is written, where the model has an encoder and a decoder. By
        default the last one of a model that writes on, the [MASK] of a masked language model; a
        representation is then the mean over all but special tokens. Labels of all that was read,
        and answers, are the same at all of them.
    target : str or int, optional
        Which token or label is followed, by its text or number. By default the most probable one.

    Returns
    -------
    Effect

    Raises
    ------
    ValueError
        No edit is switched on; the trace has no model any more, or none that says anything that is
        known here; a layer whose attention can't be worked out anew; a query that would have
        nothing left to read; what names no token, layer, head or kind that is there.
    """
    from .reading import Reading
    from .running import changed, unchanged
    from .targets import target_of

    edits = as_edits(edits)
    if not edits.active:
        raise ValueError("no edit is switched on: there is nothing to measure")
    reading = Reading(trace, at)
    done = meant(trace, edits.active)
    before = unchanged(reading)
    followed = target_of(trace, before, target)
    (after,) = changed(reading, [done])
    change = compare(before, after.outcome, followed)
    both = None if followed is None else (before.choice(followed), after.outcome.choice(followed))
    return Effect(
        edits,
        before,
        after.outcome,
        both,
        change,
        said(trace, edits.active, before, after.outcome, both, change),
        notes(trace, edits.active, before) + unread(trace, edits.active, after.n_cut),
    )

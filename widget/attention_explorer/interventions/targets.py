"""Which of a model's choices is followed."""

from __future__ import annotations

from operator import index

from ..tracing.trace import Trace
from .outcome import Outcome
from .replacing import token_number


def target_of(trace: Trace, before: Outcome, given: str | int | None) -> int | None:
    """Return the number of the choice that is followed; None for representations.

    Parameters
    ----------
    trace : Trace
        Whose tokenizer makes a token of a text.
    before : Outcome
        Of the pass as it is.
    given : str or int, optional
        Text or number of a token or label; by default the most probable one.

    Raises
    ------
    TypeError, ValueError
        A target for what chooses none, or for an answer; a text or number that isn't there.
    """
    if before.what == "representation":
        if given is not None:
            raise ValueError(
                f"{trace.model_name} has no head that could choose target={given!r:.60}"
            )
        return None
    if given is None:
        return before.best
    if before.what == "answer":
        raise ValueError("of an answer the best one is followed: leave target= away")
    if not isinstance(given, str):
        if isinstance(given, bool) or not hasattr(given, "__index__"):
            raise TypeError(f"target is a text or a number, got {type(given).__name__}")
        number, n_choices = index(given), len(before.numbers)
        if not 0 <= number < n_choices:
            raise ValueError(f"there is no choice {number}: they count from 0 to {n_choices - 1}")
        return number
    if before.what in ("labels", "token label"):
        names = [before.choice(i).text for i in range(len(before.numbers))]
        if given not in names:
            raise ValueError(f"{given!r:.60} is no label: they are {', '.join(map(repr, names))}")
        return names.index(given)
    for choice in before.top:
        if given in (choice.text, choice.text.strip()):
            return choice.number
    return token_number(trace.live.tokenizer, given, " ")

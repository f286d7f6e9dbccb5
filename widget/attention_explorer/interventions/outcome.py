"""What a model's output says, as numbers that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
What = Literal["next token", "masked token", "labels", "token label", "answer", "representation"]
By = Literal["softmax", "sigmoid", "score", ""]

TOP = 10


class Choice(NamedTuple):
    """One of the things that a model chooses from.

    Attributes
    ----------
    text : str
        A token with the space that it brings along, a label, or an answer as written; ``""``: no
        answer.
    probability : float
        0 to 1; of a regression the score.
    number : int
        Of the token, the label, or the span.
    """

    text: str
    probability: float
    number: int


@dataclass(frozen=True)
class Outcome:
    """What one pass came to.

    Attributes
    ----------
    what : str
        ``"next token"``: of a model that writes on, what it gives after the token `at`.
        ``"masked token"``: of a masked language model, what it gives at `at`.
        ``"labels"``: of a classifier, of all that it read. ``"token label"``: the label of `at`.
        ``"answer"``: the span of the second text that answers the first, as `tasks.spans` has it.
        ``"representation"``: of a model without a head, the last hidden states; no probabilities.
    by : {"softmax", "sigmoid", "score", ""}
        What probabilities are: shares of 1 over all choices, of each label by itself, or none but
        a regression's own scores; "" for representations.
    at : int or None
        The token that it is of, padding not counted; None: of all.
    token : str
        Its text.
    numbers : array of float64, shape (choices,)
        Log-probabilities in nats by softmax, logits by sigmoid, scores.
    states : mapping of str to array of float64, shape (d,)
        Of a representation: ``"mean"`` over all tokens but the special ones, and ``"token"``, where
        one is named.
    """

    what: What
    by: By
    at: int | None = None
    token: str = ""
    numbers: Numbers = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    states: Mapping[str, Numbers] = field(default_factory=dict, compare=False, repr=False)
    _text: Callable[[int], str] = field(default=str, compare=False, repr=False)
    # Choices that are the same to a person, as two spans of the same characters, have equal keys.
    _key: Callable[[int], object] = field(default=lambda number: number, compare=False, repr=False)

    @property
    def best(self) -> int:
        """Number of the most probable choice.

        Raises
        ------
        ValueError
            A representation, which chooses nothing.
        """
        if not self.numbers.size:
            raise ValueError("a representation chooses nothing: it has no most probable choice")
        return int(self.numbers.argmax())

    @property
    def top(self) -> tuple[Choice, ...]:
        """The ten most probable choices, or all where they are fewer; none of a representation."""
        return tuple(islice(self._choices(), TOP))

    def choice(self, number: int) -> Choice:
        """Return one choice."""
        return Choice(self._text(number), self.probability(number), number)

    def probability(self, number: int) -> float:
        """Return how probable a choice is; of a regression its score."""
        if self.by == "score":
            return float(self.numbers[number])
        return float(np.exp(self.log_p(number)))

    def log_p(self, number: int) -> float:
        """Return the log-probability of a choice, in nats; NaN of a regression."""
        if self.by == "score":
            return float("nan")
        own = self.numbers[number]
        return float(-np.logaddexp(0, -own) if self.by == "sigmoid" else own)

    def _choices(self) -> Iterator[Choice]:
        seen = set()
        for number in map(int, np.argsort(-self.numbers, kind="stable")):
            if self.numbers[number] == -np.inf:
                return
            key = self._key(number)
            if key not in seen:
                seen.add(key)
                yield self.choice(number)


def log_softmax(logits: Numbers) -> Numbers:
    """Return log-probabilities in nats, over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    totals: Numbers = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return totals

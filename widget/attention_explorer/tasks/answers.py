"""What a model answers to a question about a text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Answer:
    """A span of the context that answers the question, or that nothing there does.

    Attributes
    ----------
    text : str
        As written in the context; ``""`` for no answer.
    probability : float
        0 to 1: softmax of `score` over all spans of the context, and no answer where the model
        knows it. A span in several windows counts once, as the window sees it that scores it
        highest.
    score : float
        Start logit + end logit.
    window : int
        Number of the window in which it was found.
    tokens : (int, int) or None
        First and last token, counted in the window's tokens, specials included; None: no answer.
    span : (int, int) or None
        Characters of the context, [start, stop); None: no answer, or a slow tokenizer.
    """

    text: str
    probability: float
    score: float
    window: int
    tokens: tuple[int, int] | None
    span: tuple[int, int] | None


@dataclass(frozen=True)
class Window:
    """A part of the context that the model reads at once, beside the question.

    Attributes
    ----------
    span : (int, int) or None
        Characters of the context, [start, stop); None for a slow tokenizer.
    question, context : (int, int)
        Their tokens, [first, stop), counted in the window's.
    starts, ends : array of float32, shape (tokens,)
        Probability that the answer starts, or ends, at a token: marginals of the distribution over
        spans that `Answer.probability` is of. A span that lies in another window too counts in the
        one that scores it higher, so over all windows, and no answer, either sums to 1.
    """

    span: tuple[int, int] | None
    question: tuple[int, int]
    context: tuple[int, int]
    starts: Floats = field(compare=False)
    ends: Floats = field(compare=False)


@dataclass(frozen=True)
class Answers:
    """What a model answers.

    Attributes
    ----------
    question, context : str
        What was asked, and of which text.
    answers : tuple of Answer
        The best first, none with the same characters as another.
    windows : tuple of Window
        As many as the context needs.
    notes : tuple of str
        What was done, or lost.
    no_answer : float or None
        Probability that the context holds no answer; None where the model doesn't know that.
    """

    question: str
    context: str
    answers: tuple[Answer, ...]
    windows: tuple[Window, ...]
    notes: tuple[str, ...]
    no_answer: float | None

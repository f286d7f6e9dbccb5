"""A view of what a question answering model attends to, which can be asked anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import traitlets

from .analysis.spans import span_mass
from .attention.base import Float
from .protocol import AnswerInfo, QaInfo
from .requests import Question
from .runs import Progress, Runs
from .shown_view import ShownView
from .state import Limits
from .tracing import Trace
from .variants import Variant, Variants, in_units

if TYPE_CHECKING:
    from .tasks.qa import Answer, Answers, QuestionAnswering

# Longer contexts stay in Python: what crosses is saved with every notebook.
CONTEXT_KEPT = 8_000
# Seconds that the browser waits for an answer before it hears how far it is.
_ASK_WITHIN = 0.1


class Asked(NamedTuple):
    """What was answered, and one of its windows traced."""

    answers: Answers
    window: int
    trace: Trace


class AskingView(ShownView):
    """Shows what was asked and answered beside its attention, where there is a model to ask."""

    _qa = traitlets.Any(None, allow_none=True).tag(sync=True)

    _answering: QuestionAnswering | None = None
    _asked: Asked | None = None
    _runs: Runs[Asked]

    def _answer_by(self, answering: QuestionAnswering, asked: Asked) -> None:
        """Show what was answered, whose attention is shown already, and answer what comes."""
        self._answering, self._asked = answering, asked
        self._runs = Runs()
        self._qa = self._info(self._variants, self._variant)

    @property
    def question(self) -> str | None:
        """What was asked last; None where nothing was."""
        return None if self._asked is None else self._asked.answers.question

    @property
    def context(self) -> str | None:
        """The text that was asked about; None where nothing was asked."""
        return None if self._asked is None else self._asked.answers.context

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What the model answers, the best first, over all windows."""
        return () if self._asked is None else self._asked.answers.answers

    def ask(
        self, question: str | None = None, context: str | None = None, window: int | None = None
    ) -> tuple[Answer, ...]:
        """Ask the model, and show its answer with the attention that led to it.

        Parameters
        ----------
        question : str, optional
            That of before by default.
        context : str, optional
            That of before by default.
        window : int, optional
            Which window of a context longer than the model reads; the best answer's by default.

        Returns
        -------
        tuple of Answer
            The best first, as in `answers`.

        Raises
        ------
        ValueError
            There is no model to ask; a question or a context that is empty; a question longer than
            the model reads; a window that isn't there. What was shown stays.
        """
        wish = Question("", question, context, window)
        if self._answering is None:
            super()._ask_model(wish)
        else:
            self._runs.stop()
            self._show_asked(put(self._answering, self._asked, wish))
        return self.answers

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights and the model."""
        if self._answering is not None:
            self._runs.stop()
        super().close()
        self._answering = self._asked = None

    def _ask_model(self, question: Question) -> float | None:
        answering, shown = self._answering, self._asked
        if answering is None:
            return super()._ask_model(question)
        share, asked = self._runs.finish(
            question.run, lambda progress: put(answering, shown, question, progress), _ASK_WITHIN
        )
        if asked is None:
            return share
        self._show_asked(asked)
        return None

    def _show_asked(self, asked: Asked) -> None:
        was = self._asked
        self._asked = asked
        try:
            self._show_instead(asked.trace.kinds, asked.trace.kind)
        except BaseException:
            self._asked = was
            raise

    def _dependent_on(
        self, variants: Variants, variant: Variant
    ) -> tuple[Limits, dict[str, object]]:
        limits, state = super()._dependent_on(variants, variant)
        return limits, {**state, "_qa": self._info(variants, variant)}

    def _info(self, variants: Variants, variant: Variant) -> QaInfo | None:
        """Return what was asked and answered, counted in what is shown: tokens or words."""
        if self._asked is None:
            return None
        answers, window, _ = self._asked
        here = answers.windows[window]
        _, of = in_units(variants.kinds[variant.kind].tokens, variant.unit)
        context = _range(of, here.context)
        return {
            "question": answers.question,
            "context": answers.context if len(answers.context) <= CONTEXT_KEPT else None,
            "answers": [_answer_info(answer, window, of) for answer in answers.answers],
            "windows": [f"{i + 1} of {len(answers.windows)}" for i in range(len(answers.windows))],
            "window": window,
            "question_tokens": _range(of, here.question),
            "context_tokens": context,
            "starts": _sums(here.starts, of, context),
            "ends": _sums(here.ends, of, context),
            "notes": list(answers.notes),
        }


def put(
    answering: QuestionAnswering,
    shown: Asked | None,
    question: Question,
    progress: Progress = lambda share: None,
) -> Asked:
    """Put a question to a model, and trace a window; what isn't asked anew isn't answered anew."""
    answers = None if shown is None else shown.answers
    text, context = question.question, question.context
    if answers is not None:
        text = answers.question if text is None else text
        context = answers.context if context is None else context
    if answers is None or (text, context) != (answers.question, answers.context):
        answers = answering.answer(text or "", context or "", progress)
    window = answers.answers[0].window if question.window is None else question.window
    if not 0 <= window < len(answers.windows):
        raise ValueError(
            f"window {window} is out of range: the context is read in {len(answers.windows)} "
            "windows, counted from 0"
        )
    return Asked(answers, window, answering.trace(answers, window))


def best_head(asked: Asked) -> tuple[int, int]:
    """Return the layer and head whose question reads most of the answer; of no answer, the text."""
    window = asked.answers.windows[asked.window]
    best = asked.answers.answers[0]
    first, stop = window.context
    if best.tokens is not None and best.window == asked.window:
        first, stop = best.tokens[0], best.tokens[1] + 1
    mass = span_mass(asked.trace.attention, (*window.question, first, stop))
    layer, head = divmod(int(mass.argmax()), mass.shape[1])
    return layer, head


def _range(of: Sequence[int], tokens: tuple[int, int]) -> tuple[int, int]:
    first, stop = tokens
    return (of[first], of[stop - 1] + 1)


def _answer_info(answer: Answer, window: int, of: Sequence[int]) -> AnswerInfo:
    here = answer.tokens if answer.window == window else None
    return {
        "text": answer.text,
        "probability": answer.probability,
        "window": answer.window,
        "tokens": None if here is None else (of[here[0]], of[here[1]]),
    }


def _sums(of_tokens: Float, of: Sequence[int], shown: tuple[int, int]) -> bytes:
    sums = np.bincount(of, of_tokens.astype(np.float64))
    return sums[slice(*shown)].astype("<f4").tobytes()

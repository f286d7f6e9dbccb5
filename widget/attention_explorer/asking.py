"""The explorer of a question answering model: what was asked and answered, and asking anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets

from .analysis.spans import span_mass
from .attention.base import Float
from .explorer import AttentionExplorer
from .protocol import AnswerInfo, QaInfo
from .requests import Question
from .runs import Progress, Runs, progress_bar
from .shown_view import CLOSED, module
from .state import Checked, check_answer
from .tracing import Trace
from .variants import TEXTS_KEPT, Variant, Variants, in_units

if TYPE_CHECKING:
    from .tasks.qa import Answer, Answers, QuestionAnswering, Window

# Seconds that the browser waits for an answer before it hears how far it is.
_ASK_WITHIN = 0.1


class Asked(NamedTuple):
    """What was answered, and one of its windows traced."""

    answers: Answers
    window: int
    trace: Trace

    @property
    def shown(self) -> Window:
        """The window that is traced."""
        return self.answers.windows[self.window]


class QAExplorer(AttentionExplorer):
    """An explorer that shows what was asked and answered, and can be asked anew.

    `AttentionExplorer.qa` makes it.

    Attributes
    ----------
    answer : int
        Which of the answers is marked; the best is 0.
    """

    _esm = module("qa")
    _views = (*AttentionExplorer._views, "qa")

    answer = Checked(check_answer, 0).tag(sync=True)
    _qa = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, answering: QuestionAnswering, asked: Asked, **options: Any) -> None:
        self._answering: QuestionAnswering | None = answering
        self._asked: Asked | None = asked
        self._runs = Runs[Asked]()
        super().__init__(asked.trace, **options)

    @property
    def question(self) -> str:
        """What was asked last."""
        return self._needed.answers.question

    @property
    def context(self) -> str:
        """The text that it was asked about."""
        return self._needed.answers.context

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What the model answers, the best first, over all windows."""
        return self._needed.answers.answers

    @property
    def window(self) -> Window:
        """The window that is shown: where its question and context are, where answers may be."""
        return self._needed.shown

    @property
    def trace(self) -> Trace | None:
        """The trace of the window that is shown."""
        return None if self._asked is None else self._asked.trace

    def _said_beside(self) -> list[str]:
        best = self._needed.answers.answers[0]
        return [f"{self.question} → {best.text or 'no answer'} ({best.probability:.2f})"]

    @property
    def _needed(self) -> Asked:
        if self._asked is None:
            raise RuntimeError(CLOSED)
        return self._asked

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
            A question or a context that is empty; a question longer than the model reads; a window
            that isn't there. What was shown stays.
        """
        if self._answering is None:
            raise RuntimeError(CLOSED)
        self._runs.stop()
        wish = Question("", question, context, window)
        with progress_bar("reading") as progress:
            asked = put(self._answering, self._asked, wish, progress)
        self._show_asked(asked)
        return self.answers

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights and the model."""
        self._runs.stop()
        super().close()
        self._answering = self._asked = None

    def _ask_model(self, question: Question) -> float | None:
        answering, shown = self._answering, self._asked
        if answering is None:
            raise RuntimeError(CLOSED)
        share, asked = self._runs.finish(
            question.run, lambda progress: put(answering, shown, question, progress), _ASK_WITHIN
        )
        if asked is None:
            return share
        self._show_asked(asked)
        return None

    def _show_asked(self, asked: Asked) -> None:
        was = self._asked
        is_new = was is None or asked.answers is not was.answers
        self._asked = asked
        try:
            with self.hold_sync():
                self._show_instead(asked.trace)
                self.answer = 0 if is_new else self.answer
        except BaseException:
            self._asked = was
            raise

    def _beside(self, variants: Variants, variant: Variant) -> dict[str, object]:
        return {"_qa": self._info(variants, variant)}

    def _info(self, variants: Variants, variant: Variant) -> QaInfo | None:
        """Return what was asked and answered, counted in what is shown: tokens or words."""
        if self._asked is None:
            return None
        answers, window, _ = self._asked
        here = self._asked.shown
        _, of = in_units(variants.kinds[variant.kind].tokens, variant.unit)
        context = _range(of, here.context)
        return {
            "question": answers.question,
            "context": answers.context if len(answers.context) <= TEXTS_KEPT else None,
            "answers": [_answer_info(answer, window, of) for answer in answers.answers],
            "windows": [f"{i + 1} of {len(answers.windows)}" for i in range(len(answers.windows))],
            "window": window,
            "question_tokens": _range(of, here.question),
            "context_tokens": context,
            "starts": _sums(here.starts, of, context),
            "ends": _sums(here.ends, of, context),
            "notes": list(answers.notes),
        }


def open_qa(
    model: Any,
    tokenizer: Any,
    question: str,
    context: str,
    asking: dict[str, Any],
    options: dict[str, Any],
) -> QAExplorer:
    """Ask, and open at the head whose question reads most of the answer; see `QAExplorer`."""
    from .tasks.qa import QuestionAnswering

    answering = QuestionAnswering(model, tokenizer, **asking)
    with progress_bar("reading") as progress:
        asked = put(answering, None, Question("", question, context, None), progress)
    layer, head = best_head(asked)
    opened = {"view": ["qa"], "unit": "word", "layer": layer, "heads": head}
    return QAExplorer(answering, asked, **{**opened, **options})


def put(
    answering: QuestionAnswering,
    shown: Asked | None,
    question: Question,
    progress: Progress,
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
    best = asked.answers.answers[0]
    first, stop = asked.shown.context
    if best.tokens is not None and best.window == asked.window:
        first, stop = best.tokens[0], best.tokens[1] + 1
    mass = span_mass(asked.trace.attention, (*asked.shown.question, first, stop))
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

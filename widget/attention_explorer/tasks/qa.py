"""From a question and a context to the answer that a model finds there, and what it attends to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from ..tracing.trace import Trace
from ..tracing.tracer import Store, load, trace
from .answers import Answer, Answers, Window
from .spans import Logits, Spans
from .windows import Cut, Pair, cut, join, tokens_of

__all__ = ["Answer", "Answers", "QuestionAnswering", "Window"]

# A window, where neither the tokenizer nor the model reads less.
MAX_LENGTH = 384
MAX_ANSWER_TOKENS = 30
_KNOWS_NO_ANSWER = re.compile("squad[-_]?(?:v[-_]?)?2", re.IGNORECASE)


class QuestionAnswering:
    """A model that finds the answer to a question in a text: ``answer``, then ``trace``.

    Windows, and which spans are valid, are those of transformers' question-answering pipeline
    (of the versions that have it) with ``align_to_words=False``: an answer is the tokens that the
    model points to, never widened to whole words. Windows are compared by their logits, as in
    transformers' ``run_qa.py`` and the original BERT code for SQuAD; the pipeline normalises each
    window by itself first, so of several it may choose another.

    Parameters
    ----------
    model : transformers model or str
        With a question answering head; a name is loaded by ``AutoModelForQuestionAnswering``.
    tokenizer : transformers tokenizer or str, optional
        None only where `model` is a string.
    max_length : int, optional
        Tokens of a window; by default 384, or what tokenizer and model can read where that is less.
    stride : int, optional
        Tokens of the context that a window shares with the one before it; by default 128, or half
        of `max_length` where that is less, or half of the room beside a long question.
    top : int
        How many answers are given; that there is none, where the model knows it, is given besides.
    max_answer_tokens : int
        Tokens of an answer at most. The pipeline's default is 15 and ``run_qa.py``'s is 30.
    no_answer : bool, optional
        Whether the context may hold no answer, which then is the first token ([CLS]). By default
        where the model's name says that it was trained on SQuAD 2.
    store : "device" or "cpu"
        As for a trace.

    Raises
    ------
    TypeError
        A model without a question answering head, or a tokenizer without a model.
    ValueError
        No tokenizer; a name whose checkpoint has no question answering head; or options that fit
        neither the model nor each other.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        max_length: int | None = None,
        stride: int | None = None,
        top: int = 5,
        max_answer_tokens: int = MAX_ANSWER_TOKENS,
        no_answer: bool | None = None,
        store: Store = "device",
    ) -> None:
        from ..tracing.limits import longest_input, name_of
        from .reading import check_head, reader_named

        for name, given, least in (
            ("max_length", max_length, 1),
            ("stride", stride, 0),
            ("top", top, 1),
            ("max_answer_tokens", max_answer_tokens, 1),
        ):
            if given is not None and (not isinstance(given, int) or given < least):
                raise ValueError(f"{name} has to be a whole number from {least} on, got {given!r}")
        self.model, self.tokenizer = load(model, tokenizer, reader_named)
        self.model_name: str = name_of(self.model)
        if self.tokenizer is None:
            raise ValueError(
                "a question needs the model's tokenizer: pass it beside the model, "
                "QuestionAnswering(model, tokenizer)"
            )
        check_head(self.model)
        known = int(getattr(self.tokenizer, "model_max_length", MAX_LENGTH))
        self._limit = longest_input(self.model, "source", False)
        if max_length is None:
            max_length = min(n for n in (known, MAX_LENGTH, self._limit) if n is not None)
        elif self._limit is not None and max_length > self._limit:
            raise ValueError(
                f"max_length={max_length} is more than {self.model_name} can read: "
                f"at most {self._limit}"
            )
        self._max_length, self._stride, self._store = max_length, stride, store
        self._top, self._longest = top, max_answer_tokens
        if no_answer is None:
            no_answer = knows_no_answer(self.model_name)
        self._may_be_none = no_answer

    def answer(
        self, question: str, context: str, progress: Callable[[float], None] | None = None
    ) -> Answers:
        """Find the answer in a context of any length.

        Parameters
        ----------
        question, context : str
            What is asked, and the text that holds the answer.
        progress : callable, optional
            Called with the share that is done, 0 to 1, after each batch of windows. What it raises
            ends the search; the model is left as it was found in any case.

        Returns
        -------
        Answers
            At least one.

        Raises
        ------
        TypeError
            A question or a context that is no string; outputs without start and end logits.
        ValueError
            An empty question or context, a question that leaves the context no room in a window, a
            stride that is too large beside it, or logits that aren't numbers.
        """
        from .reading import read

        pair, cut_as = self._read(question, context)
        windows = cut_as.windows
        logits = read(self.model, [pair.columns(window) for window in windows], progress)
        first = pair.context.start
        inside = [one[:, first : first + len(w)] for one, w in zip(logits, windows, strict=True)]
        spans = Spans.of(windows, inside, self._no_answers(pair, windows, logits), self._longest)
        return Answers(
            question,
            context,
            answers=self._best(pair, spans, context),
            windows=tuple(_window(pair, spans, number) for number in range(len(windows))),
            notes=tuple(self._notes(pair, cut_as)),
            no_answer=spans.no_answer and spans.probability(spans.no_answer[0]),
        )

    def trace(self, answers: Answers, window: int) -> Trace:
        """Trace what the model attends to in one window, by one more pass.

        Parameters
        ----------
        answers : Answers
            Of this object.
        window : int
            Which, e.g. ``answers.answers[0].window``.

        Returns
        -------
        Trace
            Its tokens are the question's, segment 0, and those of this part of the context, segment
            1, as written.

        Raises
        ------
        ValueError
            There is no such window, or the model's attention can't be had.
        """
        from ..tracing.examples import takes_target

        pair, cut_as = self._read(answers.question, answers.context)
        n_windows = len(cut_as.windows)
        if not 0 <= window < n_windows:
            raise ValueError(f"window {window} isn't one of {n_windows} (0 to {n_windows - 1})")
        chosen = cut_as.windows[window]
        inputs = pair.columns(chosen)
        if takes_target(self.model):
            # Such a model's decoder reads the same text once more, shifted by one.
            inputs["labels"] = inputs["input_ids"]
        texts = answers.question, answers.context
        traced = trace(
            self.model,
            self.tokenizer,
            inputs=inputs,
            tokens=tokens_of(self.tokenizer, pair, texts, chosen),
            store=self._store,
        )
        return replace(traced, text=answers.question, text_pair=answers.context)

    def _read(self, question: str, context: str) -> tuple[Pair, Cut]:
        for name, text in (("question", question), ("context", context)):
            if not isinstance(text, str):
                raise TypeError(f"the {name} has to be a string, got {type(text).__name__}")
            if re.search("[\ud800-\udfff]", text):
                raise ValueError(
                    f"the {name} holds half a character (a lone surrogate): replace it"
                )
        if not question.strip():
            raise ValueError("the question is empty: write what is to be found in the context")
        if not context.strip():
            raise ValueError("the context is empty: give the text that holds the answer")
        pair = join(self.tokenizer, question, context)
        return pair, cut(pair, self._max_length, self._stride, self._limit)

    def _no_answers(
        self, pair: Pair, windows: Sequence[range], logits: Sequence[Logits]
    ) -> list[float] | None:
        """Return the score of no answer in each window, where it is allowed."""
        if not self._may_be_none:
            return None
        if pair.no_answer is None:
            raise ValueError(
                f"{type(self.tokenizer).__name__} adds no token that could speak for no answer, "
                "as [CLS] would: leave no_answer away"
            )
        places = [pair.place(pair.no_answer, window) for window in windows]
        return [float(one[:, at].sum()) for one, at in zip(logits, places, strict=True)]

    def _notes(self, pair: Pair, cut_as: Cut) -> Iterator[str]:
        if pair.offsets is None:
            yield (
                f"{type(self.tokenizer).__name__} is a slow tokenizer, which doesn't know the "
                "characters of its tokens: an answer is put together from these, so its letters "
                "and spaces may differ from the context's."
            )
        if len(cut_as.windows) > 1:
            yield (
                f"The context has {cut_as.n_context} tokens: it is read in {len(cut_as.windows)} "
                f"windows of {cut_as.room}, each with {cut_as.stride} of the one before it."
            )

    def _best(self, pair: Pair, spans: Spans, context: str) -> tuple[Answer, ...]:
        """Return the best answers, and that there is none wherever that stands, if it is known."""
        best = tuple(islice(self._found(pair, spans, context), self._top))
        if spans.no_answer is None or any(answer.tokens is None for answer in best):
            return best
        return (*best, _none(spans, spans.no_answer))

    def _found(self, pair: Pair, spans: Spans, context: str) -> Iterator[Answer]:
        """Yield the answers, the best first, none twice."""
        seen: set[tuple[int, int]] = set()
        null = spans.no_answer
        for tokens, score, number in spans.best():
            if null is not None and null[0] >= score:
                yield _none(spans, null)
                null = None
            characters = pair.span(tokens)
            if characters is None:
                text = self._decoded(pair, tokens)
            else:
                text, characters = stripped(context, characters)
            key = characters or (tokens.start, tokens.stop)
            if text and key not in seen:
                seen.add(key)
                shift = pair.context.start - spans.windows[number].start
                ends = (tokens.start + shift, tokens.stop - 1 + shift)
                yield Answer(text, spans.probability(score), score, number, ends, characters)
        if null is not None:
            yield _none(spans, null)

    def _decoded(self, pair: Pair, tokens: range) -> str:
        first = pair.context.start
        ids = pair.encoding["input_ids"][first + tokens.start : first + tokens.stop]
        text: str = self.tokenizer.decode(ids)
        return text.strip()


def knows_no_answer(model_name: str) -> bool:
    """Tell by a model's name whether it was trained on questions that have no answer."""
    return _KNOWS_NO_ANSWER.search(model_name) is not None


def _none(spans: Spans, found: tuple[float, int]) -> Answer:
    """Return that there is no answer, of its score and the window that gives it."""
    return Answer("", spans.probability(found[0]), *found, None, None)


def _window(pair: Pair, spans: Spans, number: int) -> Window:
    window = spans.windows[number]
    first = pair.context.start
    columns = [np.zeros(pair.n_around + len(window), np.float32) for _ in range(2)]
    for column, own in zip(columns, spans.marginals(number), strict=True):
        column[first : first + len(window)] = own
    question = pair.place(pair.question.start, window)
    return Window(
        pair.span(window),
        (question, question + len(pair.question)),
        (first, first + len(window)),
        *columns,
    )


def stripped(text: str, span: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """Return what stands there without space around it: some tokens begin with a space."""
    start, stop = span
    written = text[start:stop]
    start += len(written) - len(written.lstrip())
    written = written.strip()
    return written, (start, start + len(written))

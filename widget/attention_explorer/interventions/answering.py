"""What a question answering head says of a traced question and its context."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from ..tasks.qa import MAX_ANSWER_TOKENS, knows_no_answer, stripped
from ..tasks.spans import Spans
from ..tasks.windows import no_answer_place
from ..tracing.tokens import Tokens
from ..tracing.trace import Trace
from .outcome import Numbers, Outcome, log_softmax
from .replacing import stream_of


class _Context(NamedTuple):
    """The context's tokens, without padding, and its text, where it is known."""

    tokens: Tokens
    text: str | None
    longest: int

    def place(self, index: int) -> tuple[int, int]:
        """Return first and last token of a span."""
        first, length = divmod(index, self.longest)
        return first, first + length

    def written(self, index: int) -> str:
        """Return the text of a span; empty: no answer."""
        return self._found(index)[0]

    def key(self, index: int) -> Hashable:
        """Return what spans of the same characters have in common."""
        return self._found(index)[1]

    def _found(self, index: int) -> tuple[str, tuple[int, int]]:
        first, last = self.place(index)
        if first >= len(self.tokens):
            return "", (-1, -1)
        spans = self.tokens.span
        if spans is not None and self.text is not None:
            return stripped(self.text, (spans[first][0], spans[last][1]))
        some = slice(first, last + 1)
        pieces = zip(self.tokens.gap[some], self.tokens.text[some], strict=True)
        return "".join(gap + text for gap, text in pieces).strip(), (first, last)


def answers(trace: Trace, logits: Numbers) -> list[Outcome]:
    """Return the distribution over the context's spans, and no answer where the model knows it.

    As `tasks.spans` has it: a span of up to 30 tokens has its start logit + its end logit.

    Parameters
    ----------
    trace : Trace
        Of a question and its context.
    logits : array of float64, shape (copies, 2, positions)
        For the start and for the end.

    Raises
    ------
    ValueError
        There is no second text.
    """
    tokens, positions = stream_of(trace.live, "source", logits.shape[2])
    inside = [i for i, segment in enumerate(tokens.segment) if segment == 1]
    if not inside or inside != list(range(inside[0], inside[-1] + 1)):
        raise ValueError(
            "an answer is looked for in the second of two texts: trace(model, tokenizer, question, "
            "context)"
        )
    null = _no_answer(trace, tokens)
    context = _Context(tokens.keep(inside), trace.text_pair, min(MAX_ANSWER_TOKENS, len(inside)))
    found = []
    for own in logits[:, :, positions]:
        none = None if null is None else [float(own[:, null].sum())]
        spans = Spans.of([range(len(inside))], [own[:, inside]], none, MAX_ANSWER_TOKENS)
        scores = np.append(spans.scores, -np.inf if spans.no_answer is None else spans.no_answer[0])
        found.append(
            Outcome(
                "answer",
                "softmax",
                numbers=log_softmax(scores),
                _text=context.written,
                _key=context.key,
            )
        )
    return found


def _no_answer(trace: Trace, tokens: Tokens) -> int | None:
    """Return the token that speaks for no answer, where the model knows it."""
    if not knows_no_answer(trace.model_name) or tokens.ids is None:
        return None
    around: Sequence[int] = [i for i, segment in enumerate(tokens.segment) if segment < 0]
    return no_answer_place(trace.live.tokenizer, {"input_ids": tokens.ids}, around)

"""Which span of a context answers: one distribution over all its spans, from all its windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Spans:
    """All spans of a context of some length, each as the window sees it that scores it highest.

    A span's score is its start logit + its end logit. Its probability is a softmax over all spans,
    and no answer where that is allowed. A span that lies in several windows is one span.

    Attributes
    ----------
    windows : sequence of range
        Counted in the context's tokens.
    scores : array of float64, shape (tokens, longest)
        By first token and length - 1; -inf where no window holds the span.
    owner : array of int32, shape (tokens, longest)
        The window that scores it highest, the first of equal ones.
    no_answer : (float, int) or None
        The score of no answer and the window which it is of: the lowest, as one window that sees
        an answer is enough.
    """

    windows: Sequence[range]
    scores: NDArray[np.float64]
    owner: NDArray[np.int32]
    no_answer: tuple[float, int] | None

    @classmethod
    def of(
        cls,
        windows: Sequence[range],
        logits: Sequence[Logits],
        no_answer: Sequence[float] | None,
        longest: int,
    ) -> Spans:
        """Put windows together.

        Parameters
        ----------
        windows : sequence of range
            Counted in the context's tokens.
        logits : sequence of array of float64, shape (2, tokens of the window)
            For the start and for the end, of the context's tokens.
        no_answer : sequence of float, optional
            Start logit + end logit of no answer in each window, where it is allowed.
        longest : int
            Tokens of a span at most.
        """
        n_tokens = windows[-1].stop
        longest = min(longest, n_tokens)
        scores = np.full((n_tokens, longest), -np.inf)
        owner = np.full((n_tokens, longest), -1, np.int32)
        for number, (window, (starts, ends)) in enumerate(zip(windows, logits, strict=True)):
            padded = np.pad(ends, (0, longest - 1), constant_values=-np.inf)
            of_first = np.lib.stride_tricks.sliding_window_view(padded, longest)
            own = starts[:, None] + of_first
            is_better = own > scores[window.start : window.stop]
            scores[window.start : window.stop][is_better] = own[is_better]
            owner[window.start : window.stop][is_better] = number
        null = None
        if no_answer is not None:
            lowest = int(np.argmin(no_answer))
            null = (float(no_answer[lowest]), lowest)
        return cls(windows, scores, owner, null)

    @cached_property
    def _log_total(self) -> float:
        null = -np.inf if self.no_answer is None else self.no_answer[0]
        top = max(float(self.scores.max()), null)
        return top + float(np.log(np.exp(self.scores - top).sum() + np.exp(null - top)))

    def probability(self, score: float) -> float:
        """Return the probability of a span, or of no answer, by its score."""
        return float(np.exp(score - self._log_total))

    def marginals(self, number: int) -> tuple[Logits, Logits]:
        """Return how likely the answer starts, and ends, at each context token of a window.

        Spans that another window scores higher count there: over all windows and no answer, either
        sums to 1.
        """
        window = self.windows[number]
        inside = slice(window.start, window.stop)
        own = np.exp(self.scores[inside] - self._log_total)
        own[self.owner[inside] != number] = 0
        last = np.add.outer(np.arange(len(window)), np.arange(own.shape[1]))
        ends = np.zeros(len(window) + own.shape[1])
        np.add.at(ends, last, own)
        return own.sum(1), ends[: len(window)]

    def best(self) -> Iterator[tuple[range, float, int]]:
        """Yield spans, counted in the context's tokens, with their score and window; best first."""
        for flat in np.argsort(-self.scores, axis=None, kind="stable"):
            first, length = divmod(int(flat), self.scores.shape[1])
            score = float(self.scores[first, length])
            if score == -np.inf:
                return
            yield range(first, first + length + 1), score, int(self.owner[first, length])

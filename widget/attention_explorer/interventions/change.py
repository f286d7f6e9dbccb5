"""How far one outcome is from another, in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from .outcome import Numbers, Outcome


@dataclass(frozen=True)
class Change:
    """What an edit changed; None where the model's output has no such number.

    Attributes
    ----------
    kl : float or None
        KL(before || after) of the whole distribution, in nats, at least 0; of labels that each
        have a probability of their own the sum over them.
    log_p : float or None
        Log-probability of the target after, less before, in nats: below 0, it became less likely.
    score : float or None
        Of a regression: the target's score after, less before.
    token_cosine, mean_cosine : float or None
        Cosine distance, 0 to 2, of the last hidden states: of the token `at`, and of the mean over
        all but special tokens.
    token_l2, mean_l2 : float or None
        Length of their difference, over their length before.
    is_other : bool
        Whether the most probable choice is another; of labels with a probability of their own,
        whether one passed 0.5.
    """

    kl: float | None = None
    log_p: float | None = None
    score: float | None = None
    token_cosine: float | None = None
    mean_cosine: float | None = None
    token_l2: float | None = None
    mean_l2: float | None = None
    is_other: bool = False

    @property
    def main(self) -> str:
        """Name of the number that stands for the whole change."""
        return next(name for name in MAIN if getattr(self, name) is not None)

    @property
    def size(self) -> float:
        """That number; 0: nothing changed."""
        size: float = getattr(self, self.main)
        return size

    def numbers(self) -> Iterator[tuple[str, float]]:
        """Yield those that there are, by name."""
        for own in fields(self):
            value = getattr(self, own.name)
            if value is not None and not isinstance(value, bool):
                yield own.name, value


# What is divided by is more than 0.
_LEAST = 1e-300
MAIN = ("kl", "score", "token_cosine", "mean_cosine")


def compare(before: Outcome, after: Outcome, target: int | None) -> Change:
    """Return what changed from one outcome to another of the same kind.

    Parameters
    ----------
    before, after : Outcome
        Of the same head and token.
    target : int or None
        Which choice `log_p` is of; None for representations.
    """
    if target is None:
        found: dict[str, Any] = {}
        for name, state in before.states.items():
            found[f"{name}_cosine"], found[f"{name}_l2"] = _distances(state, after.states[name])
        return Change(**found)
    if before.by == "score":
        return Change(score=float(after.numbers[target] - before.numbers[target]))
    p, q = before.numbers, after.numbers
    if before.by == "sigmoid":
        kl = sum(_divergence(*(_log_sigmoid(sign * own) for own in (p, q))) for sign in (1, -1))
        is_other = bool(((p > 0) != (q > 0)).any())
    else:
        kl, is_other = _divergence(p, q), before.best != after.best
    return Change(
        kl=max(kl, 0.0), log_p=after.log_p(target) - before.log_p(target), is_other=is_other
    )


def _divergence(log_p: Numbers, log_q: Numbers) -> float:
    """Return the sum of p (log p - log q); what has no probability before counts nothing."""
    there = log_p > -np.inf
    return float((np.exp(log_p[there]) * (log_p[there] - log_q[there])).sum())


def _log_sigmoid(logits: Numbers) -> Numbers:
    log_p: Numbers = -np.logaddexp(0, -logits)
    return log_p


def _distances(before: Numbers, after: Numbers) -> tuple[float, float]:
    """Return cosine distance and relative L2."""
    first, second, between = (
        float(np.linalg.norm(state)) for state in (before, after, after - before)
    )
    # 1 - cosine by the difference of directions: no digits are lost where it is small.
    directions = before / max(first, _LEAST) - after / max(second, _LEAST)
    return float(directions @ directions) / 2, between / max(first, _LEAST)

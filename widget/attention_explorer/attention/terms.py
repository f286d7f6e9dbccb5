"""What a head's weights for one query are made of, term by term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .base import Float


class NoTermsError(ValueError):
    """There are no queries and keys; the message says why, to the person who looks."""


@dataclass(frozen=True)
class Terms:
    """How one query's scores against some keys come to be, and the weights that they give.

    ``score = capped(scaling * product) + bias`` and ``weight = exp(score - log_sum)``, in natural
    units. A score is the very number that the softmax takes, in float32 or wider, so the terms
    before it add up to it but for rounding.

    Attributes
    ----------
    query : array, shape (d,)
        The query vector, after rotary embedding and normalisation.
    key : array, shape (keys, d)
        The key vectors; their products with the query are ``query * key``.
    product : array, shape (keys,)
        The sum of these products.
    scaling : float
        Their factor.
    softcap : float or None
        Scaled products s become softcap * tanh(s / softcap).
    bias : array, shape (keys,), or None
        What is added after that by position (ALiBi, T5's distances, an additive mask); 0 where the
        key may not be read.
    score : array, shape (keys,)
        Minus infinity where the key may not be read.
    log_sum : float
        The logarithm of the sum of exp(score) over all keys, and the sink.
    sink : float or None
        The head's learned score that takes weight but is no key.
    largest : (float, float)
        The largest magnitude in any key vector of the head, and in any product with this query.
    """

    query: Float
    key: Float
    product: Float
    scaling: float
    softcap: float | None
    bias: Float | None
    score: Float
    log_sum: float
    sink: float | None
    largest: tuple[float, float]

    @property
    def capped(self) -> Float:
        """The scaled products, after the softcap where there is one."""
        scaled: Float = self.product * np.float32(self.scaling)
        if self.softcap is None:
            return scaled
        capped: Float = np.tanh(scaled / self.softcap) * np.float32(self.softcap)
        return capped

    @property
    def steps(self) -> dict[str, Float]:
        """From the sums of products to the scores, by what is done in each step."""
        scaled: Float = self.product * np.float32(self.scaling)
        steps = {"Σ q × k": self.product}
        if self.scaling != 1:
            steps[f"× {self.scaling:.4g}"] = scaled
        if self.softcap is not None:
            steps[f"softcap {self.softcap:g}"] = self.capped
        if self.bias is not None:
            return {**steps, "+ bias": self.bias, "= score": self.score}
        *before, last = steps
        return {**{name: steps[name] for name in before}, f"{last} = score": self.score}

    @property
    def weight(self) -> Float:
        """What the query reads, 0 of what it may not: as `Attention.row` says."""
        weight: Float = np.exp(self.score.astype(np.float64) - self.log_sum).astype(np.float32)
        return weight

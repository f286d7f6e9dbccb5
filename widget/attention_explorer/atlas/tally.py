"""What is counted of a corpus: sums that texts are added to, unit by unit."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ..analysis.patterns import Indices
from ..analysis.sums import Numbers
from .exemplars import Exemplars


@dataclass(frozen=True)
class Moments:
    """Count, mean and spread of many numbers, each of an array's places by itself.

    Attributes
    ----------
    count : array of int64
        How many weren't NaN.
    mean : array of float64
        0 where there was none.
    squares : array of float64
        The sum of the squared differences from the mean.
    """

    count: Indices
    mean: Numbers
    squares: Numbers

    @classmethod
    def of(cls, values: Numbers) -> Moments:
        """Return the moments of values along the first axis."""
        there = ~np.isnan(values)
        count = there.sum(0)
        known = np.where(there, values, 0)
        mean = known.sum(0) / np.maximum(count, 1)
        squares = (np.where(there, known - mean, 0) ** 2).sum(0)
        return cls(count, mean, squares)

    def with_others(self, others: Moments) -> Moments:
        """Return the moments of both together (Chan, Golub and LeVeque 1979)."""
        count = self.count + others.count
        share = others.count / np.maximum(count, 1)
        apart = others.mean - self.mean
        return Moments(
            count,
            self.mean + apart * share,
            self.squares + others.squares + apart**2 * share * self.count,
        )

    @property
    def deviation(self) -> Numbers:
        """The standard deviation over texts, by n - 1; NaN below two."""
        found = np.full(self.squares.shape, np.nan)
        np.divide(self.squares, self.count - 1, out=found, where=self.count > 1)
        deviation: Numbers = np.sqrt(found)
        return deviation

    @property
    def standard_error(self) -> Numbers:
        """Of the mean, with texts as what varies; NaN below two."""
        return self.deviation / np.sqrt(np.maximum(self.count, 1))


@dataclass(frozen=True)
class Tally:
    """What is known of a stretch of a corpus, be it a unit or all units up to one.

    Attributes
    ----------
    n_units, n_texts, n_tokens, n_cut, n_empty : int
        Units that it is of; texts, their tokens as read, texts that were cut, rows without a text.
    digest : str
        Of all texts of the corpus up to its end.
    scores : Moments, shape (len(MEASURED), layers, heads)
        Over texts.
    baselines : Moments, shape (len(MEASURED),)
        Of what uniform attention has on them.
    holds : array of int64, shape (len(MEASURED), layers, heads)
        In how many texts a measure stands out, as `naming.stands_out` says.
    apart : array of float64, shape (heads of all layers, the same)
        Divergences, summed over texts; above the diagonal.
    exemplars : Exemplars
        A sample.
    """

    n_units: int
    n_texts: int
    n_tokens: int
    n_cut: int
    n_empty: int
    digest: str
    scores: Moments
    baselines: Moments
    holds: Indices
    apart: Numbers
    exemplars: Exemplars

    def followed_by(self, unit: Tally, most: int) -> Tally:
        """Return both together, with at most so many exemplars.

        Numbers are rounded in the order of the corpus, whoever worked on them when.
        """
        added = {
            it.name: getattr(self, it.name) + getattr(unit, it.name)
            for it in fields(self)
            if it.name.startswith("n_") or it.name in ("holds", "apart")
        }
        return replace(
            self,
            **added,
            digest=unit.digest,
            scores=self.scores.with_others(unit.scores),
            baselines=self.baselines.with_others(unit.baselines),
            exemplars=self.exemplars.with_others(unit.exemplars, most),
        )

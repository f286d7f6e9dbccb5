"""How far a mean would vary with other texts: Student's t, without a library for it."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from ..analysis.patterns import Indices
from ..analysis.sums import Numbers

CONFIDENCE = 0.95


def half_width(standard_error: Numbers, count: Indices, confidence: float = CONFIDENCE) -> Numbers:
    """Return half of a mean's confidence interval, t(count - 1) x standard error.

    Student 1908: exact where texts' scores are normal; their mean nearly is with many texts.
    """
    counts, where = np.unique(count, return_inverse=True)
    factors = np.array([t_quantile(int(n) - 1, confidence) for n in counts])
    found: Numbers = factors[where.reshape(count.shape)] * standard_error
    return found


def t_quantile(degrees: int, confidence: float = CONFIDENCE) -> float:
    """Return what |t| stays below with this probability; NaN without a degree of freedom.

    In closed form for 1 and 2 degrees; else the expansion in Abramowitz and Stegun 1964, 26.7.5,
    within 1 % from 3 degrees and 0.1 % from 5.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: expected a share between 0 and 1, e.g. 0.95")
    if degrees < 1:
        return math.nan
    if degrees == 1:
        return math.tan(math.pi * confidence / 2)
    if degrees == 2:
        return confidence * math.sqrt(2 / (1 - confidence**2))
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / degrees**power for power, term in enumerate(terms)))

"""What an atlas measures of every head, and what it is called."""

from __future__ import annotations

from ..analysis.patterns import RELATIVE
from ..analysis.scores import SCORES
from ..analysis.sums import MEASURES

# Patterns that are measured a second time: of what a head reads beside the first and added tokens,
# the sinks, which `labels.head_labels` sets aside head by head.
ALSO_BESIDE = ("punctuation", *RELATIVE)
BESIDE = tuple(f"{pattern} beside sinks" for pattern in ALSO_BESIDE)

# Each key is of the first of these types that it fits: shares of a row sum to 1.
TYPES = ("first", "special", "punctuation", "piece", "word")
MASSES = tuple(f"to {name}" for name in TYPES)

# What an exemplar has a pair of tokens of; the last is the strongest pair that has no sink.
PLACED = (*MEASURES, "text")

# As they are held, and as they are shown.
MEASURED = (*MEASURES, *BESIDE, *MASSES)
SHOWN = (*(score.name for score in SCORES), *BESIDE, *MASSES)


def measure_index(name: str) -> int:
    """Return which of `MEASURED` a name is.

    Raises
    ------
    ValueError
        None.
    """
    if name not in MEASURED:
        raise ValueError(f"{name!r} is no score of an atlas: expected one of {', '.join(SHOWN)}")
    return MEASURED.index(name)

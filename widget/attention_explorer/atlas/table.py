"""An atlas as tables, and two of them side by side."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.sums import Numbers
from ..export.needed import need
from .contents import Contents
from .intervals import CONFIDENCE, half_width
from .names import MEASURED, SHOWN

if TYPE_CHECKING:
    from pandas import DataFrame, MultiIndex

_SHOWN = [MEASURED.index(name) for name in SHOWN]


def by_head(contents: Contents) -> DataFrame:
    """Return a row a head and a column a score: means over texts."""
    need("pandas", "to_frame")
    from pandas import DataFrame

    means = known_means(contents)[_SHOWN].reshape(len(SHOWN), -1)
    frame = DataFrame(dict(zip(SHOWN, means, strict=True)), index=_heads(contents))
    frame.attrs = about(contents)
    return frame


def by_score(contents: Contents, confidence: float = CONFIDENCE) -> DataFrame:
    """Return a row a head and score: mean, spread, interval and what uniform attention has."""
    need("pandas", "to_frame")
    from pandas import DataFrame

    scores, tally, means = contents.tally.scores, contents.tally, known_means(contents)
    half = half_width(scores.standard_error, scores.count, confidence)
    baselines = np.where(tally.baselines.count > 0, tally.baselines.mean, np.nan)
    columns = {
        "texts": scores.count,
        "mean": means,
        "deviation": scores.deviation,
        "standard error": scores.standard_error,
        "low": means - half,
        "high": means + half,
        "baseline": np.broadcast_to(baselines[:, None, None], means.shape),
        "holds": tally.holds,
    }
    frame = DataFrame(
        {name: _by_rows(column) for name, column in columns.items()}, index=_rows(contents)
    )
    frame.attrs = {**about(contents), "confidence": confidence}
    return frame


def known_means(contents: Contents) -> Numbers:
    """Return the mean of every measure; NaN where no text has it."""
    scores = contents.tally.scores
    found: Numbers = np.where(scores.count > 0, scores.mean, np.nan)
    return found


def compared(before: Contents, after: Contents, confidence: float = CONFIDENCE) -> DataFrame:
    """Return what changed between two atlases; see `HeadAtlas.compare`."""
    need("pandas", "compare")
    from pandas import DataFrame

    shape = before.anatomy.n_layers, before.anatomy.n_heads
    others = after.anatomy.n_layers, after.anatomy.n_heads
    if shape != others:
        raise ValueError(
            f"one atlas has {shape[0]} x {shape[1]} heads and the other {others[0]} x {others[1]}: "
            "only those of models of one shape can be compared head by head"
        )
    first, second = before.tally.scores, after.tally.scores
    difference = known_means(after) - known_means(before)
    paired = _paired_error(before, after)
    error = paired
    if error is None:
        error = np.hypot(first.standard_error, second.standard_error)
    smaller = np.minimum(first.count, second.count)
    half = half_width(error, smaller, confidence)
    columns = {
        "before": known_means(before),
        "after": known_means(after),
        "difference": difference,
        "standard error": error,
        "low": difference - half,
        "high": difference + half,
    }
    frame = DataFrame(
        {name: _by_rows(column) for name, column in columns.items()}, index=_rows(before)
    )
    frame.attrs = {
        "before": about(before),
        "after": about(after),
        "confidence": confidence,
        "paired": paired is not None,
    }
    return frame


def _paired_error(before: Contents, after: Contents) -> Numbers | None:
    """Return the standard error of differences text by text; None of two corpora.

    The spread of the differences is that of the texts which both keep as exemplars; the mean is
    over all texts.
    """
    if before.tally.digest != after.tally.digest:
        return None
    first, second = before.tally.exemplars, after.tally.exemplars
    _, one, other = np.intersect1d(first.keys, second.keys, return_indices=True)
    if len(one) < 2:
        return None
    apart = second.values[other].astype(np.float64) - first.values[one]
    there = ~np.isnan(apart)
    count = there.sum(0)
    mean = np.where(there, apart, 0).sum(0) / np.maximum(count, 1)
    squares = (np.where(there, apart - mean, 0) ** 2).sum(0)
    error = np.full(squares.shape, np.nan)
    np.divide(squares, count - 1, out=error, where=count > 1)
    texts = np.minimum(before.tally.scores.count, after.tally.scores.count)
    found: Numbers = np.sqrt(error / np.maximum(texts, 1))
    return found


def about(contents: Contents) -> dict[Hashable | None, Any]:
    """Return what the numbers are of."""
    tally = contents.tally
    return {
        "model": contents.identity["model"],
        "kind": contents.anatomy.kind,
        "layer_numbers": list(contents.anatomy.layer_numbers),
        "texts": tally.n_texts,
        "tokens": tally.n_tokens,
        "cut": tally.n_cut,
        "empty": tally.n_empty,
        "complete": contents.is_complete,
        "source": contents.anatomy.source,
        "notes": list(contents.anatomy.notes),
    }


def _heads(contents: Contents) -> MultiIndex:
    from pandas import MultiIndex

    shape = range(contents.anatomy.n_layers), range(contents.anatomy.n_heads)
    return MultiIndex.from_product(shape, names=["layer", "head"])


def _rows(contents: Contents) -> MultiIndex:
    from pandas import MultiIndex

    shape = range(contents.anatomy.n_layers), range(contents.anatomy.n_heads)
    return MultiIndex.from_product([*shape, SHOWN], names=["layer", "head", "score"])


def _by_rows(column: Numbers) -> Numbers:
    """Return (len(MEASURED), layers, heads) as a column of `_rows`."""
    return np.moveaxis(column[_SHOWN], 0, -1).ravel()

"""What an atlas says in numbers: scores, labels, distances, tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..analysis.sums import Numbers
from .contents import Contents
from .intervals import CONFIDENCE
from .names import SHOWN, measure_index
from .naming import AtlasLabel, labels_of
from .positions import classical_mds, umap
from .table import by_head, by_score, compared, known_means

if TYPE_CHECKING:
    from pandas import DataFrame


class AtlasNumbers:
    """Numbers of every head over a corpus.

    Parameters
    ----------
    contents : Contents
    """

    scores = SHOWN

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    @property
    def model_name(self) -> str:
        """The checkpoint's name, or the model's class."""
        return self._contents.identity["model"]

    @property
    def shape(self) -> tuple[int, int]:
        """How many layers, and heads a layer."""
        return self._contents.anatomy.n_layers, self._contents.anatomy.n_heads

    @property
    def n_texts(self) -> int:
        """How many texts were read."""
        return self._contents.tally.n_texts

    @property
    def n_tokens(self) -> int:
        """How many tokens of them were."""
        return self._contents.tally.n_tokens

    @property
    def n_cut(self) -> int:
        """How many texts were longer than the model reads, and cut."""
        return self._contents.tally.n_cut

    @property
    def n_empty(self) -> int:
        """How many rows of the corpus had no text."""
        return self._contents.tally.n_empty

    @property
    def is_complete(self) -> bool:
        """Whether the corpus was read to its end."""
        return self._contents.is_complete

    @property
    def source(self) -> str:
        """How the weights were had, in words."""
        return self._contents.anatomy.source

    def score(self, name: str) -> Numbers:
        """Return a score's mean over texts, shape (layers, heads); NaN where no text has it."""
        found: Numbers = known_means(self._contents)[measure_index(name)]
        return found

    def to_frame(
        self, by: Literal["head", "score"] = "head", confidence: float = CONFIDENCE
    ) -> DataFrame:
        """Return the scores as a table.

        Parameters
        ----------
        by : {"head", "score"}
            A row a head, by (layer, head), with the mean of every score; or a row a head and
            score, with ``texts`` (how many have the score: the denominator), ``mean``,
            ``deviation`` over texts (by n - 1), ``standard error`` of the mean, ``low`` and
            ``high`` of its confidence interval by Student's t, ``baseline`` (what uniform attention
            has on these texts), and ``holds``: in how many texts it would name the head.
        confidence : float
            Of the interval.

        Returns
        -------
        DataFrame
            Layers are indices; `attrs` has the model's own numbers, and what was read.

        Raises
        ------
        ValueError
            Another `by`.
        ModuleNotFoundError
            pandas isn't installed.
        """
        if by not in ("head", "score"):
            raise ValueError(f"by={by!r}: expected 'head' or 'score'")
        if by == "head":
            return by_head(self._contents)
        return by_score(self._contents, confidence)

    @cached_property
    def labels(self) -> Mapping[tuple[int, int], tuple[AtlasLabel, ...]]:
        """What each head is named for, by (layer, head); see `naming.labels_of`."""
        return labels_of(self._contents.tally)

    @cached_property
    def distances(self) -> Numbers:
        """How far every two heads are from each other: Jensen-Shannon divergence, in nats.

        The mean over texts, of each of which one row is read, at a place that its letters decide;
        smoothed as by `analysis.head_distances`. Shape (layers x heads, the same), layer by layer.
        """
        tally = self._contents.tally
        apart = np.maximum(tally.apart / max(tally.n_texts, 1), 0)
        found: Numbers = apart + apart.T
        return found

    def positions(self, method: Literal["mds", "umap"] | tuple[str, str] = "mds") -> Numbers:
        """Return every head as a point.

        Parameters
        ----------
        method : {"mds", "umap"} or (str, str)
            By `distances`: classical scaling, or UMAP with a fixed seed, which needs umap-learn.
            Or any two scores.

        Returns
        -------
        array of float64, shape (layers, heads, 2)

        Raises
        ------
        ValueError
            Another method, or a score that there isn't.
        ModuleNotFoundError
            umap-learn isn't installed.
        """
        if method == "mds" or method == "umap":
            points = classical_mds(self.distances) if method == "mds" else umap(self.distances)
            return points.reshape(*self.shape, 2)
        if isinstance(method, str) or len(method) != 2:
            raise ValueError(
                f"method={method!r}: expected 'mds', 'umap' or two scores, e.g. "
                "('entropy', 'first')"
            )
        return np.stack([self.score(name) for name in method], -1)

    def compare(self, other: AtlasNumbers, confidence: float = CONFIDENCE) -> DataFrame:
        """Return how the heads of another atlas differ from these: after fine-tuning, say.

        Parameters
        ----------
        other : HeadAtlas
            Of a model of the same shape.
        confidence : float
            Of the intervals.

        Returns
        -------
        DataFrame
            A row a head and score: ``before``, ``after``, ``difference``, its ``standard error``,
            ``low`` and ``high``. Over the same texts the error is that of differences text by
            text, whose spread is taken from the exemplars (``attrs["paired"]``); else that of two
            independent means. Of thousands of rows 5 % lie outside by chance.

        Raises
        ------
        ValueError
            Models of other shapes.
        ModuleNotFoundError
            pandas isn't installed.
        """
        return compared(self._contents, other._contents, confidence)

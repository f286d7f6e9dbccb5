"""The Attention contract: numbers on demand, so that cost follows the screen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..protocol import Reduction as Reduction
from .terms import NoTermsError, Terms

Float = npt.NDArray[np.float32]


class Preview(NamedTuple):
    """A head's overview, had at once.

    Attributes
    ----------
    cells : array, shape (ceil(n_queries / factor), ceil(n_keys / factor))
        Each cell's largest or mean weight.
    exact : bool
        Whether all queries were read. If not, a cell says it of a sample of its queries and may
        miss a large weight: call it a preview until the exact overview is there.
    """

    cells: Float
    exact: bool


class Attention(ABC):
    """Attention weights of one forward pass, asked for and never shipped whole.

    ``weight[layer, head, query, key]`` is how much `query` reads `key`. Layers and heads count from
    0; `layer` is always an index into `layer_numbers`, which holds the model's own numbers (hybrid
    models skip layers). Every answer is a new numpy float32 array that the caller may change.

    Attributes
    ----------
    layer_numbers : tuple of int
        The model's own number of each layer that has attention.
    n_heads, n_queries, n_keys : int
        Heads a layer, rows and columns of each head's matrix.
    causal : bool
        Whether no query reads a key after it.
    scale : float
        The largest absolute weight that can occur: 1 for a softmax.
    signed : bool
        Whether a weight is below 0 (such numbers are no softmax; `notes` says so).
    against : str
        Of a difference, what was subtracted is called; else empty.
    samples : bool
        Whether `preview` may read only some of the queries.
    source : str
        How the numbers were had, in words, e.g. ``"queries and keys of the forward pass"``.
    notes : tuple of str
        What a person must know to read the numbers rightly; shown on screen.
    """

    layer_numbers: tuple[int, ...]
    n_heads: int
    n_queries: int
    n_keys: int
    causal: bool
    scale: float = 1.0
    signed: bool = False
    against: str = ""
    samples: bool = False
    source: str
    notes: tuple[str, ...] = ()

    @property
    def n_layers(self) -> int:
        """Number of layers that have attention."""
        return len(self.layer_numbers)

    @property
    def n_worked_out(self) -> int:
        """How many weights are worked out to know all of these, over all layers and heads."""
        return self.n_layers * self.n_heads * self.n_queries * self.n_keys

    @abstractmethod
    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        """Return what each query reads, shape (len(heads), len(queries), n_keys)."""

    @abstractmethod
    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        """Return what reads each key, shape (len(heads), len(keys), n_queries)."""

    @abstractmethod
    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        """Return a block of exact weights, shape (queries, keys); slices of step 1 are clipped."""

    @abstractmethod
    def bands(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Iterator[Float]:
        """Yield what `pooled` returns from top to bottom, each band after a few ms of work.

        Bands are some rows of cells, shape (0 or more, ceil(keys / factor)); those without a row
        only give way. Between two of them anything else may be asked; the rest may be left.
        """

    def pooled(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Float:
        """Return the block pooled by `factor` x `factor` cells.

        Shape (ceil(queries / factor), ceil(keys / factor)); a border cell pools what it has.
        With signed weights the maximum is of the absolute value, sign kept.
        """
        return np.concatenate(list(self.bands(layer, head, queries, keys, factor, reduction)))

    def thumbnails(self, layer: int, factor: int, reduction: Reduction = "max") -> Float:
        """Return every head of a layer pooled whole, shape (n_heads, queries, keys / factor)."""
        whole = slice(0, self.n_queries), slice(0, self.n_keys)
        heads = range(self.n_heads)
        return np.stack([self.pooled(layer, head, *whole, factor, reduction) for head in heads])

    def preview(self, layer: int, head: int, factor: int, reduction: Reduction = "max") -> Preview:
        """Return a head's overview at once, from a sample of its queries where it has to be."""
        whole = slice(0, self.n_queries), slice(0, self.n_keys)
        return Preview(self.pooled(layer, head, *whole, factor, reduction), exact=True)

    def hidden_mass(self, layer: int, head: int, queries: Sequence[int]) -> Float:
        """Return how much of what each query reads isn't shown, shape (len(queries),)."""
        return np.zeros(len(queries), np.float32)

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        """Do beforehand what the first tile or column of these queries takes long for.

        Yields after a few ms of work each; the rest may be left.
        """
        yield from ()

    def terms(self, layer: int, head: int, query: int, keys: Sequence[int]) -> Terms:
        """Return what the query's scores against some keys are made of.

        Raises
        ------
        NoTermsError
            These weights aren't made of queries and keys that are known; says why.
        """
        raise NoTermsError(
            f"Queries and keys aren't kept with these weights (source: {self.source}): "
            "trace(model, tokenizer, text) keeps them, of each layer that it can rebuild."
        )

    def row(self, layer: int, head: int, query: int) -> Float:
        """Return what `query` reads, shape (n_keys,)."""
        line: Float = self.rows(layer, [head], [query])[0, 0]
        return line

    def column(self, layer: int, head: int, key: int) -> Float:
        """Return what reads `key`, shape (n_queries,)."""
        line: Float = self.columns(layer, [head], [key])[0, 0]
        return line

    def matrix(self, layer: int, head: int) -> Float:
        """Return one head's whole matrix, shape (n_queries, n_keys)."""
        return self.tile(layer, head, slice(0, self.n_queries), slice(0, self.n_keys))

"""The Attention contract: numbers on demand, so that cost follows the screen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Reduction = Literal["max", "mean"]


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
    source: str
    notes: tuple[str, ...] = ()

    @property
    def n_layers(self) -> int:
        """Number of layers that have attention."""
        return len(self.layer_numbers)

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

"""What a batch is measured by, laid out for weights of shape (texts, heads, rows, keys)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ..analysis.patterns import FIXED, RELATIVE, Flags, Indices, Text
from ..analysis.sums import MEASURES, ROWS, Expected, Numbers, distances_to, sampled_queries
from ..tracing import Tokens
from .names import ALSO_BESIDE, MEASURED, TYPES

# Rows of each text by which heads are compared: pairs of heads grow by the square, texts are many,
# and two rows of one text are more alike than rows of two.
LOOKED = 1

_BROAD = MEASURES.index("broad")


class Measured(NamedTuple):
    """What one text is measured by.

    Attributes
    ----------
    queries, looked : array of int
        The rows that scores are means of, and those by which heads are compared.
    expected : Expected
        What these rows would read by each pattern.
    beside : array of bool
        Of each of its cells, whether the key is no sink.
    types : array of bool, shape (keys, len(TYPES))
    has_beside : array of float64, shape (len(ALSO_BESIDE), rows)
        1 for the rows that have such a key which is no sink.
    share : array of float64, shape (rows,)
        What uniform attention gives each key that a row may read.
    text : Text
    """

    queries: Indices
    looked: Indices
    expected: Expected
    beside: Flags
    types: Flags
    has_beside: Numbers
    share: Numbers
    text: Text

    @classmethod
    def of(cls, tokens: Tokens, causal: bool, seed: int) -> Measured:
        """Lay one text out; `seed` chooses the rows by which heads are compared."""
        text = Text.of_keys(tokens, len(tokens), causal)
        queries = sampled_queries(text.n_queries)
        types, expected = _types(tokens, text), Expected(text, queries, ())
        row, key, pattern = expected.cells
        beside = ~np.asarray(types[key, :2].any(1))
        has_beside = np.zeros((len(ALSO_BESIDE), len(queries)))
        has_beside[0] = 1
        has_beside[1 + pattern[beside], row[beside]] = 1
        return cls(
            queries,
            np.array(Random(seed).sample(range(text.n_queries), min(LOOKED, text.n_queries))),
            expected,
            beside,
            types,
            has_beside,
            1 / expected.readable,
            text,
        )

    @property
    def counts(self) -> Numbers:
        """Of each measure the rows that have it; beside sinks, what uniform attention leaves."""
        is_left = ~np.asarray(self.types[:, :2].any(1))
        left = self.text.count(self.queries, is_left) * self.share
        every = np.full(len(TYPES), len(self.queries))
        return np.concatenate([self.expected.has.sum(1), self.has_beside @ left, every])

    def baselines(self, counts: Numbers) -> Numbers:
        """Return what uniform attention has of each of `MEASURED`, given its own `counts`.

        It is NaN where nothing is compared.
        """
        row, key, pattern = self.expected.cells
        reads = self.beside & self.text.may_read(self.queries[row], key)
        on_cells = np.bincount(pattern[reads], self.share[row[reads]], minlength=len(RELATIVE))
        on_types = self.share @ self.text.count(self.queries, self.types)
        marks = on_types[TYPES.index("punctuation")]
        sums = [*self.expected.baselines.sum(1), marks, *on_cells, *on_types]
        found: Numbers = np.full(len(MEASURED), np.nan)
        np.divide(sums, counts, out=found, where=counts > 0)
        return found


def _types(tokens: Tokens, text: Text) -> Flags:
    """Tell of each key which of `TYPES` it is."""
    word = np.array(tokens.word)
    continues = np.append(False, (word[1:] == word[:-1]) & (word[1:] >= 0))
    of_type = [text.fixed(name) for name in FIXED] + [continues, np.ones(text.n_keys, bool)]
    found = np.stack(of_type, 1)
    found[:, 1:] &= ~np.logical_or.accumulate(found, 1)[:, :-1]
    return found


@dataclass(frozen=True)
class Layout:
    """A batch's texts, laid out beside each other and padded; on one device.

    Attributes
    ----------
    texts : sequence of Measured
    rows : tensor of int64, shape (texts, rows), or None
        Which queries are the rows; None: all.
    per_row : tensor, shape (texts, rows, 2)
        1 for the rows that there are; and 1 over the most entropy that they can have.
    is_text : tensor of bool, shape (texts, rows)
        Whether a row is of a token that is no sink.
    keys : tensor, shape (texts, keys, len(FIXED) + len(TYPES))
        1 for the keys of each fixed pattern and of each type.
    distances : tensor, shape (texts or 1, rows, keys)
        How far each key is from each row's query; where all queries are rows, once.
    cells : tensor of int64, shape (4, cells)
        Text, row and key of each cell of relative patterns; and which of their sums it is in.
    besides : tensor of bool, shape (cells,)
        Whether a cell's key is no sink.
    has_beside : tensor, shape (texts, rows, len(ALSO_BESIDE))
        1 for the rows whose rest is what a pattern beside sinks is a share of.
    looked : tensor of int64, shape (texts, LOOKED)
    looked_share : tensor, shape (texts, LOOKED)
        Of a text's mean; 0 for rows that it doesn't have.
    may_read : tensor, shape (texts, LOOKED, keys)
        1 over how many keys each of these rows may read; 0 for the others.
    """

    texts: Sequence[Measured]
    rows: torch.Tensor | None
    per_row: torch.Tensor
    is_text: torch.Tensor
    keys: torch.Tensor
    distances: torch.Tensor
    cells: torch.Tensor
    besides: torch.Tensor
    has_beside: torch.Tensor
    looked: torch.Tensor
    looked_share: torch.Tensor
    may_read: torch.Tensor

    @classmethod
    def of(cls, texts: Sequence[Measured]) -> Layout:
        """Lay texts out for weights that are padded to the longest."""
        n_keys = max(text.text.n_keys for text in texts)
        n_rows = max(len(text.queries) for text in texts)
        shape = len(texts), n_rows
        is_sampled = n_keys > ROWS
        is_text = np.zeros(shape, bool)
        rows, per_row = np.zeros(shape, np.int64), np.zeros((*shape, 2), np.float32)
        keys = np.zeros((len(texts), n_keys, len(FIXED) + len(TYPES)), np.float32)
        has_beside = np.zeros((*shape, len(ALSO_BESIDE)), np.float32)
        looked = np.zeros((len(texts), LOOKED), np.int64)
        looked_share = np.zeros((len(texts), LOOKED), np.float32)
        for number, it in enumerate(texts):
            own, n, some = len(it.queries), it.text.n_keys, len(it.looked)
            rows[number, :own] = it.queries
            per_row[number, :own, 0] = 1
            per_row[number, :own, 1] = it.expected.has[_BROAD] / it.expected.logs
            keys[number, :n] = np.concatenate([it.expected.fixed, it.types], 1)
            is_text[number, :own] = ~it.types[it.queries, :2].any(1)
            has_beside[number, :own] = it.has_beside.T
            looked[number, :some] = it.looked
            looked_share[number, :some] = 1 / some
        queries = rows if is_sampled else np.arange(n_rows)[None]
        return cls(
            texts,
            rows=torch.from_numpy(rows) if is_sampled else None,
            per_row=torch.from_numpy(per_row),
            is_text=torch.from_numpy(is_text),
            keys=torch.from_numpy(keys),
            distances=torch.from_numpy(distances_to(queries, n_keys)),
            cells=torch.from_numpy(_cells(texts)),
            besides=torch.from_numpy(np.concatenate([it.beside for it in texts])),
            has_beside=torch.from_numpy(has_beside),
            looked=torch.from_numpy(looked),
            looked_share=torch.from_numpy(looked_share),
            may_read=torch.from_numpy(_may_read(texts, looked, looked_share > 0)),
        )

    def to(self, device: torch.device) -> Layout:
        """Return it on the device."""
        tensors: dict[str, Any] = {
            name: value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, torch.Tensor)
        }
        return replace(self, **tensors)

    @cached_property
    def counts(self) -> Numbers:
        """Of each text, how many rows have each measure, shape (texts, len(MEASURED))."""
        return np.stack([text.counts for text in self.texts])

    @cached_property
    def baselines(self) -> Numbers:
        """Of each text, what uniform attention has, shape (texts, len(MEASURED))."""
        pairs = zip(self.texts, self.counts, strict=True)
        return np.stack([text.baselines(counts) for text, counts in pairs])


def _cells(texts: Sequence[Measured]) -> Indices:
    """Return text, row and key of each cell, and which of the texts' sums it is in."""
    text = np.repeat(np.arange(len(texts)), [len(it.beside) for it in texts])
    columns = zip(*(it.expected.cells for it in texts), strict=True)
    row, key, pattern = (np.concatenate(of_texts) for of_texts in columns)
    return np.stack([text, row, key, text * len(RELATIVE) + pattern])


def _may_read(texts: Sequence[Measured], looked: Indices, is_row: Flags) -> npt.NDArray[np.float32]:
    """Return 1 over how many keys each of some rows may read, 0 for the others."""
    n_keys = np.array([it.text.n_keys for it in texts])
    last = looked if texts[0].text.causal else n_keys[:, None] - 1
    reads = (np.arange(n_keys.max()) <= last[..., None]) & is_row[..., None]
    shares: npt.NDArray[np.float64] = reads / np.maximum(reads.sum(-1, keepdims=True), 1)
    return shares.astype(np.float32)

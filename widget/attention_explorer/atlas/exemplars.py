"""A bounded sample of a corpus, the same in whatever order it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..analysis.patterns import Indices
from .corpus import Entry
from .names import MEASURED, PLACED

Positions = npt.NDArray[np.int32]
Values = npt.NDArray[np.float32]


class Written(NamedTuple):
    """A text's tokens as they are shown, the gap before each, and which the tokenizer added."""

    tokens: tuple[str, ...]
    gaps: tuple[str, ...]
    special: tuple[bool, ...]


@dataclass(frozen=True)
class Exemplars:
    """Texts, and what every head does in each.

    Attributes
    ----------
    keys : array of int64, shape (texts,)
        `Entry.key` of each, ascending: a sample of the smallest keys is one at random of all
        texts, and nobody has to know how many there will be. A text that is there twice is in it
        once.
    index : array of int64, shape (texts,)
        Its place in the corpus, empty rows not counted.
    entries : tuple of Entry
    written : tuple of Written
    values : array of float32, shape (texts, len(MEASURED), layers, heads)
    query, key : array of int32, shape (texts, len(PLACED), layers, heads)
    weight : array of float32, same shape
        As `places.Places` has them.
    """

    keys: Indices
    index: Indices
    entries: tuple[Entry, ...]
    written: tuple[Written, ...]
    values: Values
    query: Positions
    key: Positions
    weight: Values

    @classmethod
    def none(cls, n_layers: int, n_heads: int) -> Exemplars:
        """Return a sample of nothing."""
        heads = n_layers, n_heads
        nothing = np.zeros(0, np.int64)
        place = np.zeros((0, len(PLACED), *heads), np.int32)
        values = np.zeros((0, len(MEASURED), *heads), np.float32)
        return cls(
            nothing, nothing, (), (), values, place, place, np.zeros(place.shape, np.float32)
        )

    def __len__(self) -> int:
        return len(self.entries)

    def taken(self, which: Indices) -> Exemplars:
        """Return some of the texts."""
        return Exemplars(
            self.keys[which],
            self.index[which],
            tuple(self.entries[i] for i in which),
            tuple(self.written[i] for i in which),
            *(getattr(self, name)[which] for name in ("values", "query", "key", "weight")),
        )

    def with_others(self, others: Exemplars, most: int) -> Exemplars:
        """Return the sample of both together, at most so many."""
        both = Exemplars(
            np.append(self.keys, others.keys),
            np.append(self.index, others.index),
            (*self.entries, *others.entries),
            (*self.written, *others.written),
            *(
                np.concatenate([getattr(self, name), getattr(others, name)])
                for name in ("values", "query", "key", "weight")
            ),
        )
        order = np.lexsort((both.index, both.keys))
        _, first = np.unique(both.keys[order], return_index=True)
        return both.taken(order[first[:most]])

    def last_key(self, most: int) -> int | None:
        """Return the key that another text has to be below; None while there is room."""
        return int(self.keys[-1]) if len(self) >= most else None

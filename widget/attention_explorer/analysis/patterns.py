"""Patterns that heads follow: which keys each query would read, from the tokens alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from ..marks import is_punctuation
from ..tracing import Tokens

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Keys at most so far from their query are local. A word has 1.3 tokens: it, and its neighbours.
LOCAL = 2

# Keys that are the same for every query.
FIXED = ("first", "special", "punctuation")
# Keys that follow from the query's place or token.
RELATIVE = ("self", "previous", "next", "local", "duplicate", "induction")
PATTERNS = (*FIXED, *RELATIVE)

_OFFSETS = {
    "self": (0,),
    "previous": (-1,),
    "next": (1,),
    "local": tuple(range(-LOCAL, LOCAL + 1)),
}


class Source(Protocol):
    """What has attention and tokens: a `Trace`, a `Kind` of it, or an explorer, as it is shown."""

    @property
    def attention(self) -> Attention:
        """The weights."""

    @property
    def tokens(self) -> Tokens:
        """Of the queries."""

    @property
    def key_tokens(self) -> Tokens | None:
        """Of the keys, where they are other tokens."""


def reads_itself(source: Source) -> bool:
    """Tell whether the keys are the queries; an explorer names its keys then, too."""
    return source.key_tokens is None or source.key_tokens is source.tokens


class Pairs(NamedTuple):
    """Which keys some queries would read: `rows` counts these queries, and ascends."""

    rows: Indices
    keys: Indices


@dataclass(frozen=True)
class Text:
    """What of a text the patterns stand on.

    Attributes
    ----------
    n_queries, n_keys : int
        Its two sides.
    causal : bool
        Whether no query reads a key after it.
    same : bool
        Whether the keys are the queries; if not, there are no relative patterns.
    vocabulary : array of int64, shape (n_keys,)
        The same number for the same token: by the vocabulary, or by the tokenizer's string.
    special, punctuation : array of bool, shape (n_keys,)
        Which keys the tokenizer added, and which are marks.
    """

    n_queries: int
    n_keys: int
    causal: bool
    same: bool
    vocabulary: Indices
    special: Flags
    punctuation: Flags

    @classmethod
    def of(cls, source: Source) -> Text:
        """Return what is known of a source's text."""
        tokens = source.tokens if source.key_tokens is None else source.key_tokens
        attention = source.attention
        return cls.of_keys(tokens, attention.n_queries, attention.causal, reads_itself(source))

    @classmethod
    def of_keys(cls, tokens: Tokens, n_queries: int, causal: bool, same: bool = True) -> Text:
        """Return what is known of the keys' tokens, and of who reads them."""
        named: Sequence[object] = tokens.raw if tokens.ids is None else tokens.ids
        return cls(
            n_queries,
            len(tokens),
            causal,
            same,
            vocabulary=np.unique(np.array(named), return_inverse=True)[1].astype(np.int64),
            special=np.array(tokens.special, bool),
            punctuation=np.array([is_punctuation(tokens, i) for i in range(len(tokens))], bool),
        )

    def fixed(self, pattern: str) -> Flags:
        """Return the keys of a pattern that has the same ones for every query."""
        first: Flags = np.zeros(self.n_keys, bool)
        first[0] = True
        return {"first": first, "special": self.special, "punctuation": self.punctuation}[pattern]

    def pairs(self, pattern: str, queries: Indices) -> Pairs:
        """Return the keys of each of some queries, by any pattern; none where it has none.

        Of duplicate and induction special tokens have no part: they aren't the text's. The token
        after an earlier copy is never the query itself.
        """
        if pattern in FIXED:
            keys = np.flatnonzero(self.fixed(pattern))
            return Pairs(np.repeat(np.arange(len(queries)), len(keys)), np.tile(keys, len(queries)))
        if not self.same:
            return Pairs(*np.zeros((2, 0), np.int64))
        if pattern in _OFFSETS:
            return self._near(queries, pattern)
        copies = self._copies(queries)
        return copies if pattern == "duplicate" else self._after(queries, copies)

    def relative(self, queries: Indices) -> list[Pairs]:
        """Return the `pairs` of each of `RELATIVE`; where copies are is looked for once."""
        if not self.same:
            return [self.pairs(pattern, queries) for pattern in RELATIVE]
        copies = self._copies(queries)
        near = [self._near(queries, pattern) for pattern in _OFFSETS]
        return [*near, copies, self._after(queries, copies)]

    def _near(self, queries: Indices, pattern: str) -> Pairs:
        keys = queries[:, None] + np.array(_OFFSETS[pattern])
        inside = (keys >= 0) & (keys < self.n_keys)
        return Pairs(np.nonzero(inside)[0], keys[inside])

    def _copies(self, queries: Indices) -> Pairs:
        """Return the earlier copies of each query's token."""
        alike = self.vocabulary[queries, None] == self.vocabulary
        alike &= np.arange(self.n_keys) < queries[:, None]
        alike[self.special[queries]] = False
        return Pairs(*np.nonzero(alike))

    def _after(self, queries: Indices, copies: Pairs) -> Pairs:
        """Return the tokens after copies."""
        rows, keys = copies
        follows = (keys + 1 < queries[rows]) & ~self.special[keys + 1]
        return Pairs(rows[follows], keys[follows] + 1)

    def count(self, queries: Indices, keys: Flags) -> Indices:
        """Return how many of some keys each query may read.

        By a causal mask, or none; a window that a model has beside is not known here.

        Parameters
        ----------
        queries : array of int
            Which rows.
        keys : array of bool, shape (n_keys, ...)
            Which keys; or of several sets.

        Returns
        -------
        array of int64, shape (len(queries), ...)
        """
        if self.causal:
            return np.cumsum(keys, 0, np.int64)[queries]
        return np.broadcast_to(keys.sum(0, np.int64), (len(queries), *keys.shape[1:]))

    def may_read(self, queries: Indices, keys: Indices) -> Flags:
        """Tell of pairs of a query and a key whether it may read it."""
        return keys <= queries if self.causal else np.ones(len(keys), bool)

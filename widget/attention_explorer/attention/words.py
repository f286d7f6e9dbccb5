"""Attention between words or segments: the sum to what tokens these have, the mean from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from . import derived
from .base import Attention, Float
from .blocks import clip, pieces
from .derived import DerivedAttention

Indices = npt.NDArray[np.intp]

# Tokens of a word that are summed together with those of other words.
USUAL_LENGTH = 32

NOTE = "Between {0}s: the sum of the weights to a {0}'s tokens, the mean over those from them."


class WordAttention(DerivedAttention):
    """Weights between words: the mean over a query word's tokens of the sum to a key word's.

    Any runs of tokens that part the text are words in this sense: of segments these are the masses
    M(S -> T), whose lift is M / (tokens of T / all tokens).

    Rows sum to what they sum to between tokens. Where those are no softmax, weights can exceed the
    base's `scale`: then the largest is found by reading each matrix once.

    Source: Clark et al. 2019, "What Does BERT Look At?", section 4.1.

    Parameters
    ----------
    base : Attention
        Between tokens.
    query_words, key_words : tuple of int
        The word of each token, counted from 0 in the order of the text; special tokens are words of
        their own.
    unit : str
        What they are, in a note.

    Raises
    ------
    ValueError
        Not one word a token, or numbers that go back or leave one out.
    """

    def __init__(
        self,
        base: Attention,
        query_words: tuple[int, ...],
        key_words: tuple[int, ...],
        unit: str = "word",
    ) -> None:
        super().__init__(base, NOTE.format(unit))
        self._queries = _Words(query_words, base.n_queries, "query")
        self._keys = _Words(key_words, base.n_keys, "key")
        self.n_queries, self.n_keys = len(self._queries), len(self._keys)
        self.causal = base.causal and query_words == key_words
        self.scale = self._whole_scale()

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        tokens, owners = self._queries.tokens_of(queries)
        found = np.zeros((len(heads), len(queries), self.n_keys), np.float32)
        for part in _parts(tokens, len(heads) * self.base.n_keys):
            lines = self.base.rows(layer, heads, tokens[part].tolist())
            _add(found, self._keys.sums(lines), owners[part])
        found /= self._queries.sizes[queries, None]
        return found

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        tokens, owners = self._keys.tokens_of(keys)
        found = np.zeros((len(heads), len(keys), self.n_queries), np.float32)
        for part in _parts(tokens, len(heads) * self.base.n_queries):
            lines = self.base.columns(layer, heads, tokens[part].tolist())
            _add(found, self._queries.sums(lines), owners[part])
        found /= self._queries.sizes
        return found

    def hidden_mass(self, layer: int, head: int, queries: Sequence[int]) -> Float:
        tokens, owners = self._queries.tokens_of(queries)
        found = np.zeros((len(queries), 1), np.float32)
        _add(found, self.base.hidden_mass(layer, head, tokens.tolist())[:, None], owners)
        mass: Float = found[:, 0] / self._queries.sizes[np.array(queries, np.intp)]
        return mass

    def prepare(self, layer: int, head: int, queries: slice) -> Iterator[None]:
        tokens = self._queries.tokens(clip(queries, self.n_queries))
        yield from self.base.prepare(layer, head, tokens)

    def _exact(
        self, layer: int, head: int, queries: slice, keys: slice, factor: int
    ) -> Iterator[Float]:
        for _ in self.prepare(layer, head, queries):
            yield np.zeros((0, keys.stop - keys.start), np.float32)
        key_tokens = self._keys.tokens(keys)
        at_once = max(1, derived.BLOCK_CELLS // self.base.n_keys)
        usual = max(1, at_once * self.n_queries // self.base.n_queries)
        for words in pieces(queries, factor, usual):
            found = np.zeros((words.stop - words.start, keys.stop - keys.start), np.float32)
            tokens = self._queries.tokens(words)
            for rows in pieces(tokens, 1, at_once):
                if rows.start > tokens.start:
                    yield found[:0]
                block = self._read(layer, head, rows, key_tokens)
                owners = self._queries.of_token[rows]
                by_word = np.zeros((owners[-1] - owners[0] + 1, block.shape[1]), np.float32)
                _add(by_word, block, owners - owners[0])
                some = slice(owners[0] - words.start, owners[-1] + 1 - words.start)
                found[some] += self._keys.sums(by_word, keys)
            found /= self._queries.sizes[words, None]
            yield found


class _Words:
    """Which tokens each word has."""

    def __init__(self, words: Sequence[int], n_tokens: int, side: str) -> None:
        if len(words) != n_tokens:
            raise ValueError(
                f"{side}_words has {len(words)} entries for {n_tokens} tokens: it has to hold the "
                "word of each token"
            )
        self.of_token: Indices = np.array(words, np.intp)
        steps = np.diff(self.of_token, prepend=-1)
        if steps[0] != 1 or steps.min() < 0 or steps.max() > 1:
            raise ValueError(
                f"{side}_words has to start at 0 and to go on by 0 or 1 from token to token, got "
                f"{', '.join(map(str, words[:12]))}{', ...' * (n_tokens > 12)}"
            )
        self._first: Indices = np.flatnonzero(steps)
        self.counts: Indices = np.diff(self._first, append=n_tokens)
        self.sizes: Float = self.counts.astype(np.float32)

    def __len__(self) -> int:
        return len(self.counts)

    def tokens(self, words: slice) -> slice:
        """Return where the tokens of some words lie."""
        ends = np.append(self._first, len(self.of_token))
        return slice(int(ends[words.start]), int(ends[words.stop]))

    def tokens_of(self, words: Sequence[int]) -> tuple[Indices, Indices]:
        """Return the tokens of any words, one after the other, and which of `words` has each."""
        chosen = np.array(words, np.intp)
        owners = np.repeat(np.arange(len(chosen)), self.counts[chosen])
        starts = np.cumsum(self.counts[chosen]) - self.counts[chosen]
        return np.arange(len(owners)) + (self._first[chosen] - starts)[owners], owners

    def sums(self, lines: Float, words: slice = slice(None)) -> Float:
        """Return the sums over each word's tokens along the last axis, which holds `words`."""
        return _sum_runs(lines, self.counts[words], -1)


def _parts(tokens: Indices, cells: int) -> Iterator[slice]:
    """Cut tokens up, each of which takes some cells to read."""
    return pieces(slice(0, len(tokens)), 1, max(1, derived.BLOCK_CELLS // cells))


def _add(found: Float, lines: Float, owners: Indices) -> None:
    """Add lines, along the last axis but one, to those of their owners, which ascend."""
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    counts = np.diff(first, append=len(owners))
    found[..., owners[first], :] += _sum_runs(lines, counts, -2)


def _sum_runs(lines: Float, counts: Indices, axis: int) -> Float:
    """Sum runs of neighbours along an axis.

    Their first ones, then those that have a second one, and so on, with the longest in front:
    reduceat takes four times as long along the last axis and twenty times along the others.
    """
    order = np.argsort(-counts, kind="stable")
    lengths, first = counts[order], (np.cumsum(counts) - counts)[order]
    sums = lines.take(first, axis)
    by_run, by_line = np.moveaxis(sums, axis, 0), np.moveaxis(lines, axis, 0)
    for place in range(1, min(USUAL_LENGTH, lengths.max(initial=0))):
        n_longer = int(np.searchsorted(-lengths, -place))
        added = lines.take(first[:n_longer] + place, axis)
        by_run[:n_longer] += np.moveaxis(added, axis, 0)
    for run in range(int(np.searchsorted(-lengths, -USUAL_LENGTH))):
        rest = slice(first[run] + USUAL_LENGTH, first[run] + lengths[run])
        by_run[run] += by_line[rest].sum(0)
    return sums.take(np.argsort(order), axis)

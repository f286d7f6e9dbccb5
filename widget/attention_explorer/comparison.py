"""Two traces put beside each other: which tokens stand opposite each other, and the difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from .attention import Attention
from .attention.difference import DifferenceAttention, Indices, Opposite, check_same_heads
from .attention.words import WordAttention
from .flow.measures import Measures
from .protocol import Measure
from .runs import Progress, part_of, silent
from .tracing import Kind, Tokens, Trace
from .tracing.alignment import Alignment, align, join
from .variants import key_tokens_of

# The kind of attention that is the second less the first.
DIFFERENCE = "difference"
_NAMED = 6
_BY_WORD = (
    "A word that stands opposite one of another number of tokens is one here: the sum of the "
    "weights to its tokens, the mean over those from them."
)


class Sides(NamedTuple):
    """Two texts beside each other, in one role.

    Attributes
    ----------
    alignment : Alignment
        Which of their tokens stand opposite each other.
    tokens : (Tokens, Tokens)
        All of each text; a word that stands opposite one of other length is one of them.
    owners : (tuple of int, tuple of int)
        Of each text's own tokens, which of `tokens` it belongs to.
    opposite : (array of int, array of int)
        Of `tokens`: positions of the first, ascending, and those of the second opposite them.
    """

    alignment: Alignment
    tokens: tuple[Tokens, Tokens]
    owners: tuple[tuple[int, ...], tuple[int, ...]]
    opposite: Opposite

    @classmethod
    def of(cls, first: Tokens, second: Tokens) -> Sides:
        """Put two texts beside each other; a ValueError where they have no token in common."""
        alignment = align(first, second)
        (one, of_one, at_one), (other, of_other, at_other) = (
            _joined(tokens, runs)
            for tokens, runs in zip(
                (first, second), zip(*alignment.pairs, strict=True), strict=True
            )
        )
        return cls(alignment, (one, other), (of_one, of_other), (at_one, at_other))

    @property
    def shared(self) -> Tokens:
        """What stands opposite each other as tokens: the second's, and where changed from what.

        A word is one where all of it stands opposite all of one word; pieces of others are words by
        themselves.
        """
        changed = self.alignment.changed
        before, after = (
            tokens.keep(positions.tolist())
            for tokens, positions in zip(self.tokens, self.opposite, strict=True)
        )
        follows = np.diff(self.opposite[1], prepend=-1) == 1
        gaps = (gap if own else gap or " " for gap, own in zip(after.gap, follows, strict=True))
        return replace(
            after,
            text=_told(before.text, after.text, changed),
            raw=_told(before.raw, after.raw, changed),
            gap=tuple(gaps),
            word=_whole_words(before, after, self.tokens),
            span=None,
            ids=None,
        )


class Comparison:
    """Two traces beside each other.

    Parameters
    ----------
    first, second : Trace
        With the kind of attention that is compared.
    names : (str, str)
        What they are called.

    Attributes
    ----------
    names : (str, str)
        The same.
    kinds : mapping of str to Kind
        Both as traced, by their names, and their difference.
    queries, keys : Sides
        The texts that read and those that are read; one object where these are the same.

    Raises
    ------
    ValueError
        Other layers or heads; only one of them reads another text; texts without a token in common.
    """

    def __init__(self, first: Trace, second: Trace, names: tuple[str, str]) -> None:
        self.names = names
        one, other = first.kinds[first.kind], second.kinds[second.kind]
        check_same_heads(one.attention, other.attention, (f"“{names[0]}”", f"“{names[1]}”"))
        if (one.key_tokens is None) != (other.key_tokens is None):
            raise ValueError(
                f"“{names[0]}” is {first.kind} attention and “{names[1]}” {second.kind} attention, "
                "of which one reads another text: compare the same kind, kind="
            )
        self.queries = self.keys = Sides.of(one.tokens, other.tokens)
        if one.key_tokens is not None:
            self.keys = Sides.of(key_tokens_of(one), key_tokens_of(other))
        self._shown = self.queries.shared, self.keys.shared
        difference = self.difference_of(one, other)
        self.kinds = {names[0]: one, names[1]: other, DIFFERENCE: difference}

    @property
    def difference(self) -> DifferenceAttention:
        """The weights of the second less those of the first."""
        attention = self.kinds[DIFFERENCE].attention
        assert isinstance(attention, DifferenceAttention)
        return attention

    def difference_of(self, first: Kind, second: Kind) -> Kind:
        """Return the numbers of the second less those of the first, of what stands opposite."""
        difference = DifferenceAttention(
            self._by_word(first.attention, 0),
            self._by_word(second.attention, 1),
            self.queries.opposite,
            self.keys.opposite,
            against=self.names[0],
            notes=self._notes((first, second)),
            source=_source(self.names, (first, second)),
        )
        queries, keys = self._shown
        return Kind(difference, queries, None if self.keys is self.queries else keys)

    def _by_word(self, attention: Attention, side: int) -> Attention:
        """Return a side's attention with words as one where they stand opposite others as one."""
        of_query, of_key = self.queries.owners[side], self.keys.owners[side]
        if _are_tokens(of_query) and _are_tokens(of_key):
            return attention
        return WordAttention(attention, of_query, of_key)

    def _notes(self, kinds: tuple[Kind, Kind]) -> list[str]:
        """Return what was done, and what is to be known of both."""
        first, second = self.names
        notes = [f"“{second}” less “{first}”: above 0 where “{second}” reads more."]
        if self.keys is self.queries:
            notes += self._left_out(self.queries, [kind.tokens for kind in kinds], "")
        else:
            notes += self._left_out(self.queries, [kind.tokens for kind in kinds], "queries, ")
            notes += self._left_out(self.keys, [key_tokens_of(kind) for kind in kinds], "keys, ")
        if not all(map(_are_tokens, (*self.queries.owners, *self.keys.owners))):
            notes.append(_BY_WORD)
        return [*notes, *dict.fromkeys(note for kind in kinds for note in kind.attention.notes)]

    def _left_out(self, sides: Sides, texts: Sequence[Tokens], what: str) -> list[str]:
        left_out = sides.alignment.left_out
        parts = [
            f"{_named(tokens, left)} of “{name}”"
            for name, tokens, left in zip(self.names, texts, left_out, strict=True)
            if left
        ]
        return [f"Left out, as nothing stands opposite: {what}{' and '.join(parts)}."] * bool(parts)


class BothMeasures(Measures):
    """What was worked out beside the weights of two traces, and the differences of that.

    Parameters
    ----------
    comparison : Comparison
        Of the two.
    traces : (Trace, Trace)
        With their models, where these are there.
    """

    def __init__(self, comparison: Comparison, traces: tuple[Trace, Trace]) -> None:
        super().__init__(Trace(comparison.kinds, DIFFERENCE, ""))
        self._comparison = comparison
        sides = zip(comparison.names, traces, strict=True)
        self._sides = {name: (Measures(traced), traced.kind) for name, traced in sides}

    def of(self, kind: str, name: Measure, progress: Progress = silent) -> Kind:
        if kind in self._sides:
            measures, own = self._sides[kind]
            return measures.of(own, name, progress)
        if name != "weights" and (kind, name) not in self._found:
            first, second = self._sides
            self._found[kind, name] = self._comparison.difference_of(
                self.of(first, name, part_of(progress, 0, 2)),
                self.of(second, name, part_of(progress, 1, 2)),
            )
        return self.kinds[kind] if name == "weights" else self._found[kind, name]

    def has(self, kind: str, name: Measure) -> bool:
        if kind in self._sides:
            measures, own = self._sides[kind]
            return measures.has(own, name)
        return super().has(kind, name)

    def available(self, kind: str) -> dict[Measure, str]:
        """Tell which measures there are: of the difference those that both have."""
        sides = [self._sides[kind]] if kind in self._sides else self._sides.values()
        found = [measures.available(own) for measures, own in sides]
        return {name: next(filter(None, (of[name] for of in found)), "") for name in found[0]}


def _joined(tokens: Tokens, runs: Sequence[range]) -> tuple[Tokens, tuple[int, ...], Indices]:
    """Return a text with its longer runs as one, whose each token is, and where the runs are."""
    joined, owners = join(tokens, [run for run in runs if len(run) > 1])
    return joined, owners, np.array([owners[run.start] for run in runs], np.intp)


def _are_tokens(owners: Sequence[int]) -> bool:
    """Tell whether each token is by itself."""
    return len(set(owners)) == len(owners)


def _told(before: Sequence[str], after: Sequence[str], changed: Sequence[bool]) -> tuple[str, ...]:
    """Return texts, and of those that changed from what."""
    sides = zip(before, after, changed, strict=True)
    return tuple(f"{was} → {now}" if new and was != now else now for was, now, new in sides)


def _whole_words(before: Tokens, after: Tokens, whole: tuple[Tokens, Tokens]) -> tuple[int, ...]:
    """Number the words of what stands opposite each other: -1 where one isn't all there."""
    lengths = [Counter(tokens.word) for tokens in whole]
    words = list[int]()
    pairs = zip(before.word, after.word, strict=True)
    for number, (pair, run) in enumerate(groupby(pairs)):
        length = len(list(run))
        is_whole = min(pair) >= 0 and all(
            length == count[word] for count, word in zip(lengths, pair, strict=True)
        )
        words += [number if is_whole else -1] * length
    return tuple(words)


def _named(tokens: Tokens, positions: Sequence[int]) -> str:
    """Return how many tokens these are, and the first of them."""
    names = [tokens.text[position].strip() or "␣" for position in positions[:_NAMED]]
    more = ", …" * (len(positions) > _NAMED)
    return f"{len(positions)} token{'s' * (len(positions) > 1)} ({', '.join(names)}{more})"


def _source(names: tuple[str, str], kinds: tuple[Kind, Kind]) -> str:
    first, second = (kind.attention.source for kind in kinds)
    if first == second:
        return f"“{names[1]}” less “{names[0]}”: {first}"
    return f"“{names[1]}” ({second}) less “{names[0]}” ({first})"

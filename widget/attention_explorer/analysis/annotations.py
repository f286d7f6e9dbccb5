"""What is known of a text beside its tokens: who depends on whom, and who stands for whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..marks import is_punctuation
from ..tracing import Tokens
from ..tracing.segments import Part, name_segments
from .parsed import align, segment_of, words_of
from .patterns import Flags, Source, reads_itself

# A word, counted from 0 through the text; or a part of it, as segments are given.
Place: TypeAlias = "int | Part"
Edge: TypeAlias = "tuple[Place, Place] | tuple[Place, Place, str]"
Antecedent: TypeAlias = "tuple[Place, Place]"


class Arc(NamedTuple):
    """A dependency between words: the tokens of both, and what the relation is called, or ""."""

    dependent: tuple[int, ...]
    head: tuple[int, ...]
    relation: str


class Mention(NamedTuple):
    """Tokens that stand for something, and those of all that they stand for."""

    tokens: tuple[int, ...]
    antecedents: tuple[int, ...]


@dataclass(frozen=True)
class Annotations:
    """What is known of a text, by its tokens.

    Attributes
    ----------
    words : tuple of int
        The word of each token, special tokens included.
    is_text, is_mark : array of bool, shape (number of words,)
        Which words the tokenizer didn't add, and which are nothing but marks.
    arcs : tuple of Arc
    mentions : tuple of Mention
    """

    words: tuple[int, ...]
    is_text: Flags
    is_mark: Flags
    arcs: tuple[Arc, ...]
    mentions: tuple[Mention, ...]


def read_annotations(
    source: Source,
    edges: Iterable[Edge] | None = None,
    antecedents: Iterable[Antecedent] | None = None,
    doc: object = None,
) -> Annotations | None:
    """Return what is given, by tokens; None where nothing is.

    Parameters
    ----------
    source : Trace, Kind or AttentionExplorer
        Of one text that reads itself.
    edges : iterable of (dependent, head) or (dependent, head, relation), optional
        Each end is the number of a word, counted from 0 as `Tokens.word` does (a doc's own words
        where there is one); or, as `name_segments` takes parts: a piece of the text that occurs
        once, its characters (start, stop), or its tokens as a range.
    antecedents : iterable of (mention, antecedent), optional
        Each named in the same way. A mention with several antecedents comes several times.
    doc : spaCy Doc or Stanza Document, optional
        The text as a parser reads it: its edges, less those of a root. A word of it has the tokens
        that share most characters with it; edges of words without a token are left out.

    Raises
    ------
    ValueError
        Edges beside a doc, a doc of another text, words or parts that aren't there.
    TypeError
        A doc, an edge or a pair of another form.
    """
    if edges is None and antecedents is None and doc is None:
        return None
    if edges is not None and doc is not None:
        raise ValueError("a doc brings its edges: give edges= or doc=, not both")
    if not reads_itself(source):
        raise ValueError(
            "edges and antecedents are of one text that reads itself, but these keys are other "
            "tokens than the queries: choose another kind of attention, e.g. trace['encoder']"
        )
    tokens, texts = source.tokens, _texts_of(source)
    if doc is None:
        places, words = _Places(tokens, texts, tokens.word), tokens.words()[1]
        given = [_read_edge(number, edge, places) for number, edge in enumerate(edges or ())]
    else:
        parsed = list(words_of(doc))
        numbers = align(tokens, parsed, segment_of(doc, texts))
        places, words = _Places(tokens, texts, numbers), _runs(numbers)
        given = [
            Arc(own, head, word.relation)
            for number, word in enumerate(parsed)
            if (own := places.word(number)) and (head := places.word(word.head))
        ]
    pairs = [_read_pair(number, pair, places) for number, pair in enumerate(antecedents or ())]
    by_word = np.split(np.arange(len(words)), np.flatnonzero(np.diff(words)) + 1)
    return Annotations(
        words,
        np.array([not any(tokens.special[i] for i in its) for its in by_word], bool),
        np.array([all(is_punctuation(tokens, i) for i in its) for its in by_word], bool),
        tuple(given),
        tuple(
            Mention(mention, tuple(sorted({i for m, its in pairs if m == mention for i in its})))
            for mention in dict.fromkeys(mention for mention, _ in pairs)
        ),
    )


class _Places:
    """Finds words and parts of a text among its tokens."""

    def __init__(
        self, tokens: Tokens, texts: Sequence[str] | None, words: Sequence[int | None]
    ) -> None:
        self._tokens, self._texts = tokens, texts
        self._words: dict[int, tuple[int, ...]] = {}
        for position, word in enumerate(words):
            if word is not None and word >= 0:
                self._words[word] = (*self._words.get(word, ()), position)

    def word(self, number: int) -> tuple[int, ...]:
        """Return the tokens of a word; none where it has none."""
        return self._words.get(number, ())

    def find(self, what: str, place: Place) -> tuple[int, ...]:
        """Return the tokens of a place."""
        if not isinstance(place, (int, np.integer)):
            segments = name_segments(self._tokens, {what: place}, self._texts).segment
            return tuple(i for i, segment in enumerate(segments) if segment == 0)
        if found := self.word(int(place)):
            return found
        raise ValueError(
            f"{what} is word {place}, which has no token: words count from 0 to "
            f"{max(self._words, default=0)}, special tokens left out"
        )


def _read_edge(number: int, edge: object, places: _Places) -> Arc:
    ends: Any = edge
    if not isinstance(edge, (tuple, list)) or len(edge) not in (2, 3):
        raise TypeError(
            f"edge {number} is {edge!r:.60}: expected (dependent, head) or (dependent, head, "
            "relation), e.g. (1, 2, 'nsubj')"
        )
    relation = ends[2] if len(ends) == 3 else ""
    if not isinstance(relation, str):
        raise TypeError(f"the relation of edge {number} is {relation!r:.60}: expected a string")
    dependent, head = (
        places.find(f"{role} of edge {number}", end)
        for role, end in zip(("dependent", "head"), ends, strict=False)
    )
    return Arc(dependent, head, relation)


def _read_pair(
    number: int, pair: object, places: _Places
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(
            f"antecedent {number} is {pair!r:.60}: expected (mention, antecedent), e.g. (8, 1)"
        )
    return (
        places.find(f"mention of pair {number}", pair[0]),
        places.find(f"antecedent of pair {number}", pair[1]),
    )


def _texts_of(source: Source) -> tuple[str, ...] | None:
    """Return the one or two texts that were traced, where they are known."""
    traced = getattr(source, "trace", source)
    texts: tuple[str, ...] | None = getattr(traced, "texts", None)
    return texts


def _runs(numbers: Sequence[int | None]) -> tuple[int, ...]:
    """Number runs of the same word; tokens of none are words by themselves."""
    pairs = zip(numbers, [None, *numbers], strict=False)
    begins = [number is None or number != before for number, before in pairs]
    return tuple(int(word) for word in np.cumsum(begins) - 1)

"""What a parser says of a text, brought to the tokens of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..tracing import Tokens


class ParsedWord(NamedTuple):
    """A parser's word: its characters, and the number of the word that it depends on, or -1."""

    start: int
    stop: int
    head: int
    relation: str


def words_of(doc: Any) -> Iterator[ParsedWord]:
    """Read a parser's words: spaCy's, which count through the text, or Stanza's, by sentence."""
    if hasattr(doc, "sentences"):
        before = 0
        for sentence in doc.sentences:
            for word in sentence.words:
                # A part of a word ("du" as "de le") has no characters of its own.
                placed = word if word.start_char is not None else word.parent
                head = before + word.head - 1 if word.head else -1
                yield ParsedWord(placed.start_char, placed.end_char, head, word.deprel or "")
            before += len(sentence.words)
        return
    try:
        for token in doc:
            head = token.head.i if token.head.i != token.i else -1
            yield ParsedWord(token.idx, token.idx + len(token.text), head, token.dep_)
    except (TypeError, AttributeError):
        raise TypeError(
            f"doc is {type(doc).__name__}: expected a parsed spaCy Doc or Stanza Document; or give "
            "edges=[(dependent, head, relation), ...]"
        ) from None


def segment_of(doc: object, texts: Sequence[str] | None) -> int | None:
    """Return which of two texts a doc is of; None where there is one."""
    read = getattr(doc, "text", None)
    if texts is None or read is None:
        return None
    if read not in texts:
        raise ValueError(
            f"doc is of another text, {read!r:.60}, than was traced, {texts[0]!r:.60}: parse the "
            "traced text"
        )
    return texts.index(read) if len(texts) > 1 else None


def align(tokens: Tokens, words: Sequence[ParsedWord], segment: int | None) -> list[int | None]:
    """Return the word of each token that shares most characters with it, the first of several."""
    if tokens.span is None:
        raise ValueError(
            "the tokens' characters aren't known (that takes a fast tokenizer and the text), so a "
            "doc can't be brought to them: give edges=[(dependent, head, relation), ...]"
        )
    starts = np.array([word.start for word in words])
    stops = np.array([word.stop for word in words])
    found: list[int | None] = []
    for i, (start, stop) in enumerate(tokens.span):
        shared = np.minimum(stops, stop) - np.maximum(starts, start)
        is_there = len(words) and shared.max() > 0 and not tokens.special[i]
        is_meant = segment is None or tokens.segment[i] == segment
        found.append(int(shared.argmax()) if is_there and is_meant else None)
    if all(word is None for word in found):
        raise ValueError("no word of the doc has a token: parse the text that was traced")
    return found

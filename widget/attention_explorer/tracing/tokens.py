"""Tokens as a person reads them: text as written, gaps, words, segments, specials."""

from __future__ import annotations

from dataclasses import dataclass

from ..protocol import TokenTable


@dataclass(frozen=True)
class Tokens:
    """The tokens of one side of an attention, by column; every column has one entry a token.

    Attributes
    ----------
    text : tuple of str
        Each token as shown: its characters as written where offsets are known.
    gap : tuple of str
        What stands in the text between a token and the one before it: ``""``, ``" "``, ``"\\n\\n"``.
    raw : tuple of str
        The tokenizer's own string (``"##ing"``, ``"Ġcat"``).
    special : tuple of bool
        Whether the tokenizer added it ([CLS], <s>, ...).
    segment : tuple of int
        0, 1, ... for the texts of the input; -1 for specials.
    word : tuple of int
        Number of the word that a token belongs to, over all segments; -1 for specials.
    span : tuple of (int, int) or None
        Characters of the segment's text, where offsets are known.
    ids : tuple of int or None
        The vocabulary's numbers.
    """

    text: tuple[str, ...]
    gap: tuple[str, ...]
    raw: tuple[str, ...]
    special: tuple[bool, ...]
    segment: tuple[int, ...]
    word: tuple[int, ...]
    span: tuple[tuple[int, int], ...] | None = None
    ids: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.text)

    def table(self) -> TokenTable:
        """Return the columns that cross to the browser."""
        return {
            "text": list(self.text),
            "gap": list(self.gap),
            "raw": list(self.raw),
            "special": list(self.special),
            "segment": list(self.segment),
            "word": list(self.word),
        }

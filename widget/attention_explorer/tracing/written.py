"""The text that tokens show, and where a piece of it occurs."""

from __future__ import annotations

from collections.abc import Iterator

from .tokens import Tokens


def as_shown(tokens: Tokens) -> tuple[str, list[int | None]]:
    """Return the text that tokens show, and where each begins in it.

    A token begins at its first character that is no white space; special tokens show nothing and
    begin nowhere.
    """
    written, first = "", list[int | None]()
    for text, gap, special in zip(tokens.text, tokens.gap, tokens.special, strict=True):
        written += gap
        lead = len(text) - len(text.lstrip()) if text.strip() else 0
        first.append(None if special else len(written) + lead)
        written += "" if special else text
    return written, first


def occurrences(part: str, text: str) -> Iterator[int]:
    """Yield where a piece begins in a text, each time that it is there; they may overlap."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)

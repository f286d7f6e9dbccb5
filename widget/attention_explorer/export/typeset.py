"""Tokens broken into lines of running text, as written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from ..tracing import Tokens
from .signs import shown
from .words import width_of

# In parts of the text's size: room at each side that is free, and around specials.
_PADDING = 0.12
_SPECIAL_MARGIN = 0.2
_NO_SPACES = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Placed(NamedTuple):
    """Where a token stands, in parts of the text's size: its box, its text in it, its row."""

    token: int
    row: int
    x: float
    width: float
    text_x: float


def typeset(tokens: Tokens, part: range, width: float, special_size: float) -> list[Placed]:
    """Break tokens into lines of a width: words stay whole, line breaks are kept.

    Parameters
    ----------
    tokens : Tokens
        The text.
    part : range
        The tokens that are set.
    width : float
        Of a line, in parts of the text's size.
    special_size : float
        The size of special tokens, in the same.
    """
    placed: list[Placed] = []
    row, x = 0, 0.0
    for word in _words(tokens, part):
        gap = tokens.gap[word[0]]
        breaks = gap.count("\n") if placed else 0
        if breaks:
            row, x = row + breaks, 0.0
        space = width_of(gap.rpartition("\n")[2], 1) if x else 0.0
        boxes = [_box_of(tokens, index, special_size) for index in word]
        whole = sum(before + box + after for before, box, after, _ in boxes)
        if x and x + space + whole > width:
            row, x = row + 1, 0.0
        else:
            x += space
        for index, (before, box, after, inset) in zip(word, boxes, strict=True):
            if x and x + before + box > width:
                row, x = row + 1, 0.0
            placed.append(Placed(index, row, x + before, box, x + before + inset))
            x += before + box + after
    return _mirrored(placed, width) if _is_rtl(tokens) else placed


def joins(tokens: Tokens, index: int) -> bool:
    """Return whether a token touches the one before it or the one after it."""
    return _touches(tokens, index) or _touches(tokens, index + 1)


def _touches(tokens: Tokens, index: int) -> bool:
    if not 0 < index < len(tokens):
        return False
    specials = tokens.special[index - 1] or tokens.special[index]
    return not specials and tokens.gap[index] == ""


def _words(tokens: Tokens, part: range) -> Iterator[range]:
    start = part.start
    for index in part[1:]:
        if _breaks_before(tokens, index):
            yield range(start, index)
            start = index
    if part:
        yield range(start, part.stop)


def _breaks_before(tokens: Tokens, index: int) -> bool:
    """Return whether a line may break: at white space, and between signs that need none."""
    if tokens.gap[index] or tokens.special[index] or tokens.special[index - 1]:
        return True
    return any(_NO_SPACES.search(tokens.text[at]) for at in (index - 1, index))


def _box_of(tokens: Tokens, index: int, special_size: float) -> tuple[float, float, float, float]:
    """Return room before, the box's width, room after, and where in the box the text begins."""
    text = width_of(shown(tokens, index), 1)
    if tokens.special[index]:
        box = special_size * text + 2 * _PADDING
        return _SPECIAL_MARGIN, box, _SPECIAL_MARGIN, _PADDING
    before = 0 if _touches(tokens, index) else _PADDING
    after = 0 if _touches(tokens, index + 1) else _PADDING
    return 0, before + text + after, 0, before


def _is_rtl(tokens: Tokens) -> bool:
    """Return whether most letters are of a script that runs from right to left."""
    pairs = zip(tokens.text, tokens.special, strict=True)
    letters = [
        letter for text, special in pairs if not special for letter in text if letter.isalpha()
    ]
    rtl = sum(unicodedata.bidirectional(letter) in ("R", "AL") for letter in letters)
    return rtl > len(letters) / 2


def _mirrored(placed: list[Placed], width: float) -> list[Placed]:
    return [
        place._replace(
            x=width - place.x - place.width,
            text_x=width - place.x - place.width + (place.text_x - place.x),
        )
        for place in placed
    ]

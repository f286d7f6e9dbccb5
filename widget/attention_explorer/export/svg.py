"""SVG written by hand, for pictures that need no library."""

from __future__ import annotations

import re
import unicodedata
from html import escape

from .colours import Rgb

# What XML can't hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, *inside: str, **attributes: str | float | None) -> str:
    """Return an element around what is SVG already; ``_`` in an attribute's name is ``-``.

    Quotes are single ones, which JSON needn't escape; what has no value is left out.
    """
    given = "".join(
        f" {name.replace('_', '-')}='{value if isinstance(value, str) else f'{value:g}'}'"
        for name, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    return f"<{tag}{given}>{content}</{tag}>" if content else f"<{tag}{given}/>"


def written(text: str) -> str:
    """Return any text as SVG has it."""
    return escape(_UNWRITABLE.sub("\ufffd", text), quote=False)


def hexed(colour: Rgb) -> str:
    """Return a colour as SVG has it."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in colour)


def columns_of(text: str) -> int:
    """Return how wide a text is, in letters of a Latin script; no font is asked."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide


def cut(text: str, columns: int) -> str:
    """Return a text that is at most so wide."""
    if columns_of(text) <= columns:
        return text
    kept = text[: columns - 1]
    while columns_of(kept) > columns - 1:
        kept = kept[:-1]
    return f"{kept}…"


def wrapped(text: str, columns: int) -> list[str]:
    """Break a text at its spaces into lines that are so wide."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and columns_of(longer) > columns:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines

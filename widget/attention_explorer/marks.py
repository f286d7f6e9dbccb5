"""Which tokens are marks: punctuation of any script, and the symbols of a keyboard."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tracing import Tokens


def is_punctuation(tokens: Tokens, position: int) -> bool:
    """Tell whether a token of the text is nothing but marks."""
    text = tokens.text[position].strip()
    return bool(text) and not tokens.special[position] and all(map(_is_mark, text))


def _is_mark(letter: str) -> bool:
    # Of what Unicode calls symbols (emoji, currencies) only those of a keyboard.
    category = unicodedata.category(letter)
    return category.startswith("P" if letter > "~" else ("P", "S"))

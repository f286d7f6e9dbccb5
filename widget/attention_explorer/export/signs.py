"""Tokens where they stand alone: signs for what would be invisible."""

from __future__ import annotations

import re

from ..tracing import Tokens

_INVISIBLE = {"\n": "↵", "\t": "⇥", "\r": "↵"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def shown(tokens: Tokens, index: int) -> str:
    """Return a token's text where it stands alone: what would be invisible is a sign."""
    text = tokens.text[index]
    if text == "":
        return "∅"
    if text.isspace():
        return "".join(_INVISIBLE.get(letter, "␣") for letter in text)
    return _CONTROL.sub(lambda match: _INVISIBLE.get(match[0], "\ufffd"), text)


def short(tokens: Tokens, index: int, length: int = 24) -> str:
    """Return the same, cut to a length."""
    text = shown(tokens, index)
    return text if len(text) <= length else f"{text[: length - 1]}…"

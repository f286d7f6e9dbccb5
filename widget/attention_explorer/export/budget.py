"""What of a file's size is left, and how what it holds is written."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterable

from ..encoding import compress_within

# A little slower than the channel's, once for as long as there is the file.
_LEVEL = 6


class Budget:
    """Bytes that a file may still grow by.

    Parameters
    ----------
    left : int
        In bytes; below 0 where more was spent than there was.
    """

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, piece: object) -> None:
        """Count a piece that can't be left out."""
        self.left -= size_of(piece)

    def take(self, piece: object) -> bool:
        """Count a piece, where there is room for it."""
        size = size_of(piece)
        if size > self.left:
            return False
        self.left -= size
        return True

    def pack(self, chunks: Iterable[bytes]) -> str | None:
        """Return chunks as `packed` does; None as soon as there is no room for them."""
        data = compress_within(self.left * 3 // 4, chunks, _LEVEL)
        return None if data is None else in_base64(data)


def packed(chunks: Iterable[bytes]) -> str:
    """Return chunks as one zlib stream in base64."""
    return in_base64(zlib.compress(b"".join(chunks), _LEVEL))


def in_base64(data: bytes) -> str:
    """Return bytes as text."""
    return b64encode(data).decode("ascii")


def to_json(piece: object) -> str:
    """Return JSON that may stand in a script element, where no text ends it; bytes as base64."""
    text = json.dumps(piece, separators=(",", ":"), default=_as_object)
    return text.replace("<", "\\u003c")


def size_of(piece: object) -> int:
    """Return how many bytes a piece takes, with the comma after it."""
    return len(to_json(piece)) + 1


def _as_object(data: object) -> dict[str, str]:
    if not isinstance(data, bytes):
        raise TypeError(f"a page holds no {type(data).__name__}")
    return {"bytes": in_base64(data)}

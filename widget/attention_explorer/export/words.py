"""Words on a figure: tokens from anywhere, measured and drawn as they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from matplotlib import font_manager, rcParams
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

# Asked for what the user's own font lacks, those of them that are installed.
_FALLBACKS = (
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans JP",
    "Noto Sans SC",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Segoe UI Symbol",
)
_MEASURED_AT = 10


class TokenText(Text):
    """Text that is no mathematics, of which a glyph that no font has is a box and no warning."""

    def __init__(self, x: float, y: float, text: str, size: float, **properties: Any) -> None:
        given: Any = {"family": families(), "size": size, "rotation_mode": "anchor"} | properties
        super().__init__(x, y, text, parse_math=False, usetex=False, clip_on=False, **given)

    def draw(self, *arguments: Any, **named: Any) -> None:
        """Draw as any text."""
        with _boxes_for_missing_glyphs():
            super().draw(*arguments, **named)

    def get_window_extent(self, *arguments: Any, **named: Any) -> Any:
        """Return the extent of any text."""
        with _boxes_for_missing_glyphs():
            return super().get_window_extent(*arguments, **named)


def families() -> list[str]:
    """Return the user's font families, then installed ones that know other scripts."""
    return [*rcParams["font.family"], *_installed_fallbacks()]


def width_of(text: str, size: float) -> float:
    """Return how wide a text is, in points."""
    return _measured(text, tuple(families())) * size / _MEASURED_AT


def fitted(text: str, size: float, room: float) -> str:
    """Return a text cut to a width in points."""
    if width_of(text, size) <= room:
        return text
    kept = text
    while kept and width_of(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept}…"


def wrapped(text: str, size: float, room: float) -> str:
    """Return a text broken at its spaces into lines of a width in points."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


@lru_cache(maxsize=1)
def _installed_fallbacks() -> tuple[str, ...]:
    installed = set(font_manager.get_font_names())
    return tuple(name for name in _FALLBACKS if name in installed)


@lru_cache(maxsize=2**14)
def _measured(text: str, families: tuple[str, ...]) -> float:
    font = FontProperties(family=list(families), size=_MEASURED_AT)
    with _boxes_for_missing_glyphs():
        width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


@contextmanager
def _boxes_for_missing_glyphs() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?s)Glyph .* missing from", UserWarning)
        yield

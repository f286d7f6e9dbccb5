"""The text view: tokens as running text, shaded by what is read, ruled by what reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
from matplotlib.patheffects import withStroke

from ..attention.base import Float
from .caption import mass, mean_text, percent, readers_text, reads_text
from .layout import Room, bare, from_corner
from .lines import chosen
from .scene import Scene
from .shades import size_in_points
from .signs import shown
from .typeset import Placed, joins, typeset
from .words import TokenText

Role = Literal["both", "query", "key"]

# More would be no page: then those about the selected token are shown.
MOST_TOKENS = 1500
# Numbers under the tokens are for texts that a person takes in at a glance.
_NUMBERS_UP_TO = 80
_NUMBER_FROM = 0.02

# In points.
_WIDTH = 440.0
_LARGEST_TEXT = {"short": 14.0, "long": 9.0}
_SMALLEST_TEXT = 1.0

# In parts of the text's size.
_ROW = {"short": 2.2, "long": 1.75}
_HEADING = 1.3
_SPECIAL = 0.78
_UP, _DOWN = 0.92, 0.42
_BASELINE = 0.25

_HEADINGS: dict[Role, str] = {"both": "", "query": "query reads …", "key": "… key"}


def text_room(scene: Scene) -> Room:
    """Return how large the view is by itself."""
    pages = _pages(scene)
    size = _LARGEST_TEXT[pages[0].length]
    return Room(_WIDTH, size * sum(page.height(_WIDTH / size) for page in pages))


def draw_text(ax: Axes, scene: Scene) -> list[str]:
    """Draw the tokens, as large as they fit; return what was left out."""
    bare(ax, scene.colours, framed=False)
    pages = _pages(scene)
    width, height = size_in_points(ax)
    size = _size_that_fits(pages, width, height)
    top = 0.0
    for page in pages:
        page.draw(ax, width / size, top, size)
        top += page.height(width / size)
    remarks = [_meaning(scene)]
    for page in pages:
        remarks += page.left_out()
    return remarks


def _pages(scene: Scene) -> list[_Page]:
    if scene.same_tokens:
        return [_Page(scene, "both")]
    return [_Page(scene, "query"), _Page(scene, "key")]


def _size_that_fits(pages: list[_Page], width: float, height: float) -> float:
    fits, too_large = _SMALLEST_TEXT, _LARGEST_TEXT[pages[0].length] * 1.001
    while too_large - fits > 0.02:
        size = (fits + too_large) / 2
        if size * sum(page.height(width / size) for page in pages) <= height * 1.0001:
            fits = size
        else:
            too_large = size
    return fits


def _meaning(scene: Scene) -> str:
    if scene.query is None and scene.key is None:
        if scene.received is None:
            return "no token is selected"
        return f"shaded: mean {scene.number} that a token receives{mean_text(scene)}"
    reads, readers = reads_text(scene), readers_text(scene)
    shade, rule = reads and f"shaded: {reads}", readers and f"underlined: {readers}"
    return ", ".join(filter(None, (shade, rule))) + mean_text(scene)


class _Page:
    """The tokens of one side, or of both, in running text."""

    def __init__(self, scene: Scene, role: Role) -> None:
        self.scene, self.role = scene, role
        self.tokens = scene.keys if role == "key" else scene.queries
        self.length: Literal["short", "long"] = (
            "short" if max(len(scene.queries), len(scene.keys)) <= _NUMBERS_UP_TO else "long"
        )
        as_query, as_key = role != "key", role != "query"
        resting = scene.query is None and scene.key is None
        self.filled = scene.received if resting else _mean(scene.reads)
        if not as_key:
            self.filled = None
        self.ruled = _mean(scene.readers) if as_query else None
        self.looked = {scene.query if as_query else None, scene.key if as_key else None}
        self.shown = _window(len(self.tokens), scene.query if as_query else scene.key)
        self.numbered = self._numbered() if as_key and self.length == "short" else set()

    def height(self, width: float) -> float:
        """Return how high the page is, everything in parts of the text's size."""
        rows = 1 + max((place.row for place in self._set(width)), default=0)
        return rows * _ROW[self.length] + (_HEADING if _HEADINGS[self.role] else 0)

    def draw(self, ax: Axes, width: float, top: float, size: float) -> None:
        """Draw the page; one unit is one text size, from the upper left corner."""
        for artist in self._artists(width, top, size):
            artist.set_transform(from_corner(ax, size))
            ax.add_artist(artist)

    def _artists(self, width: float, top: float, size: float) -> Iterator[Artist]:
        if heading := _HEADINGS[self.role]:
            muted = self.scene.colours.muted
            small = min(8, 0.75 * size)
            yield TokenText(0, top + 0.8, heading, small, color=muted, weight="bold")
            top += _HEADING
        for place in self._set(width):
            yield from self._token(place, top + (place.row + 0.5) * _ROW[self.length], size)

    def left_out(self) -> list[str]:
        """Return what is said of tokens that aren't shown."""
        count = len(self.tokens)
        if len(self.shown) == count:
            return []
        side = {"both": "tokens", "query": "queries", "key": "keys"}[self.role]
        remark = f"{side} {self.shown.start}–{self.shown.stop - 1} of {count}"
        if self.filled is not None and (total := mass(self.filled)):
            outside = 1 - mass(self.filled[self.shown.start : self.shown.stop]) / total
            remark += f", {percent(outside)} of what is shaded lies outside"
        return [remark]

    def _set(self, width: float) -> list[Placed]:
        return typeset(self.tokens, self.shown, width, _SPECIAL)

    def _numbered(self) -> set[int]:
        if self.filled is None or self.scene.query is None:
            return set()
        kept = np.flatnonzero(chosen(self.scene, self.filled))
        return {int(key) for key in kept if abs(self.filled[key]) >= _NUMBER_FROM}

    def _token(self, place: Placed, middle: float, size: float) -> Iterator[Artist]:
        scene, index = self.scene, place.token
        colours = scene.colours
        special = self.tokens.special[index]
        small = _SPECIAL if special else 1
        base = middle + _BASELINE
        corner = place.x, base - _UP * small
        high = (_UP + _DOWN) * small
        ink = colours.muted if special else colours.ink
        if self.filled is not None:
            weight = self.filled[index]
            fill = scene.ink.shades(weight)
            yield _box(corner, place.width, high, joins(self.tokens, index), color=fill)
            ink = scene.ink.on(weight) or ink
        if self.ruled is not None:
            yield from _rule(place, base + _DOWN * small, self.ruled[index], scene)
        text = TokenText(
            place.text_x,
            base,
            shown(self.tokens, index),
            size * small,
            color=ink,
            zorder=2,
        )
        if index in self.looked:
            text.set_path_effects([withStroke(linewidth=0.03 * size, foreground=ink)])
            ring = _box(corner, place.width, high, False, fill=False, zorder=3)
            ring.set(edgecolor=colours.reader, linewidth=max(0.6, 0.1 * size))
            yield ring
        yield text
        if index in self.numbered and self.filled is not None:
            yield TokenText(
                place.x + place.width / 2,
                base + _DOWN + 0.15,
                f"{self.filled[index]:.2f}",
                0.55 * size,
                color=colours.muted,
                ha="center",
                va="top",
            )


def _mean(lines: Float | None) -> Float | None:
    return None if lines is None else lines.mean(0)


def _window(count: int, about: int | None) -> range:
    """Return the tokens that are shown: all, or so many with the selected one in their middle."""
    start = max(0, min((about or 0) - MOST_TOKENS // 2, count - MOST_TOKENS))
    return range(start, min(count, start + MOST_TOKENS))


def _box(
    corner: tuple[float, float], width: float, height: float, joined: bool, **properties: Any
) -> Patch:
    properties = {"linewidth": 0, "zorder": 1} | properties
    if joined:
        return Rectangle(corner, width, height, **properties)
    return FancyBboxPatch(corner, width, height, "round,pad=0,rounding_size=0.2", **properties)


def _rule(place: Placed, bottom: float, weight: float, scene: Scene) -> Iterator[Artist]:
    """Rule a token off at its foot, thicker and stronger with the weight it reads with."""
    share = float(scene.ink.at(weight))
    if share < 0.05:
        return
    high = 0.05 + 0.2 * share
    colour = (*scene.colours.reader, 0.25 + 0.75 * share)
    rule = Rectangle((place.x, bottom - high), place.width, high, color=colour, linewidth=0)
    rule.set_zorder(1.5)
    yield rule

"""The head view of a short text as a small SVG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..attention.base import Float
from ..tracing import Tokens
from .caption import heads_text
from .colours import Rgb
from .lines import (
    Lines,
    column_lines,
    left_out,
    resting_lines,
    row_lines,
    strength,
    strongest,
)
from .scene import Scene
from .signs import shown
from .svg import columns_of, cut, element, hexed, written

# In pixels.
WIDTH = 440
_EDGE = 14
_GAP = 7
_TITLE = 20
_NUMBER = 34
_COLUMN = 7.5
_SIZE = 12

_LONGEST_LABEL = 16
_NUMBER_FROM = 0.02
# The widget's, in pixels.
_THINNEST, _THICKER = 0.7, 3.6
# Where a token is selected, the lines of the others step back.
_BEHIND = 0.22
# Each shade of a head is a path of its own.
_SHADES = 4
_HEADS_IN_SHADES = 3
_HEADS_NAMED = 8


class Drawn(NamedTuple):
    """A part of a picture, `WIDTH` wide.

    Attributes
    ----------
    svg : str
        Elements.
    height : float
        In pixels.
    remarks : list of str
        What was done to the weights.
    """

    svg: str
    height: float
    remarks: list[str]


def draw_heads(scene: Scene, most_lines: int) -> Drawn:
    """Draw the chosen heads with the strongest of their lines, and the selected token's."""
    drawing = _Drawing(scene)
    found = resting_lines(scene)
    resting = strongest(scene, found, most_lines)
    selected = scene.query is not None or scene.key is not None
    opacity = strength(resting.lines.weights, scene) * (_BEHIND if selected else 1)
    shades = 1 if selected or len(scene.heads) > _HEADS_IN_SHADES else _SHADES
    # The thirds and rows that lines are drawn in are no squares.
    parts = [element("style", "path{vector-effect:non-scaling-stroke}")]
    parts.append(drawing.lines(resting.lines, opacity, shades, scene.colours.reader))
    for lines, colour in _selected_lines(scene):
        kept = lines.only(np.argsort(-np.abs(lines.weights), kind="stable")[:most_lines])
        parts.append(drawing.lines(kept, _relative(kept), _SHADES, colour))
    parts += [drawing.side(query=True), drawing.side(query=False), drawing.titles()]
    fewer = "" if resting is found else f"the {most_lines} strongest"
    return Drawn("".join(parts), drawing.bottom, left_out(scene, resting, fewer))


def _selected_lines(scene: Scene) -> Iterator[tuple[Lines, Rgb]]:
    """Yield the lines of the selected token in both roles."""
    if scene.key is not None and scene.readers is not None:
        yield column_lines(scene, scene.readers, scene.key), scene.colours.reader
    if scene.query is not None and scene.reads is not None:
        lines = row_lines(scene, scene.reads[:, None], [scene.query])
        yield lines, scene.colours.read


def _relative(lines: Lines) -> Float:
    sizes = np.abs(lines.weights)
    shares: Float = sizes / sizes.max(initial=np.float32(1e-30))
    return np.power(shares, np.float32(0.7))


class _Drawing:
    """Where tokens stand."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        count = max(len(scene.queries), len(scene.keys))
        self.row = 18 if count <= 24 else 14
        self.top = _EDGE + _TITLE + self.row / 2
        self.bottom = self.top + self.row * (count - 0.5)
        self.left = _EDGE + _room(scene.queries) + _GAP + _NUMBER * (scene.key is not None)
        self.right = WIDTH - _EDGE - _room(scene.keys) - _GAP - _NUMBER * (scene.query is not None)

    def lines(self, lines: Lines, opacity: Float, shades: int, plain: Rgb) -> str:
        """Draw lines, a path a head and shade, in rows by thirds of the way."""
        shade = np.ceil(np.clip(opacity, 0, 1) * shades).astype(int)
        paths = []
        for head in np.unique(lines.heads).tolist():
            colour = self._colour(self.scene.heads[head]) or hexed(plain)
            for level in np.unique(shade[lines.heads == head]).tolist():
                which = (lines.heads == head) & (shade == level)
                paths.append(self._path(lines.only(which), float(opacity[which].mean()), colour))
        across = (self.right - self.left) / 3
        place = f"matrix({across:g} 0 0 {self.row:g} {self.left:g} {self.top:g})"
        return element("g", *paths, transform=place, fill="none")

    def _path(self, lines: Lines, opacity: float, colour: str) -> str:
        curves = "".join(
            f"M0 {query}C1 {query} 2 {key} 3 {key}"
            for query, key in zip(lines.queries.tolist(), lines.keys.tolist(), strict=True)
        )
        share = min(1, float(np.abs(lines.weights).mean()) / self.scene.attention.scale)
        return element(
            "path",
            d=curves,
            stroke=colour,
            stroke_opacity=round(opacity, 2),
            stroke_width=round(_THINNEST + _THICKER * share, 1),
        )

    def _colour(self, head: int) -> str | None:
        """Return a head's colour, where there are several."""
        return hexed(self.scene.colours.head(head)) if len(self.scene.heads) > 1 else None

    def side(self, query: bool) -> str:
        """Draw the tokens of one side, with numbers of what the other selected."""
        scene = self.scene
        tokens, selected = (scene.queries, scene.query) if query else (scene.keys, scene.key)
        weights = scene.readers if query else scene.reads
        strong = hexed(scene.colours.reader if query else scene.colours.read)
        labels = []
        for index, special in enumerate(tokens.special):
            chosen = index == selected
            muted = hexed(scene.colours.muted) if special else None
            labels.append(
                element(
                    "text",
                    written(cut(shown(tokens, index), _LONGEST_LABEL)),
                    y=self._baseline(index),
                    fill=strong if chosen else muted,
                    font_weight="bold" if chosen else None,
                )
            )
        x = self.left - _GAP if query else self.right + _GAP
        at = _EDGE + _NUMBER - _GAP if query else WIDTH - _EDGE
        numbers = [] if weights is None else self._numbers(weights.mean(0))
        return self._column(x, "end" if query else None, labels) + self._column(at, "end", numbers)

    def _numbers(self, weights: Float) -> list[str]:
        most = np.flatnonzero(np.abs(weights) >= _NUMBER_FROM).tolist()
        return [element("text", f"{weights[i]:.2f}", y=self._baseline(i)) for i in most]

    def _column(self, x: float, anchor: str | None, texts: list[str]) -> str:
        place = f"translate({x:g})"
        ink = hexed(self.scene.colours.ink)
        return element("g", *texts, transform=place, fill=ink, text_anchor=anchor) if texts else ""

    def _baseline(self, index: int) -> float:
        return self.top + self.row * index + 4

    def titles(self) -> str:
        """Say which side reads, and which heads these are, in their colours."""
        heads, text = self.scene.heads, heads_text(self.scene)
        of = written(text)
        if 1 < len(heads) <= _HEADS_NAMED:
            named = [element("tspan", f" {head}", fill=self._colour(head)) for head in heads]
            of = written(text.rpartition(" · ")[0]) + " · heads" + "".join(named)
        titles = (
            (self.left - _GAP, "query reads …", "end"),
            ((self.left + self.right) / 2, of, "middle"),
            (self.right + _GAP, "… key", None),
        )
        parts = [
            element("text", words, x=x, y=_EDGE + _SIZE - 2, text_anchor=anchor)
            for x, words, anchor in titles
        ]
        return element("g", *parts, fill=hexed(self.scene.colours.muted), font_size=_SIZE - 1)


def _room(tokens: Tokens) -> float:
    widest = max(columns_of(shown(tokens, index)) for index in range(len(tokens)))
    return _COLUMN * max(11, min(_LONGEST_LABEL, widest))

"""The head view: queries left, keys right, a line per weight."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.patches import Rectangle
from matplotlib.path import Path

from ..attention.base import Float
from ..tracing import Tokens
from .caption import heads_text, mean_text, selected_text
from .colours import Rgb
from .layout import Room, bare, marks
from .lines import (
    FAINTEST,
    Indices,
    Lines,
    column_lines,
    left_out,
    resting_lines,
    row_lines,
    strength,
)
from .scene import Scene
from .shades import size_in_points
from .signs import shown
from .words import TokenText, fitted, width_of

# In points; labels need rows of some height, and a figure a page.
_WIDTH = 400.0
_TALLEST = 620.0
_LABELLED_ROW = 5.5
_LOOSE_ROW = 11.0
_LARGEST_TEXT = 10.0
_SMALLEST_TEXT = 7.0
_LONGEST_LABEL = 130.0
_SHORTEST_LABEL = 60.0
_NUMBER_ROOM = 30.0
_GAP = 6.0
_TITLE_ROOM = 18.0
_SWATCH = 7.0

# CSS pixels of the widget, in points.
_THINNEST = 0.7 * 0.75
_THICKER = 3.6 * 0.75

# Where a token is selected, the lines of the others step back.
_BEHIND = 0.22
# A picture of more lines than that is pixels in a PDF or SVG.
_LINES_AS_VECTORS = 5000
_NUMBER_FROM = 0.01
_HEADS_WITH_BARS = 4
_HEADS_IN_LEGEND = 16
# Of a text without room for labels, the strongest tokens have one.
_LABELLED_PARTNERS = 12

Side = Literal["query", "key"]


def heads_room(scene: Scene) -> Room:
    """Return how large the view is by itself."""
    count = max(scene.attention.n_queries, scene.attention.n_keys)
    row = 17 if count <= 16 else 14 if count <= 40 else 11
    legend = _TITLE_ROOM if len(scene.heads) > 1 else 0
    return Room(_WIDTH, min(_TALLEST, count * row), top=_TITLE_ROOM + legend)


def draw_heads(ax: Axes, scene: Scene) -> list[str]:
    """Draw the chosen heads; return what was left out."""
    bare(ax, scene.colours, framed=False)
    drawing = _Drawing(ax, scene)
    resting = resting_lines(scene)
    selected = scene.query is not None or scene.key is not None
    drawing.lines(
        resting.lines,
        strength(resting.lines.weights, scene) * drawing.lightness * (_BEHIND if selected else 1),
        scene.colours.reader,
    )
    remarks = left_out(scene, resting)
    if scene.key is not None and scene.readers is not None:
        drawing.front(column_lines(scene, scene.readers, scene.key), scene.colours.reader)
    if scene.query is not None and scene.reads is not None:
        lines = row_lines(scene, scene.reads[:, None], [scene.query])
        drawing.front(lines, scene.colours.read)
    drawing.side("query", scene.queries)
    drawing.side("key", scene.keys)
    drawing.titles()
    if selected:
        remarks.append(f"strong lines: {selected_text(scene)}, relative to the strongest")
        if len(scene.heads) > 1:
            remarks.append(f"numbers: mean over {len(scene.heads)} heads")
    elif scene.received is not None:
        remarks.append(f"bars: mean {scene.number} that a key receives{mean_text(scene)}")
    return remarks


class _Drawing:
    """The head view's axes: x in points, y in rows."""

    def __init__(self, ax: Axes, scene: Scene) -> None:
        self.ax, self.scene = ax, scene
        self.width, height = size_in_points(ax)
        count = max(scene.attention.n_queries, scene.attention.n_keys)
        ax.set(xlim=(0, self.width), ylim=(count - 0.5, -0.5))
        self.row = height / count
        self.labelled = self.row >= _LABELLED_ROW
        # Rows that lie closer than the widget's are lighter, or a haze.
        self.lightness = min(1.0, (self.row / _LOOSE_ROW) ** 0.5)
        self.size = min(_LARGEST_TEXT, max(0.72 * self.row, 0 if self.labelled else _SMALLEST_TEXT))
        widest = max(_widest(scene.queries, self.size), _widest(scene.keys, self.size))
        most = min(_LONGEST_LABEL, 0.3 * self.width)
        self.label = min(most, max(_SHORTEST_LABEL, widest + _GAP))
        # Where labels end and lines begin.
        numbers = _NUMBER_ROOM if scene.key is not None else 0
        self.left = numbers + self.label + _GAP
        self.right = self.width - self.label - _NUMBER_ROOM - _GAP

    def front(self, lines: Lines, plain: Rgb) -> None:
        """Draw the lines of the selected token, the strongest of each head in full."""
        sizes = np.abs(lines.weights)
        full = np.zeros(len(self.scene.heads), np.float32)
        np.maximum.at(full, lines.heads, sizes)
        self.lines(
            lines, np.power(sizes / full[lines.heads], np.float32(0.7)), plain, in_front=True
        )

    def lines(self, lines: Lines, alpha: Float, plain: Rgb, in_front: bool = False) -> None:
        """Draw lines, the strongest last; level at both ends, as the widget eases them."""
        seen = np.flatnonzero(alpha >= (FAINTEST if in_front else 0))
        order = seen[np.argsort(alpha[seen], kind="stable")]
        lines, alpha = lines.only(order), alpha[order]
        share = np.minimum(1, np.abs(lines.weights) / self.scene.attention.scale)
        self.ax.add_collection(
            PathCollection(
                _curves(lines.queries, lines.keys, self.left, self.right),
                facecolors="none",
                edgecolors=self._inks(lines.heads, alpha, plain),
                linewidths=_THINNEST + _THICKER * share,
                rasterized=len(lines) > _LINES_AS_VECTORS,
                capstyle="butt",
                zorder=2 if in_front else 1,
            ),
            autolim=False,
        )

    def side(self, side: Side, tokens: Tokens) -> None:
        """Draw the tokens of one side, with bars and numbers of what the other selected."""
        scene = self.scene
        reading = scene.reads if side == "key" else scene.readers
        resting = reading is None and side == "key" and scene.key is None
        weights = scene.received if resting else None
        if reading is not None:
            weights = reading.mean(0)
        if reading is not None and 1 < len(reading) <= _HEADS_WITH_BARS:
            self._bars(side, reading, several=True)
        elif weights is not None:
            self._bars(side, weights[None], several=False)
        selected = scene.query if side == "query" else scene.key
        taken: list[int] = []
        for index in self._labels(len(tokens), selected, weights if not resting else None):
            self._label(side, tokens, index, index == selected)
            if weights is not None and abs(weights[index]) >= _NUMBER_FROM:
                self._number(side, index, float(weights[index]))
            taken.append(index)
        if not self.labelled:
            self._positions(side, len(tokens), taken)

    def titles(self) -> None:
        """Say which side reads, which heads these are, and their colours."""
        scene = self.scene
        received = scene.query is None and scene.key is None and scene.received is not None
        parts = (
            (self.left - _GAP, "query reads …", "right", "bold"),
            ((self.left + self.right) / 2, heads_text(scene), "center", "normal"),
            (self.right + _GAP, "… key", "left", "bold"),
            (self.width, "mean weight" if received else "", "right", "normal"),
        )
        up = -0.5 - _GAP / self.row
        for x, words, align, weight in parts:
            room = self.right - self.left if align == "center" else self.width
            text = TokenText(x, up, fitted(words, 8, room), 8, ha=align, weight=weight)
            text.set_color(scene.colours.muted)
            self.ax.add_artist(text)
        if len(scene.heads) > 1:
            self._legend(up - 13 / self.row)

    def _legend(self, y: float) -> None:
        heads = self.scene.heads[:_HEADS_IN_LEGEND]
        step = min(28.0, self.width / len(heads))
        x = (self.left + self.right - step * len(heads)) / 2
        x = max(0.0, min(x, self.width - step * len(heads)))
        for head in heads:
            colour = self.scene.colours.head(head)
            high = _SWATCH / self.row
            self.ax.add_patch(
                Rectangle((x, y - high), _SWATCH, high, facecolor=colour, clip_on=False)
            )
            number = TokenText(x + _SWATCH + 3, y, str(head), 7.5, color=self.scene.colours.ink)
            self.ax.add_artist(number)
            x += step

    def _labels(self, count: int, selected: int | None, weights: Float | None) -> list[int]:
        """Return whose labels there is room for: all, or the selected token and its partners."""
        if self.labelled:
            return list(range(count))
        wanted = [] if selected is None else [selected]
        if weights is not None:
            best = np.argsort(-np.abs(weights), kind="stable")[:_LABELLED_PARTNERS]
            wanted += [int(index) for index in best if weights[index]]
        kept: list[int] = []
        for index in wanted:
            if all(abs(index - other) * self.row >= self.size * 1.15 for other in kept):
                kept.append(index)
        return kept

    def _label(self, side: Side, tokens: Tokens, index: int, selected: bool) -> None:
        colours = self.scene.colours
        text = TokenText(
            self.left - _GAP if side == "query" else self.right + _GAP,
            index,
            fitted(shown(tokens, index), self.size, self.label - _GAP),
            self.size,
            ha="right" if side == "query" else "left",
            va="center_baseline",
            color=colours.muted if tokens.special[index] else colours.ink,
            zorder=3,
        )
        if selected:
            text.set(weight="bold", color=colours.reader if side == "query" else colours.read)
        self.ax.add_artist(text)

    def _positions(self, side: Side, count: int, taken: list[int]) -> None:
        for index in marks(count, self.row * count, 28):
            if any(abs(index - other) * self.row < self.size * 1.15 for other in taken):
                continue
            x = self.left - _GAP if side == "query" else self.right + _GAP
            text = TokenText(x, index, str(index), self.size, color=self.scene.colours.muted)
            text.set(ha="right" if side == "query" else "left", va="center_baseline", alpha=0.7)
            self.ax.add_artist(text)

    def _number(self, side: Side, index: int, weight: float) -> None:
        at_left = side == "query"
        self.ax.add_artist(
            TokenText(
                0 if at_left else self.width,
                index,
                f"{weight:.2f}",
                min(8.0, self.size),
                ha="left" if at_left else "right",
                va="center_baseline",
                color=self.scene.colours.muted,
                zorder=3,
            )
        )

    def _bars(self, side: Side, readings: Float, several: bool) -> None:
        """Draw a bar behind each label, or a thin one a head below it."""
        colours, heads = self.scene.colours, self.scene.heads
        plain = colours.read if side == "key" else colours.reader
        high = 0.3 / len(readings) if several else 0.72
        start, way = (self.right + 2, 1) if side == "key" else (self.left - 2, -1)
        for place, line in enumerate(readings):
            shares = np.minimum(1, np.abs(line) / self.scene.attention.scale)
            top = 0.14 + place * high if several else -high / 2
            bars = [
                Rectangle((start, index + top), way * self.label * share, high)
                for index, share in enumerate(shares.tolist())
            ]
            self.ax.add_collection(
                PatchCollection(
                    bars,
                    facecolors=colours.head(heads[place]) if several else plain,
                    alpha=0.9 if several else 0.3,
                    linewidths=0,
                    zorder=0.5,
                ),
                autolim=False,
            )

    def _inks(self, heads: Indices, alpha: Float, plain: Rgb) -> Float:
        chosen, colours = self.scene.heads, self.scene.colours
        by_head = [colours.head(head) if len(chosen) > 1 else plain for head in chosen]
        inks: Float = to_rgba_array(by_head).astype(np.float32)[heads]
        inks[:, 3] = np.minimum(1, alpha)
        return inks


def _widest(tokens: Tokens, size: float) -> float:
    return max(width_of(shown(tokens, index), size) for index in range(len(tokens)))


def _curves(queries: Indices, keys: Indices, left: float, right: float) -> list[Path]:
    """Return curves that rise as 3 t² - 2 t³, which these Bézier points are exactly."""
    xs = np.linspace(left, right, 4)
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    return [
        Path(np.column_stack([xs, (query, query, key, key)]), codes)
        for query, key in zip(queries.tolist(), keys.tolist(), strict=True)
    ]

"""The matrix view: a cell per weight, rows read, columns are read."""

from __future__ import annotations

from math import ceil, cos, pi, sin
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..attention.base import Float
from ..tracing import Tokens
from .caption import heads_text, pooled_text, selected_text
from .colours import Rgb
from .layout import Room, bare, marks, moved
from .scene import Scene
from .shades import colour_map, colour_norm, size_in_pixels, size_in_points
from .signs import shown
from .words import TokenText, fitted, width_of

# Cells a side; more would be less than a pixel of a figure that fits a page.
MOST_CELLS = 512

# In points. A cell that is lower than the first has no room for a line of text.
_LABELLED_CELL = 5.5
_FRAMED_CELL = 4.5
_LARGEST_CELL = 20.0
_SHORTEST_SIDE = 72.0
_LONGEST_SIDE = 400.0
_LARGEST_TEXT = 9.0
_NUMBER_SIZE = 7.0
_LABEL_ROOM = 76.0
_GAP = 4.0
_TITLE_ROOM = 18.0
_LEAN = 60


def matrix_room(scene: Scene) -> Room:
    """Return how large the view is by itself."""
    attention = scene.attention
    cell = min(_LARGEST_CELL, _LONGEST_SIDE / max(attention.n_queries, attention.n_keys))
    width = max(_SHORTEST_SIDE, cell * attention.n_keys)
    height = max(_SHORTEST_SIDE, cell * attention.n_queries)
    size = _text_size(scene, width, height)
    left = _widest(scene.queries, size) if size else width_of("00000", _NUMBER_SIZE)
    return Room(
        width,
        height,
        left=left + 2 * _GAP,
        right=max(_GAP * 3, _widest(scene.keys, size) * cos(_LEAN * pi / 180)),
        top=_above(scene, size) + _TITLE_ROOM,
    )


def draw_matrix(ax: Axes, scene: Scene) -> list[str]:
    """Draw the chosen heads, the mean of several; return what was done to them."""
    attention = scene.attention
    n_queries, n_keys = attention.n_queries, attention.n_keys
    wide, high = size_in_pixels(ax)
    factor = max(ceil(n_queries / _most_cells(high)), ceil(n_keys / _most_cells(wide)))
    heads = [scene.pooled(scene.layer, head, factor) for head in scene.heads]
    cells: Float = np.mean(heads, axis=0, dtype=np.float32)
    bare(ax, scene.colours, framed=True)
    ax.imshow(
        cells,
        cmap=colour_map(scene.ink),
        norm=colour_norm(scene.ink),
        interpolation="nearest",
        extent=(-0.5, cells.shape[1] * factor - 0.5, cells.shape[0] * factor - 0.5, -0.5),
        aspect=_aspect(scene),
    )
    ax.set(xlim=(-0.5, n_keys - 0.5), ylim=(n_queries - 0.5, -0.5))
    ax.apply_aspect()
    _draw_labels(ax, scene)
    _draw_cross(ax, scene)
    remarks = pooled_text(scene, factor, f"{factor} × {factor} tokens")
    if len(scene.heads) > 1:
        remarks.append(f"mean over {len(scene.heads)} heads")
    if selected := selected_text(scene):
        remarks.append(f"framed: {selected}")
    return remarks


def _most_cells(pixels: float) -> int:
    return max(1, min(MOST_CELLS, int(pixels)))


def _aspect(scene: Scene) -> Literal["equal", "auto"]:
    """Cells are squares, unless that would make a thread of the matrix."""
    sides = scene.attention.n_queries, scene.attention.n_keys
    return "equal" if max(sides) <= 4 * min(sides) else "auto"


def _text_size(scene: Scene, width: float, height: float) -> float:
    """Return the size of labels; 0 where there is no room for them."""
    cell = min(width / scene.attention.n_keys, height / scene.attention.n_queries)
    return min(_LARGEST_TEXT, 0.85 * cell) if cell >= _LABELLED_CELL else 0


def _widest(tokens: Tokens, size: float) -> float:
    if not size:
        return 0
    return min(_LABEL_ROOM, max(width_of(shown(tokens, i), size) for i in range(len(tokens))))


def _above(scene: Scene, size: float) -> float:
    """Return how far the labels of the keys reach above the cells."""
    slanted = _widest(scene.keys, size) * sin(_LEAN * pi / 180) + size / 2
    return (slanted if size else _NUMBER_SIZE) + 2 * _GAP


def _draw_labels(ax: Axes, scene: Scene) -> None:
    """Say which token each row and column is; where there is no room, at which positions."""
    width, height = size_in_points(ax)
    size = _text_size(scene, width, height)
    title = f"query ↓ reads key →   {heads_text(scene)}"
    muted = scene.colours.muted
    ax.add_artist(
        TokenText(
            0, 1, title, 8, color=muted, transform=moved(ax, ax.transAxes, 0, _above(scene, size))
        )
    )
    for row in range(len(scene.queries)) if size else marks(len(scene.queries), height, 20):
        text = _label(scene.queries, row, size)
        text.set(x=0, y=row, ha="right", va="center_baseline")
        text.set_transform(moved(ax, ax.get_yaxis_transform(), -_GAP, 0))
        _ink(text, scene, scene.colours.reader, row == scene.query)
        ax.add_artist(text)
    for column in range(len(scene.keys)) if size else marks(len(scene.keys), width, 32):
        text = _label(scene.keys, column, size)
        text.set(
            x=column, y=1, ha="left" if size else "center", va="center" if size else "baseline"
        )
        text.set(rotation=_LEAN if size else 0)
        text.set_transform(moved(ax, ax.get_xaxis_transform(), 0, _GAP))
        _ink(text, scene, scene.colours.read, column == scene.key)
        ax.add_artist(text)


def _label(tokens: Tokens, index: int, size: float) -> TokenText:
    if size:
        return TokenText(0, 0, fitted(shown(tokens, index), size, _LABEL_ROOM), size)
    return TokenText(0, 0, str(index), _NUMBER_SIZE)


def _ink(text: TokenText, scene: Scene, colour: Rgb, strong: bool) -> None:
    colours = scene.colours
    text.set(color=colour if strong else colours.ink, alpha=1 if strong else 0.75)
    text.set(weight="bold" if strong else "normal")


def _draw_cross(ax: Axes, scene: Scene) -> None:
    """Frame the row that reads and the column that is read; thin ones by a line."""
    n_queries, n_keys = scene.attention.n_queries, scene.attention.n_keys
    width, height = size_in_points(ax)
    frame: dict[str, Any] = {"fill": False, "linewidth": 1.1, "clip_on": False, "zorder": 3}
    if scene.query is not None:
        thick = 1 if height >= _FRAMED_CELL * n_queries else 0
        corner = -0.5, scene.query - thick / 2
        ax.add_patch(Rectangle(corner, n_keys, thick, edgecolor=scene.colours.reader, **frame))
    if scene.key is not None:
        thick = 1 if width >= _FRAMED_CELL * n_keys else 0
        corner = scene.key - thick / 2, -0.5
        ax.add_patch(Rectangle(corner, thick, n_queries, edgecolor=scene.colours.read, **frame))

"""The model view: every head of every layer at once."""

from __future__ import annotations

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..attention.base import Float
from .caption import pooled_text, readers_text, reads_text
from .layout import Room, bare, marks
from .scene import Scene
from .shades import colour_map, colour_norm, size_in_pixels, size_in_points
from .words import TokenText

# Cells a side of one head.
MOST_CELLS = 64
# More weights than that take minutes: heads are pooled from a sample of their queries.
EXACT_UP_TO = 2**31

# In points.
_WIDTH = 440.0
_TALLEST = 600.0
_LARGEST = 60.0
_NUMBER_SIZE = 7.5
_GAP = 5.0
_TITLE_ROOM = 16.0


def model_room(scene: Scene) -> Room:
    """Return how large the view is by itself."""
    across = min(_LARGEST, _WIDTH / scene.attention.n_heads)
    down = min(across, _TALLEST / scene.attention.n_layers)
    return Room(
        across * scene.attention.n_heads,
        down * scene.attention.n_layers,
        left=22,
        right=10,
        top=_TITLE_ROOM + 2 * _NUMBER_SIZE,
    )


def draw_model(ax: Axes, scene: Scene) -> list[str]:
    """Draw every head, or the selected token's row (else column) of each; return what was done."""
    attention, colours = scene.attention, scene.colours
    n_layers, n_heads = attention.n_layers, attention.n_heads
    wide, high = size_in_pixels(ax)
    most = max(1, int(min(MOST_CELLS, wide / n_heads, high / n_layers)))
    rows, remarks = _thumbnails(scene, most)
    bare(ax, colours, framed=False)
    ax.set(xlim=(0, n_heads), ylim=(n_layers, 0))
    # A gap is a cell without a weight, so that no weight is covered by it.
    gap = 0.04 if most >= 12 else 0.1
    padded = np.pad(rows, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    layers, heads, tall, long = padded.shape
    image = padded.transpose(0, 2, 1, 3).reshape(layers * tall, heads * long)
    ax.pcolorfast(
        _edges(heads, long, gap),
        _edges(layers, tall, gap),
        image,
        cmap=colour_map(scene.ink),
        norm=colour_norm(scene.ink),
    )
    ax.set(xlim=(0, n_heads), ylim=(n_layers, 0))
    _draw_numbers(ax, scene)
    for head in scene.heads:
        ax.add_patch(
            Rectangle(
                (head - gap / 2, scene.layer - gap / 2),
                1,
                1,
                fill=False,
                edgecolor=colours.reader,
                linewidth=1.4,
                clip_on=False,
                zorder=3,
            )
        )
    return remarks


def _thumbnails(scene: Scene, most: int) -> tuple[Float, list[str]]:
    """Return all heads pooled, shape (layers, heads, rows, columns), and remarks."""
    attention = scene.attention
    n_layers, n_heads = attention.n_layers, attention.n_heads
    if selected := reads_text(scene) or readers_text(scene):
        length = attention.n_keys if scene.query is not None else attention.n_queries
        factor = ceil(length / most)
        strips = np.stack([scene.strips(layer, factor) for layer in range(n_layers)])
        pooled = pooled_text(scene, factor, f"{factor} tokens")
        return strips[:, :, None], [selected, *pooled]
    factor = ceil(max(attention.n_queries, attention.n_keys) / most)
    weights = n_layers * n_heads * attention.n_queries * attention.n_keys
    of_head = scene.pooled if weights <= EXACT_UP_TO else scene.sampled
    heads = np.stack(
        [[of_head(layer, head, factor) for head in range(n_heads)] for layer in range(n_layers)]
    )
    remarks = pooled_text(scene, factor, f"{factor} × {factor} tokens")
    if weights > EXACT_UP_TO:
        remarks.append("previews, from a sample of the queries")
    return heads, remarks


def _edges(count: int, cells: int, gap: float) -> Float:
    """Return where cells begin: those of a thumbnail share its room, the last is the gap."""
    within = np.append(np.linspace(0, 1 - gap, cells)[:-1], 1 - gap)
    edges: Float = (np.arange(count)[:, None] + within).ravel()
    return np.append(edges, count)


def _draw_numbers(ax: Axes, scene: Scene) -> None:
    """Number heads and layers, these by the model's own numbers."""
    width, height = size_in_points(ax)
    attention, muted = scene.attention, scene.colours.muted
    down, along = 1 / height * attention.n_layers, 1 / width * attention.n_heads
    for head in marks(attention.n_heads, width, 14):
        number = TokenText(head + 0.5, -_GAP * down, str(head), _NUMBER_SIZE, color=muted)
        number.set(ha="center")
        ax.add_artist(number)
    for layer in marks(attention.n_layers, height, 9):
        name = str(attention.layer_numbers[layer])
        number = TokenText(-_GAP * along, layer + 0.5, name, _NUMBER_SIZE, color=muted)
        number.set(ha="right", va="center_baseline")
        ax.add_artist(number)
    title = TokenText(0, -(2 * _GAP + _NUMBER_SIZE) * down, "layers ↓ heads →", 8, color=muted)
    ax.add_artist(title)

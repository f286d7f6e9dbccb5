"""Weights as matplotlib colours, and the scale that says which is which."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, ListedColormap, Normalize, PowerNorm

from ..attention import Attention
from ..attention.base import Float
from .colours import Floats, Palette
from .words import TokenText

# Of the colour scale, in points.
BAR_WIDTH = 108
BAR_HEIGHT = 7
SCALE_HEIGHT = 17
_NUMBER_SIZE = 6.5


def colour_map(colours: Palette, signed: bool) -> Colormap:
    """Return the widget's ramp as a colour map; with signed weights, from the cold one to it."""
    if not signed:
        return ListedColormap(colours.ramp / 255, name="attention")
    both = np.concatenate([colours.cold_ramp[:0:-1], colours.ramp])
    return ListedColormap(both / 255, name="signed attention")


def colour_norm(attention: Attention) -> Normalize:
    """Return the widget's scale: the root of a weight's share of the largest that can be."""
    if not attention.signed:
        return PowerNorm(0.5, 0, attention.scale, clip=True)
    scale = attention.scale
    return FuncNorm((_signed_root, _signed_square), -scale, scale, clip=True)


def draw_scale(ax: Axes, colours: Palette, attention: Attention, x: float, y: float) -> None:
    """Draw the colour scale with its numbers, its upper left corner at a point of the axes.

    `x` and `y` are in points from the lower left corner of `ax`.
    """
    width, height = size_in_points(ax)
    bar = ax.inset_axes(
        (x / width, (y - BAR_HEIGHT) / height, BAR_WIDTH / width, BAR_HEIGHT / height)
    )
    low = -1.0 if attention.signed else 0.0
    roots = np.linspace(low, 1, 256)
    weights: Float = (_signed_square(roots) * attention.scale).astype(np.float32)
    bar.imshow(
        colours.shades(weights, attention.scale)[None],
        aspect="auto",
        extent=(low, 1, 0, 1),
        interpolation="nearest",
    )
    bar.set(xticks=[], yticks=[], facecolor=colours.ground)
    bar.spines[:].set(color=colours.line, linewidth=0.5)
    for share in (-1, -0.1, 0, 0.1, 1) if attention.signed else (0, 0.01, 0.1, 0.5, 1):
        number = f"{share * attention.scale:.2g}".replace("0.", ".")
        where = float(_signed_root(np.array(share, float)))
        bar.add_artist(
            TokenText(where, -0.4, number, _NUMBER_SIZE, color=colours.muted, ha="center", va="top")
        )


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return how large the axes are."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    return box.width / dpi * 72, box.height / dpi * 72


def size_in_pixels(ax: Axes) -> tuple[float, float]:
    """Return how many pixels the axes have."""
    box = ax.get_window_extent()
    return box.width, box.height


def _signed_root(values: Floats) -> Floats:
    roots: Floats = np.sign(values) * np.sqrt(np.abs(values))
    return roots


def _signed_square(values: Floats) -> Floats:
    squares: Floats = np.sign(values) * values**2
    return squares

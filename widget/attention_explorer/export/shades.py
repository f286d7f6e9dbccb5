"""Weights as matplotlib colours, and the scale that says which is which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, FuncNorm, ListedColormap, Normalize

from ..protocol import ColourScale
from .colours import Floats, Ink
from .words import TokenText

# Of the colour scale, in points.
BAR_WIDTH = 108
BAR_HEIGHT = 7
SCALE_HEIGHT = 17
_NUMBER_SIZE = 6.5
# Shares of the largest weight.
_NUMBERED: dict[ColourScale, tuple[float, ...]] = {
    "linear": (0, 0.25, 0.5, 0.75, 1),
    "sqrt": (0, 0.01, 0.1, 0.5, 1),
    "log": (0, 0.001, 0.01, 0.1, 1),
}


def colour_map(ink: Ink) -> Colormap:
    """Return the widget's ramp as a colour map; with signed weights, from the cold one to it."""
    colours = ink.colours
    if not ink.signed:
        return ListedColormap(colours.ramp / 255, name="attention")
    both = np.concatenate([colours.cold_ramp[:0:-1], colours.ramp])
    return ListedColormap(both / 255, name="signed attention")


def colour_norm(ink: Ink) -> Normalize:
    """Return the widget's scale."""

    def signed(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
        return lambda values: np.copysign(function(np.abs(values)), values)

    low = -ink.largest if ink.signed else 0
    return FuncNorm((signed(ink.at), signed(ink.weights_at)), low, ink.largest, clip=True)


def draw_scale(ax: Axes, ink: Ink, x: float, y: float) -> None:
    """Draw the colour scale with its numbers, its upper left corner at a point of the axes.

    `x` and `y` are in points from the lower left corner of `ax`.
    """
    width, height = size_in_points(ax)
    box = x / width, (y - BAR_HEIGHT) / height, BAR_WIDTH / width, BAR_HEIGHT / height
    bar = ax.inset_axes(box)
    low = -1 if ink.signed else 0
    places = np.linspace(low, 1, 256)
    bar.imshow(
        ink.shades(np.copysign(ink.weights_at(np.abs(places)), places))[None],
        aspect="auto",
        extent=(low, 1, 0, 1),
        interpolation="nearest",
    )
    bar.set(xticks=[], yticks=[], facecolor=ink.colours.ground)
    bar.spines[:].set(color=ink.colours.line, linewidth=0.5)
    shares = _NUMBERED[ink.curve]
    for share in (*(-share for share in shares[:0:-2]), *shares[:: 2 if ink.signed else 1]):
        if share < low:
            continue
        weight = share * ink.largest
        number = f"{weight:.2g}".replace("0.", ".").replace("e-0", "e-")
        place = float(np.copysign(ink.at(weight), weight))
        text = TokenText(place, -0.4, number, _NUMBER_SIZE, color=ink.colours.muted)
        text.set(ha="center", va="top")
        bar.add_artist(text)


def size_in_points(ax: Axes) -> tuple[float, float]:
    """Return how large the axes are."""
    box = ax.get_window_extent()
    dpi = ax.get_figure(root=True).dpi  # type: ignore[union-attr]
    return box.width / dpi * 72, box.height / dpi * 72


def size_in_pixels(ax: Axes) -> tuple[float, float]:
    """Return how many pixels the axes have."""
    box = ax.get_window_extent()
    return box.width, box.height

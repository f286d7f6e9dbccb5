"""Room for a view on a figure, and axes that carry nothing yet."""

from __future__ import annotations

from typing import NamedTuple, cast

from matplotlib.axes import Axes
from matplotlib.transforms import Affine2D, Affine2DBase, ScaledTranslation, Transform

from .colours import Palette

_STEPS = (1, 2, 5)


class Room(NamedTuple):
    """How large a view is by itself, and what it needs around it, in points."""

    width: float
    height: float
    left: float = 6
    right: float = 6
    top: float = 6
    bottom: float = 6


def bare(ax: Axes, colours: Palette, framed: bool) -> None:
    """Take away ticks and, unless `framed`, the frame; give the axes the theme's ground."""
    ax.set(xticks=[], yticks=[], facecolor=colours.ground)
    ax.spines[:].set(visible=framed, color=colours.line, linewidth=0.75)


def marks(count: int, length: float, room: float) -> range:
    """Return the round positions of `count` that have `room` each along a `length`."""
    unit = 1
    while True:
        for step in _STEPS:
            if unit * step * length >= room * count:
                return range(0, count, unit * step)
        unit *= 10


def moved(ax: Axes, transform: Transform, right: float, up: float) -> Transform:
    """Return a transform whose results are moved by some points."""
    return transform + ScaledTranslation(right / 72, up / 72, _inches(ax))


def from_corner(ax: Axes, unit: float) -> Transform:
    """Return the way from units of some points, counted down from the upper left corner.

    What is placed so keeps its proportions whatever a layout makes of the axes later.
    """
    down = Affine2D().scale(unit / 72, -unit / 72)
    # matplotlib's types don't know that it is affine.
    across = cast(Affine2DBase, ax.transAxes)
    return down + _inches(ax) + ScaledTranslation(0, 1, across)


def _inches(ax: Axes) -> Affine2DBase:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure.dpi_scale_trans

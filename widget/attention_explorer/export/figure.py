"""The views as matplotlib figures, for papers: the widget's look, the explorer's state."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from ..protocol import ViewName
from .needed import need

need("matplotlib", "plot")

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from .caption import caption_of  # noqa: E402
from .heads import draw_heads, heads_room  # noqa: E402
from .layout import Room  # noqa: E402
from .matrix import draw_matrix, matrix_room  # noqa: E402
from .model import draw_model, model_room  # noqa: E402
from .scene import Scene, scene_of  # noqa: E402
from .shades import BAR_WIDTH, SCALE_HEIGHT, draw_scale, size_in_points  # noqa: E402
from .text import draw_text, text_room  # noqa: E402
from .words import TokenText, wrapped  # noqa: E402

if TYPE_CHECKING:
    from ..exported import ExportedView

# Dots an inch, for print; a notebook shows it at half of that, sharp on dense screens.
_DPI = 200

# In points.
_CAPTION_SIZE = 7.5
_LINE = 10.0
_EDGE = 6.0
_GAP = 8.0


class ViewFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot, which would keep it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        png = BytesIO()
        self.savefig(png, format="png")
        return png.getvalue(), {"width": round(self.bbox.width / 2)}


class _View(NamedTuple):
    room: Callable[[Scene], Room]
    draw: Callable[[Axes, Scene], list[str]]
    has_scale: bool = True
    every_head: bool = False


_VIEWS: dict[ViewName, _View] = {
    "text": _View(text_room, draw_text),
    "heads": _View(heads_room, draw_heads, has_scale=False),
    "matrix": _View(matrix_room, draw_matrix),
    "model": _View(model_room, draw_model, every_head=True),
}


def plot(
    explorer: ExportedView, view: ViewName | None = None, ax: Axes | None = None
) -> Figure | Axes:
    """Draw one of the explorer's views as it is now: kind, layer, heads, selected token, theme.

    Below it stands what it is of, and what was pooled or left out. Tokens are drawn as they are,
    also where they look like TeX; a sign that no installed font has is a box (Noto Sans CJK and
    Noto Emoji are used where they are installed).

    Parameters
    ----------
    explorer : AttentionExplorer
        What is shown; the theme ``"auto"`` is light.
    view : {"text", "heads", "matrix", "model"}, optional
        By default the first of the explorer's views that is one of them and not the text, else the
        text.
    ax : Axes, optional
        Where to draw. pyplot isn't touched.

    Returns
    -------
    Figure or Axes
        `ax`, if it was given. Otherwise a figure of its own, as large as the view needs: a notebook
        shows it where it is the last line of a cell, ``.savefig("it.pdf")`` writes it.

    Raises
    ------
    ValueError
        There is no such view.
    ModuleNotFoundError
        matplotlib isn't installed.
    """
    if ax is None:
        return figure_of(explorer, view)
    chosen, scene = _chosen(explorer, view), scene_of(explorer)
    remarks = chosen.draw(ax, scene)
    _write_below(ax, chosen, scene, remarks, 0)
    return ax


def figure_of(explorer: ExportedView, view: ViewName | None) -> Figure:
    """Draw a view as a figure of its own; see `plot`."""
    return _own_figure(_chosen(explorer, view), scene_of(explorer))


def _chosen(explorer: ExportedView, view: ViewName | None) -> _View:
    if view is None:
        view = next((name for name in explorer.view if name != "text" and name in _VIEWS), "text")
    if view not in _VIEWS:
        names = ", ".join(map(repr, _VIEWS))
        instead = "save it by ⤓ in the widget, or " if view in explorer._views else ""
        raise ValueError(
            f"there is no figure of a view {view!r}: {instead}use one of {names}, e.g. "
            "view='matrix'"
        )
    return _VIEWS[view]


def _own_figure(view: _View, scene: Scene) -> Figure:
    room = view.room(scene)
    inner = _EDGE + room.left + room.width + room.right + _EDGE
    width, above = inner / 72, (room.top + room.height + _EDGE) / 72
    figure = ViewFigure(figsize=(width, above), dpi=_DPI, facecolor=scene.colours.ground)
    left, breadth = (_EDGE + room.left) / inner, room.width / inner
    ax = figure.add_axes((left, 0, breadth, room.height / 72 / above))
    remarks = view.draw(ax, scene)
    below = (_write_below(ax, view, scene, remarks, room.left, room.right) + _EDGE) / 72
    height = above + below
    figure.set_size_inches(width, height)
    ax.set_position((left, below / height, breadth, room.height / 72 / height))
    return figure


def _write_below(
    ax: Axes, view: _View, scene: Scene, remarks: list[str], left: float = 0, right: float = 0
) -> float:
    """Write the caption, beside it the colour scale; return how far down they reach in points."""
    width, height = size_in_points(ax)
    # Narrow axes have the scale in a line of its own, below.
    beside = view.has_scale and left + width >= 2.5 * BAR_WIDTH
    room = left + width - BAR_WIDTH - 2 * _GAP if beside else left + width + right
    caption = wrapped(caption_of(scene, remarks, view.every_head), _CAPTION_SIZE, room)
    ax.add_artist(
        TokenText(
            -left / width,
            -_GAP / height,
            caption,
            _CAPTION_SIZE,
            color=scene.colours.muted,
            va="top",
            linespacing=_LINE / _CAPTION_SIZE / 1.2,
            transform=ax.transAxes,
        )
    )
    lines = _GAP + _LINE * (caption.count("\n") + 1)
    if not view.has_scale:
        return lines
    top = _GAP + 1 if beside else lines + _GAP
    draw_scale(ax, scene.ink, width - BAR_WIDTH - 2, -top)
    return max(lines, top + SCALE_HEIGHT)

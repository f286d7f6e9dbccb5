"""An atlas as a picture: heads as points, coloured by what they are named for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..analysis.labels import NAMES
from ..export.figure import ViewFigure
from .naming import heads_by_label
from .table import about

if TYPE_CHECKING:
    from .atlas import HeadAtlas

# Okabe and Ito 2008: told apart with any colour vision. What nothing names is quiet.
_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#000000",
    "#7F3C8D",
    "#A5AA99",
)
_QUIET = "#C4C4C4"
_MARKERS = "os^DvP<X>p"
_SIZE = (6.4, 4.6)


def draw(
    atlas: HeadAtlas, method: Literal["mds", "umap"] | tuple[str, str], ax: Axes | None
) -> Figure | Axes:
    """Draw the heads; see `HeadAtlas.plot`."""
    points = atlas.positions(method)
    figure = None
    if ax is None:
        figure = ViewFigure(figsize=_SIZE, layout="constrained", dpi=200)
        ax = figure.add_subplot()
    of_label = heads_by_label(atlas.labels)
    names = list(NAMES.values())
    for name in sorted(of_label, key=lambda name: names.index(name) if name else -1):
        number = names.index(name) if name else 0
        x, y = points[tuple(zip(*of_label[name], strict=True))].T
        ax.scatter(
            x,
            y,
            s=26 if name else 14,
            color=_COLOURS[number % len(_COLOURS)] if name else _QUIET,
            marker=_MARKERS[number % len(_MARKERS)] if name else "o",
            linewidths=0,
            label=f"{name or 'no name'} ({len(of_label[name])})",
        )
    if isinstance(method, tuple):
        ax.set_xlabel(method[0])
        ax.set_ylabel(method[1])
    else:
        ax.set_xlabel(f"{method.upper()} of head distances")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_aspect("equal", "datalim")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    said = about(atlas._contents)
    ax.set_title(
        f"{said['model']}: {points.shape[0]} x {points.shape[1]} heads, means over "
        f"{said['texts']:,} texts",
        fontsize=9,
        loc="left",
    )
    return ax if figure is None else figure

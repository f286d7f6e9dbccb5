"""A view as a picture in a file or in memory, drawn by matplotlib."""

from __future__ import annotations

from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..protocol import ViewName
from .files import file_named
from .needed import need

if TYPE_CHECKING:
    from ..exported import ExportedView


def to_png(
    explorer: ExportedView,
    path: str | PathLike[str] | None = None,
    *,
    view: ViewName | None = None,
    dpi: float = 200,
) -> bytes | None:
    """Save a view as it is now as PNG.

    Parameters
    ----------
    explorer : AttentionExplorer
        What is shown.
    path : path, optional
        A file that ends in ``.png``, which is written; without one the PNG is returned.
    view : {"text", "heads", "matrix", "model"}, optional
        As `export.figure.plot` takes it.
    dpi : float
        Dots an inch; views are about 6 inches wide.

    Returns
    -------
    bytes or None
        The PNG, where there is no path.

    Raises
    ------
    ValueError
        There is no picture of such a view; a path of another suffix; no dots.
    FileNotFoundError
        The path's folder isn't there.
    ModuleNotFoundError
        matplotlib isn't installed.
    """
    need("matplotlib", "to_png")
    file = None if path is None else file_named(path, ".png", "to_png")
    if not dpi > 0:
        raise ValueError(f"dpi={dpi!r}: expected a number of dots an inch above 0, e.g. 200")
    png = _drawn(explorer, view, "png", dpi=dpi)
    if file is None:
        return png
    file.write_bytes(png)
    return None


def to_svg(
    explorer: ExportedView,
    path: str | PathLike[str] | None = None,
    *,
    view: ViewName | None = None,
) -> str | None:
    """Save a view as it is now as SVG, whose text stays text.

    Parameters
    ----------
    explorer : AttentionExplorer
        What is shown.
    path : path, optional
        A file that ends in ``.svg``, which is written; without one the SVG is returned.
    view : {"text", "heads", "matrix", "model"}, optional
        As `export.figure.plot` takes it.

    Returns
    -------
    str or None
        The SVG, where there is no path.

    Raises
    ------
    ValueError
        There is no picture of such a view; a path of another suffix.
    FileNotFoundError
        The path's folder isn't there.
    ModuleNotFoundError
        matplotlib isn't installed.
    """
    need("matplotlib", "to_svg")
    file = None if path is None else file_named(path, ".svg", "to_svg")
    from matplotlib import rc_context

    # The same view is the same file: matplotlib names clips at random and writes the time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "attention-explorer"}):
        svg = _drawn(explorer, view, "svg", metadata={"Date": None, "Creator": None})
    if file is None:
        return svg.decode()
    file.write_bytes(svg)
    return None


def _drawn(explorer: ExportedView, view: ViewName | None, form: str, **options: Any) -> bytes:
    from .figure import figure_of

    file = BytesIO()
    figure_of(explorer, view).savefig(file, format=form, **options)
    return file.getvalue()

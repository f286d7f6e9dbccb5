"""A picture of an explorer for pages that show no widgets: small, had at once, of no library."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..attention.base import Float
from ..tracing import Tokens
from .caption import caption_of, readers_text, reads_text
from .scene import Scene, scene_of
from .signs import short
from .still_heads import WIDTH, Drawn, draw_heads
from .still_matrix import CELLS_READ, cost_of_row, draw_matrix, overview_of
from .svg import cut, element, hexed, wrapped, written

if TYPE_CHECKING:
    from ..exported import ExportedView

# Up to so many tokens a side, each has a line of its own.
_MOST_TOKENS = 40
_LINES = (600, 240, 120, 60, 30)
_CELLS = (128, 64)

_LINE = 16
_COLUMNS = 70
_MOST_LINES = 4
_READ_NAMED = 4
_LIVE = "live in a notebook: attention-explorer"


def still_of(explorer: ExportedView, room: int) -> str:
    """Return a picture of what is shown now as HTML of at most `room` bytes, "" where none can be.

    Short texts as the head view, long ones as a matrix; of what takes long to read a sample, or
    nothing. An image, as pages that take markup away leave one; its theme is the explorer's, and
    ``"auto"`` is light, as the page that shows it may be either.
    """
    scene = scene_of(explorer)
    for drawn in _candidates(scene):
        lines = _caption(scene, explorer._said_beside(), drawn.remarks)
        html = _image(_card(scene, drawn, lines), lines)
        if len(html.encode()) <= room:
            return html
    return ""


def _candidates(scene: Scene) -> Iterator[Drawn]:
    """Yield what may be shown, the best first."""
    attention = scene.attention
    is_short = max(attention.n_queries, attention.n_keys) <= _MOST_TOKENS
    if is_short and cost_of_row(scene) * attention.n_queries <= CELLS_READ:
        for most in _LINES:
            yield draw_heads(scene, most)
    for most in _CELLS:
        overview = overview_of(scene, most)
        if overview is None:
            return
        yield draw_matrix(scene, overview)


def _caption(scene: Scene, beside: list[str], remarks: list[str]) -> list[str]:
    """Return the lines below: what it is of, what the selected token reads, where it is live."""
    # A point stays with what is before it.
    of = caption_of(scene, remarks, every_head=False).replace(" · ", "\u00a0· ")
    lines = [*beside, *filter(None, [_selected(scene)]), *wrapped(of, _COLUMNS)]
    if len(lines) >= _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 2], f"{lines[_MOST_LINES - 2]} …"]
    return [cut(line, _COLUMNS) for line in [*lines, _LIVE]]


def _selected(scene: Scene) -> str:
    """Say what the selected token reads most, or what reads it; nothing where that takes long."""
    affordable = CELLS_READ // cost_of_row(scene)
    if scene.query is not None and affordable:
        return f"{reads_text(scene)}: {_most(scene.reads, scene.keys)}"
    if scene.key is not None and affordable >= scene.attention.n_queries:
        return f"{readers_text(scene)}: {_most(scene.readers, scene.queries)}"
    return ""


def _most(weights: Float | None, tokens: Tokens) -> str:
    """Name the largest of some weights, shape (heads, tokens)."""
    assert weights is not None
    mean: Float = weights.mean(0)
    most = np.argsort(-np.abs(mean), kind="stable")[:_READ_NAMED].tolist()
    return ", ".join(f"{short(tokens, i, 12)} {_number(float(mean[i]))}" for i in most)


def _number(weight: float) -> str:
    return f"{weight:.2f}" if abs(weight) >= 0.01 else f"{weight:.1g}"


def _card(scene: Scene, drawn: Drawn, lines: list[str]) -> str:
    """Return a picture with its caption, on a ground of its own."""
    colours = scene.colours
    height = round(drawn.height + 12 + _LINE * len(lines) + 6)
    frame = {"x": 0.5, "y": 0.5, "width": WIDTH - 1, "height": height - 1, "rx": 6}
    ground = element("rect", **frame, fill=hexed(colours.ground), stroke=hexed(colours.line))
    caption = [
        element("text", written(line), x=14, y=round(drawn.height + 24 + _LINE * place))
        for place, line in enumerate(lines)
    ]
    return element(
        "svg",
        ground,
        drawn.svg,
        element("g", *caption, fill=hexed(colours.muted), font_size=11),
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=height,
        font_family="system-ui,sans-serif",
        font_size=12,
    )


def _image(svg: str, lines: list[str]) -> str:
    alt = escape(cut(" · ".join(lines), 2 * _COLUMNS))
    data = b64encode(svg.encode("utf-8", "replace")).decode()
    return f"<img width='{WIDTH}' alt='{alt}' src='data:image/svg+xml;base64,{data}'>"

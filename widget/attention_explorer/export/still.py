"""A picture of an explorer for pages that show no widgets: small, had at once, of no library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..attention.base import Float
from ..tracing import Tokens
from .caption import caption_of, readers_text, reads_text
from .scene import Scene, scene_of
from .signs import short
from .still_card import COLUMNS, LIVE, card_image
from .still_heads import Drawn, draw_heads
from .still_matrix import CELLS_READ, cost_of_row, draw_matrix, overview_of
from .svg import cut, wrapped

if TYPE_CHECKING:
    from ..exported import ExportedView

# Up to so many tokens a side, each has a line of its own.
_MOST_TOKENS = 40
_LINES = (600, 240, 120, 60, 30)
_CELLS = (128, 64)

_MOST_LINES = 4
_READ_NAMED = 4


def still_of(explorer: ExportedView, room: int) -> str:
    """Return a picture of what is shown now as HTML of at most `room` bytes, "" where none can be.

    Short texts as the head view, long ones as a matrix; of what takes long to read a sample, or
    nothing. An image, as pages that take markup away leave one; its theme is the explorer's, and
    ``"auto"`` is light, as the page that shows it may be either.
    """
    scene = scene_of(explorer)
    for drawn in _candidates(scene):
        lines = _caption(scene, explorer._said_beside(), drawn.remarks)
        html = card_image(drawn.svg, drawn.height, lines, scene.colours)
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
    lines = [*beside, *filter(None, [_selected(scene)]), *wrapped(of, COLUMNS)]
    if len(lines) >= _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 2], f"{lines[_MOST_LINES - 2]} …"]
    return [cut(line, COLUMNS) for line in [*lines, LIVE]]


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

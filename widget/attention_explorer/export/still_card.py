"""A still's frame: a picture with its caption, on a ground of its own, as an image."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from .colours import Palette
from .still_heads import WIDTH
from .svg import cut, element, hexed, written

# Letters of a line of the caption.
COLUMNS = 70
LIVE = "live in a notebook: attention-explorer"

_LINE = 16


def card_image(svg: str, height: float, lines: Sequence[str], colours: Palette) -> str:
    """Return a picture of some height, `still_heads.WIDTH` wide, and lines below it as HTML."""
    whole = round(height + 12 + _LINE * len(lines) + 6)
    frame = {"x": 0.5, "y": 0.5, "width": WIDTH - 1, "height": whole - 1, "rx": 6}
    ground = element("rect", **frame, fill=hexed(colours.ground), stroke=hexed(colours.line))
    caption = [
        element("text", written(line), x=14, y=round(height + 24 + _LINE * place))
        for place, line in enumerate(lines)
    ]
    card = element(
        "svg",
        ground,
        svg,
        element("g", *caption, fill=hexed(colours.muted), font_size=11),
        xmlns="http://www.w3.org/2000/svg",
        width=WIDTH,
        height=whole,
        font_family="system-ui,sans-serif",
        font_size=12,
    )
    alt = escape(cut(" · ".join(lines), 2 * COLUMNS))
    data = b64encode(card.encode("utf-8", "replace")).decode()
    return f"<img width='{WIDTH}' alt='{alt}' src='data:image/svg+xml;base64,{data}'>"

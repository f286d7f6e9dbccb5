"""A head's matrix as a small PNG within an SVG, of what of it can be read at once."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention.base import Float
from ..attention.blocks import pool, sample
from .caption import heads_text, pooled_text
from .colours import Ink
from .scene import Scene
from .still_heads import WIDTH, Drawn
from .svg import element, hexed, written

# Weights that are worked out for a picture: some milliseconds.
CELLS_READ = 1 << 20
# Fewer queries than that say nothing of a text.
_FEWEST_QUERIES = 8
# Colours fit four bits: below 0 as many as above it.
_SHADES = 15
_SIGNED_SHADES = 7

# In pixels.
_EDGE = 14
_TITLE = 22
_LONGEST_SIDE = 300
_SHORTEST_SIDE = 72


class Overview(NamedTuple):
    """What a picture shows of a matrix.

    Attributes
    ----------
    cells : array, shape (rows, columns)
        The mean over the chosen heads.
    remarks : list of str
        What was done to the weights.
    """

    cells: Float
    remarks: list[str]


def cost_of_row(scene: Scene) -> int:
    """Return how many weights are worked out to know what a query reads in the chosen heads."""
    attention = scene.attention
    rows = attention.n_layers * attention.n_heads * attention.n_queries
    return max(1, attention.n_worked_out * len(scene.heads) // rows)


def overview_of(scene: Scene, most_cells: int) -> Overview | None:
    """Read the chosen heads within what a picture may cost; None where that is too little."""
    attention = scene.attention
    heads = len(scene.heads)
    affordable = CELLS_READ // cost_of_row(scene)
    factor = -(-max(attention.n_queries, attention.n_keys) // most_cells)
    several = [f"mean over {heads} heads"] if heads > 1 else []
    if affordable >= attention.n_queries:
        rows = scene.rows(scene.layer, scene.heads, range(attention.n_queries)).mean(0)
        cells = pool(rows, factor, scene.pooling, attention.signed)
        remarks = pooled_text(scene, factor, f"{factor} × {factor} {scene.unit}s")
        return Overview(cells, remarks + several)
    count = min(affordable, most_cells)
    if count < _FEWEST_QUERIES:
        return None
    queries = sample(attention.n_queries, -(-attention.n_queries // count), 1)
    rows = scene.rows(scene.layer, scene.heads, queries).mean(0)
    cells = pool(rows[:, None], factor, scene.pooling, attention.signed)[:, 0]
    remarks = [
        f"{len(queries)} queries, evenly spread",
        *pooled_text(scene, factor, f"{factor} keys"),
    ]
    return Overview(cells, remarks + several)


def draw_matrix(scene: Scene, overview: Overview) -> Drawn:
    """Draw an overview, and where the selected token is."""
    attention, colours = scene.attention, scene.colours
    pixel = _LONGEST_SIDE / max(attention.n_queries, attention.n_keys)
    wide = max(_SHORTEST_SIDE, pixel * attention.n_keys)
    high = max(_SHORTEST_SIDE, pixel * attention.n_queries)
    left, top = (WIDTH - wide) / 2, _EDGE + _TITLE
    parts = [
        element(
            "text",
            written(f"query ↓ reads key → · {heads_text(scene)}"),
            x=left,
            y=_EDGE + 10,
            fill=hexed(colours.muted),
            font_size=11,
        ),
        element(
            "image",
            x=round(left, 1),
            y=top,
            width=round(wide, 1),
            height=round(high, 1),
            preserveAspectRatio="none",
            image_rendering="pixelated",
            href=f"data:image/png;base64,{b64encode(png_of(scene, overview.cells)).decode()}",
        ),
        element(
            "rect",
            x=round(left, 1),
            y=top,
            width=round(wide, 1),
            height=round(high, 1),
            fill="none",
            stroke=hexed(colours.line),
        ),
    ]
    if scene.query is not None:
        y = top + (scene.query + 0.5) / attention.n_queries * high
        parts.append(_line(f"M{left:.1f} {y:.1f}h{wide:.1f}", hexed(colours.reader)))
    if scene.key is not None:
        x = left + (scene.key + 0.5) / attention.n_keys * wide
        parts.append(_line(f"M{x:.1f} {top:.1f}v{high:.1f}", hexed(colours.read)))
    return Drawn("".join(parts), top + high, overview.remarks)


def png_of(scene: Scene, cells: Float) -> bytes:
    """Return weights as a PNG in the widget's colours, sixteen of them, on its ground."""
    shades = _SIGNED_SHADES if scene.attention.signed else _SHADES
    # The scene's own ink would read all of the heads to know their largest weight.
    ends = float(np.abs(cells).max()) if scene.scale_to == "head" else 0.0
    ink = Ink(scene.colours, scene.scale, ends or scene.attention.scale, scene.attention.signed)
    # Nothing that isn't zero looks as if it were, as in the widget.
    steps = np.maximum(np.rint(ink.at(cells) * shades), cells != 0).astype(np.uint8)
    codes = np.where(cells < 0, steps + shades, steps).astype(np.uint8)
    ramp = scene.colours.ramp[np.arange(shades + 1) * 255 // shades]
    cold = scene.colours.cold_ramp[np.arange(1, shades + 1) * 255 // shades]
    palette = np.concatenate([ramp, cold] if scene.attention.signed else [ramp])
    opacity = palette[:, 3:] / 255
    ground = 255 * np.array(scene.colours.ground)
    solid = np.rint(palette[:, :3] * opacity + ground * (1 - opacity)).astype(np.uint8)
    return _indexed(codes, solid)


def _line(path: str, colour: str) -> str:
    return element("path", d=path, stroke=colour, stroke_opacity=0.6)


def _indexed(codes: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG of up to sixteen colours, shape (colours, 3)."""
    height, width = codes.shape
    even = np.zeros((height, width + width % 2), np.uint8)
    even[:, :width] = codes
    packed = even[:, ::2] << 4 | even[:, 1::2]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 4, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (
            (b"IHDR", header),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(rows.tobytes(), 9)),
            (b"IEND", b""),
        )
    )

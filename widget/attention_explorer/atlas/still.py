"""A picture of an atlas for pages that show no widgets: small, and of no library."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..analysis.sums import Numbers
from ..export.colours import Palette, palette
from ..export.still_card import LIVE, card_image
from ..export.still_heads import WIDTH
from ..export.svg import element, hexed, written
from ..opening import STILL_BYTES
from .atlas import HeadAtlas
from .naming import heads_by_label

# On a light ground and on a dark one, as `js/src/atlas/marks.ts` has them.
_COLOURS = {
    "first token": ("#b07000", "#f0ad28"),
    "delimiter": ("#806454", "#c4a492"),
    "previous token": ("#0062b2", "#56b0f0"),
    "next token": ("#008696", "#4eced6"),
    "self": ("#545462", "#bebece"),
    "local": ("#008058", "#48c492"),
    "punctuation": ("#96523c", "#e2987c"),
    "duplicate token": ("#be3e84", "#f48ec4"),
    "induction": ("#ce4c00", "#ff8a4c"),
    "broad": ("#7454b8", "#b89ef8"),
}
_QUIET = ("#8c8c96", "#80808c")

_HEIGHT = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 14, 30, 26
_FREE = 0.05
_LEGEND = 3
# Of dots that lie nearer than this one is drawn, in pixels: where there are too many.
_APART = (1, 4, 8)


def still_of(atlas: HeadAtlas, x: str, y: str, dark: bool) -> str:
    """Return the heads by two scores as HTML of at most `STILL_BYTES`, "" where none can be."""
    colours = palette(dark)
    layers, heads = atlas.shape
    lines = [
        f"{atlas.model_name} · {layers} × {heads} heads · means over {atlas.n_texts:,} texts",
        LIVE,
    ]
    for apart in _APART:
        html = card_image(_plot(atlas, x, y, colours, apart), _HEIGHT, lines, colours)
        if len(html.encode()) <= STILL_BYTES:
            return html
    return ""


def _groups(atlas: HeadAtlas) -> dict[str, list[tuple[int, int]]]:
    """Return the heads by their label, the most frequent first."""
    groups = heads_by_label(atlas.labels)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _legend(groups: dict[str, list[tuple[int, int]]], dark: bool) -> str:
    """Name the most frequent labels, each in its colour."""
    named = [name for name in groups if name]
    its = [
        element("tspan", written(f"● {name} {len(groups[name])} "), fill=_colour(name, dark))
        for name in named[:_LEGEND]
    ]
    more = f"+ {len(named) - _LEGEND}" if len(named) > _LEGEND else ""
    return element("text", *its, more, x=WIDTH - _RIGHT, y=18, text_anchor="end")


def _colour(name: str, dark: bool) -> str:
    return _COLOURS.get(name, _QUIET)[dark]


def _plot(atlas: HeadAtlas, x: str, y: str, colours: Palette, apart: int) -> str:
    xs, ys = atlas.score(x), atlas.score(y)
    across = _scale(xs, _LEFT, WIDTH - _RIGHT)
    up = _scale(ys, _HEIGHT - _BOTTOM, _TOP)
    dots, groups = [], _groups(atlas)
    for name, its in reversed(groups.items()):
        places = dict.fromkeys(
            f"M{apart * round(across(xs[at]) / apart)} {apart * round(up(ys[at]) / apart)}h0"
            for at in its
            if not np.isnan(xs[at] + ys[at])
        )
        dots.append(element("path", d="".join(places), stroke=_colour(name, colours.dark)))
    drawn = element("g", *dots, fill="none", stroke_width=6, stroke_linecap="round", opacity=0.85)
    said = [*_axes(xs, ys, x, y), _legend(groups, colours.dark)]
    return drawn + element("g", *said, fill=hexed(colours.muted), font_size=11)


def _axes(xs: Numbers, ys: Numbers, x: str, y: str) -> Iterator[str]:
    """Yield what the axes are, and their ends."""
    (low, high), (bottom, top) = _ends(xs), _ends(ys)
    below = _HEIGHT - 6
    right = {"text_anchor": "end"}
    yield element("text", written(f"↑ {y}"), x=14, y=18)
    yield element("text", written(f"{x} →"), x=WIDTH // 2, y=below)
    yield element("text", f"{low:.2f}", x=_LEFT, y=below)
    yield element("text", f"{high:.2f}", x=WIDTH - _RIGHT, y=below, **right)
    yield element("text", f"{top:.2f}", x=_LEFT - 8, y=_TOP + 12, **right)
    yield element("text", f"{bottom:.2f}", x=_LEFT - 8, y=_HEIGHT - _BOTTOM, **right)


def _ends(values: Numbers) -> tuple[float, float]:
    """Return the least and the greatest of a score, as the view has them where no head has it."""
    known = values[~np.isnan(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def _scale(values: Numbers, start: float, stop: float) -> Callable[[float], float]:
    low, high = _ends(values)
    span = (high - low) or 1.0
    return lambda value: (
        start + (stop - start) * (_FREE + (1 - 2 * _FREE) * float(value - low) / span)
    )

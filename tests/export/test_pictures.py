"""Views as PNG and SVG, in memory and in files."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from attention_explorer.explorer import AttentionExplorer
from attention_explorer.protocol import ViewName

if TYPE_CHECKING:
    from tests.export.conftest import Explore

DRAWN: tuple[ViewName, ...] = ("text", "heads", "matrix", "model")
TEXT = "{http://www.w3.org/2000/svg}text"


def size_of(png: bytes | None) -> tuple[int, int]:
    assert png is not None
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def texts_of(svg: str | None) -> list[str]:
    assert svg is not None
    return [el.text or "" for el in ET.fromstring(svg).iter(TEXT)]


@pytest.mark.parametrize("view", DRAWN)
def test_a_png_is_as_large_as_the_dots_ask(explore: Explore, view: ViewName) -> None:
    """Catches dots that are dropped on the way to the figure, which has some of its own."""
    coarse = size_of(explore(9).to_png(view=view, dpi=50))
    fine = size_of(explore(9).to_png(view=view, dpi=150))
    assert fine == pytest.approx([3 * coarse[0], 3 * coarse[1]], abs=3)
    assert size_of(explore(9).to_png(view=view)) == size_of(explore(9).to_png(view=view, dpi=200))


def test_tokens_in_an_svg_are_text_and_never_markup(cross: AttentionExplorer) -> None:
    """Catches letters as curves, tokens read as elements, and signs that XML can't hold."""
    texts = texts_of(cross.to_svg(view="heads"))
    assert texts[:10] == [
        {"a\nb": "a↵b", "": "∅", "\x00": "�"}.get(token, token) for token in cross.tokens.text
    ]


def test_the_same_view_is_the_same_svg(cross: AttentionExplorer) -> None:
    """Catches random names and times, which make a difference where there is none."""
    first, second = cross.to_svg(view="matrix"), cross.to_svg(view="matrix")
    assert first == second
    cross.layer = 0
    assert cross.to_svg(view="matrix") != first


def test_files_hold_what_is_returned_without_a_path(explore: Explore, tmp_path: Path) -> None:
    explorer = explore(6, view="matrix")
    png, svg = tmp_path / "it.PNG", tmp_path / "it.svg"
    assert explorer.to_png(png) is None
    assert explorer.to_svg(str(svg)) is None
    assert png.read_bytes() == explorer.to_png(view="matrix")
    assert svg.read_text("utf-8") == explorer.to_svg(view="matrix")


@pytest.mark.parametrize("view", [name for name in get_args(ViewName) if name not in DRAWN])
@pytest.mark.parametrize("function", ["to_png", "to_svg"])
def test_a_view_without_a_twin_is_refused(explore: Explore, function: str, view: str) -> None:
    """Catches a picture of another view than was asked for."""
    save: Any = getattr(explore(5), function)
    with pytest.raises(ValueError, match=f"no figure of a view '{view}': .*'matrix'"):
        save(view=view)


def test_what_the_widget_can_save_is_sent_there(explore: Explore) -> None:
    with pytest.raises(ValueError, match="'neuron': save it by ⤓ in the widget, or use one of"):
        explore(5).to_svg(view="neuron")


def test_paths_and_dots_that_can_not_be_are_said_plainly(explore: Explore, tmp_path: Path) -> None:
    """Catches a JPEG's name on a PNG, and a drawing that is lost for want of a folder."""
    explorer = explore(5)
    with pytest.raises(ValueError, match=r"to_png writes \.png files; got 'a\.jpg': .*'a\.png'"):
        explorer.to_png("a.jpg")
    with pytest.raises(ValueError, match=r"to_svg writes \.svg files; got 'plain': .*'plain\.svg'"):
        explorer.to_svg("plain")
    with pytest.raises(ValueError, match=r"to_svg writes \.svg files; got '\.': .*'view\.svg'"):
        explorer.to_svg("")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere.*: make it first"):
        explorer.to_png(tmp_path / "nowhere" / "a.png")
    with pytest.raises(ValueError, match="dpi=0: expected a number of dots an inch above 0"):
        explorer.to_png(dpi=0)
    assert not list(tmp_path.iterdir())

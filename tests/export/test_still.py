"""The picture beside a view, for pages that show no widgets."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.image import imread

from attention_explorer import demo_qa_model
from attention_explorer.attention.base import Float
from attention_explorer.attention.dense import DenseAttention
from attention_explorer.explorer import AttentionExplorer
from attention_explorer.export.still import still_of as small_still_of
from attention_explorer.export.still_matrix import CELLS_READ
from attention_explorer.opening import MOST_STILL_BYTES, SNAPSHOT_BYTES, STILL_BYTES, room_beside
from attention_explorer.shown_view import module

if TYPE_CHECKING:
    from tests.export.conftest import Explore, Weights

WIDGET = "application/vnd.jupyter.widget-view+json"
SVG = "{http://www.w3.org/2000/svg}"
IMAGE = re.compile(r"<img width='440' alt='([^'<>]*)' src='data:image/svg\+xml;base64,([^'<>]*)'>")


def still_of(explorer: AttentionExplorer) -> str:
    bundle = explorer._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0][WIDGET]["model_id"] == explorer.model_id
    return str(bundle[0]["text/html"])


def svg_of(explorer: AttentionExplorer) -> ET.Element:
    found = IMAGE.fullmatch(still_of(explorer))
    assert found
    return ET.fromstring(b64decode(found[2]).decode())


def texts_of(explorer: AttentionExplorer) -> list[str]:
    return ["".join(el.itertext()) for el in svg_of(explorer).iter(f"{SVG}text")]


def lines_of(explorer: AttentionExplorer) -> list[tuple[int, int]]:
    drawn = "".join(el.get("d", "") for el in svg_of(explorer).iter(f"{SVG}path"))
    curves = re.findall(r"M0 (\d+)C1 \1 2 (\d+) 3 \2", drawn)
    return sorted((int(query), int(key)) for query, key in curves)


def pixels_of(explorer: AttentionExplorer) -> npt.NDArray[np.float32]:
    (image,) = svg_of(explorer).iter(f"{SVG}image")
    png = b64decode(image.attrib["href"].removeprefix("data:image/png;base64,"))
    pixels: npt.NDArray[np.float32] = imread(io.BytesIO(png))[..., :3]
    return pixels


def noise(heads: int, tokens: int) -> Weights:
    """Attention that no compression makes smaller."""
    weights = np.random.default_rng(1).dirichlet(np.ones(tokens), (2, heads, tokens))
    return weights.astype(np.float32)


# --- beside the view


def test_a_cell_has_the_view_and_the_picture(explore: Explore) -> None:
    """Catches a picture that takes the view's place, which Jupyter asks for by this formatter."""
    formatter: Any = DisplayFormatter()
    data, _ = formatter.format(explore(5))
    assert data[WIDGET]["version_major"] == 2
    assert data["text/plain"].startswith("AttentionExplorer(")
    assert IMAGE.fullmatch(data["text/html"])


def test_it_shows_what_is_chosen_when_it_is_shown(explore: Explore) -> None:
    """Catches a picture of the explorer as it was opened."""
    explorer = explore(5)
    explorer.layer = 0
    explorer.heads = [1]
    assert "layer 0 · head 1" in texts_of(explorer)


def test_a_closed_explorer_has_none(explore: Explore) -> None:
    explorer = explore(5)
    explorer.close()
    assert explorer._repr_mimebundle_ is None


def test_it_takes_no_library_and_no_long_import() -> None:
    """Catches a display that fails, or waits a second, for want of matplotlib."""
    code = """
import sys
sys.modules["matplotlib"] = sys.modules["pandas"] = sys.modules["PIL"] = None
from attention_explorer import AttentionExplorer as Explorer
Explorer._esm = Explorer._esm or "export default {}"
print(Explorer.demo(selected=8)._repr_mimebundle_()[0]["text/html"][:10], "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "<img width False\n"


# --- short texts


def test_lines_are_the_largest_weights_of_each_row(cross: AttentionExplorer) -> None:
    """Catches queries taken for keys, and lines of another head."""
    weights = cross.weights()
    expected = []
    for query, row in enumerate(weights):
        order = sorted(range(7), key=lambda key: -float(row[key]))
        held = 0.0
        for key in order:
            if held >= 0.8 * row.sum() - 1e-6:
                break
            held += float(row[key])
            expected.append((query, key))
    assert lines_of(cross) == sorted(expected)
    assert any("the top 80 % of each row" in text for text in texts_of(cross))


def test_tokens_are_text_and_never_markup(cross: AttentionExplorer) -> None:
    """Catches tokens that become elements, in the picture or in the page, and lost ones."""
    texts = texts_of(cross)
    signs = {"a\nb": "a↵b", "": "∅", "\x00": "�"}
    assert texts[:10] == [signs.get(token, token) for token in cross.tokens.text]
    assert texts[10:17] == list(cross.key_tokens.text)
    assert any(text.startswith("m_$1$") for text in texts)


def test_what_xml_can_not_hold_is_a_sign(explore: Explore) -> None:
    """Catches a picture that no browser opens for one token that is none of Unicode's letters."""
    tokens = ["\uffff", "'\"><img src=x>", "\u202eabc", "&amp;", "x" * 99]
    explorer = AttentionExplorer(noise(3, 5), tokens, model_name="<b>'&")
    assert texts_of(explorer)[:5] == [
        "\ufffd",
        "'\"><img src=x>",
        "\u202eabc",
        "&amp;",
        "x" * 15 + "…",
    ]


def test_a_pinned_token_has_its_numbers(explore: Explore) -> None:
    explorer = explore(9, selected=(4, None), heads=[0, 2])
    row = (explorer.weights(1, 0)[4] + explorer.weights(1, 2)[4]) / 2
    texts = texts_of(explorer)
    most = int(row.argmax())
    assert f"{row[most]:.2f}" in texts
    (said,) = [text for text in texts if text.startswith("what “t4” (4) reads: ")]
    assert said.startswith(f"what “t4” (4) reads: t{most} {row[most]:.2f}, ")


# --- long texts


def test_a_long_text_is_a_matrix_whose_colours_follow_the_weights(explore: Explore) -> None:
    """Catches a matrix on its side, and colours that run the wrong way."""
    weights = np.tile(np.float32(0.001), (1, 2, 60, 45))
    weights[0, 1, 7, 31] = 0.9
    weights[0, 1, 50, 2] = 0.4
    names = [f"t{i}" for i in range(60)]
    pixels = pixels_of(AttentionExplorer(weights, names, names[:45], heads=1))
    assert pixels.shape == (60, 45, 3)
    dark = pixels.sum(-1)
    assert np.unravel_index(dark.argmin(), dark.shape) == (7, 31)
    assert dark[7, 31] < dark[50, 2] < dark[0, 0]
    assert len(np.unique(dark)) == 3


def test_small_weights_are_not_as_none(explore: Explore) -> None:
    """Catches a long text whose picture is empty, as each of its weights is small."""
    weights = np.tril(np.full((1, 1, 90, 90), 1e-4, np.float32))
    pixels = pixels_of(AttentionExplorer(weights, ["t"] * 90))
    assert (pixels[80, 10] < 1).any()
    assert (pixels[10, 80] == 1).all()


def test_cells_that_hold_several_weights_are_said_to(explore: Explore) -> None:
    explorer = explore(300)
    assert pixels_of(explorer).shape == (100, 100, 3)
    assert "1 cell = 3 × 3 tokens" in " ".join(texts_of(explorer)).replace("\xa0", " ")


class Counted(DenseAttention):
    """Weights of which each row takes as long as some thousands of tokens, and is counted."""

    read = 0

    def __init__(self, tokens: int, a_row: int) -> None:
        rows = np.full((2, tokens, tokens), 1 / tokens, np.float32)
        super().__init__([rows])
        self.a_row = a_row

    @property
    def n_worked_out(self) -> int:
        return self.a_row * self.n_queries * self.n_heads

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        self.read += len(heads) * len(queries) * self.a_row
        return super().rows(layer, heads, queries)

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        self.read += len(heads) * self.n_queries * self.a_row
        return super().columns(layer, heads, keys)

    def bands(self, layer: int, head: int, *block: Any) -> Iterator[Float]:
        self.read += self.n_queries * self.a_row
        return super().bands(layer, head, *block)


@pytest.mark.parametrize("selected", [None, 3, (None, 3)])
@pytest.mark.parametrize(("tokens", "a_row"), [(500, 32_000), (20, 90_000)])
def test_no_more_is_worked_out_than_takes_some_milliseconds(
    tokens: int, a_row: int, selected: Any
) -> None:
    """Catches a cell that waits for its picture: long texts, and segments of long texts."""
    attention = Counted(tokens, a_row)
    explorer = AttentionExplorer(attention, ["t"] * tokens, scale_to="head", selected=selected)
    attention.read = 0
    texts = " ".join(texts_of(explorer))
    assert 0 < attention.read <= CELLS_READ + a_row, "and what the selected token reads"
    assert re.search(r"\d+ queries, evenly spread", texts)
    assert ("what “t” (3) reads: t 0.0" in texts) == (selected == 3)


def test_where_even_some_rows_take_long_there_is_none() -> None:
    attention = Counted(20, CELLS_READ + 1)
    explorer = AttentionExplorer(attention, ["t"] * 20, selected=3)
    attention.read = 0
    bundle: Any = explorer._repr_mimebundle_()
    assert "text/html" not in bundle[0]
    assert attention.read == 0


# --- its size


@pytest.mark.parametrize("tokens", [13, 40, 64, 128, 500])
@pytest.mark.parametrize("letter", ["a", "漢", "👨‍👩‍👧‍👦"])
def test_it_is_never_larger_than_it_may_be(tokens: int, letter: str) -> None:
    """Catches what a notebook has no room for: many heads, all lines, wide letters, long names."""
    explorer = AttentionExplorer(
        noise(5, tokens),
        [letter * 30] * tokens,
        heads=[0, 1, 2, 3, 4],
        top_mass=1,
        selected=3,
        model_name=letter * 300,
    )
    size = len(still_of(explorer).encode())
    print(f"{tokens} tokens of {letter!r}: {size:,} bytes")
    assert 0 < size <= MOST_STILL_BYTES
    assert 0 < len(small_still_of(explorer, STILL_BYTES).encode()) <= STILL_BYTES


def test_that_of_a_sentence_is_small() -> None:
    assert len(still_of(AttentionExplorer.demo(selected=8)).encode()) < STILL_BYTES


def test_beside_it_a_sentence_of_twelve_layers_is_saved_whole() -> None:
    """Catches a renderer, or a picture, that takes the room of the weights."""
    if not module("widget"):
        pytest.skip("the bundle isn't built")
    explorer = AttentionExplorer(
        noise(12, 13)[:1].repeat(12, 0), [f"t{i}" for i in range(13)], model_name="bert"
    )
    room = room_beside(str(explorer._esm), {"texts": None})
    print(f"room for a snapshot: {room:,} of {SNAPSHOT_BYTES:,} bytes")
    assert room >= 31_300


def test_a_question_over_a_long_text_keeps_its_notebook_small() -> None:
    """Catches answers, and the text that was asked about, that are counted nowhere."""
    if not module("qa"):
        pytest.skip("the bundle isn't built")
    context = "Barcelona is famous for Gaudí's architecture like the Sagrada Familia. " * 12
    explorer = AttentionExplorer.qa(
        *demo_qa_model(), question="Who is the architect?", context=context
    )
    state = json.dumps(explorer._get_embed_state(drop_defaults=True))
    still = still_of(explorer)
    print(f"{len(state):,} bytes of state, {len(still.encode()):,} of a still")
    assert any(text.startswith("Who is the architect? → Gaudí") for text in texts_of(explorer))
    assert len(state) + len(still.encode()) < 100_000

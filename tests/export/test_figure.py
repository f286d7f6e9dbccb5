from __future__ import annotations

import io
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from attention_explorer.explorer import AttentionExplorer
from attention_explorer.export.colours import palette

if TYPE_CHECKING:
    from tests.export.conftest import Explore, Weights

VIEWS = ("text", "heads", "matrix", "model")


def axes_of(explorer: AttentionExplorer, view: Any) -> Any:
    figure = explorer.plot(view)
    assert isinstance(figure, Figure)
    return figure.axes[0]


def words_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def caption_of(ax: Any) -> str:
    (caption,) = (
        text
        for text in ax.texts
        if text.get_verticalalignment() == "top" and " · " in text.get_text()
    )
    return str(caption.get_text()).replace("\n", " ")


def image_of(ax: Any) -> Any:
    (image,) = ax.images
    return image.get_array()


def lines_of(ax: Any) -> list[Any]:
    return [it for it in ax.collections if isinstance(it, PathCollection)]


# --- the matrix


def test_the_matrix_is_the_weights(cross: AttentionExplorer, weights: Weights) -> None:
    ax = axes_of(cross, "matrix")
    np.testing.assert_array_equal(image_of(ax), weights[2, 3])
    assert ax.get_xlim() == (-0.5, 6.5)
    assert ax.get_ylim() == (9.5, -0.5)


def test_several_heads_are_their_mean_and_it_says_so(
    cross: AttentionExplorer, weights: Weights
) -> None:
    cross.heads = [0, 2]
    ax = axes_of(cross, "matrix")
    np.testing.assert_allclose(image_of(ax), weights[2, [0, 2]].mean(0), rtol=1e-6)
    assert "mean over 2 heads" in caption_of(ax)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_a_long_text_is_pooled_and_it_says_so(explore: Explore, pooling: str) -> None:
    explorer = explore(700, pooling=pooling, heads=0)
    ax = axes_of(explorer, "matrix")
    blocks = explorer.weights().reshape(350, 2, 350, 2)
    pooled = blocks.max((1, 3)) if pooling == "max" else blocks.mean((1, 3))
    np.testing.assert_allclose(image_of(ax), pooled, rtol=1e-5)
    assert f"{pooling}-pooled, 1 cell = 2 × 2 tokens" in caption_of(ax)


def test_no_cell_is_less_than_a_pixel_of_the_axes_that_are_given(explore: Explore) -> None:
    """A weight of the one row that is skipped would be gone without a word."""
    figure = Figure(figsize=(2, 2), dpi=100)
    ax = figure.add_axes((0, 0, 0.5, 0.5))
    explore(150).plot("matrix", ax)
    assert image_of(ax).shape == (75, 75)


def test_the_cross_frames_the_row_and_the_column(cross: AttentionExplorer) -> None:
    cross.selected = (4, 1)
    ax = axes_of(cross, "matrix")
    boxes = {patch.get_bbox().bounds: patch.get_edgecolor() for patch in ax.patches}
    assert boxes == {
        (-0.5, 3.5, 7, 1): to_rgba(palette(False).reader),
        (0.5, -0.5, 1, 10): to_rgba(palette(False).read),
    }


def test_the_scale_follows_the_explorers(cross: AttentionExplorer, weights: Weights) -> None:
    cross.scale, cross.scale_to = "linear", "head"
    (image,) = axes_of(cross, "matrix").images
    norm = image.norm
    assert norm.vmax == weights[2, 3].max()
    np.testing.assert_allclose(norm(norm.vmax / 4), 0.25)


# --- the heads


def test_lines_run_from_query_to_key_and_are_as_strong_as_the_weight(
    cross: AttentionExplorer, weights: Weights
) -> None:
    cross.top_mass = 1
    (lines,) = lines_of(axes_of(cross, "heads"))
    ends = [(path.vertices[0, 1], path.vertices[-1, 1]) for path in lines.get_paths()]
    alphas = lines.get_edgecolor()[:, 3]
    drawn = dict(zip(ends, alphas, strict=True))
    expected = {
        (query, key): weight**0.7
        for (query, key), weight in np.ndenumerate(weights[2, 3])
        if weight**0.7 >= 0.01
    }
    assert drawn.keys() == expected.keys()
    np.testing.assert_allclose([drawn[ends] for ends in expected], list(expected.values()), 1e-5)
    widths = dict(zip(ends, lines.get_linewidth(), strict=True))
    np.testing.assert_allclose(
        [widths[ends] for ends in expected],
        [0.75 * (0.7 + 3.6 * weights[2, 3][ends]) for ends in expected],
        rtol=1e-5,
    )


def test_only_the_top_of_each_row_has_lines(cross: AttentionExplorer, weights: Weights) -> None:
    cross.top_mass = 0.5
    (lines,) = lines_of(axes_of(cross, "heads"))
    drawn = {(path.vertices[0, 1], path.vertices[-1, 1]) for path in lines.get_paths()}
    for query, row in enumerate(weights[2, 3]):
        kept = sorted(row, reverse=True)[
            : int(np.searchsorted(np.sort(row)[::-1].cumsum(), 0.5)) + 1
        ]
        keys = [key for key, weight in enumerate(row) if weight in kept]
        assert {(query, key) for key in keys} == {ends for ends in drawn if ends[0] == query}
    share = sum(weights[2, 3][int(query), int(key)] for query, key in drawn) / 10
    assert f"lines hold {share:.0%}".replace("%", " %") in caption_of(axes_of(cross, "heads"))


def test_lines_keep_to_every_limit(cross: AttentionExplorer, weights: Weights) -> None:
    cross.top_mass, cross.top_k, cross.threshold = 1, 2, 0.3
    ax = axes_of(cross, "heads")
    drawn = {(path.vertices[0, 1], path.vertices[-1, 1]) for path in lines_of(ax)[0].get_paths()}
    expected = {
        (query, int(key))
        for query, row in enumerate(weights[2, 3])
        for key in row.argsort()[-2:]
        if row[key] >= 0.3
    }
    assert drawn == expected
    assert "at most 2 a row, from 0.3" in caption_of(ax)


def test_lines_run_between_the_segments_that_are_asked_for() -> None:
    names = ["[CLS]", "a", "b", "[SEP]", "c", "[SEP]"]
    uniform = np.full((1, 1, 6, 6), 1 / 6, np.float32)
    explorer = AttentionExplorer(uniform, names, top_mass=1, between=[(0, 1)], selected=(1, 4))
    resting, readers, reads = lines_of(axes_of(explorer, "heads"))
    ends = [
        {(path.vertices[0, 1], path.vertices[-1, 1]) for path in lines.get_paths()}
        for lines in (resting, readers, reads)
    ]
    assert ends == [{(1, 4), (2, 4)}, {(1, 4), (2, 4)}, {(1, 4)}]


def test_the_selected_tokens_lines_stand_out(cross: AttentionExplorer, weights: Weights) -> None:
    cross.selected = (4, None)
    resting, front = lines_of(axes_of(cross, "heads"))
    ends = [(path.vertices[0, 1], path.vertices[-1, 1]) for path in front.get_paths()]
    row = weights[2, 3, 4]
    assert {query for query, _ in ends} == {4}
    assert ends[-1] == (4, row.argmax())
    np.testing.assert_allclose(front.get_edgecolor()[-1], to_rgba(palette(False).read), 1e-5)
    assert resting.get_edgecolor()[:, 3].max() < 0.23


def test_each_head_has_its_colour(cross: AttentionExplorer) -> None:
    cross.heads = [1, 3]
    (lines,) = lines_of(axes_of(cross, "heads"))
    drawn = {tuple(colour) for colour in np.rint(lines.get_edgecolor()[:, :3] * 255).tolist()}
    heads = [np.rint(np.multiply(palette(False).head(head), 255)) for head in (1, 3)]
    assert drawn == {tuple(colour.tolist()) for colour in heads}


def test_bars_and_numbers_are_the_selected_row(cross: AttentionExplorer, weights: Weights) -> None:
    cross.selected = (4, None)
    words = words_of(axes_of(cross, "heads"))
    for weight in weights[2, 3, 4]:
        assert (f"{weight:.2f}" in words) == (weight >= 0.01)


def test_of_many_queries_some_have_lines_and_it_says_which(explore: Explore) -> None:
    ax = axes_of(explore(1030, heads=0), "heads")
    (lines,) = lines_of(ax)
    assert {path.vertices[0, 1] % 2 for path in lines.get_paths()} == {0}
    assert "lines of 1 query in 2" in caption_of(ax)


# --- the text


def fills_of(ax: Any) -> list[Any]:
    boxes = [patch for patch in ax.patches if patch.get_fill() and patch.get_zorder() == 1]
    return [patch.get_facecolor() for patch in boxes]


@pytest.mark.parametrize("tokens", [12, 500])
def test_the_text_is_shaded_by_the_selected_row(explore: Explore, tokens: int) -> None:
    explorer = explore(tokens, selected=(7, None))
    row = explorer.weights()[7].astype(np.float64)
    steps = np.floor(np.sqrt(row) * 255 + 0.5).astype(int)
    ax = axes_of(explorer, "text")
    assert words_of(ax)[:1] == ["t0"]
    np.testing.assert_allclose(fills_of(ax), palette(False).ramp[steps] / 255)


def test_queries_and_keys_that_differ_are_two_texts(
    cross: AttentionExplorer, weights: Weights
) -> None:
    cross.selected = (4, 1)
    ax = axes_of(cross, "text")
    words = words_of(ax)
    assert words.index("query reads …") < words.index("$x_1$") < words.index("… key")
    steps = np.floor(np.sqrt(weights[2, 3, 4].astype(np.float64)) * 255 + 0.5).astype(int)
    np.testing.assert_allclose(fills_of(ax), palette(False).ramp[steps] / 255)


def test_of_a_book_the_page_with_the_selected_token_is_shown(explore: Explore) -> None:
    explorer = explore(1600, heads=0, selected=(1550, None))
    ax = axes_of(explorer, "text")
    assert "t1599" in words_of(ax)
    assert "t99" not in words_of(ax)
    outside = explorer.weights()[1550, :100].sum()
    assert "tokens 100–1599 of 1600" in caption_of(ax)
    assert f"{100 * outside:.1f} % of what is shaded lies outside" in caption_of(ax)


def test_text_stays_within_axes_that_are_given(explore: Explore) -> None:
    figure = Figure(figsize=(3, 2))
    ax = figure.add_axes((0.1, 0.4, 0.8, 0.5))
    explore(400).plot("text", ax)
    words = [text for text in ax.texts if text.get_text().startswith("t")]
    figure.savefig(io.BytesIO())
    box = ax.get_window_extent()
    extents = [text.get_window_extent() for text in words]
    assert min(extent.y0 for extent in extents) >= box.y0 - 1
    hinting = 0.01 * box.width
    assert max(extent.x1 for extent in extents) <= box.x1 + hinting


def test_words_keep_their_shade_whatever_a_layout_makes_of_the_axes(explore: Explore) -> None:
    """Boxes that stretch with the axes stand beside their words, whose size is in points."""
    figure = Figure(layout="constrained")
    ax = figure.subplots(2, 2)[0, 0]
    explore(5, selected=(2, None)).plot("text", ax)
    figure.savefig(io.BytesIO())
    boxes = [patch for patch in ax.patches if patch.get_zorder() == 1]
    for index, box in enumerate(boxes):
        (word,) = (text for text in ax.texts if text.get_text() == f"t{index}")
        around, inside = box.get_window_extent(), word.get_window_extent()
        assert around.x0 <= inside.x0 < inside.x1 <= around.x1 + 1
        assert around.width < 2.5 * inside.width


# --- the model


def heads_in(ax: Any, layers: int, heads: int) -> Any:
    """Undo the gaps: (layers, heads, rows, columns)."""
    cells = np.ma.filled(image_of(ax), np.nan)
    rows, columns = cells.shape[0] // layers, cells.shape[1] // heads
    grid = cells.reshape(layers, rows, heads, columns).transpose(0, 2, 1, 3)
    assert np.isnan(grid[:, :, -1]).all()
    return grid[:, :, :-1, :-1]


def test_the_map_has_every_head_of_every_layer(cross: AttentionExplorer, weights: Weights) -> None:
    np.testing.assert_array_equal(heads_in(axes_of(cross, "model"), 3, 4), weights)


def test_with_a_token_selected_each_head_is_its_row(
    cross: AttentionExplorer, weights: Weights
) -> None:
    cross.selected = (4, 1)
    rows = heads_in(axes_of(cross, "model"), 3, 4)
    np.testing.assert_array_equal(rows[:, :, 0], weights[:, :, 4])
    cross.selected = (None, 1)
    columns = heads_in(axes_of(cross, "model"), 3, 4)
    np.testing.assert_array_equal(columns[:, :, 0], weights[:, :, :, 1])


def test_the_map_of_a_long_text_is_pooled(explore: Explore) -> None:
    explorer = explore(120)
    ax = axes_of(explorer, "model")
    first = explorer.weights(0, 1).reshape(60, 2, 60, 2).max((1, 3))
    np.testing.assert_array_equal(heads_in(ax, 2, 3)[0, 1], first)
    assert "max-pooled, 1 cell = 2 × 2 tokens" in caption_of(ax)


# --- all of them


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_text_from_anywhere_is_drawn_as_it_is(
    cross: AttentionExplorer, view: str, kind: str
) -> None:
    """As mathematics, "\\frac" or an odd "$" raises when the figure is saved."""
    cross.selected = (0, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = axes_of(cross, view)
        ax.figure.savefig(io.BytesIO(), format=kind)
    if view != "model":
        assert {"$x_1$", "\\frac{1}{2}", "a↵b", "∅"} <= set(words_of(ax))
    assert "m_$1$" in caption_of(ax)


@pytest.mark.parametrize("view", VIEWS)
def test_the_theme_is_on_the_whole_figure(explore: Explore, view: Any) -> None:
    dark = explore(12, theme="dark", selected=3).plot(view)
    assert isinstance(dark, Figure)
    assert dark.get_facecolor() == to_rgba(palette(True).ground)
    light = explore(12, selected=3).plot(view)
    assert isinstance(light, Figure)
    assert light.get_facecolor() == (1, 1, 1, 1)


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_of_its_own_figure_is_cut_off(explore: Explore, view: Any) -> None:
    figure = explore(12, heads=[0, 1], selected=3).plot(view)
    assert isinstance(figure, Figure)
    figure.savefig(io.BytesIO())
    tight = figure.get_tightbbox()
    assert tight.x0 >= 0
    assert tight.y0 >= 0
    assert tight.x1 <= figure.get_figwidth()
    assert tight.y1 <= figure.get_figheight()


def test_the_first_view_that_is_no_text_is_drawn(explore: Explore) -> None:
    def kind(explorer: AttentionExplorer) -> int:
        figure = explorer.plot()
        assert isinstance(figure, Figure)
        return len(figure.axes[0].images)

    assert kind(explore(5, view=["text", "matrix"])) == 1
    assert kind(explore(5, view=["heads", "matrix"])) == 0
    assert "t4" in words_of(axes_of(explore(5, view="text"), None))


def test_axes_that_are_given_are_returned(explore: Explore) -> None:
    ax = Figure().add_subplot()
    assert explore(5).plot("heads", ax) is ax


def test_an_unknown_view_names_those_there_are(explore: Explore) -> None:
    with pytest.raises(ValueError, match="view 'heatmap': use one of 'text', 'heads', 'matrix'"):
        explore(5).plot("heatmap")  # type: ignore[arg-type]


def test_a_notebook_shows_the_figure_and_pyplot_never_hears_of_it() -> None:
    """Figures that pyplot keeps are drawn a second time below the cell, and never freed."""
    code = """
import sys
from IPython.core.formatters import DisplayFormatter
from attention_explorer import AttentionExplorer as Explorer
Explorer._esm = Explorer._esm or "export default {}"
figure = Explorer.demo().plot("matrix")
data, metadata = DisplayFormatter().format(figure)
print(data["image/png"][:4], metadata["image/png"], "matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("b'\\x89PNG'")
    assert "'width'" in done.stdout
    assert done.stdout.strip().endswith("False")

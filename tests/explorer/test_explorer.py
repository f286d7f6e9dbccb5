from __future__ import annotations

import gc
import json
import logging
import weakref
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
import pytest
from traitlets import TraitError

from attention_explorer.analysis.scores import SCORES
from attention_explorer.attention import dense_attention
from attention_explorer.encoding import decode
from attention_explorer.explorer import AttentionExplorer
from attention_explorer.tracing import Tokens

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax, Weights, Wire

QUERIES = [f"q{i}" for i in range(5)]
KEYS = [f"k{i}" for i in range(7)]


@pytest.fixture
def cross(softmax: Softmax) -> AttentionExplorer:
    """3 layers x 4 heads, 5 queries x 7 other keys."""
    return AttentionExplorer(softmax(3, 4, 5, 7), QUERIES, KEYS)


@pytest.fixture
def self_attention(softmax: Softmax) -> AttentionExplorer:
    """3 layers x 4 heads, 5 tokens."""
    return AttentionExplorer(softmax(3, 4, 5, 5), QUERIES)


# --- traits


@pytest.mark.parametrize(
    ("trait", "value", "stands_for"),
    [
        ("layer", np.int64(2), 2),
        ("heads", 3, [3]),
        ("heads", (3, 1), [1, 3]),
        ("heads", [2, 0, 2], [0, 2]),
        ("heads", range(4), [0, 1, 2, 3]),
        ("heads", np.array([3, 0]), [0, 3]),
        ("view", "matrix", ["matrix"]),
        ("view", ("matrix", "text", "matrix"), ["matrix", "text"]),
        ("hovered", 4, (4, 4)),
        ("hovered", [1, None], (1, None)),
        ("selected", (None, 3), (None, 3)),
        ("selected", (None, None), None),
        ("selected", np.int32(0), (0, 0)),
        ("top_mass", 1, 1.0),
        ("pooling", "mean", "mean"),
        ("theme", "dark", "dark"),
    ],
)
def test_values_are_brought_into_one_form(
    trait: str, value: object, stands_for: object, self_attention: AttentionExplorer
) -> None:
    setattr(self_attention, trait, value)
    held = getattr(self_attention, trait)
    assert held == stands_for
    assert type(held) is type(stands_for)


INVALID = [
    ("layer", 3, "layer=3: expected 0 to 2, as there are 3 layers"),
    ("layer", -1, "layer=-1: expected 0 to 2"),
    ("layer", 1.0, "layer=1.0: expected 0 to 2"),
    ("layer", True, "layer=True: expected 0 to 2"),
    ("layer", None, "layer=None: expected 0 to 2"),
    ("layer", "1", "layer='1': expected 0 to 2"),
    ("heads", [0, 4], r"heads=\[0, 4\]: expected 0 to 3, as there are 4 heads .*got 4"),
    ("heads", [], r"heads=\[\]: expected at least one head, 0 to 3"),
    ("heads", None, "heads=None: expected 0 to 3"),
    ("heads", "01", "heads='01': expected 0 to 3"),
    ("heads", [[0]], "expected 0 to 3"),
    ("view", [], r"view=\[\]: expected one or several of 'text', 'heads', 'matrix'"),
    ("view", "tree", "view='tree': expected one or several of 'text', 'heads', 'matrix'"),
    ("view", [["text"]], "expected one or several of 'text'"),
    ("view", {"text": 1, "x": 2}, "expected one or several of 'text'"),
    ("hovered", 5, "hovered=5: expected 0 to 4, as there are 5 tokens"),
    ("hovered", (0, 5), r"hovered=\(0, 5\): expected 0 to 4, as there are 5 keys"),
    ("selected", (0, 1, 2), r"expected a pair \(query, key\), got 3 entries"),
    ("selected", [], r"expected a pair \(query, key\), got 0 entries"),
    ("selected", "it", "selected='it': expected 0 to 4"),
    ("selected", [-1, None], "as there are 5 queries"),
    ("top_mass", 0, "top_mass=0: expected a share"),
    ("top_mass", 1.1, "above 0 and at most 1"),
    ("top_mass", float("nan"), "above 0 and at most 1"),
    ("top_mass", "0.5", "above 0 and at most 1"),
    ("top_mass", None, "above 0 and at most 1"),
    ("pooling", "median", "pooling='median': expected one of 'max', 'mean'"),
    ("pooling", "max sampled", "expected one of 'max', 'mean'"),
    ("pooling", None, "expected one of 'max', 'mean'"),
    ("theme", "blue", "theme='blue': expected one of 'auto', 'light', 'dark'"),
    ("theme", ["dark"], "expected one of 'auto', 'light', 'dark'"),
]


@pytest.mark.parametrize(("trait", "value", "message"), INVALID)
def test_an_invalid_value_names_the_range_and_changes_nothing(
    trait: str, value: object, message: str, self_attention: AttentionExplorer
) -> None:
    self_attention.layer, self_attention.heads, self_attention.selected = 2, [1, 3], (1, 2)
    before = self_attention.get_state()
    seen: list[object] = []
    self_attention.observe(seen.append)
    with pytest.raises(TraitError, match=message):
        setattr(self_attention, trait, value)
    assert self_attention.get_state() == before
    assert seen == []


def test_a_single_token_is_refused_where_queries_and_keys_differ(cross: AttentionExplorer) -> None:
    """(t, t) there would light up two tokens that have nothing to do with each other."""
    with pytest.raises(TraitError, match=r"pair \(query, key\): query 0 to 4 or None, key 0 to 6"):
        cross.hovered = 2
    cross.hovered = (4, 6)
    with pytest.raises(TraitError, match="expected 0 to 4, as there are 5 queries"):
        cross.hovered = (6, 4)
    assert cross.hovered == (4, 6)


def test_the_constructor_checks_as_assignment_does(
    softmax: Softmax, wires: dict[str, Wire]
) -> None:
    """And leaves no open comm behind when it fails."""
    with pytest.raises(TraitError, match="layer=7: expected 0 to 2"):
        AttentionExplorer(softmax(3, 4, 5, 5), QUERIES, layer=7)
    assert not [wire for wire in wires.values() if "_esm" in wire.state]
    explorer = AttentionExplorer(softmax(3, 4, 5, 5), QUERIES, layer=2, heads=(3, 1), selected=4)
    assert (explorer.layer, explorer.heads, explorer.selected) == (2, [1, 3], (4, 4))
    assert explorer.view == ["text", "heads", "matrix", "model"]


def test_an_unknown_option_is_an_error(softmax: Softmax) -> None:
    """traitlets would swallow head= (a typing slip) with a deprecation warning."""
    with pytest.raises(TypeError, match="head"):
        AttentionExplorer(softmax(1, 2, 5, 5), QUERIES, head=1)


def test_changes_are_observed_and_linked(softmax: Softmax) -> None:
    one, two = (AttentionExplorer(softmax(3, 4, 5, 5), QUERIES) for _ in range(2))
    seen: list[object] = []
    one.observe(lambda change: seen.append(change.new), "hovered")
    ipywidgets.link((one, "hovered"), (two, "hovered"))
    two.hovered = 3
    assert one.hovered == (3, 3)
    assert seen == [(3, 3)]


# --- the browser's side


def test_the_browser_sets_state(self_attention: AttentionExplorer, wires: dict[str, Wire]) -> None:
    wire = wires[self_attention.model_id]
    assert wire.set_state(layer=2, heads=[0, 3], hovered=[1, None], selected=None) == []
    assert (self_attention.layer, self_attention.heads) == (2, [0, 3])
    assert self_attention.hovered == (1, None)


def test_what_the_browser_sets_in_another_form_comes_back_in_the_one_form(
    self_attention: AttentionExplorer, wires: dict[str, Wire]
) -> None:
    assert wires[self_attention.model_id].set_state(heads=[3, 0]) == [{"heads": [0, 3]}]


@pytest.mark.parametrize("first", ["heads", "layer"])
def test_an_invalid_state_from_the_browser_is_put_right_there(
    first: str,
    self_attention: AttentionExplorer,
    wires: dict[str, Wire],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Left alone, browser and Python would disagree, and half of the change would stay."""
    wire = wires[self_attention.model_id]
    self_attention.layer, self_attention.heads = 1, [2]
    state = {"heads": [3], "layer": 99} if first == "heads" else {"layer": 99, "heads": [3]}
    with caplog.at_level(logging.WARNING):
        corrections = wire.set_state(**state)
    assert "layer=99: expected 0 to 2" in caplog.text
    assert corrections == [{name: getattr(self_attention, name) for name in state}]
    assert (self_attention.layer, self_attention.heads) == (1, [2])
    assert wire.set_state(layer=2) == []
    assert self_attention.layer == 2


def test_state_on_the_wire_is_plain_json(
    self_attention: AttentionExplorer, wires: dict[str, Wire]
) -> None:
    self_attention.heads, self_attention.selected = np.array([1, 3]), np.int64(2)
    state = self_attention.get_state(["layer", "heads", "view", "hovered", "selected", "top_mass"])
    assert json.loads(json.dumps(state)) == {
        "layer": 0,
        "heads": [1, 3],
        "view": ["text", "heads", "matrix", "model"],
        "hovered": None,
        "selected": [2, 2],
        "top_mass": 0.8,
    }


def test_the_view_model_names_a_data_model_that_answers(
    cross: AttentionExplorer, wires: dict[str, Wire]
) -> None:
    state = wires[cross.model_id].state
    source = wires[state["_source"].removeprefix("IPY_MODEL_")]
    assert list(wires).index(source.comm_id) < list(wires).index(cross.model_id)
    assert source.request({"id": "a", "kind": "tokens", "shown": ""})[0]["kind"] == "tokens"
    assert (
        source.request({"id": "b", "kind": "everything", "shown": ""})[0]["encoding"] == "float32"
    )


def test_the_description_tells_what_there_is(softmax: Softmax, wires: dict[str, Wire]) -> None:
    explorer = AttentionExplorer(
        dense_attention(softmax(3, 4, 5, 7), layer_numbers=[3, 7, 11], source="a test"),
        QUERIES,
        KEYS,
        model_name="tiny",
    )
    no_model = "this trace has no model: trace(model, tokenizer, text) again, as a file keeps none"
    assert wires[explorer.model_id].state["_description"] == {
        "kind": "",
        "measure": "weights",
        "measures": [
            "weights: ",
            f"norms, norms summed, relevance, logits: {no_model}",
            "rollout: rollout goes from layer to layer, and keys here are other tokens than the "
            "queries",
        ],
        "number": "weight",
        "shares": True,
        "shown": "",
        "hides": 0,
        "hidden_tokens": [],
        "kinds": [""],
        "check": None,
        "layers": [3, 7, 11],
        "heads": 4,
        "queries": 5,
        "keys": 7,
        "causal": False,
        "same_tokens": False,
        "samples": False,
        "whole": True,
        "scale": 1.0,
        "encoding": "quartic8",
        "model": "tiny",
        "source": "a test",
        "notes": [],
        "scores": [f"{name}: {meaning}" for name, meaning in SCORES],
        "labels": [],
        "labels_by": "",
        "texts": [],
        "held": "",
        "against": "",
    }


def test_every_explorer_has_an_identity_of_its_own(softmax: Softmax) -> None:
    one, two = (AttentionExplorer(softmax(1, 1, 5, 5), QUERIES) for _ in range(2))
    assert one._uuid != two._uuid


# --- input


@pytest.mark.parametrize(
    ("shape", "tokens", "key_tokens", "message"),
    [
        ((1, 2, 5, 5), QUERIES[:4], None, "4 tokens for 5 queries; did you leave out the special"),
        ((1, 2, 5, 5), KEYS, None, "7 tokens for 5 queries; was the input cut"),
        ((1, 2, 5, 7), QUERIES, QUERIES, "5 tokens for 7 keys; did you leave out the special"),
        ((1, 2, 5, 7), QUERIES, None, "5 queries and 7 keys.*key_tokens"),
        ((1, 2, 5, 5), None, None, "tokens are missing: give 5 strings"),
    ],
)
def test_token_counts_that_do_not_fit_name_both_numbers(
    shape: tuple[int, int, int, int],
    tokens: list[str] | None,
    key_tokens: list[str] | None,
    message: str,
    softmax: Softmax,
) -> None:
    with pytest.raises(ValueError, match=message):
        AttentionExplorer(softmax(*shape), tokens, key_tokens)


def test_equal_numbers_of_queries_and_other_keys_are_kept_apart(softmax: Softmax) -> None:
    """Cross-attention between texts of one length isn't self-attention."""
    explorer = AttentionExplorer(softmax(1, 2, 5, 5), QUERIES, KEYS[:5])
    assert explorer._description["same_tokens"] is False
    assert explorer.key_tokens.text == tuple(KEYS[:5])
    with pytest.raises(TraitError, match="pair"):
        explorer.hovered = 1


def test_the_empty_tuple_of_an_sdpa_model_names_its_cause() -> None:
    with pytest.raises(ValueError, match=r"sdpa.*from_model"):
        AttentionExplorer((), QUERIES)


def test_a_batch_of_two_asks_which(softmax: Softmax) -> None:
    batches = [np.stack([w, w[::-1]]) for w in softmax(2, 3, 5, 5)]
    with pytest.raises(ValueError, match="batch of 2"):
        AttentionExplorer(batches, QUERIES)
    explorer = AttentionExplorer(batches, QUERIES, batch_index=1)
    np.testing.assert_array_equal(explorer.weights(1, 0), batches[1][1, 0])


def test_nan_names_its_place(softmax: Softmax) -> None:
    layers = softmax(2, 3, 5, 5)
    layers[1][2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="layer 1, head 2, query 3, key 4"):
        AttentionExplorer(layers, QUERIES)


def test_tokens_can_come_ready_made(softmax: Softmax) -> None:
    tokens = Tokens.from_strings(["[CLS]", "play", "##ing", "!", "[SEP]"])
    explorer = AttentionExplorer(softmax(1, 1, 5, 5), tokens)
    assert explorer.tokens is explorer.key_tokens is tokens


def test_a_missing_bundle_says_how_to_build_it(
    softmax: Softmax, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AttentionExplorer, "_esm", "")
    with pytest.raises(RuntimeError, match=r"pip install \..*npm --prefix js run build"):
        AttentionExplorer(softmax(1, 1, 5, 5), QUERIES)


# --- numbers out


def test_weights_are_the_exact_matrix_of_the_chosen_layer_and_first_head(softmax: Softmax) -> None:
    layers = softmax(3, 4, 5, 7)
    explorer = AttentionExplorer(layers, QUERIES, KEYS, layer=2, heads=[1, 3])
    np.testing.assert_array_equal(explorer.weights(), layers[2][1])
    np.testing.assert_array_equal(explorer.weights(0, 3), layers[0][3])
    np.testing.assert_array_equal(explorer.weights(head=0), layers[2][0])
    assert explorer.weights().dtype == np.float32


def test_weights_are_a_copy(cross: AttentionExplorer) -> None:
    cross.weights()[:] = 7
    assert cross.weights().max() <= 1


def test_weights_of_what_is_not_there(cross: AttentionExplorer) -> None:
    """-1 would be taken as the last by numpy."""
    for wrong in ({"layer": 3}, {"layer": -1}):
        with pytest.raises(ValueError, match="expected 0 to 2, as there are 3 layers"):
            cross.weights(**wrong)
    with pytest.raises(ValueError, match="expected 0 to 3, as there are 4 heads"):
        cross.weights(head=4)


def test_repr_is_one_line(cross: AttentionExplorer, softmax: Softmax) -> None:
    assert repr(cross) == (
        "AttentionExplorer(3 layers x 4 heads, 5 queries x 7 keys; layer 0, heads [0])"
    )
    named = AttentionExplorer(softmax(3, 4, 5, 5), QUERIES, model_name="tiny", layer=1, heads=[2])
    assert repr(named) == (
        "AttentionExplorer(tiny: 3 layers x 4 heads, 5 tokens; layer 1, heads [2])"
    )


def test_closing_closes_both_models_and_lets_the_weights_go(
    softmax: Softmax, wires: dict[str, Wire]
) -> None:
    attention = dense_attention(softmax(1, 1, 5, 5))
    held = weakref.ref(attention)
    explorer = AttentionExplorer(attention, QUERIES)
    assert explorer._source is not None
    view, data = wires[explorer.model_id], wires[explorer._source.model_id]
    explorer.close()
    explorer.close()
    assert view.closed
    assert data.closed
    del attention
    gc.collect()
    assert held() is None
    assert repr(explorer) == "AttentionExplorer(closed)"
    with pytest.raises(RuntimeError, match="closed"):
        explorer.weights()


# --- what a notebook saves


def saved(explorer: AttentionExplorer) -> dict[str, Any]:
    """Return the state that a notebook or an embedding page keeps of the view model."""
    embedded: dict[str, Any] = explorer._get_embed_state(drop_defaults=True)
    return embedded


def notebook_bytes(explorer: AttentionExplorer) -> int:
    """Return by how much a notebook file grows, code excepted, as nbformat writes it."""
    models = ipywidgets.Widget.get_manager_state(drop_defaults=True)["state"]
    for model in models.values():
        model["state"].pop("_esm", None)
    notebook = {"metadata": {"widgets": {"application/vnd.jupyter.widget-state+json": models}}}
    return len(json.dumps(notebook, indent=1, ensure_ascii=False).encode())


@pytest.fixture
def only_widget() -> None:
    ipywidgets.Widget.close_all()


Make = Callable[..., AttentionExplorer]


@pytest.fixture
def bert_shaped(softmax: Softmax, only_widget: None) -> Make:
    """Make an explorer of n tokens, opened at the fifth layer from the last and head 5."""

    def make(n: int, layers: int = 12) -> AttentionExplorer:
        words = ["[CLS]", *("Straße" if i % 3 else "##ings" for i in range(n - 2)), "[SEP]"]
        return AttentionExplorer(softmax(layers, 12, n, n), words, layer=layers - 5, heads=[5, 6])

    return make


def saved_replies(explorer: AttentionExplorer) -> dict[str, Any]:
    replies: dict[str, Any] = json.loads(zlib.decompress(explorer._snapshot["header"]))
    return replies


def snapshot_tiles(explorer: AttentionExplorer) -> list[Any]:
    return [tuple(tile) for tile in saved_replies(explorer)["weights"]["tiles"]]


def snapshot_weights(explorer: AttentionExplorer) -> Weights:
    return decode(zlib.decompress(explorer._snapshot["buffer"]), "quartic8", -1)


@pytest.mark.parametrize("n", [2, 13, 64, 128, 512])
def test_a_saved_view_stays_small(n: int, bert_shaped: Make) -> None:
    """Notebooks write each entry of a list on a line of its own: the JSON's length isn't enough."""
    assert notebook_bytes(bert_shaped(n)) < 45_000


def test_a_short_text_is_saved_whole(bert_shaped: Make) -> None:
    explorer = bert_shaped(13)
    assert snapshot_tiles(explorer) == [], "all of them"
    values = snapshot_weights(explorer).reshape(12, 12, 13, 13)
    exact = explorer.weights(7, 5)
    assert np.abs(values[7, 5] ** 0.25 - exact**0.25).max() < 1 / 255
    assert saved_replies(explorer)["tokens"]["queries"]["text"][1] == "ings"


@pytest.mark.parametrize(("n", "level", "side"), [(64, 0, 64), (128, 0, 128), (129, 1, 65)])
def test_a_longer_text_saves_the_opening_head(
    n: int, level: int, side: int, bert_shaped: Make
) -> None:
    explorer = bert_shaped(n)
    assert snapshot_tiles(explorer) == [(7, 5, level, 0, 0, "max")]
    assert snapshot_weights(explorer).size == side**2


def test_the_overview_of_512_tokens_is_a_quarter_a_side(bert_shaped: Make) -> None:
    explorer = bert_shaped(512)
    assert snapshot_tiles(explorer) == [(7, 5, 2, 0, 0, "max")]
    pooled = explorer.weights(7, 5).reshape(128, 4, 128, 4).max((1, 3))
    values = snapshot_weights(explorer).reshape(128, 128)
    assert np.abs(values**0.25 - pooled**0.25).max() < 1 / 255


def test_tokens_that_are_too_long_to_save_are_left_out(softmax: Softmax, only_widget: None) -> None:
    noise = np.random.default_rng(0).integers(0x4E00, 0x9000, (5, 3000))
    words = ["".join(map(chr, row)) for row in noise]
    explorer = AttentionExplorer(softmax(1, 1, 5, 5), words)
    assert saved_replies(explorer)["tokens"] is None
    assert saved_replies(explorer)["weights"] is not None
    assert notebook_bytes(explorer) < 45_000


def test_the_embedded_state_keeps_module_and_snapshot(self_attention: AttentionExplorer) -> None:
    """ipywidgets drops defaults when it embeds, and anywidget's module is a default."""
    embedded = saved(self_attention)
    assert embedded["state"]["_esm"] == str(AttentionExplorer._esm)
    kept = {tuple(buffer["path"]): buffer["data"] for buffer in embedded["buffers"]}
    assert kept == {
        ("_snapshot", part): b64encode(self_attention._snapshot[part]).decode()
        for part in ("header", "buffer")
    }

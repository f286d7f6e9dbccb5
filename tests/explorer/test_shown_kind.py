"""One explorer of several kinds of attention, of which one is shown."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from traitlets import TraitError

from attention_explorer.attention import dense_attention
from attention_explorer.explorer import AttentionExplorer
from attention_explorer.tracing import Kind, Step, Tokens, Trace
from attention_explorer.tracing.trace import Check

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax, Wire

SOURCE = Tokens.from_strings([f"s{i}" for i in range(7)])
TARGET = Tokens.from_strings([f"t{i}" for i in range(5)])


@pytest.fixture
def traced(softmax: Softmax) -> Trace:
    """Encoder 2 layers x 4 heads, decoder and cross 3 x 2: nothing fits another kind's range."""
    check = Check((1e-7, 3e-7), 1e-4, "rows")
    kinds = {
        "encoder": Kind(dense_attention(softmax(2, 4, 7, 7)), SOURCE, check=check),
        "decoder": Kind(dense_attention(softmax(3, 2, 5, 5, causal=True, seed=1)), TARGET),
        "cross": Kind(dense_attention(softmax(3, 2, 5, 7, seed=2)), TARGET, SOURCE),
    }
    return Trace(kinds, "cross", "tiny")


def row_request(shown: str) -> dict[str, object]:
    return {
        "id": "r",
        "kind": "weights",
        "shown": shown,
        "tiles": [],
        "strips": [],
        "columns": [],
        "masses": [],
        "spans": [],
        "scores": False,
    } | {"rows": [[1, 1, 4]]}


def tokens_in(snapshot: dict[str, Any]) -> list[str]:
    queries: list[str] = json.loads(zlib.decompress(snapshot["header"]))["tokens"]["queries"]["raw"]
    return queries


def test_weights_tokens_and_ranges_follow_the_kind(traced: Trace) -> None:
    explorer = AttentionExplorer(traced)
    assert (explorer.kind, explorer.attention) == ("cross", traced.attention)
    explorer.kind = "encoder"
    np.testing.assert_array_equal(explorer.weights(1, 3), traced["encoder"].attention.matrix(1, 3))
    assert explorer.tokens is explorer.key_tokens is SOURCE
    explorer.heads, explorer.hovered = [3], 6
    with pytest.raises(TraitError, match="layer=2: expected 0 to 1"):
        explorer.layer = 2
    assert repr(explorer).startswith("AttentionExplorer(tiny: encoder of encoder, decoder, cross: ")
    assert explorer.trace is traced


def test_a_trace_of_one_kind_opens_with_the_kind_that_it_shows(traced: Trace) -> None:
    assert AttentionExplorer(traced["decoder"]).kind == "decoder"
    renamed = AttentionExplorer(traced["decoder"], ["a", "b", "c", "d", "e"])
    assert renamed.tokens.raw == ("a", "b", "c", "d", "e")
    renamed.kind = "encoder"
    assert renamed.tokens is SOURCE


@pytest.mark.parametrize("from_browser", [False, True])
def test_the_browser_gets_one_consistent_state(
    from_browser: bool, traced: Trace, wires: dict[str, Wire]
) -> None:
    """Two messages would let it draw the new kind's description with the old one's pointer."""
    explorer = AttentionExplorer(traced, layer=2, heads=[0, 1], selected=(4, 6))
    explorer.hovered = (None, 5)
    wire = wires[explorer.model_id]
    seen: list[tuple[str, object]] = []
    names = ["kind", "layer", "hovered", "selected"]
    explorer.observe(lambda change: seen.append((explorer.kind, explorer.layer)), names)
    before = len(wire.sent)
    if from_browser:
        wire.set_state(kind="encoder")
    else:
        explorer.kind = "encoder"
    (state,) = [it["state"] for it in wire.sent[before:] if it["method"] == "update"]
    assert (state["layer"], state["hovered"], state["selected"]) == (1, None, None)
    assert state["_description"]["kind"] == explorer.kind == "encoder"
    assert state["_description"]["kinds"] == ["encoder", "decoder", "cross"]
    assert state["_description"]["check"] == {"worst": 3e-7, "tolerance": 1e-4, "ok": True}
    assert (state["_description"]["queries"], state["_description"]["same_tokens"]) == (7, True)
    assert tokens_in(explorer._snapshot) == list(SOURCE.raw)
    assert "_snapshot" in state
    assert set(seen) == {("encoder", 1)}


def test_heads_stay_as_far_as_they_are_there(traced: Trace) -> None:
    explorer = AttentionExplorer(traced["encoder"], heads=[0, 3])
    explorer.kind = "cross"
    assert explorer.heads == [0]
    explorer.kind = "encoder"
    explorer.heads = [2, 3]
    explorer.kind = "decoder"
    assert explorer.heads == [1]


def test_setting_the_kind_that_is_shown_changes_nothing(
    traced: Trace, wires: dict[str, Wire]
) -> None:
    explorer = AttentionExplorer(traced, selected=(1, 2))
    before = len(wires[explorer.model_id].sent)
    explorer.kind = "cross"
    assert explorer.selected == (1, 2)
    assert len(wires[explorer.model_id].sent) == before


def test_a_late_request_is_answered_from_its_own_kind(
    traced: Trace, wires: dict[str, Wire]
) -> None:
    """Also where the worker still has the other kind's numbers under the same indices."""
    explorer = AttentionExplorer(traced)
    assert explorer._data is not None
    wire = wires[explorer._data.model_id]
    explorer.kind = "decoder"
    for kind in ("cross", "decoder", "encoder"):
        reply, buffers = wire.request(row_request(kind))
        assert reply["kind"] == "weights"
        expected = traced[kind].attention.row(1, 1, 4)
        np.testing.assert_array_equal(np.frombuffer(buffers[1], np.float32), expected)
    reply, _ = wire.request({"id": "t", "kind": "tokens", "shown": "cross"})
    assert (reply["queries"]["raw"], reply["keys"]["raw"]) == (list(TARGET.raw), list(SOURCE.raw))


def test_steps_cross_with_the_tokens_that_were_generated(
    traced: Trace, wires: dict[str, Wire]
) -> None:
    steps = (Step(3, 2, 0.5, ((" cat", 0.5), ("s", 0.25))), Step(4, 3, 0.125, ((" sat", 0.75),)))
    written = replace(traced.kinds["decoder"], steps=steps)
    explorer = AttentionExplorer(replace(traced, kinds={**traced.kinds, "decoder": written}))
    assert explorer._data is not None
    wire = wires[explorer._data.model_id]
    reply, _ = wire.request({"id": "t", "kind": "tokens", "shown": "decoder"})
    assert json.loads(json.dumps(reply["steps"])) == [
        {
            "token": 3,
            "query": 2,
            "probability": 0.5,
            "alternatives": [[" cat", 0.5], ["s", 0.25]],
        },
        {"token": 4, "query": 3, "probability": 0.125, "alternatives": [[" sat", 0.75]]},
    ]
    assert wire.request({"id": "t", "kind": "tokens", "shown": "encoder"})[0]["steps"] == []


def test_many_steps_do_not_push_the_tokens_out_of_the_snapshot(traced: Trace) -> None:
    """A notebook without a kernel shows the text at least."""
    random = np.random.default_rng(0)
    steps = tuple(
        Step(4, 3, 0.5, tuple((" cat", float(share)) for share in random.random(5)))
        for _ in range(500)
    )
    written = replace(traced.kinds["decoder"], steps=steps)
    explorer = AttentionExplorer(replace(traced, kinds={"decoder": written}, kind="decoder"))
    assert tokens_in(explorer._snapshot) == list(TARGET.raw)


def test_an_unknown_kind_names_those_there_are(
    traced: Trace, softmax: Softmax, wires: dict[str, Wire]
) -> None:
    explorer = AttentionExplorer(traced, selected=(1, 2))
    message = "kind='middle': expected one of 'encoder', 'decoder', 'cross'"
    with pytest.raises(TraitError, match=message):
        explorer.kind = "middle"
    assert wires[explorer.model_id].set_state(kind="middle") == [{"kind": "cross"}]
    assert (explorer.kind, explorer.selected) == ("cross", (1, 2))
    with pytest.raises(TraitError, match="expected only ''"):
        AttentionExplorer(softmax(1, 1, 5, 5), TARGET).kind = "encoder"


def test_a_state_that_does_not_fit_its_kind_leaves_the_old_one(
    traced: Trace, wires: dict[str, Wire]
) -> None:
    """Half of it would leave a description with another kind's layer."""
    explorer = AttentionExplorer(traced, layer=2, selected=(1, 2))
    description = explorer._description
    corrections = wires[explorer.model_id].set_state(layer=2, kind="encoder")
    assert corrections == [{"layer": 2, "kind": "cross"}]
    assert (explorer.kind, explorer.layer, explorer.selected) == ("cross", 2, (1, 2))
    assert explorer._description == description
    assert explorer.attention is traced.attention
    explorer.hovered = (4, 6)


def test_a_link_between_explorers_carries_the_kind(traced: Trace) -> None:
    one, two = AttentionExplorer(traced), AttentionExplorer(traced)
    one.observe(lambda change: setattr(two, "kind", change["new"]), "kind")
    one.kind = "decoder"
    assert two.attention is traced["decoder"].attention

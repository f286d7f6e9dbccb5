"""Measures in the explorer: a trait like the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

from attention_explorer import AttentionExplorer, Trace, trace
from attention_explorer.flow import measure
from tests.explorer.conftest import Wire, bundle, wires
from tests.interventions.models import headed
from tests.tracing.conftest import Inputs

from .conftest import EXAMPLE, keeping, traced

__all__ = ["bundle", "wires"]

Open = Callable[..., AttentionExplorer]


@pytest.fixture
def llama(inputs_of: Callable[..., Inputs]) -> Trace:
    """3 layers x 4 heads, 7 tokens of a decoder with a head."""
    model = headed("llama")
    return keeping(trace(model, inputs=inputs_of("llama"), batch_index=EXAMPLE), model)


def test_what_is_shown_changes_in_one_message(llama: Trace, wires: dict[str, Wire]) -> None:
    """Catches numbers that are called weights, or a head that isn't there any more."""
    explorer = AttentionExplorer(llama, layer=1, heads=[1, 3], selected=4)
    wire = wires[explorer.model_id]
    assert (
        explorer._description["measures"][0]
        == "weights, norms, norms summed, rollout, relevance, logits: "
    )
    before = len(wire.sent)
    explorer.measure = "norms"
    (message,) = wire.sent[before:]
    assert {"measure", "_description", "_snapshot"} <= message["state"].keys()
    described = explorer._description
    assert (described["measure"], described["number"]) == ("norms", "|Af|")
    assert described["shares"] is False
    assert described["scores"] == [], "of numbers that are no shares there are none"
    assert (explorer.layer, explorer.heads, explorer.selected) == (1, [1, 3], (4, 4))
    expected = measure(llama, "norms").attention
    np.testing.assert_array_equal(explorer.weights(2, 3), expected.matrix(2, 3))
    explorer.measure = "rollout"
    assert (explorer.heads, explorer.layer) == ([0], 1)
    assert explorer._description["shares"] is True
    assert explorer._description["heads"] == 1
    explorer.measure = "weights"
    assert explorer._description["shares"] is True
    np.testing.assert_array_equal(explorer.weights(2, 3), llama.attention.matrix(2, 3))


def test_the_browser_is_answered_from_what_it_names(llama: Trace, wires: dict[str, Wire]) -> None:
    explorer = AttentionExplorer(llama)
    explorer.measure = "norms"
    named = explorer._description["shown"]
    explorer.measure = "logits"
    assert explorer._source is not None
    data = wires[explorer._source.model_id]
    expected = measure(llama, "norms").attention.row(1, 2, 6)
    wish = {
        "id": "1",
        "kind": "weights",
        "shown": named,
        "rows": [[1, 2, 6]],
        **{name: [] for name in ("tiles", "strips", "columns", "masses", "spans")},
        "scores": False,
    }
    reply, buffers = data.request(wish)
    while not reply["rows"]:
        reply, buffers = data.request(wish)
    np.testing.assert_array_equal(np.frombuffer(buffers[1], "<f4"), expected)


def test_units_and_hidden_keys_apply_on_top(llama: Trace) -> None:
    explorer = AttentionExplorer(llama, measure="norms", hide_tokens=[0, 2])
    expected = measure(llama, "norms").attention.matrix(1, 2)
    expected[:, [0, 2]] = 0
    np.testing.assert_array_equal(explorer.weights(1, 2), expected)
    explorer.measure, explorer.hide_tokens = "logits", [0]
    with pytest.raises(traitlets.TraitError, match="below 0"):
        explorer.renormalise = True
    assert explorer.renormalise is False
    explorer.hide_tokens = []
    explorer.renormalise = True
    explorer.hide_tokens = []
    explorer.measure = "norms"
    explorer.hide_tokens = [1]
    with pytest.raises(traitlets.TraitError, match="below 0"):
        explorer.measure = "logits"
    assert explorer.measure == "norms"


def test_what_cannot_be_had_leaves_what_was(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("bert", tiny_model, inputs_of)
    explorer = AttentionExplorer(found, measure="norms")
    with pytest.raises(traitlets.TraitError, match="returns representations"):
        explorer.measure = "relevance"
    with pytest.raises(traitlets.TraitError, match="expected one of 'weights', 'norms'"):
        explorer.measure = "norm"
    assert explorer.measure == "norms"
    np.testing.assert_array_equal(
        explorer.weights(0, 1), measure(found, "norms").attention.matrix(0, 1)
    )
    with pytest.raises(traitlets.TraitError, match=r"measure='logits': .*one decoder"):
        AttentionExplorer(found, measure="logits")


def test_the_browser_hears_why_something_cannot_be_had(
    tiny_model: Any, inputs_of: Any, wires: dict[str, Wire]
) -> None:
    """Catches a choice that jumps back without a word."""
    _, found, _ = traced("qwen3_next", tiny_model, inputs_of)
    explorer = AttentionExplorer(found)
    wire = wires[explorer.model_id]
    states = wire.set_state(measure="norms")
    assert any(state.get("measure") == "weights" for state in states)
    described = [state["_description"] for state in states if "_description" in state][-1]
    assert any(
        "Not shown: measure='norms'" in note and "gate" in note for note in described["notes"]
    )
    assert any(line.startswith("norms: no projection takes") for line in described["measures"])
    explorer.unit = "word"
    assert not any("Not shown" in note for note in explorer._description["notes"])


def test_another_kind_falls_back_to_weights_where_it_must(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("bart", tiny_model, inputs_of)
    explorer = AttentionExplorer(found, kind="encoder", measure="rollout")
    assert explorer.attention.n_heads == 1
    explorer.kind = "cross"
    assert (explorer.measure, explorer.attention.n_heads) == ("weights", 4)
    explorer.measure = "norms"
    explorer.kind = "decoder"
    assert explorer.measure == "norms"
    np.testing.assert_array_equal(
        explorer.weights(1, 2), measure(found, "norms", "decoder").attention.matrix(1, 2)
    )


def test_a_state_comes_back_with_its_measure(llama: Trace) -> None:
    explorer = AttentionExplorer(llama, measure="norms summed", layer=2, unit="word")
    state = json.loads(json.dumps(explorer.state()))
    assert state["measure"] == "norms summed"
    again = AttentionExplorer(llama, state=state)
    assert again.state() == state
    np.testing.assert_array_equal(again.weights(), explorer.weights())
    traitlets.link((explorer, "measure"), (again, "measure"))
    explorer.measure = "logits"
    assert again.measure == "logits"


def test_another_text_keeps_the_measure(llama: Trace, inputs_of: Any) -> None:
    """Catches numbers of the text before, and its model's refusals."""
    explorer = AttentionExplorer(llama, measure="norms")
    other = trace(llama.live.model, inputs=inputs_of("llama"), batch_index=0)
    explorer._show_instead(other)
    assert explorer.measure == "norms"
    np.testing.assert_array_equal(
        explorer.weights(1, 3), measure(other, "norms").attention.matrix(1, 3)
    )


def test_other_tokens_than_the_traces_are_shown(llama: Trace) -> None:
    words = [f"word {i}" for i in range(7)]
    explorer = AttentionExplorer(llama, words, measure="norms")
    assert list(explorer.tokens.text) == words
    assert explorer.trace is llama


def test_a_figure_says_what_it_shows(llama: Trace) -> None:
    """Catches a picture for a paper whose numbers would be taken for weights."""
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    explorer = AttentionExplorer(llama, measure="norms", layer=1)
    figure: Any = explorer.plot("heads")
    said = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "|Af|" in said
    assert "|A f(x)|" in said
    assert "of all weight" not in said
    explorer.measure = "rollout"
    figure = explorer.plot("matrix")
    said = " ".join(text.get_text() for text in figure.findobj(Text))
    assert "share of rollout · layer 1" in said
    assert "head 0" not in said
    plt.close("all")


def test_arrays_can_be_rolled_out() -> None:
    weights = np.full((2, 3, 5, 5), 0.2, np.float32)
    explorer = AttentionExplorer(weights, ["a", "b", "c", "d", "e"], measure="rollout")
    np.testing.assert_allclose(explorer.weights(1, 0), 0.25 * np.eye(5) + 0.75 / 5, atol=1e-6)
    with pytest.raises(traitlets.TraitError, match="has no model"):
        explorer.measure = "norms"

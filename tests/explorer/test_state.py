"""The view as a small dict, and from one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from traitlets import TraitError

from attention_explorer import AttentionExplorer
from attention_explorer.view_state import ViewState

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax

WORDS = ["The", "cat", "sat", ",", "it", "purred", "."]

# One value a trait that no new explorer has.
OTHER: dict[str, Any] = {
    "unit": "word",
    "hide": ["first", "punctuation"],
    "hide_tokens": [2],
    "renormalise": True,
    "layer": 1,
    "heads": [0, 2],
    "view": ["matrix"],
    "selected": [3, 4],
    "also": [[1, None], [None, 2]],
    "combine": "sum",
    "direction": "is read by",
    "top_mass": 0.5,
    "top_k": 3,
    "threshold": 0.01,
    "between": [[0, 0]],
    "orientation": "horizontal",
    "pooling": "mean",
    "scale": "log",
    "scale_to": "head",
    "sort": "entropy",
    "paint": "score",
    "edits": [
        {"do": "ablate", "on": True, "kind": "", "layer": 1, "head": 2, "by": "zero"},
    ],
    "theme": "dark",
}


@pytest.fixture
def explorer(softmax: Softmax) -> AttentionExplorer:
    return AttentionExplorer(softmax(2, 3, 7, 7), WORDS)


def as_lists(value: object) -> object:
    return [as_lists(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def test_every_trait_of_a_view_is_in_its_state_and_comes_back(softmax: Softmax) -> None:
    """Catches a trait that was added and forgotten: a link or a saved view would lose it."""
    # Other kinds and measures need a model: tests/flow/test_explorer.py goes back and forth.
    assert {"kind", "measure", *OTHER} == set(ViewState.state_names())
    layers = softmax(2, 3, 7, 7)
    state = AttentionExplorer(layers, WORDS, **OTHER).state()
    assert {name: as_lists(value) for name, value in state.items()} == OTHER
    again = AttentionExplorer(layers, WORDS, state=json.loads(json.dumps(state)))
    assert again.state() == state
    shown = np.array(again.weights(1, 2))
    np.testing.assert_array_equal(shown, AttentionExplorer(layers, WORDS, **OTHER).weights(1, 2))


def test_a_new_view_has_nothing_to_say(explorer: AttentionExplorer) -> None:
    assert explorer.state() == {}
    explorer.hovered = 3
    assert explorer.state() == {}, "what is hovered is over in a moment"


def test_what_is_given_beside_a_state_goes_before_it(softmax: Softmax) -> None:
    state = {"layer": 1, "heads": [2], "theme": "dark"}
    explorer = AttentionExplorer(softmax(2, 3, 7, 7), WORDS, state=state, layer=0, scale="log")
    assert (explorer.layer, explorer.heads, explorer.theme, explorer.scale) == (
        0,
        [2],
        "dark",
        "log",
    )


def test_a_state_of_a_larger_model_names_what_is_not_there(softmax: Softmax) -> None:
    with pytest.raises(TraitError, match=r"layer=5: expected 0 to 1"):
        AttentionExplorer(softmax(2, 3, 7, 7), WORDS, state={"layer": 5})


def test_an_option_that_no_view_has_names_the_nearest(softmax: Softmax) -> None:
    with pytest.raises(TypeError, match=r"no option 'treshold': did you mean 'threshold'\?"):
        AttentionExplorer(softmax(2, 3, 7, 7), WORDS, treshold=0.1)
    with pytest.raises(TypeError, match=r"no option 'colour': known are also, between"):
        AttentionExplorer(softmax(2, 3, 7, 7), WORDS, state={"colour": "red"})


def test_words_count_words_and_tokens_tokens(softmax: Softmax) -> None:
    """A pin is of another token when words are shown: it is let go of."""
    pieces = ["play", "##ing", "chess"]
    explorer = AttentionExplorer(softmax(2, 3, 3, 3), pieces, selected=2, unit="token")
    explorer.unit = "word"
    assert explorer.tokens.text == ("playing", "chess")
    assert explorer.weights().shape == (2, 2)
    assert explorer.selected is None
    with pytest.raises(TraitError, match="expected 0 to 1"):
        explorer.selected = 2
    explorer.hide_tokens = [2]
    assert not explorer.weights()[:, 1].any(), "hidden keys are counted in tokens"

"""The explorer of two traces: kinds, the difference, what is said of it, studies over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from traitlets import TraitError

from attention_explorer import AttentionExplorer
from attention_explorer.attention import dense_attention
from attention_explorer.comparing import ComparingExplorer
from attention_explorer.tracing import Kind, Tokens, Trace

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax, Wire

LAYERS, HEADS = 2, 3
FIRST = ["[CLS]", "now", "the", "cat", "##s", "sat", "here", ".", "[SEP]"]
SECOND = ["[CLS]", "the", "dog", "##s", "sat", "right", "there", ".", "[SEP]"]
# Of `FIRST` and `SECOND`: what stands opposite each other.
OURS, THEIRS = [0, 2, 3, 4, 5, 7, 8], [0, 1, 2, 3, 4, 7, 8]
SHOWN = ("[CLS]", "the", "cat → dog", "s", "sat", ".", "[SEP]")
PATIENCE = 600

MakeTrace = Callable[..., Trace]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def traced(softmax: Softmax) -> MakeTrace:
    def make(words: list[str], seed: int = 0, layers: int = LAYERS, heads: int = HEADS) -> Trace:
        weights = softmax(layers, heads, len(words), len(words), seed=seed)
        kind = Kind(dense_attention(weights), Tokens.from_strings(words))
        return Trace({"encoder": kind}, "encoder", f"model {seed}")

    return make


@pytest.fixture
def pair(traced: MakeTrace) -> tuple[Trace, Trace]:
    return traced(FIRST), traced(SECOND, 1)


@pytest.fixture
def explorer(pair: tuple[Trace, Trace]) -> ComparingExplorer:
    return AttentionExplorer.compare(*pair)


def whole(trace: Trace, kind: str = "encoder") -> Any:
    return np.stack(trace.kinds[kind].attention.layers)  # type: ignore[attr-defined]


def by_hand(pair: tuple[Trace, Trace]) -> Any:
    first, second = map(whole, pair)
    return second[:, :, THEIRS][..., THEIRS] - first[:, :, OURS][..., OURS]


@pytest.fixture
def ask(wires: dict[str, Wire]) -> Ask:
    """Ask as the browser does, until something has come of it, or the error."""

    def asked(explorer: ComparingExplorer, study: Any, shown: str | None = None) -> dict[str, Any]:
        assert explorer._data is not None
        wire = wires[explorer._data.model_id]
        shown = explorer._description["shown"] if shown is None else shown
        request = {"id": "r", "kind": "study", "shown": shown, "run": json.dumps([shown, study])}
        for _ in range(PATIENCE):
            reply, _ = wire.request({**request, "study": study})
            if reply["kind"] == "error" or reply["studied"] is not None:
                json.dumps(reply)
                found: dict[str, Any] = reply.get("studied") or reply
                return found
        raise AssertionError("nothing came of it")

    return asked


def test_it_opens_on_the_difference_of_what_both_texts_have(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace]
) -> None:
    assert explorer.tokens.text == SHOWN
    assert (explorer.kind, explorer.view) == ("difference", ["compare", "model"])
    for layer, head in np.ndindex(LAYERS, HEADS):
        np.testing.assert_array_equal(explorer.weights(layer, head), by_hand(pair)[layer, head])
    described = explorer._description
    assert (described["number"], described["against"]) == ("difference", "first")
    assert (described["encoding"], described["shares"]) == ("signed8", False)
    assert described["notes"] == [
        "“second” less “first”: above 0 where “second” reads more.",
        "Left out, as nothing stands opposite: 2 tokens (now, here) of “first” and 2 tokens "
        "(right, there) of “second”.",
    ]
    assert described["model"] == "model 0 and model 1"
    assert explorer._compared == ("first", "second")


def test_it_opens_at_the_head_that_differs_most_unless_told_otherwise(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace]
) -> None:
    frame = explorer.differences()
    assert (explorer.layer, explorer.heads[0]) == frame["js"].idxmax()
    told = AttentionExplorer.compare(*pair, layer=1, heads=[0, 2], view="text")
    assert (told.layer, told.heads, told.view) == (1, [0, 2], ["text"])


def test_both_are_kinds_by_their_names_as_they_were_traced(pair: tuple[Trace, Trace]) -> None:
    explorer = AttentionExplorer.compare(*pair, names=("before", "after"), layer=1, heads=2)
    assert explorer._description["kinds"] == ["before", "after", "difference"]
    assert explorer.trace is None
    for name, trace in zip(("before", "after"), pair, strict=True):
        explorer.kind = name
        assert explorer.trace is trace
        assert explorer.tokens is trace.tokens
        assert explorer._description["against"] == ""
        np.testing.assert_array_equal(explorer.weights(), whole(trace)[1, 2])
    assert (explorer.names, explorer.traces) == (("before", "after"), pair)


def test_swapped_all_changes_its_sign_and_of_one_trace_it_is_nothing(
    pair: tuple[Trace, Trace],
) -> None:
    here, there = AttentionExplorer.compare(*pair), AttentionExplorer.compare(*pair[::-1])
    np.testing.assert_array_equal(here.weights(1, 2), -there.weights(1, 2))
    np.testing.assert_allclose(here.differences()["js"], there.differences()["js"])
    assert there.tokens.text[2] == "dog → cat"
    same = AttentionExplorer.compare(pair[0], pair[0])
    assert not same.weights(1, 2).any()
    assert not same.differences()[["js", "largest"]].to_numpy().any()


def test_differences_set_aside_what_is_hidden(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace]
) -> None:
    frame = explorer.differences()
    assert frame.index.names == ["layer", "head"]
    assert frame.attrs == {"queries": 7, "read": 7, "names": ("first", "second")}
    assert frame["js"].between(0, np.log(2)).all()
    difference = by_hand(pair)
    for at, row in zip(np.ndindex(LAYERS, HEADS), frame.to_dict("records"), strict=True):
        cells = difference[at]
        assert row["largest"] == cells[int(row["query"]), int(row["key"])]
        assert abs(row["largest"]) == np.abs(cells).max()
    explorer.hide = ["special", "punctuation"]
    hidden = explorer.differences()
    assert not set(hidden["key"]) & {0, 5, 6}
    assert (hidden["js"] != frame["js"]).all()
    np.testing.assert_array_equal(explorer.weights(0, 1)[:, [0, 5, 6]], 0)
    with pytest.raises(TraitError, match="below 0"):
        explorer.renormalise = True
    explorer.kind = "first"
    np.testing.assert_array_equal(explorer.differences()["js"], frame["js"])


def test_words_that_both_have_whole_are_words_of_the_difference(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace]
) -> None:
    """The difference of word weights; a sum over half a word would be called a word's."""
    sides = [AttentionExplorer(trace, unit="word") for trace in pair]
    explorer.unit = "word"
    assert explorer.tokens.text == ("[CLS]", "the", "cat → dogs", "sat", ".", "[SEP]")
    ours, theirs = [0, 2, 3, 4, 6, 7], [0, 1, 2, 3, 6, 7]
    for layer, head in np.ndindex(LAYERS, HEADS):
        first, second = (side.weights(layer, head) for side in sides)
        expected = second[np.ix_(theirs, theirs)] - first[np.ix_(ours, ours)]
        np.testing.assert_allclose(explorer.weights(layer, head), expected, atol=1e-6)


def test_pieces_of_words_that_one_side_lacks_stay_pieces(traced: MakeTrace) -> None:
    first, second = traced(["play", "##ing", "##s", "well"]), traced(["play", "##s", "well"], 1)
    explorer = AttentionExplorer.compare(first, second, unit="word")
    assert explorer.tokens.text == ("play", "s", "well")


def test_a_word_of_other_length_stands_opposite_as_one(traced: MakeTrace) -> None:
    first, second = traced(["the", "cat", "sat"]), traced(["the", "hip", "##po", "##s", "sat"], 1)
    explorer = AttentionExplorer.compare(first, second)
    assert explorer.tokens.text == ("the", "cat → hippos", "sat")
    one, other = whole(first), whole(second)
    summed = np.stack([other[..., 0], other[..., 1:4].sum(-1), other[..., 4]], -1)
    joined = np.stack([summed[:, :, 0], summed[:, :, 1:4].mean(2), summed[:, :, 4]], 2)
    for layer, head in np.ndindex(LAYERS, HEADS):
        found = explorer.weights(layer, head)
        np.testing.assert_allclose(found, (joined - one)[layer, head], atol=1e-6)
    assert any("is one here: the sum" in note for note in explorer.attention.notes)


def test_a_view_is_the_same_again_by_its_state(pair: tuple[Trace, Trace]) -> None:
    explorer = AttentionExplorer.compare(*pair)
    explorer.hide, explorer.selected, explorer.unit = ["special"], None, "word"
    explorer.selected = (3, 1)
    explorer.view = ["text", "heads", "matrix", "model"]
    again = AttentionExplorer.compare(*pair, state=json.loads(json.dumps(explorer.state())))
    assert again.state() == explorer.state()
    assert (again.layer, again.heads) == (explorer.layer, explorer.heads)
    np.testing.assert_array_equal(again.weights(), explorer.weights())
    first = AttentionExplorer.compare(*pair, state={"kind": "first"})
    assert (first.kind, first.view[0]) == ("first", "text")


def test_cross_attention_is_compared_by_both_of_its_texts(softmax: Softmax, ask: Ask) -> None:
    def cross(target: str, source: str, seed: int) -> Trace:
        queries, keys = (Tokens.from_strings(text.split()) for text in (target, source))
        weights = softmax(LAYERS, HEADS, len(queries), len(keys), seed=seed)
        return Trace({"cross": Kind(dense_attention(weights), queries, keys)}, "cross", "t5")

    first, second = (
        cross("la maison bleue", "the blue house is", 0),
        cross("la bleue", "a blue house", 1),
    )
    explorer = AttentionExplorer.compare(first, second, kind="cross", layer=1, heads=0)
    assert explorer.tokens.text == ("la", "bleue")
    assert explorer.key_tokens.text == ("the → a", "blue", "house")
    one, other = (whole(trace, "cross")[1, 0] for trace in (first, second))
    np.testing.assert_array_equal(explorer.weights(), other[:, :3] - one[[0, 2]][:, :3])
    sides = ask(explorer, {"of": "sides"})
    assert sides["queries"]["pairs"] == [(0, 0), (2, 1)]
    assert sides["keys"]["pairs"] == [(0, 0), (1, 1), (2, 2)]
    assert [len(table["text"]) for table in sides["keys"]["tables"]] == [4, 3]
    rows = ask(explorer, {"of": "compare", "layer": 1, "heads": [0], "queries": [1]})
    np.testing.assert_allclose(rows["first"], one[2], atol=1e-6)
    np.testing.assert_allclose(rows["second"], other[1], atol=1e-6)


def test_the_browser_learns_what_stands_opposite_what(
    explorer: ComparingExplorer, ask: Ask
) -> None:
    sides = ask(explorer, {"of": "sides"})
    assert [table["raw"] for table in sides["queries"]["tables"]] == [FIRST, SECOND]
    assert sides["queries"]["pairs"] == [*zip(OURS, THEIRS, strict=True)]
    assert sides["queries"]["changed"] == [False, False, True, False, False, False, False]
    assert sides["keys"] is None
    assert sides["labels"] == [[], []]


def test_what_a_classifier_says_of_each_is_told(pair: tuple[Trace, Trace], ask: Ask) -> None:
    said = (("good", 0.75), ("bad", 0.25)), (("bad", 0.5), ("good", 0.5))
    first, second = (
        replace(trace, kinds={"encoder": replace(trace.kinds["encoder"], labels=its, labels_by=by)})
        for trace, its, by in zip(pair, said, ("softmax", "sigmoid"), strict=True)
    )
    sides = ask(AttentionExplorer.compare(first, second), {"of": "sides"})
    assert sides["labels"] == [list(said[0]), list(said[1])]
    assert sides["labels_by"] == ["softmax", "sigmoid"]


def test_rows_cross_whole_and_less_what_is_hidden(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace], ask: Ask
) -> None:
    """Of all tokens of each text, also those that nothing stands opposite."""
    first, second = map(whole, pair)
    found = ask(explorer, {"of": "compare", "layer": 1, "heads": [0, 2], "queries": [2, 4]})
    for name, weights, queries in (("first", first, [3, 5]), ("second", second, [2, 4])):
        mean = weights[1][[0, 2]][:, queries].mean((0, 1))
        np.testing.assert_allclose(found[name], mean, atol=1e-6)
    explorer.hide_tokens = [2]
    hidden = ask(explorer, {"of": "compare", "layer": 1, "heads": [0], "queries": [2]})
    assert (hidden["first"][3], hidden["second"][2]) == (0, 0)
    np.testing.assert_allclose(hidden["first"][2], first[1, 0, 3, 2], atol=1e-6)


def test_heads_are_ranked_as_in_python_with_where_they_differ_most(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace], ask: Ask
) -> None:
    frame = explorer.differences()
    found = ask(explorer, {"of": "differ"})
    np.testing.assert_allclose(found["js"], frame["js"])
    order = frame.sort_values("js", ascending=False).index.tolist()
    assert [(edge["layer"], edge["head"]) for edge in found["edges"]] == order
    first, second = map(whole, pair)
    for edge in found["edges"]:
        at = edge["layer"], edge["head"]
        query, key = edge["query"], edge["key"]
        assert edge["first"] == first[at][OURS[query], OURS[key]]
        assert edge["second"] == second[at][THEIRS[query], THEIRS[key]]
    assert found["read"] == 7
    same = AttentionExplorer.compare(pair[0], pair[0])
    assert ask(same, {"of": "differ"})["edges"] == []


def test_what_is_asked_of_what_is_no_difference_by_token_is_refused(
    explorer: ComparingExplorer, ask: Ask
) -> None:
    study = {"of": "compare", "layer": 0, "heads": [0], "queries": [0]}
    late = explorer._description["shown"]
    for name, value in (("unit", "word"), ("kind", "first")):
        setattr(explorer, name, value)
        reply = ask(explorer, study)
        assert reply["kind"] == "error"
        assert "show the difference (kind='difference') and tokens" in reply["message"]
    assert ask(explorer, study, late)["of"] == "compare", "what was asked before is answered"
    wrongs: list[dict[str, object]] = [
        {"heads": []},
        {"queries": []},
        {"queries": [7]},
        {"heads": [3]},
        {"layer": 2},
    ]
    for wrong in wrongs:
        reply = ask(explorer, {**study, **wrong}, late)
        assert reply["kind"] == "error"
        assert not reply["message"].startswith("IndexError")


def test_measures_are_compared_where_both_have_them(
    explorer: ComparingExplorer, pair: tuple[Trace, Trace]
) -> None:
    explorer.measure = "rollout"
    assert explorer._description["number"] == "difference of share of rollout"
    sides = [AttentionExplorer(trace, measure="rollout") for trace in pair]
    first, second = (side.weights(1, 0) for side in sides)
    expected = second[np.ix_(THEIRS, THEIRS)] - first[np.ix_(OURS, OURS)]
    np.testing.assert_allclose(explorer.weights(1, 0), expected, atol=1e-6)
    explorer.kind = "second"
    np.testing.assert_allclose(explorer.weights(1, 0), second, atol=1e-6)
    with pytest.raises(TraitError, match="this trace has no model"):
        explorer.measure = "norms"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": 3}, "“first” has 2 layers × 3 heads and “second” has 3 layers × 3 heads"),
        ({"heads": 4}, "“second” has 2 layers × 4 heads: only models of the same"),
    ],
)
def test_models_of_other_layers_or_heads_are_refused(
    traced: MakeTrace, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        AttentionExplorer.compare(traced(FIRST), traced(SECOND, **changes))


def test_what_cannot_be_meant_is_refused_in_a_sentence(pair: tuple[Trace, Trace]) -> None:
    compare: Any = AttentionExplorer.compare
    with pytest.raises(TypeError, match=r"two traces, .+ got str for “second”"):
        compare(pair[0], "The dog sat.")
    for names in ("ab", ("a",), ("a", ""), ("a", 3)):
        with pytest.raises(ValueError, match="names= takes two texts"):
            compare(*pair, names=names)
    for names in (("a", "a"), ("a", "difference")):
        with pytest.raises(ValueError, match="called differently"):
            compare(*pair, names=names)
    with pytest.raises(ValueError, match="“first” has no kind of attention 'cross', but 'encoder'"):
        compare(*pair, kind="cross")
    with pytest.raises(TypeError, match="no option 'colour'"):
        compare(*pair, colour="red")
    with pytest.raises(TraitError, match="expected one or several of 'text'"):
        AttentionExplorer(pair[0], view="compare")
    with pytest.raises(TraitError, match="'compare'"):
        compare(*pair, view="qa")


def test_a_difference_has_no_model_and_is_of_these_traces(explorer: ComparingExplorer) -> None:
    with pytest.raises(ValueError, match="show one of the two, kind='first' or 'second'"):
        explorer.intervene([])
    with pytest.raises(ValueError, match=r"compare\(\.\.\.\) anew"):
        explorer.retrace("another text")
    assert explorer._description["texts"] == []


def test_closed_it_lets_go_of_both(explorer: ComparingExplorer) -> None:
    explorer.close()
    for ask_for in (lambda: explorer.traces, lambda: explorer.names, explorer.differences):
        with pytest.raises(RuntimeError, match="closed"):
            ask_for()
    assert explorer.trace is None
    assert repr(explorer) == "ComparingExplorer(closed)"


def test_a_saved_notebook_stays_small(traced: MakeTrace) -> None:
    """All that is saved, the module with it: of a text whose weights don't fit."""
    words = [f"word{i}" for i in range(300)]
    changed = [f"{word}x" if i % 7 == 3 else word for i, word in enumerate(words)]
    explorer = AttentionExplorer.compare(traced(words), traced(changed, 1))
    from ipywidgets.embed import dependency_state, embed_data

    state = embed_data([explorer], state=dependency_state([explorer]))
    assert len(json.dumps(state, indent=1)) < 100_000


def test_numbers_below_0_have_no_divergence_but_a_largest_difference(ask: Ask) -> None:
    random = np.random.default_rng(0)
    tokens = Tokens.from_strings(["a", "b", "c", "d"])
    first, second = (
        Trace({"": Kind(dense_attention(random.normal(0, 1, (2, 3, 4, 4))), tokens)}, "", "m")
        for _ in range(2)
    )
    explorer = AttentionExplorer.compare(first, second)
    frame = explorer.differences()
    assert frame["js"].isna().all()
    found = ask(explorer, {"of": "differ"})
    assert set(found["js"]) == {None}
    sizes = [abs(edge["second"] - edge["first"]) for edge in found["edges"]]
    np.testing.assert_allclose(sizes, sorted(frame["largest"].abs(), reverse=True), rtol=1e-6)

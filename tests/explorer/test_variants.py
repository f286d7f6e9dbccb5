"""What of the weights is shown: by token or by word, less the keys that are hidden."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from traitlets import TraitError

from attention_explorer.attention import dense_attention
from attention_explorer.explorer import AttentionExplorer
from attention_explorer.protocol import Hideable
from attention_explorer.tracing import Kind, Step, Tokens, Trace
from attention_explorer.variants import Variant, Variants, hidden_keys

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax, Wire

# Nine tokens, seven words: "un|believ|able" is one of them.
STRINGS = ["[CLS]", "the", "un", "##believ", "##able", "cat", ",", "sat", "[SEP]"]
WORDS = ["[CLS]", "the", "unbelievable", "cat", ",", "sat", "[SEP]"]
OF_TOKEN = np.array([0, 1, 2, 2, 2, 3, 4, 5, 6])
TARGET = ["Die", "Katze", "saß", "."]
Array = npt.NDArray[Any]


@pytest.fixture
def layers(softmax: Softmax) -> list[npt.NDArray[np.float32]]:
    return softmax(2, 3, 9, 9)


@pytest.fixture
def explorer(layers: list[npt.NDArray[np.float32]]) -> AttentionExplorer:
    return AttentionExplorer(layers, STRINGS)


def by_word(matrix: Array) -> Array:
    """Sum to, mean from, by a product with who is whose: no run of neighbours, no order."""
    whose = np.eye(len(WORDS))[OF_TOKEN]
    pooled: Array = (whose / whose.sum(0)).T @ matrix @ whose
    return pooled


def hidden(strings: list[str], *hide: Hideable, hide_tokens: tuple[int, ...] = ()) -> list[str]:
    tokens = Tokens.from_strings(strings)
    kind = Kind(dense_attention([np.eye(len(strings), dtype=np.float32)[None]]), tokens)
    keys = hidden_keys(kind, Variant("", hide=hide, hide_tokens=hide_tokens))
    assert list(keys) == sorted(set(keys))
    return [strings[key] for key in keys]


@pytest.mark.parametrize(
    ("marks", "others"),
    [
        (["##!", ",", ".", "...", "(", '"', "--", "$", "+"], ["a.", "3.5", "it's", "x"]),
        (["。", "、", "「", "」", "…"], ["猫", "々", "ー"]),
        (["،", "؟", "।", "¿", "«", "—"], ["سلام", "क", "ñ"]),
        (["Ġ,", "Ġ("], ["Ġcat", "Ċ"]),
        (["▁.", "▁("], ["▁cat", "▁"]),
        ([], ["🙂", "€", "™", "°", "☕"]),
    ],
    ids=["ascii", "cjk", "other scripts", "byte-level", "sentencepiece", "symbols"],
)
def test_punctuation_is_what_holds_nothing_else(marks: list[str], others: list[str]) -> None:
    """Catches ASCII alone, words with a mark in them, white space, and emoji taken for marks."""
    mixed = [token for pair in zip(marks + others, others + marks, strict=True) for token in pair]
    assert set(hidden([*mixed, "[SEP]"], "punctuation")) == set(marks)


def test_specials_the_first_and_chosen_keys_are_hidden_once_each() -> None:
    assert hidden(STRINGS, "special") == ["[CLS]", "[SEP]"]
    assert hidden(STRINGS, "first") == ["[CLS]"]
    assert hidden(["a", "b"], "first") == ["a"]
    chosen = hidden(STRINGS, "special", "first", hide_tokens=(0, 5))
    assert chosen == ["[CLS]", "cat", "[SEP]"]
    assert hidden(STRINGS) == []


@pytest.mark.parametrize("renormalise", [False, True])
def test_hidden_keys_read_nothing_and_the_rest_is_the_base_or_its_share(
    renormalise: bool, explorer: AttentionExplorer, layers: list[npt.NDArray[np.float32]]
) -> None:
    explorer.hide, explorer.hide_tokens = ["special"], [5]
    explorer.renormalise = renormalise
    expected = layers[1][2].copy()
    expected[:, [0, 5, 8]] = 0
    if renormalise:
        expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(explorer.weights(1, 2), expected, rtol=1e-5)
    described = explorer._description
    assert (described["hides"], described["hidden_tokens"]) == (3, ["cat"])
    (note,) = described["notes"]
    assert note.startswith("3 keys are hidden ([CLS], cat, [SEP]); the other weights")
    assert ("raised" in note) == renormalise


def test_words_are_the_sum_to_and_the_mean_from_their_tokens(
    explorer: AttentionExplorer, layers: list[npt.NDArray[np.float32]]
) -> None:
    explorer.unit = "word"
    assert list(explorer.tokens.text) == WORDS
    np.testing.assert_allclose(explorer.weights(1, 2), by_word(layers[1][2]), rtol=1e-5)
    assert (explorer._description["queries"], explorer._description["keys"]) == (7, 7)
    assert any("sum of the weights to a word's tokens" in n for n in explorer._description["notes"])
    explorer.selected = 6
    with pytest.raises(TraitError, match="0 to 6"):
        explorer.selected = 7


def test_words_of_what_is_hidden_count_its_tokens_still(
    explorer: AttentionExplorer, layers: list[npt.NDArray[np.float32]]
) -> None:
    """A word of which one piece is hidden is read with what its other pieces are read with."""
    explorer.unit = "word"
    explorer.hide_tokens = [3, 8]
    expected = layers[0][1].copy()
    expected[:, [3, 8]] = 0
    np.testing.assert_allclose(explorer.weights(0, 1), by_word(expected), rtol=1e-5)
    mass = explorer.attention.hidden_mass(0, 1, range(7))
    before = by_word(layers[0][1])
    np.testing.assert_allclose(mass, before.sum(1) - by_word(expected).sum(1), atol=1e-6)
    explorer.unit = "token"
    np.testing.assert_allclose(explorer.weights(0, 1), expected)


@pytest.mark.parametrize(
    ("strings", "words"),
    [
        (["Ġthe", "Ġun", "able", "Ġcat"], ["the", "unable", "cat"]),
        (["▁the", "▁un", "able", "▁cat"], ["the", "unable", "cat"]),
        (["猫", "坐", "在"], ["猫", "坐", "在"]),
        (["a", "🙂", "b"], ["a", "🙂", "b"]),
    ],
    ids=["byte-level", "sentencepiece", "cjk", "emoji"],
)
def test_words_of_plain_strings(strings: list[str], words: list[str]) -> None:
    n = len(strings)
    explorer = AttentionExplorer(np.full((1, 1, n, n), 1 / n, np.float32), strings, unit="word")
    assert list(explorer.tokens.text) == words
    sizes = [n / len(words)] if n == len(words) else [1, 2, 1]
    expected = np.broadcast_to(np.array(sizes) / n, (len(words), len(words)))
    np.testing.assert_allclose(explorer.weights(), expected, rtol=1e-6)


def test_the_demo_by_words_less_its_specials() -> None:
    explorer = AttentionExplorer.demo(unit="word", hide=["special", "punctuation"])
    assert "".join(explorer.tokens.text[1:-1]) == "Thecatsatonthematbecauseitwastired."
    weights = explorer.weights()
    assert not weights[:, [0, -2, -1]].any()
    mass = explorer.attention.hidden_mass(5, 11, range(len(explorer.tokens)))
    np.testing.assert_allclose(weights.sum(1) + mass, 1, atol=1e-5)


@pytest.fixture
def crossed(softmax: Softmax) -> Trace:
    """Cross attention: 4 queries x 9 keys; and the encoder's over the keys."""
    source, target = Tokens.from_strings(STRINGS), Tokens.from_strings(TARGET)
    steps = (Step(2, 1, 0.5, ((" saß", 0.5),)),)
    kinds = {
        "encoder": Kind(dense_attention(softmax(2, 3, 9, 9)), source),
        "cross": Kind(dense_attention(softmax(2, 3, 4, 9, seed=1)), target, source, steps=steps),
    }
    return Trace(kinds, "cross", "tiny")


def test_the_keys_own_tokens_are_hidden_and_joined(crossed: Trace) -> None:
    """Catches the queries' tokens taken for the keys', which they aren't in cross attention."""
    explorer = AttentionExplorer(crossed, hide=["punctuation"], unit="word")
    assert (list(explorer.tokens.text), list(explorer.key_tokens.text)) == (TARGET, WORDS)
    expected = crossed["cross"].attention.matrix(1, 2)
    expected[:, STRINGS.index(",")] = 0
    whose = np.eye(len(WORDS))[OF_TOKEN]
    np.testing.assert_allclose(explorer.weights(1, 2), expected @ whose, rtol=1e-5)


def test_chosen_keys_are_let_go_with_the_kind_that_they_are_of(crossed: Trace) -> None:
    explorer = AttentionExplorer(crossed, hide_tokens=[8], hide=["special"])
    with pytest.raises(TraitError, match="hide_tokens"):
        explorer.hide_tokens = [9]
    explorer.kind = "encoder"
    assert (explorer.hide_tokens, explorer.hide) == ([], ["special"])
    assert not explorer.weights()[:, [0, 8]].any()


def test_steps_point_to_the_words_of_their_tokens(softmax: Softmax) -> None:
    """A step that kept its token's number would underline another word."""
    kind = Kind(
        dense_attention(softmax(1, 2, 9, 9, causal=True)),
        Tokens.from_strings(STRINGS),
        steps=(Step(7, 5, 0.5, ((" sat", 0.5),)),),
    )
    shown = Variants({"": kind}).show(Variant("", unit="word"))
    assert [(step.position, step.query) for step in shown.steps] == [(5, 3)]


def test_requests_name_what_they_are_for_and_late_ones_are_answered(
    explorer: AttentionExplorer,
    layers: list[npt.NDArray[np.float32]],
    wires: dict[str, Wire],
) -> None:
    assert explorer._data is not None
    wire = wires[explorer._data.model_id]
    names = [explorer._description["shown"]]
    explorer.renormalise = True
    assert explorer._description["shown"] == names[0] == "", "nothing is hidden: the same weights"
    explorer.hide = ["first"]
    names.append(explorer._description["shown"])
    explorer.renormalise = False
    names.append(explorer._description["shown"])
    assert len(set(names)) == 3
    left = layers[1][0][4] * (np.arange(9) > 0)
    for name, expected in zip(names, [layers[1][0][4], left / left.sum(), left], strict=True):
        request = dict.fromkeys(("tiles", "strips", "columns", "masses", "spans"), ())
        rows = {"rows": [[1, 0, 4]], "scores": False}
        _, buffers = wire.request({"id": "r", "kind": "weights", "shown": name, **request, **rows})
        np.testing.assert_allclose(np.frombuffer(buffers[1], "<f4"), expected, rtol=1e-5)


def test_a_few_variants_are_kept_and_what_is_shown_is_always_there(
    explorer: AttentionExplorer,
) -> None:
    """A variant that vanishes for a moment would be refused to a request in another thread."""
    variants, missing = explorer._variants, list[int]()
    shown = Variant("", hide_tokens=(8,))
    kept = variants.show(shown)
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            missing.extend([0] * (shown.name not in variants))

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(2000):
        assert variants.show(shown) is kept
    done.set()
    thread.join()
    assert not missing
    for key in range(9):
        explorer.hide_tokens = [key]
    assert len(variants) < 1 + 9
    assert not explorer.weights()[:, 8].any()


def test_shares_of_weights_below_zero_are_refused_and_the_old_view_stands() -> None:
    scores = np.linspace(-3, 2, 9, dtype=np.float32).reshape(1, 1, 3, 3)
    explorer = AttentionExplorer(scores, ["a", "b", "."], hide=["punctuation"])
    with pytest.raises(TraitError, match="renormalise=True: some weights are below 0"):
        explorer.renormalise = True
    assert not explorer.renormalise
    np.testing.assert_array_equal(explorer.weights()[:, 0], scores[0, 0, :, 0])


def test_a_closed_explorer_lets_go_of_what_it_made(explorer: AttentionExplorer) -> None:
    explorer.hide = ["first"]
    explorer.close()
    with pytest.raises(RuntimeError, match="closed"):
        explorer.unit = "word"
    assert len(explorer._variants) == 0

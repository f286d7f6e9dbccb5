"""The exercise's checker: every state has its words, and a verdict stands on what is measured."""

from __future__ import annotations

import importlib
import string
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from attention_explorer import AttentionExplorer, Trace, demo_model, trace
from tests.course.notebooks import COURSE, LANGUAGES

sys.path.append(str(COURSE))
answer: Any = importlib.import_module("checker.answer")
pinned: Any = importlib.import_module("checker.pinned")
words: Any = importlib.import_module("checker.words")

Answered = Callable[..., AttentionExplorer]
# By position; [CLS] and “I” come before.
SAW, THE, MAN, WITH, THE_2, TELESCOPE = range(2, 8)


@pytest.fixture(scope="module")
def loaded() -> tuple[Any, Any]:
    return demo_model()


@pytest.fixture(scope="module")
def traced(loaded: tuple[Any, Any]) -> Trace:
    found: Trace = trace(*loaded, answer.TEXT)
    return found


@pytest.fixture(scope="module")
def answered(traced: Trace) -> Answered:
    """Return a function that opens the exercise as a learner leaves it."""

    def opened(layer: int = 1, head: int | list[int] = 2, **options: Any) -> AttentionExplorer:
        return AttentionExplorer(traced, layer=layer, heads=head, **options)

    return opened


def both(explorer: AttentionExplorer) -> Any:
    """Return the English verdict, once the Chinese one is known to be the same one."""
    english, chinese = (answer.check_answer(explorer, language) for language in LANGUAGES)
    assert english.state == chinese.state
    assert english.evidence == chinese.evidence
    assert len(english.sentences) == len(chinese.sentences)
    assert english.headline != chinese.headline
    return english


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({}, "nothing pinned"),
        ({"selected": WITH}, "one token"),
        ({"selected": (WITH, None)}, "one token"),
        ({"selected": (None, SAW), "also": [(None, MAN)]}, "one token"),
        ({"selected": (SAW, WITH)}, "backwards"),
        ({"selected": (WITH, TELESCOPE)}, "another token"),
        ({"selected": (THE, THE_2)}, "another token"),
        ({"selected": (TELESCOPE, SAW)}, "another token"),
        ({"selected": (WITH, SAW), "also": [(WITH, MAN)]}, "both readings"),
        ({"selected": (WITH, WITH), "also": [(SAW, SAW), (MAN, MAN)]}, "both readings"),
        ({"selected": (WITH, SAW), "head": [2, 9]}, "several heads"),
        ({"selected": (WITH, SAW), "measure": "norms"}, "other numbers"),
        ({"unit": "segment"}, "other units"),
    ],
)
def test_what_is_no_answer_yet(answered: Answered, options: dict[str, Any], state: str) -> None:
    """Catches a state that is judged all the same, or named for another."""
    verdict = both(answered(**options))
    assert verdict.state == state
    assert verdict.evidence is None
    assert verdict.sentences == ()


@pytest.mark.parametrize(
    "pins",
    [
        {"selected": (WITH, MAN)},
        {"selected": (WITH, WITH), "also": [(MAN, MAN)]},
        {"selected": (None, MAN), "also": [(WITH, None)]},
        {"selected": (WITH, None), "also": [(None, MAN)]},
        {"selected": (WITH, MAN), "unit": "word"},
    ],
)
def test_a_pair_is_pinned_in_any_view(answered: Answered, pins: dict[str, Any]) -> None:
    """Catches pins of the text, the head view or the matrix that aren't understood."""
    verdict = both(answered(1, 9, **pins))
    assert verdict.state == "hypothesis"
    assert verdict.evidence.key == "man"


def test_another_text_and_no_model(loaded: tuple[Any, Any], traced: Trace) -> None:
    other = AttentionExplorer(trace(*loaded, "I saw the man with the <b>beard</b>."))
    verdict = both(other)
    assert verdict.state == "another text"
    assert "<b>beard" in repr(verdict)
    assert "&lt;b&gt;beard" in verdict._repr_html_()
    arrays = [traced.attention.rows(i, range(12), range(10)) for i in range(6)]
    assert both(AttentionExplorer(arrays, traced.tokens)).state == "no model"


@pytest.mark.parametrize(
    ("layer", "head", "key", "state"),
    [
        (1, 2, SAW, "hypothesis"),
        (1, 2, MAN, "reads the other"),
        (3, 8, SAW, "reads both"),
        (0, 2, MAN, "habit"),
    ],
)
def test_what_is_judged(answered: Answered, layer: int, head: int, key: int, state: str) -> None:
    verdict = both(answered(layer, head, selected=(WITH, key)))
    assert verdict.state == state
    assert f"{layer}.{head}" in verdict.headline
    assert all(sentence in verdict._repr_html_() for sentence in verdict.sentences[:1])


def test_the_numbers_are_the_models(loaded: tuple[Any, Any], answered: Answered) -> None:
    """Held to eager attention, here and in the text that is turned round."""
    found = both(answered(1, 2, selected=(WITH, SAW))).evidence
    model, tokenizer = loaded
    model.set_attn_implementation("eager")
    rows = []
    with torch.no_grad():
        for text in (answer.TEXT, found.turned):
            outputs = model(**tokenizer(text, return_tensors="pt"), output_attentions=True)
            rows.append(torch.cat(outputs.attentions)[..., WITH, :])
    model.set_attn_implementation("sdpa")
    here, there = rows[0], rows[1][1, 2]
    assert (found.weight, found.other_weight) == pytest.approx(
        here[1, 2, [SAW, MAN]].tolist(), abs=1e-5
    )
    assert (found.turned_weight, found.turned_other) == pytest.approx(
        there[[SAW, MAN]].tolist(), abs=1e-5
    )
    more = here[..., SAW] - here[..., MAN]
    assert found.rank == int((more > more[1, 2] + 1e-6).sum()) + 1
    assert found.n_heads == more.numel()


def test_a_knock_out_stands_beside_others(answered: Answered) -> None:
    """Catches a cut that is compared with itself, and one head's that is taken for the whole."""
    found = both(answered(1, 2, selected=(WITH, SAW))).evidence
    assert (found.n_keys, found.n_other_heads) == (6, 11)
    assert found.stands_out
    assert not replace(found, keys_below=5).stands_out
    assert not replace(found, heads_below=10).stands_out
    assert 0 < found.cut < found.whole < found.other_whole


def test_the_other_reading_is_the_same_measured_from_the_other_side(answered: Answered) -> None:
    saw, man = (both(answered(1, 2, selected=(WITH, key))).evidence for key in (SAW, MAN))
    assert (saw.key, saw.other) == (man.other, man.key) == ("saw", "man")
    assert (saw.weight, saw.whole) == pytest.approx((man.other_weight, man.other_whole))
    assert saw.turned != man.turned


@pytest.mark.parametrize("keys_below", [5, 6])
@pytest.mark.parametrize("turned_other", [0.1, 0.9])
def test_the_words_follow_the_numbers(
    answered: Answered, keys_below: int, turned_other: float
) -> None:
    """Catches a conclusion that doesn't go with the numbers before it."""
    found = both(answered(1, 2, selected=(WITH, SAW))).evidence
    found = replace(found, keys_below=keys_below, turned_other=turned_other)
    grounds = answer._grounds("hypothesis", found)
    assert ("stands out" in grounds) == (keys_below == 6)
    assert ("turns" in grounds) == (turned_other > found.turned_weight)
    assert ("does not stand out" in grounds) != ("stands out" in grounds)
    assert ("does not turn" in grounds) != ("turns" in grounds)


def test_both_languages_say_all_of_it_with_the_same_numbers() -> None:
    """Catches a sentence or a number that is missing in one language."""
    english, chinese = (words.SENTENCES[language] for language in LANGUAGES)
    assert list(english) == list(chinese)
    for name in english:
        of_english, of_chinese = (
            {(field, spec) for _, field, spec, _ in string.Formatter().parse(it) if field}
            for it in (english[name], chinese[name])
        )
        assert of_english == of_chinese, name
    assert [set(words.UNITS[language]) for language in LANGUAGES] == [{"token_cosine", "kl"}] * 2


def test_what_cannot_be_checked_is_refused(answered: Answered) -> None:
    with pytest.raises(ValueError, match="'en' and 'zh', got language='fr'"):
        answer.check_answer(answered(), language="fr")
    with pytest.raises(TypeError, match=r"takes the explorer .* got NoneType"):
        answer.check_answer(None)

"""What can't be asked, and models that can't answer: said, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers

from attention_explorer.tasks.qa import QuestionAnswering

from .questions import ASKED

library: Any = transformers
Reader = Callable[..., tuple[Any, Any]]
CONTEXT = ASKED[0][0]


@pytest.mark.parametrize(
    ("question", "context", "error", "message"),
    [
        ("", "A text.", ValueError, "the question is empty: write"),
        (" \n", "A text.", ValueError, "the question is empty"),
        ("Who?", "", ValueError, "the context is empty: give the text"),
        ("Who?", "\u200b", ValueError, "the context holds nothing that this tokenizer knows"),
        ("Who?", "A \ud83d.", ValueError, "the context holds half a character"),
        (None, "A text.", TypeError, "the question has to be a string, got NoneType"),
        ("Who?", ["A text."], TypeError, "the context has to be a string, got list"),
        (
            "who " * 70,
            "A text.",
            ValueError,
            r"the question has \d+ tokens, and a window of 64 has room for at most 60 .*"
            r"shorten the question, or give a larger max_length \(the model reads up to 384\)",
        ),
        (
            "who is the keeper of the tower " * 5,
            CONTEXT,
            ValueError,
            r"stride=32 doesn't let the windows move on: .* hold \d+ tokens .* at most \d+",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(
    reader: Reader, question: Any, context: Any, error: type[Exception], message: str
) -> None:
    answering = QuestionAnswering(*reader("bert"), max_length=64, stride=32)
    with pytest.raises(error, match=message):
        answering.answer(question, context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 400}, "max_length=400 is more than .* can read: at most 384"),
        ({"top": 0}, "top has to be a whole number from 1 on, got 0"),
        ({"stride": -1}, "stride has to be a whole number from 0 on, got -1"),
        ({"max_answer_tokens": 2.5}, "max_answer_tokens has to be a whole number"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    reader: Reader, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        QuestionAnswering(*reader("bert"), **options)


@pytest.mark.parametrize("kind", ["BertModel", "BertForSequenceClassification"])
def test_a_model_without_a_head_is_told_the_class_it_needs(reader: Reader, kind: str) -> None:
    model, tokenizer = reader("bert")
    other = getattr(library, kind)(model.config)
    message = f"{kind} has no question answering head.*AutoModelForQuestionAnswering"
    with pytest.raises(TypeError, match=message):
        QuestionAnswering(other, tokenizer)


def test_a_model_of_someones_own_without_a_head_is_told_by_its_output(reader: Reader) -> None:
    model, tokenizer = reader("bert")

    class Own(library.BertModel):  # type: ignore[misc]
        pass

    answering = QuestionAnswering(Own(model.config), tokenizer)
    with pytest.raises(TypeError, match="Own has no question answering head"):
        answering.answer("Who?", CONTEXT)


def test_a_checkpoint_without_a_head_does_not_get_a_random_one(
    reader: Reader, tmp_path: Any
) -> None:
    model, tokenizer = reader("bert")
    for name, part in (("whole", model), ("body", model.bert)):
        part.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    loaded = QuestionAnswering(str(tmp_path / "whole"))
    given = QuestionAnswering(model, tokenizer).answer("Who?", CONTEXT)
    assert loaded.answer("Who?", CONTEXT).answers[0].span == given.answers[0].span
    with pytest.raises(ValueError, match=r"has no question answering head \(no qa_outputs"):
        QuestionAnswering(str(tmp_path / "body"))


def test_a_tokenizer_alone_or_none_is_refused(reader: Reader) -> None:
    model, tokenizer = reader("bert")
    with pytest.raises(TypeError, match="the model has to be a transformers model"):
        QuestionAnswering(None, tokenizer)
    with pytest.raises(ValueError, match="a question needs the model's tokenizer"):
        QuestionAnswering(model)


def test_logits_that_are_no_numbers_are_no_answer(reader: Reader) -> None:
    """argmax of nan is the first span, which looks like an answer."""
    model, tokenizer = reader("bert")
    torch.nn.init.constant_(model.qa_outputs.bias, float("nan"))
    with pytest.raises(ValueError, match="logits that are no numbers"):
        QuestionAnswering(model, tokenizer).answer("Who?", CONTEXT)


def test_a_window_that_is_not_there_is_refused(reader: Reader) -> None:
    answering = QuestionAnswering(*reader("bert"))
    answers = answering.answer("Who?", "The tower.")
    with pytest.raises(ValueError, match=r"window 1 isn't one of 1 \(0 to 0\)"):
        answering.trace(answers, 1)

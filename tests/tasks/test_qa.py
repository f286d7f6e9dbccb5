"""Answers to questions: windows, spans, probabilities, and the window that is traced."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
import transformers
from tokenizers import processors

from attention_explorer.tasks import demo_qa
from attention_explorer.tasks.qa import Answers, QuestionAnswering

from . import reference
from .conftest import FAMILIES
from .questions import ASKED, PAIRS

library: Any = transformers
Reader = Callable[..., tuple[Any, Any]]
CONTEXT = ASKED[0][0]
ENCODERS = ["bert", "roberta", "distilbert", "electra"]


def check_against_reference(given: Answers, found: list[reference.Found]) -> None:
    # That there is no answer is given besides the five best.
    for answer, wanted in zip(given.answers[:5], found, strict=False):
        assert (answer.text, answer.span or ()) == (wanted.text, wanted.span)
        assert (answer.window, answer.tokens or ()) == (wanted.window, _ends(wanted.tokens))
        assert answer.score == pytest.approx(wanted.score, abs=1e-4)
        assert answer.probability == pytest.approx(wanted.probability, rel=1e-3)


def _ends(tokens: tuple[int, ...]) -> tuple[int, ...]:
    return (tokens[0], tokens[-1]) if tokens else ()


@pytest.mark.parametrize(
    ("family", "may_be_none"),
    [
        ("bert", False),
        ("roberta", True),
        ("distilbert", False),
        ("electra", False),
        ("xlnet", True),
    ],
)
def test_fifty_questions_have_the_answers_of_the_reference(
    reader: Reader, family: str, may_be_none: bool
) -> None:
    """Windows a token off, spans across their borders, an answer lost or doubled in an overlap."""
    check_fifty(*reader(family), may_be_none=may_be_none)


def test_fifty_questions_of_the_demo_model_have_the_answers_of_the_reference() -> None:
    """A trained model's sharp logits, where most probabilities vanish."""
    pytest.importorskip("peft")
    if not demo_qa.ADAPTER.exists():
        pytest.skip("the demo model's adapter isn't there")
    check_fifty(*demo_qa.demo_qa_model(), may_be_none=False)


def check_fifty(model: Any, tokenizer: Any, may_be_none: bool) -> None:
    answering = QuestionAnswering(
        model, tokenizer, max_length=96, stride=24, max_answer_tokens=12, no_answer=may_be_none
    )
    find = partial(
        reference.find, model, tokenizer, max_length=96, stride=24, longest=12, none=may_be_none
    )
    n_windows = set()
    for question, context in PAIRS:
        given = answering.answer(question, context)
        found = find(question, context)
        check_against_reference(given, found)
        n_windows.add(len(given.windows))
    assert min(n_windows) > 1


@pytest.mark.skipif(
    "question-answering" not in library.pipelines.SUPPORTED_TASKS,
    reason="this version of transformers has no question-answering pipeline",
)
@pytest.mark.parametrize("family", ENCODERS)
def test_fifty_questions_have_the_answers_of_the_pipeline(reader: Reader, family: str) -> None:
    """Another idea of which spans are valid.

    In one window: of several, the pipeline normalises each by itself before it compares them.
    """
    model, tokenizer = reader(family)
    pipeline = library.pipeline("question-answering", model=model, tokenizer=tokenizer)
    answering = QuestionAnswering(model, tokenizer, max_answer_tokens=15)
    for question, context in PAIRS:
        wanted = pipeline(question=question, context=context, align_to_words=False)
        answers = answering.answer(question, context)
        assert len(answers.windows) == 1
        best = answers.answers[0]
        assert (best.text, best.span) == (wanted["answer"], (wanted["start"], wanted["end"]))


@pytest.mark.parametrize("max_length", [64, 384])
def test_probabilities_are_one_distribution_over_all_windows(
    reader: Reader, max_length: int
) -> None:
    """Windows that are each normalised by themselves sum to their number."""
    answering = QuestionAnswering(*reader("bert"), max_length=max_length, no_answer=True)
    given = answering.answer("Who built the tower?", CONTEXT)
    assert given.no_answer is not None
    for name in ("starts", "ends"):
        columns = [getattr(window, name) for window in given.windows]
        assert given.no_answer + sum(c.sum() for c in columns) == pytest.approx(1, abs=1e-5)
        for column, window in zip(columns, given.windows, strict=True):
            assert len(column) <= max_length
            assert not column[: window.context[0]].any()
            assert not column[window.context[1] :].any()
    for answer in given.answers:
        if answer.tokens is not None:
            window = given.windows[answer.window]
            assert answer.probability <= window.starts[answer.tokens[0]] + 1e-6
            assert answer.probability <= window.ends[answer.tokens[1]] + 1e-6


def test_no_answer_is_the_best_where_its_token_scores_highest(reader: Reader) -> None:
    model, tokenizer = reader("electra")
    head = model.qa_outputs
    model.qa_outputs = FirstToken()
    best, *others = (
        QuestionAnswering(model, tokenizer, no_answer=True, max_length=96)
        .answer("Why?", CONTEXT)
        .answers
    )
    model.qa_outputs = head
    assert (best.text, best.tokens, best.span, best.score) == ("", None, None, 14)
    assert best.probability > max(one.probability for one in others)
    assert all(one.text for one in others)


class FirstToken(torch.nn.Module):
    """A head that points to the first token alone."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*hidden.shape[:2], 2)
        logits[:, 0] = 7
        return logits


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("deepset/roberta-base-squad2", True),
        ("somebody/electra_squad-v2", True),
        ("somebody/bert-squad_v2", True),
        ("distilbert-base-cased-distilled-squad", False),
        ("somebody/squad-1-2", False),
    ],
)
def test_a_name_says_whether_a_model_knows_no_answer(
    reader: Reader, name: str, known: bool
) -> None:
    model, tokenizer = reader("bert")
    model.config.name_or_path = name
    answers = QuestionAnswering(model, tokenizer).answer("Who?", CONTEXT)
    assert (answers.no_answer is not None) == known


@pytest.mark.parametrize("family", FAMILIES)
def test_the_window_that_is_traced_is_the_one_that_was_read(reader: Reader, family: str) -> None:
    """Token types for segments (RoBERTa has none), or another cut than the answer's."""
    model, tokenizer = reader(family)
    answering = QuestionAnswering(model, tokenizer, max_length=96, stride=24)
    question = "Who built the lighthouse?"
    answers = answering.answer(question, CONTEXT)
    for number in (0, 2, len(answers.windows) - 1):
        window, traced = answers.windows[number], answering.trace(answers, number)
        if family == "bart":
            traced = traced["encoder"]
        tokens = traced.tokens
        assert window.span is not None
        assert tokens.span is not None
        assert (traced.text, traced.text_pair) == (question, CONTEXT)
        assert tokens.segments == ("question", "context")
        for segment, (first, stop) in enumerate((window.question, window.context)):
            assert tokens.segment[first:stop] == (segment,) * (stop - first)
        assert sum(s >= 0 for s in tokens.segment) == sum(
            stop - first for first, stop in (window.question, window.context)
        )
        assert tokens.gap[window.context[0]] == ""
        inside = slice(*window.context)
        written = zip(tokens.gap[inside], tokens.text[inside], strict=True)
        shown = "".join(gap + text for gap, text in written if "⟨" not in text)
        assert shown.strip() == CONTEXT[slice(*window.span)].strip()
        assert traced.attention.n_queries == len(window.starts)
        assert traced.check().ok


def test_windows_lie_as_the_tokenizer_cuts_them(reader: Reader) -> None:
    """With the pipeline's defaults: 384 tokens, 128 of them shared."""
    model, tokenizer = reader("bert")
    question, context = "Who?", " ".join(text for text, _ in ASKED)
    encoded = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=384,
        stride=128,
        return_overflowing_tokens=True,
    )
    answering = QuestionAnswering(model, tokenizer)
    answers = answering.answer(question, context)
    assert len(answers.windows) == len(encoded["input_ids"]) > 2
    for number, ids in enumerate(encoded["input_ids"]):
        traced = answering.trace(answers, number)
        assert traced.tokens.ids == tuple(ids)
    assert "windows of 379, each with 128" in answers.notes[0]


def test_a_context_of_20_000_words_is_read(reader: Reader) -> None:
    context = (CONTEXT + " ") * 135
    told: list[float] = []
    answers = QuestionAnswering(*reader("bert")).answer("Who built it?", context, told.append)
    assert len(context.split()) > 20_000
    assert len(answers.windows) > 100
    assert told[-1] == 1
    assert told == sorted(set(told))
    assert sum(window.starts.sum() for window in answers.windows) == pytest.approx(1, abs=1e-4)
    spans = [answer.span for answer in answers.answers]
    assert len(set(spans)) == 5


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_search_that_is_stopped_leaves_the_model_as_it_was(
    reader: Reader, error: type[BaseException]
) -> None:
    model, tokenizer = reader("bert")
    model.train()

    def stop(share: float) -> None:
        assert 0 < share < 1
        raise error("enough")

    with pytest.raises(error, match="enough"):
        QuestionAnswering(model, tokenizer).answer("Who?", CONTEXT * 20, stop)
    assert all(module.training for module in model.modules())
    assert torch.is_grad_enabled()
    assert not any(len(module._forward_hooks) for module in model.modules())


def test_equal_characters_are_one_answer(reader: Reader) -> None:
    """Several byte tokens of one letter make several spans of the same characters."""
    model, tokenizer = reader("roberta")
    answering = QuestionAnswering(model, tokenizer, top=1000, max_answer_tokens=3)
    answers = answering.answer("Was?", "é ⛵ 猫 ö").answers
    assert len({answer.span for answer in answers}) == len(answers) > 4
    assert all(answer.text == answer.text.strip() != "" for answer in answers)


def test_space_before_a_token_is_no_part_of_an_answer(reader: Reader) -> None:
    """GPT-2's offsets hold the space that its tokens begin with."""
    model, tokenizer = reader("roberta")
    with_space = deepcopy(tokenizer)
    with_space.backend_tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=False
    )
    assert with_space("a", "b c").encodings[0].offsets != tokenizer("a", "b c").encodings[0].offsets
    given, wanted = (
        QuestionAnswering(model, one).answer("Who built it?", CONTEXT).answers
        for one in (with_space, tokenizer)
    )
    assert given == wanted


class SlowTokenizer(library.PreTrainedTokenizer):  # type: ignore[misc]
    """One without offsets: words, a start and an end."""

    def __init__(self) -> None:
        words = [word for text, _ in ASKED for word in text.lower().split()]
        self.words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(words)]
        super().__init__(pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def get_vocab(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    def _tokenize(self, text: str) -> list[str]:
        return text.lower().split()

    def _convert_token_to_id(self, token: str) -> int:
        return self.get_vocab().get(token, 1)

    def _convert_id_to_token(self, index: int) -> str:
        return self.words[index]

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [2, *token_ids_0, 3, *(token_ids_1 or []), *([3] if token_ids_1 else [])]


def test_a_slow_tokenizer_answers_without_characters(reader: Reader) -> None:
    slow = SlowTokenizer()
    assert not slow.is_fast
    model, _ = reader("bert", vocab_size=len(slow))
    answering = QuestionAnswering(model, slow, max_length=64, stride=16)
    answers = answering.answer("the tower in the sea", CONTEXT)
    best = answers.answers[0]
    assert best.tokens is not None
    assert best.span is None
    assert best.text
    assert best.text in CONTEXT.lower()
    assert len(answers.windows) > 2
    assert "slow tokenizer" in answers.notes[0]
    tokens = answering.trace(answers, best.window).tokens
    first, last = best.tokens
    assert " ".join(tokens.text[first : last + 1]) == best.text
    assert tokens.segment[:8] == (-1, 0, 0, 0, 0, 0, -1, 1)


def test_a_long_question_still_lets_the_windows_move_on(reader: Reader) -> None:
    """With the default stride each window would move on by some tokens, or by none."""
    answering = QuestionAnswering(*reader("bert"), max_length=64)
    answers = answering.answer("who is the keeper of the tower " * 5, CONTEXT)
    assert 2 < len(answers.windows) < 60


def test_that_there_is_no_answer_is_given_wherever_it_stands(reader: Reader) -> None:
    """A model that knows it, and finds it unlikely, would else seem not to know it."""
    for top in (1, 3, 10_000):
        answering = QuestionAnswering(*reader("electra"), top=top, no_answer=True)
        given = answering.answer(*PAIRS[3])
        (none,) = [answer for answer in given.answers if answer.tokens is None]
        assert none.probability == given.no_answer
        assert len(given.answers) - 1 in (top, top - 1) or top == 10_000

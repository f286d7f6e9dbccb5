"""The question answering model that ships: what it answers, how it was trained and measured."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import demo_qa_model
from attention_explorer.tasks.demo_qa import ADAPTER

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SENTENCES = """\
Wiki1k:wikipedia:1:0:0\tThe `` blue '' house -LRB- built in 1910 -RRB- is n't Anna 's .
Wiki1k:wikipedia:1:0:3\tAnna sold it to Berta , a painter .
Wiki1k:wikipedia:2:4:0\tPainters like blue light .
Wiki1k:wikipedia:3:1:1\tShips sail in 1911 .
"""
QUESTIONS = """\
Wiki1k:wikipedia:1:0:0\t2 6\t7\t0\t6\tWhen was the blue house built?\t6 7 8\t1:8\t2:7 8
Wiki1k:wikipedia:1:0:3\t0 4\t7\t0\t0\tWho sold it to Berta?\t0\t1:0\t2:4
Wiki1k:wikipedia:1:0:3\t0 4\t7\t1\t0\tWho was the painter then?\t0\t1:4\t2:4
Wiki1k:wikipedia:1:0:3\t0 4\t7\t2\t0\tWhat did she do?\t0 5 8\t1:1 2\t2:Invalid
PTB:wsj_0003:1\t0 4\t7\t2\t0\tWhat is not here?\t0\t1:1\t2:1
"""


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Return a function that imports a file of the examples, as they import one another."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


@pytest.fixture
def qamr(tmp_path: Path) -> Path:
    (tmp_path / "wiki-sentences.tsv").write_text(SENTENCES, "utf-8")
    (tmp_path / "dev.tsv").write_text(QUESTIONS, "utf-8")
    return tmp_path


def test_it_answers_who_the_architect_is(
    example: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the demo model asks for the network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    try:
        model, tokenizer = demo_qa_model()
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    assert type(model).__name__ == "BertForQuestionAnswering"
    assert model.config.name_or_path == "all-MiniLM-L6-v2 + QA adapter"
    assert not model.training
    assert not [name for name, _ in model.named_modules() if "lora" in name], "not merged"
    squad = example("squad")
    asked = squad.Question(
        "Who is the famous architect in Barcelona?",
        "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
        [],
    )
    assert squad.answers(model, tokenizer, [asked]) in (["Gaudí"], ["Gaudí's"])


def test_without_peft_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install attention-explorer\[demo\]"):
        demo_qa_model()


def test_the_adapter_is_small_and_says_what_it_is() -> None:
    assert sum(file.stat().st_size for file in ADAPTER.iterdir()) < 3e6
    card = (ADAPTER / "README.md").read_text("utf-8")
    for said in ("QAMR", "MIT", "Licence: Apache-2.0", "XQuAD English, 823 questions: EM", "F1"):
        assert said in card


@pytest.mark.parametrize(
    ("given", "expected", "exact", "f1"),
    [
        ("the Cat's hat!", "cats hat", 1, 1),
        ("in  New York", "New York", 0, 0.8),
        ("an animal, a theatre", "Animal theatre", 1, 1),
        ("blue blue sea", "blue sky", 0, 0.4),
        ("the", "a", 1, 1),
        ("", "sea", 0, 0),
        ("sky", "sea", 0, 0),
    ],
)
def test_answers_are_compared_by_squads_rules(
    example: Callable[[str], Any], given: str, expected: str, exact: float, f1: float
) -> None:
    """Articles cut out of words, or words counted as a set, would change published figures."""
    squad = example("squad")
    assert squad.exact(given, expected) == exact
    assert squad.f1(given, expected) == pytest.approx(f1)


def test_the_best_span_is_the_best_of_all_that_are_allowed(example: Callable[[str], Any]) -> None:
    """A span that ends before it starts, is too long, or lies in the question must not win."""
    squad = example("squad")
    start, end = torch.randn(2, 40, generator=torch.manual_seed(3))
    start[2] = end[39] = 9.0
    inside = torch.arange(40) >= 6
    allowed = {
        (a, b): float(start[a] + end[b])
        for a in range(6, 40)
        for b in range(a, min(a + squad.LONGEST_ANSWER, 40))
    }
    best = max(allowed, key=allowed.__getitem__)
    assert squad.best_span(start, end, inside) == (pytest.approx(allowed[best]), *best)


def test_a_sentence_is_written_as_people_write(example: Callable[[str], Any], qamr: Path) -> None:
    sentences = example("qamr").read_sentences(qamr)
    first = sentences["Wiki1k:wikipedia:1:0:0"]
    assert first.text == "The \"blue\" house (built in 1910) isn't Anna's."
    assert [first.text[a:b] for a, b in first.tokens][5:9] == ["(", "built", "in", "1910"]
    assert first.document == "Wiki1k:wikipedia:1"


def test_questions_are_left_out_where_the_annotators_disagree(
    example: Callable[[str], Any], qamr: Path
) -> None:
    room = example("qamr")
    sentences = room.read_sentences(qamr)
    asked = room.read_questions(qamr, sentences)
    assert [a.question for a in asked] == [
        "When was the blue house built?",
        "Who sold it to Berta?",
    ]
    texts = [sentences[a.sentence].text for a in asked]
    assert [[t[x:y] for x, y in a.spans] for a, t in zip(asked, texts, strict=True)] == [
        ["built in 1910", "1910", "in 1910"],
        ["Anna", "Anna"],
    ]


def test_the_answer_is_where_the_paragraph_says(example: Callable[[str], Any], qamr: Path) -> None:
    """Spans that aren't moved along with their sentence would teach the model anything."""
    room = example("qamr")
    sentences = room.read_sentences(qamr)
    asked = room.read_questions(qamr, sentences)[0]
    paragraphs = room.Paragraphs(sentences)
    made = [paragraphs.around(asked, 150, random.Random(seed)) for seed in range(8)]
    for built in made:
        assert [built.context[a:b] for a, b in built.spans] == ["built in 1910", "1910", "in 1910"]
        assert len(built.context) <= 150
    assert len({built.spans[0][0] for built in made}) > 1
    assert made[0] == paragraphs.around(asked, 150, random.Random(0))


def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(
    example: Callable[[str], Any],
    qamr: Path,
    reader: Callable[..., tuple[Any, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Moments, rate and order of the questions have to come back with the weights."""
    script = example("train_qa_adapter")
    room = example("qamr")
    monkeypatch.setattr(script, "CHECKPOINT_EVERY", 3)
    sentences = room.read_sentences(qamr)
    paragraphs = room.Paragraphs(sentences)
    training = [(asked, paragraphs) for asked in room.read_questions(qamr, sentences)]

    def weights(checkpoint: str, killed_at: int | None) -> Any:
        model, tokenizer = reader("bert")
        run = script.Run("full", 6, 1e-2, 1, 0, qamr / checkpoint)
        loss_of, calls = script.loss_of, iter(range(1, 100))

        def until_killed(*given: Any) -> Any:
            if next(calls) == killed_at:
                raise KeyboardInterrupt
            return loss_of(*given)

        with monkeypatch.context() as patched:
            patched.setattr(script, "loss_of", until_killed)
            script.train(model, tokenizer, training, run)
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    whole = weights("whole.pt", None)
    with pytest.raises(KeyboardInterrupt):
        weights("killed.pt", 5)
    assert torch.equal(weights("killed.pt", None), whole)


def test_an_adapter_of_full_rank_is_the_whole_weights(
    example: Callable[[str], Any], reader: Callable[..., tuple[Any, Any]]
) -> None:
    """A scale or a side of the decomposition gone wrong would start the second run from noise."""
    model, tokenizer = reader("bert")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "word_embeddings" not in name and "position_embeddings" not in name:
                parameter += 0.1 * torch.randn(
                    parameter.shape, generator=torch.manual_seed(len(name))
                )
    inputs = tokenizer("Who sat?", "The cat sat.", return_tensors="pt")
    with torch.no_grad():
        expected = model.eval()(**inputs).start_logits.numpy()
        adapted = example("train_qa_adapter").with_adapter(model, before, rank=16)
        assert np.abs(adapted.eval()(**inputs).start_logits.numpy() - expected).max() < 1e-4
        merged = adapted.merge_and_unload()
        assert np.abs(merged(**inputs).start_logits.numpy() - expected).max() < 1e-4

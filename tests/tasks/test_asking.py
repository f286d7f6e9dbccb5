"""The explorer of a question answering model: what crosses, asking from Python and the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import traitlets

from attention_explorer import AttentionExplorer
from attention_explorer.asking import QAExplorer
from tests.explorer.conftest import Wire, wires  # noqa: F401 (a fixture)

from .questions import PAIRS

Reader = Callable[..., tuple[Any, Any]]
QUESTION, CONTEXT = PAIRS[0]
OTHER_QUESTION, OTHER_CONTEXT = PAIRS[-1]
PATIENCE = 600


@pytest.fixture
def explorer(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> QAExplorer:
    if not QAExplorer._esm:
        monkeypatch.setattr(QAExplorer, "_esm", "export default {}")
    # Windows of 96 tokens: the context fills several.
    return AttentionExplorer.qa(*reader("bert"), QUESTION, CONTEXT, max_length=96, stride=24)


def ask(explorer: QAExplorer, **fields: object) -> list[dict[str, Any]]:
    """Ask as the browser does, until there is an answer; return the replies."""
    assert explorer._data is not None
    wire = Wire.opened[explorer._data.model_id]
    request = {"id": "r", "kind": "ask", "shown": "", "run": "1", "question": None}
    replies = []
    for _ in range(PATIENCE):
        replies.append(wire.request({**request, "context": None, "window": None, **fields})[0])
        if replies[-1].get("progress") is None:
            return replies
    raise AssertionError("no answer")


def numbers(data: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(data, "<f4")


def test_what_crosses_points_at_the_answer_by_token_and_by_word(explorer: QAExplorer) -> None:
    """Catches ranges that count tokens where words are shown, and the other way round."""
    best = explorer.answers[0]
    for unit in ("word", "token"):
        explorer.unit = unit
        info: Any = explorer._qa
        first, stop = info["context_tokens"]
        marked = info["answers"][0]["tokens"]
        assert first <= marked[0] <= marked[1] < stop
        shown = "".join(explorer.tokens.text[marked[0] : marked[1] + 1]).replace(" ", "")
        assert best.text.replace(" ", "") in shown
        asked = range(*info["question_tokens"])
        assert {explorer.tokens.segment[i] for i in asked} == {0}
        assert len(asked) == explorer.tokens.segment.count(0)
        assert numbers(info["starts"]).shape == (stop - first,)
    tokens, window = explorer._qa, explorer._asked.answers.windows[best.window]  # type: ignore[union-attr]
    explorer.unit = "word"
    by_word, by_token = (numbers(it["ends"]) for it in (explorer._qa, tokens))
    assert by_word.sum() == pytest.approx(by_token.sum(), abs=1e-6) == window.ends.sum()


def test_it_opens_at_the_head_whose_question_reads_most_of_the_answer(explorer: QAExplorer) -> None:
    answers = explorer._asked.answers  # type: ignore[union-attr]
    window, best = answers.windows[answers.answers[0].window], answers.answers[0]
    assert best.tokens is not None
    masses = {
        (layer, head): explorer.trace.attention.matrix(layer, head)[  # type: ignore[union-attr]
            window.question[0] : window.question[1], best.tokens[0] : best.tokens[1] + 1
        ]
        .sum(1)
        .mean()
        for layer in range(2)
        for head in range(4)
    }
    assert (explorer.layer, explorer.heads[0]) == max(masses, key=lambda at: masses[at])


def test_a_question_from_the_browser_changes_all_in_one_message(explorer: QAExplorer) -> None:
    """Two messages would show one text's weights on another's tokens for a moment."""
    wire = Wire.opened[explorer.model_id]
    explorer.answer = 2
    before, shown = len(wire.sent), explorer._description["shown"]
    replies = ask(explorer, question=OTHER_QUESTION, context=OTHER_CONTEXT)
    assert replies[-1] == {"id": "r", "kind": "ask", "progress": None}
    assert (explorer.question, explorer.context) == (OTHER_QUESTION, OTHER_CONTEXT)
    (update,) = [sent for sent in wire.sent[before:] if sent["method"] == "update"]
    assert update["state"]["_description"]["shown"] != shown
    assert update["state"]["_qa"]["question"] == OTHER_QUESTION
    assert update["state"]["answer"] == 0
    assert {"_snapshot", "_qa", "_description"} <= set(update["state"])


def test_what_was_on_its_way_is_answered_with_the_text_it_was_for(explorer: QAExplorer) -> None:
    """A row of the old text drawn on the new one would be a plausible lie."""
    assert explorer._data is not None
    wire = Wire.opened[explorer._data.model_id]
    explorer.unit = "token"
    old, row = explorer._description["shown"], explorer.attention.row(1, 3, 5)
    explorer.ask(OTHER_QUESTION, OTHER_CONTEXT)
    empty: dict[str, Any] = dict.fromkeys(("tiles", "strips", "columns", "masses", "spans"), ())
    request = {"id": "r", "kind": "weights", **empty, "rows": [[1, 3, 5]], "scores": False}
    _, (_, lines) = wire.request({**request, "shown": old})
    assert np.array_equal(numbers(lines), row)
    _, (_, lines) = wire.request({**request, "shown": explorer._description["shown"]})
    assert np.array_equal(numbers(lines), explorer.attention.row(1, 3, 5))


def test_another_window_is_opened_without_asking_again(explorer: QAExplorer) -> None:
    info: Any = explorer._qa
    other = 1 - info["window"] if len(info["windows"]) == 2 else (info["window"] + 1) % 3
    answers = explorer.answers
    explorer.answer = 1
    ask(explorer, window=other)
    assert explorer._qa["window"] == other
    assert explorer.answers is answers
    assert explorer.answer == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"question": "  "}, "the question is empty"),
        ({"context": ""}, "the context is empty"),
        ({"question": "why " * 300}, "shorten the question"),
        ({"window": 99}, "window 99 is out of range"),
        ({"window": "1"}, "window is the number of a window"),
        ({"question": 3}, "question is a string or null"),
    ],
)
def test_a_bad_question_is_answered_in_a_sentence_and_nothing_is_lost(
    explorer: QAExplorer, fields: dict[str, object], said: str
) -> None:
    shown = explorer._description["shown"]
    (reply,) = [it for it in ask(explorer, **fields) if it["kind"] == "error"]
    assert said in reply["message"]
    assert explorer._description["shown"] == shown
    assert explorer.question == QUESTION
    assert ask(explorer, run="2", question=OTHER_QUESTION)[-1]["kind"] == "ask"


def test_a_model_that_fails_says_so_and_stays_as_it_was(
    explorer: QAExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = explorer._answering.model  # type: ignore[union-attr]
    hooks = [len(it._forward_hooks) + len(it._forward_pre_hooks) for it in model.modules()]
    last = model.bert.encoder.layer[1]

    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(last, "forward", fail)
        reply = ask(explorer, question=OTHER_QUESTION)[-1]
        assert reply["message"] == "RuntimeError in the kernel: out of memory"
    assert [len(it._forward_hooks) + len(it._forward_pre_hooks) for it in model.modules()] == hooks
    assert explorer.question == QUESTION
    assert explorer.ask(OTHER_QUESTION)


def test_a_long_context_stays_in_python(explorer: QAExplorer) -> None:
    """What crosses is saved with every notebook."""
    explorer.ask(context=CONTEXT * 20)
    assert explorer._qa["context"] is None
    assert len(str(explorer._qa)) < 20_000
    assert explorer.context == CONTEXT * 20


def test_the_view_is_there_where_there_is_a_model_to_ask(explorer: QAExplorer) -> None:
    assert explorer.view == ["qa"]
    other = AttentionExplorer(explorer.trace)
    with pytest.raises(traitlets.TraitError, match="expected one or several of 'text'"):
        other.view = "qa"
    assert "answer" not in other.state()
    explorer.answer = 1
    assert explorer.state()["answer"] == 1


def test_a_closed_explorer_answers_nothing(explorer: QAExplorer) -> None:
    explorer.close()
    with pytest.raises(RuntimeError, match="closed"):
        explorer.ask(OTHER_QUESTION)

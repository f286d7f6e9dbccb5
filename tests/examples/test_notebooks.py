"""The notebooks run as committed, and the Voilà page answers in words whatever is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def execute(name: str, *more: str) -> list[Any]:
    """Run a notebook in a fresh kernel, then more cells; return the outputs of the last one."""
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in more]
    resources = {"metadata": {"path": str(EXAMPLES)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    outputs: list[Any] = notebook.cells[-1].outputs
    return outputs


def test_the_quickstart_runs_from_top_to_bottom() -> None:
    (shown,) = execute("quickstart.ipynb")
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Return what the page says to each of the inputs, by the input's name."""
    outputs = execute(
        "voila_app.ipynb",
        """
inputs = {
    "one text": ("Dogs bark at <b>cats</b>.", "", DEMO, ""),
    "two texts": ("Who is loud?", "Dogs bark at cats.", DEMO, ""),
    "no text": ("  ", "", DEMO, ""),
    "long text": ("word " * 600, "", DEMO, ""),
    "no model": ("Dogs bark.", "", OTHER, " "),
    "folder without a model": ("Dogs bark.", "", OTHER, "."),
}
answers = {}
for name, values in inputs.items():
    text.value, text_pair.value, choice.value, other.value = values
    button.click()
    tokens = stage.children[0].tokens.text
    answers[name] = f"{status.value} {' '.join(tokens)} {len(stage.children)} {button.disabled}"
import json
print(json.dumps(answers))
""",
    )
    (printed,) = [output["text"] for output in outputs if output.get("name") == "stdout"]
    answers: dict[str, str] = json.loads(printed)
    return answers


def test_a_text_replaces_the_explorer(said: dict[str, str]) -> None:
    assert said["one text"].endswith(" [CLS] Dogs bark at < b > cats < / b > . [SEP] 1 False")


def test_a_second_text_is_read_with_the_first(said: dict[str, str]) -> None:
    assert said["two texts"].endswith("Who is loud ? [SEP] Dogs bark at cats . [SEP] 1 False")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("no text", "There is no text yet"),
        ("long text", "can read 512"),
        ("no model", "No model is named yet"),
        ("folder without a model", ". could not be loaded: "),
    ],
)
def test_bad_input_is_answered_in_words(said: dict[str, str], given: str, answer: str) -> None:
    """The explorer before stays, and the button can be pressed again."""
    assert answer in said[given]
    assert "--jp-error-color1" in said[given]
    assert said[given].endswith("Dogs bark at cats . [SEP] 1 False")


def test_the_questions_are_asked_from_top_to_bottom() -> None:
    """The answers that the text beside them speaks of, and windows where it says so."""
    outputs = execute(
        "qa.ipynb",
        """
long_answer, windows = long.answers[0].text, len(long._asked.answers.windows)
first = AttentionExplorer.qa(
    model, tokenizer, "Who is the famous architect in Barcelona?",
    "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
).answers[0].text
print(first, long_answer, windows, explorer.question, sep="|")
""",
    )
    (printed,) = [output["text"] for output in outputs if output.get("name") == "stdout"]
    first, long_answer, windows, question = printed.strip().split("|")
    assert first == "Gaudí"
    assert "blue" in long_answer
    assert int(windows) > 1
    assert question == "What is Barcelona famous for?"

"""A question put to a real model in JupyterLab: the answer, and the words that are read for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .asked import Asked
from .conftest import OpenCells
from .lab import LabNotebook

CELLS = [
    """from attention_explorer import AttentionExplorer, demo_qa_model
model, tokenizer = demo_qa_model()
explorer = AttentionExplorer.qa(
    model, tokenizer, "Who is the famous architect in Barcelona?",
    "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.", theme="light",
)
explorer""",
]
# Rows and columns of the head that is shown, from the trace and not from what was sent.
ROW = "print([round(float(w), 6) for w in explorer.weights()[{query}, {first}:{stop}]])"
COLUMN = "print([round(float(w), 6) for w in explorer.weights()[{first}:{stop}, {key}]])"

BEST = "a = explorer.answers[0]; print(f'{a.text}, probability {a.probability:.4f}')"


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        yield notebook


@pytest.fixture
def asked(notebook: LabNotebook) -> Asked:
    asked = Asked(notebook.explorer(0))
    asked.explorer.expect_live()
    return asked


def numbers(notebook: LabNotebook, code: str) -> list[float]:
    found: list[float] = json.loads(notebook.python(code))
    return found


def ranges(notebook: LabNotebook) -> dict[str, list[int]]:
    code = "import json; print(json.dumps({k: explorer._qa[k + '_tokens'] for k in NAMES}))"
    found: dict[str, list[int]] = json.loads(
        notebook.python(code.replace("NAMES", "('question', 'context')"))
    )
    return found


def test_the_answer_is_marked_and_has_its_probability(notebook: LabNotebook, asked: Asked) -> None:
    """Catches the tokens of another answer, or of tokens where words are shown."""
    expect(asked.best).to_have_accessible_name(notebook.python(BEST))
    expect(asked.best).to_have_accessible_name(re.compile("^Gaudí"))
    assert asked.marked().startswith("Gaudí")
    second = notebook.python("print(explorer.answers[1].text)")
    asked.answers.nth(1).click()
    notebook.expect_python("explorer.answer", 1)
    assert asked.marked().replace(" ", "") == second.replace(" ", "")
    asked.best.click()
    notebook.expect_python("explorer.answer", 0)


def test_a_question_word_shades_what_it_reads_in_the_context(
    notebook: LabNotebook, asked: Asked
) -> None:
    """Catches rows of another word, head or unit than the one that is said."""
    where = ranges(notebook)
    words = asked.texts(asked.question)
    place = words.index("architect")
    asked.tokens(asked.question).nth(place).hover()
    expect(asked.said).to_contain_text("“architect” reads: context")
    query = where["question"][0] + place
    first, stop = where["context"]
    row = numbers(notebook, ROW.format(query=query, first=first, stop=stop))
    expect(asked.said.locator("b")).to_have_text(f"{sum(row):.2f}")
    asked.expect_shaded(asked.context, row)
    notebook.expect_python("explorer.hovered", (query, None))


def test_a_context_word_shades_the_question_words_that_read_it(
    notebook: LabNotebook, asked: Asked
) -> None:
    """Catches columns and rows exchanged."""
    where = ranges(notebook)
    place = asked.texts(asked.context).index("architecture")
    asked.tokens(asked.context).nth(place).hover()
    expect(asked.said).to_contain_text("“architecture” is read by the question")
    first, stop = where["question"]
    key = where["context"][0] + place
    column = numbers(notebook, COLUMN.format(key=key, first=first, stop=stop))
    expect(asked.said.locator("b")).to_have_text(f"{sum(column) / len(column):.2f}")
    asked.expect_shaded(asked.question, column)


def test_another_question_is_typed_and_answered(notebook: LabNotebook, asked: Asked) -> None:
    """Catches an answer that stays, and typed letters that reach the notebook's shortcuts."""
    cells = notebook.page.locator(".jp-Cell").count()
    asked.ask("What is Barcelona famous for? dd")
    asked.expect_question("What is Barcelona famous for? dd")
    notebook.expect_python("explorer.question", "What is Barcelona famous for? dd")
    assert notebook.page.locator(".jp-Cell").count() == cells
    best = notebook.python("print(explorer.answers[0].text)")
    expect(asked.best).to_have_accessible_name(notebook.python(BEST))
    assert asked.marked().replace(" ", "") == best.replace(" ", "")
    test_a_context_word_shades_the_question_words_that_read_it(notebook, asked)


def test_a_question_is_answered_while_a_cell_runs(notebook: LabNotebook, asked: Asked) -> None:
    """The model runs beside the user's code: nobody waits for a long cell to end."""
    notebook.python("import threading; stop = threading.Event()")
    notebook.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
          .requestExecute({ code: "stop.wait(60)", store_history: false }); }"""
    )
    asked.ask("Who?")
    asked.expect_question("Who?")
    expect(asked.question).not_to_contain_text("famous")
    notebook.page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"""
    )


def test_what_cant_be_asked_is_said_in_place_and_kept(notebook: LabNotebook, asked: Asked) -> None:
    """Catches a fault that only the kernel's log shows, and a typed text that is lost."""
    asked.ask("Where is Barcelona?")
    asked.expect_question("Where is Barcelona?")
    asked.ask("   ")
    expect(asked.alert).to_contain_text("The question is empty")
    too_long = "why " * 600
    asked.box.fill(too_long)
    asked.box.press("Enter")
    expect(asked.alert).to_contain_text("shorten the question")
    expect(asked.box).to_have_value(too_long)
    asked.expect_question("Where is Barcelona?")
    assert notebook.python("print(explorer.question)") == "Where is Barcelona?"
    asked.box.fill("Which city is famous?")
    asked.box.press("Enter")
    asked.expect_question("Which city is famous?")
    expect(asked.alert).to_have_count(0)


def test_a_long_context_is_read_in_windows_of_which_any_can_be_opened(
    notebook: LabNotebook, asked: Asked
) -> None:
    """Catches a window whose tokens and weights are another's."""
    filler = "Paris lies on the Seine and has many bridges. " * 60
    asked.ask(
        "Who is the famous architect?",
        f"{filler} Barcelona is famous for Gaudí's architecture. {filler}",
    )
    expect(asked.windows).to_be_visible()
    expect(asked.windows.locator("option:checked")).to_contain_text("best answer")
    best = int(asked.windows.input_value())
    other = 0 if best else 1
    asked.windows.select_option(str(other))
    expect(asked.windows).to_have_value(str(other))
    notebook.expect_python("explorer._qa['window']", other)
    asked.tokens(asked.question).first.hover()
    expect(asked.said).to_contain_text("reads: context")
    asked.best.click()
    expect(asked.windows).to_have_value(str(best))


def test_a_kernel_that_is_gone_is_said_and_what_was_read_stays(
    notebook: LabNotebook, asked: Asked
) -> None:
    notebook.shut_down()
    asked.ask("Who?")
    expect(asked.alert).to_contain_text("The kernel is gone")
    expect(asked.box).to_have_value("Who?")
    expect(asked.tokens(asked.context).first).to_be_visible()

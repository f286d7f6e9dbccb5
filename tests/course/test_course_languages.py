"""Both languages of the course are the same notebooks: only what people read differs."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import zip_longest
from typing import Any

import pytest
from markdown_it import MarkdownIt

from .notebooks import COURSE, LANGUAGES, LESSONS, read

# Letters and marks that Chinese has and English doesn't.
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
NUMBER = re.compile(r"(?<![\d.])\d\.\d{1,3}(?!\d)")


def code(language: str, lesson: str) -> list[str]:
    return [cell.source for cell in read(language, lesson).cells if cell.cell_type == "code"]


def prose(language: str, lesson: str) -> list[str]:
    return [cell.source for cell in read(language, lesson).cells if cell.cell_type == "markdown"]


def same(english: object, chinese: object) -> bool:
    """Whether two trees are the same but for strings that are Chinese in the second."""
    if isinstance(english, ast.JoinedStr) and isinstance(chinese, ast.JoinedStr):
        return _same_but_for_order(english, chinese)
    if isinstance(english, ast.Constant) and isinstance(chinese, ast.Constant):
        return _same_string(english.value, chinese.value)
    if isinstance(english, ast.AST) and isinstance(chinese, ast.AST):
        return type(english) is type(chinese) and all(
            same(getattr(english, name, None), getattr(chinese, name, None))
            for name in english._fields
        )
    if isinstance(english, list) and isinstance(chinese, list):
        return all(same(*both) for both in zip_longest(english, chinese))
    return english == chinese


def _same_string(english: object, chinese: object) -> bool:
    if english == chinese or (english, chinese) == LANGUAGES:
        return True
    return isinstance(english, str) and isinstance(chinese, str) and bool(CHINESE.search(chinese))


def _same_but_for_order(english: ast.JoinedStr, chinese: ast.JoinedStr) -> bool:
    """Sentences may put their numbers in another order, but have the same ones."""
    inserted: list[Counter[str]] = []
    for sentence in (english, chinese):
        values = [value for value in sentence.values if isinstance(value, ast.FormattedValue)]
        inserted.append(Counter(map(ast.dump, values)))
    if inserted[0] != inserted[1]:
        return False
    written = ["".join(map(_written, sentence.values)) for sentence in (english, chinese)]
    return _same_string(*written)


def _written(value: Any) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else ""


def test_a_lesson_is_there_in_both_languages() -> None:
    for language in LANGUAGES:
        assert sorted(path.stem for path in (COURSE / language).glob("*.ipynb")) == list(LESSONS)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_cells_are_the_same(lesson: str) -> None:
    """Catches a cell that was added, moved or left out in one language."""
    english, chinese = (
        [(cell.cell_type, cell.id) for cell in read(language, lesson).cells]
        for language in LANGUAGES
    )
    assert english == chinese


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_code_is_the_same_but_for_what_people_read(lesson: str) -> None:
    """Catches a fix in one language only, and a text for the model that was translated."""
    for english, chinese in zip(code("en", lesson), code("zh", lesson), strict=True):
        assert same(ast.parse(english), ast.parse(chinese)), f"{english}\n---\n{chinese}"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("x = 1", "x = 2"),
        ("trace(model, 'cat')", "trace(model, 'dog')"),
        ("f(a, b)", "f(a)"),
        ("print(f'{a} of {b}')", "print(f'{a} 个里的 {a}')"),
        ("print(f'{a:.2f} of')", "print(f'{a:.1f} 个')"),
        ("print(f'{a} of')", "print(f'{a} out of')"),
    ],
)
def test_what_differs_is_seen(english: str, chinese: str) -> None:
    """Catches a comparison that lets everything through."""
    assert not same(ast.parse(english), ast.parse(chinese))


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_is_written_in_its_language(lesson: str) -> None:
    """Catches a cell that was forgotten, and Chinese that was left in the English one."""
    assert [cell for cell in code("en", lesson) + prose("en", lesson) if CHINESE.search(cell)] == []
    assert [cell for cell in prose("zh", lesson) if not CHINESE.search(cell)] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_both_texts_speak_of_the_same_heads_and_numbers(lesson: str) -> None:
    """Catches a number that was corrected in one language only."""
    english, chinese = (
        [set(NUMBER.findall(cell)) for cell in prose(it, lesson)] for it in LANGUAGES
    )
    assert english == chinese


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", LESSONS)
def test_the_text_is_shown_as_it_is_meant(language: str, lesson: str) -> None:
    """Catches asterisks that stay, as Chinese marks beside them make them, and open folds."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for cell in prose(language, lesson):
        inline = [child for token in parser.parse(cell) for child in token.children or []]
        assert [it.content for it in inline if it.type == "text" and "*" in it.content] == []
        assert cell.count("<details>") == cell.count("</details>") == cell.count("</summary>")


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_ends_with_questions_and_what_to_take_away(lesson: str) -> None:
    for language, heading in zip(LANGUAGES, ("## To take away", "## 小结"), strict=True):
        last = prose(language, lesson)[-1]
        assert heading in last
        assert 1 <= last.count("<details>") <= 2


def test_links_lead_somewhere() -> None:
    """Catches a lesson that was renamed, and a link that is right from another folder only."""
    link = re.compile(r"\]\((?!https?:|#)([^)]+)\)")
    found = {COURSE / "README.md": (COURSE / "README.md").read_text(encoding="utf-8")}
    for language in LANGUAGES:
        for lesson in LESSONS:
            found[COURSE / language / f"{lesson}.ipynb"] = "\n".join(prose(language, lesson))
    links = [(path, target) for path, text in found.items() for target in link.findall(text)]
    assert len(links) > 2 * len(found)
    assert [(str(at), to) for at, to in links if not (at.parent / to).exists()] == []


def test_no_break_within_chinese_is_shown_as_a_space() -> None:
    """Catches lines that were wrapped: Markdown shows a break as a space, which Chinese has not."""
    broken = re.compile(rf"(?<={CHINESE.pattern})\n(?={CHINESE.pattern})")
    texts = [cell for lesson in LESSONS for cell in prose("zh", lesson)]
    assert [cell for cell in texts if broken.search(cell)] == []

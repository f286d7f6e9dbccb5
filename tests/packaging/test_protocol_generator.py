"""The TypeScript side of the protocol: fresh, and true to what Python says."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def generator() -> SimpleNamespace:
    return SimpleNamespace(**run_path(str(ROOT / "js" / "generate_protocol.py")))


def field(generator: SimpleNamespace, annotation: str) -> str:
    """Return the TypeScript of one TypedDict field."""
    code: str = generator.generate(f"class Message(TypedDict):\n    value: {annotation}\n")
    _, _, line = code.partition("export interface Message {\n\t")
    return line.partition(";")[0]


@pytest.mark.parametrize("room", ["", "atlas/"])
def test_the_committed_file_is_what_the_generator_writes(
    generator: SimpleNamespace, room: str
) -> None:
    """A field added in Python alone would be `undefined` in the browser."""
    committed = (ROOT / "js" / "src" / f"{room}protocol.gen.ts").read_text(encoding="utf-8")
    source = ROOT / "widget" / "attention_explorer" / f"{room}protocol.py"
    assert committed == generator.generate(source.read_text(encoding="utf-8"), f"{room}protocol.py")


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", "readonly value: number"),
        ("float", "readonly value: number"),
        ("int | float", "readonly value: number"),
        ("bool", "readonly value: boolean"),
        ("bytes", "readonly value: DataView"),
        ("str | None", "readonly value: string | null"),
        ("list[str]", "readonly value: readonly string[]"),
        ("list[int | None]", "readonly value: readonly (number | null)[]"),
        ("list[tuple[int, str]]", "readonly value: readonly (readonly [number, string])[]"),
        ("tuple[int | None, str]", "readonly value: readonly [number | null, string]"),
        ("tuple[int, ...]", "readonly value: readonly number[]"),
        ("dict[str, list[int]]", "readonly value: Readonly<Record<string, readonly number[]>>"),
        ('Literal["a", 1]', 'readonly value: "a" | 1'),
        ("Pointer | None", "readonly value: Pointer | null"),
        ('"Later"', "readonly value: Later"),
        ("NotRequired[int]", "readonly value?: number"),
    ],
)
def test_a_field_keeps_its_meaning(
    generator: SimpleNamespace, annotation: str, expected: str
) -> None:
    assert field(generator, annotation) == expected


def test_a_literal_alias_becomes_values_and_their_union(generator: SimpleNamespace) -> None:
    """The browser lists the views from the constant: a hand-kept second list would drift."""
    code = generator.generate('# One of the views.\nViewName = Literal["text", "matrix"]\n')
    assert code.endswith(
        "/** One of the views. */\n"
        'export const VIEW_NAMES = ["text", "matrix"] as const;\n'
        "export type ViewName = (typeof VIEW_NAMES)[number];\n"
    )


def test_documentation_cannot_end_its_own_comment(generator: SimpleNamespace) -> None:
    code = generator.generate('class A(TypedDict):\n    """Glob */* of all."""\n    x: int\n')
    assert code.count("*/") == 1


@pytest.mark.parametrize("annotation", ["set[int]", "Callable[[], int]", "1 + 2"])
def test_what_has_no_counterpart_is_refused_with_its_line(
    generator: SimpleNamespace, annotation: str
) -> None:
    """Anything passed through unread would only fail in the browser, as `any`."""
    with pytest.raises(ValueError, match=r"line 2: .* has no TypeScript counterpart"):
        field(generator, annotation)


def test_check_fails_on_a_stale_file_and_names_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run_path(str(ROOT / "js" / "generate_protocol.py"))
    (tmp_path / "atlas").mkdir()
    monkeypatch.setitem(names["main"].__globals__, "TARGETS", tmp_path)
    assert names["main"](["--check"]) == 1
    assert "python js/generate_protocol.py" in capsys.readouterr().err
    assert names["main"]([]) == 0
    assert names["main"](["--check"]) == 0

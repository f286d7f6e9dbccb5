"""The command line: from a text to a file, or to one sentence that says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from attention_explorer.tracing.demo_model import model_folder

from .command import run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], 'there is no text: give one in quotes, "-" for stdin, or --demo'),
        (["--demo", "Dogs bark."], "--demo has a text and a model of its own"),
        (["--demo", "--model", "x"], "--demo has a text and a model of its own"),
        (["--pair", "Dogs bark."], "give the first one too"),
        (["--question", "Who?"], "give both --question and --context"),
        (["Dogs bark.", "--question", "Who?", "--context", "A dog."], "leave out the other text"),
        (["-", "--pair", "-"], "stdin can be read once"),
        (["Dogs bark.", "-o", "no/such/it.html"], "make it, or name another file by --output"),
        (["Dogs bark.", "--head", "3,a"], "expected whole numbers like 3 or 3,7, got '3,a'"),
        (["Dogs bark.", "--hed", "3"], "unrecognized arguments: --hed 3"),
        (["  "], "the text is empty"),
        (["-"], "the text is empty"),
        (["--demo", "--layer", "6"], "expected 0 to 5, as there are 6 layers"),
        (["--demo", "--head", "3,12"], "expected 0 to 11, as there are 12 heads"),
        (["--demo", "--view", "text,lines"], "expected one or several of 'text', 'heads'"),
        (["--demo", "--max-mb", "0.01"], "max_mb=0.01 is too little"),
        (["Dogs bark.", "--model", "./nowhere"], "./nowhere could not be loaded"),
        (["Dogs bark.", "--model", "."], ". could not be loaded: "),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    """Catches a traceback, a status of 0, and half a file that is left behind."""
    done = run(*arguments, "--no-open", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert last.startswith("attention-explorer: ")
    assert told in last
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_written_and_opened(tmp_path: Path) -> None:
    """Catches a browser that is sent to a relative path, or opened before the file is there."""
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import sys, urllib.request as r\n"
        "print(sys.argv[1], len(r.urlopen(sys.argv[1]).read()), file=open('opened', 'w'))\n"
    )
    done = run("--demo", folder=tmp_path, BROWSER=f"{sys.executable} {browser} %s")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "attention.html\n"
    written = tmp_path / "attention.html"
    address, size = (tmp_path / "opened").read_text().split()
    assert address == written.as_uri()
    assert int(size) == written.stat().st_size > 100_000


def test_no_browser_is_opened_where_none_is_wanted(tmp_path: Path) -> None:
    browser = f"{sys.executable} -c open('opened','w') %s"
    done = run("--demo", "--no-open", folder=tmp_path, BROWSER=browser)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["attention.html"]


def test_a_text_of_stdin_is_read_by_a_model_in_a_folder(tmp_path: Path) -> None:
    """Catches a text that is taken for its name, "-", and progress that is printed as a result."""
    text = "Störche brüten\nauf Dächern."
    done = run(
        "-", "--model", model_folder(), "-o", "it.html", "--no-open", folder=tmp_path, stdin=text
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "it.html\n"
    assert f"Loading {model_folder()} ..." in done.stderr
    assert "auf Dächern." in (tmp_path / "it.html").read_text("utf-8")


def test_the_help_says_it_in_examples(tmp_path: Path) -> None:
    """Catches a sign in the help that argparse takes for a format, and raises at."""
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    assert 'attention-explorer "The cat sat on the mat because it was tired."' in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100

"""What the command line writes, opened from a folder as a person would."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from ..cli.command import run
from .asked import Asked
from .conftest import watched_page
from .shown import Explorer

HOSTILE = "The </script><b>cat</b> <img src=x onerror=alert(1)> sat."


def written(folder: Path, *arguments: str) -> str:
    """Run the command and return the address of its file."""
    done = run(*arguments, "--no-open", folder=folder)
    assert done.returncode == 0, done.stderr
    return (folder / done.stdout.strip()).as_uri()


def test_the_file_opens_as_it_was_asked_for(browser: Browser, tmp_path: Path) -> None:
    """Catches a text that becomes markup, and options that reach the model and not the view."""
    address = written(
        tmp_path, HOSTILE, "--pair", "It slept.", "--layer", "3", "--head", "2,7", "--view", "text"
    )
    with watched_page(browser, allowed={address}) as page:
        page.goto(address)
        explorer = Explorer(page.locator(".explorer"))
        expect(explorer.tokens.nth(1)).to_have_text("The")
        expect(explorer.text).to_contain_text("onerror")
        expect(explorer.text).to_contain_text("slept")
        expect(explorer.layer).to_have_value("3")
        expect(explorer.chosen_heads()).to_have_text(["2", "7"])
        expect(explorer.heads).to_be_hidden()
        expect(page.locator("img")).to_have_count(0)
        assert explorer.overflow() == []


def test_a_question_is_answered_in_its_file(browser: Browser, tmp_path: Path) -> None:
    """Catches a file of the model without its head, or without the view of questions."""
    context = "Barcelona is famous for Gaudí's architecture like the Sagrada Familia."
    question = "Who is the famous architect in Barcelona?"
    address = written(tmp_path, "--question", question, "--context", context)
    with watched_page(browser, allowed={address}) as page:
        page.goto(address)
        asked = Asked(Explorer(page.locator(".explorer")))
        expect(asked.best).to_have_accessible_name(re.compile("^Gaudí"))
        expect(asked.question).to_contain_text("architect")

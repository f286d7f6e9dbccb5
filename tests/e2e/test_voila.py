"""The Voilà page as it is shipped: usable without a line of code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from attention_explorer import AttentionExplorer, demo_model, demo_qa_model
from attention_explorer import trace as trace_text
from attention_explorer.interventions import CutEdges, measure

from .asked import Asked
from .conftest import explorer_page, watched_page
from .servers import EXAMPLES, voila
from .shown import Explorer
from .watch import VOILA_ICONS


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with voila(EXAMPLES / "voila_app.ipynb") as url:
        yield url


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    with explorer_page(browser, url, [VOILA_ICONS]) as page:
        yield page


@pytest.fixture
def explorer(page: Page) -> Explorer:
    return Explorer(page.locator(".explorer"))


def trace(page: Page, first: str, second: str = "") -> None:
    areas = page.locator("textarea")
    areas.nth(0).fill(first)
    areas.nth(1).fill(second)
    page.get_by_role("button", name="Trace").click()


def test_the_page_shows_the_explorer_and_no_code(page: Page, explorer: Explorer) -> None:
    """Catches cells shown as they are written, and an explorer without its kernel."""
    explorer.expect_live()
    expect(page.get_by_role("button", name="Trace")).to_be_visible()
    expect(page.get_by_text("import ")).to_have_count(0)
    expect(page.get_by_text("Traceback")).to_have_count(0)
    assert explorer.overflow() == []
    explorer.token(8).hover()
    expect(explorer.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")


def test_an_edge_is_cut_on_the_page(page: Page, explorer: Explorer) -> None:
    """Catches a view whose code or model never comes where there is no notebook."""
    text = "The cat sat because it was tired."
    trace(page, text)
    expect(explorer.tokens).to_have_count(10, timeout=60_000)
    explorer.expect_live()
    explorer.view_button("Evidence").click()
    explorer.token(5).click()
    explorer.token(2).click(modifiers=["Shift"])
    evidence = explorer.root.get_by_role("region", name="evidence view")
    expect(evidence).to_contain_text("“it” reads from “cat”")
    evidence.get_by_role("button", name="Cut the edge").click()
    model, tokenizer = demo_model()
    traced = trace_text(model, tokenizer, text)
    layer, head = (int(place.input_value()) for place in (explorer.layer, explorer.head))
    said = measure(traced, CutEdges(5, 2, layer, head)).said
    expect(evidence.locator(".effect b")).to_have_text(said, timeout=60_000)
    assert explorer.overflow() == []
    explorer.view_button("Evidence").click()
    explorer.token(5).press("Escape")


def test_another_text_and_a_second_one_are_followed(page: Page, explorer: Explorer) -> None:
    """Catches an explorer that stays at the text before."""
    trace(page, "The <b>lawyer</b> questioned the witness.", "Who was asked?")
    expect(explorer.tokens.nth(5)).to_have_text("lawyer", timeout=60_000)
    expect(page.locator(".explorer")).to_have_count(1)
    explorer.expect_live()
    expect(explorer.text).to_contain_text("Who was asked?")
    expect(explorer.layer).to_have_value("5")
    explorer.token(5).hover()
    expect(explorer.item("“lawyer” (5) reads").locator(".read").first).to_contain_text("0.")


@pytest.mark.parametrize(
    ("first", "model", "told"),
    [
        ("  ", None, "There is no text yet"),
        ("word " * 700, None, "512"),
        ("Hello there.", "", "No model is named yet"),
        ("Hello there.", "no-such/model", "no-such/model could not be loaded"),
    ],
)
def test_what_cannot_be_traced_is_told_in_a_sentence(
    page: Page, explorer: Explorer, first: str, model: str | None, told: str
) -> None:
    """Catches a traceback, silence, and an explorer that is lost with the attempt."""
    tokens = explorer.tokens.count()
    if model is not None:
        page.locator("select").first.select_option(index=1)
        page.locator("input[type=text]").first.fill(model)
    trace(page, first)
    expect(page.locator("span[role=status]", has_text=told)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Trace")).to_be_enabled()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(explorer.tokens).to_have_count(tokens)


def test_the_dark_theme_is_dark(browser: Browser, url: str) -> None:
    """Catches a light explorer on a dark page."""
    with watched_page(browser, allowed=[VOILA_ICONS]) as page:
        page.goto(f"{url}/?theme=dark", wait_until="commit")
        explorer = Explorer(page.locator(".explorer"))
        expect(explorer.root).to_have_attribute("data-theme", "dark", timeout=60_000)
        explorer.expect_live()
        explorer.expect_legible("dark")


def test_a_question_is_asked_in_a_tab_of_its_own(browser: Browser, url: str) -> None:
    """Catches a tab without its model, an answer that stays, and shades of another word."""
    model, tokenizer = demo_qa_model()
    context = "Barcelona is famous for Gaudí's architecture like the Sagrada Familia."
    here = AttentionExplorer.qa(model, tokenizer, "Who is the famous architect?", context)
    with watched_page(browser, allowed=[VOILA_ICONS]) as page:
        page.goto(url, wait_until="commit")
        page.get_by_role("tab", name="Question answering").click(timeout=60_000)
        asked = Asked(Explorer(page.locator(".explorer").filter(has=page.locator("section.qa"))))
        asked.explorer.expect_live()
        expect(asked.best).to_have_accessible_name(re.compile("^Gaudí"))
        asked.ask("Who is the famous architect?")
        expect(asked.question).not_to_contain_text("in Barcelona")
        best = here.answers[0]
        name = f"{best.text}, probability {best.probability:.4f}"
        expect(asked.best).to_have_accessible_name(name)
        asked.explorer.layer.select_option(str(here.layer))
        asked.explorer.head.select_option(str(here.heads[0]))
        place = asked.texts(asked.question).index("architect")
        asked.tokens(asked.question).nth(place).hover()
        expect(asked.said).to_contain_text("“architect” reads: context")
        first, stop = here._qa["context_tokens"]
        query = here._qa["question_tokens"][0] + place
        asked.expect_shaded(asked.context, here.weights()[query, first:stop].tolist())
        assert asked.explorer.overflow() == []

"""The marimo page as it is shipped: its cells follow what is chosen in the explorer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import marimo as marimo_package
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from attention_explorer import Trace, demo_model
from attention_explorer import trace as trace_text
from attention_explorer.demo import demo_trace
from attention_explorer.interventions import CutEdges, measure

from .conftest import explorer_page, watched_page
from .servers import EXAMPLES, marimo, run_module
from .shown import Explorer
from .watch import MARIMO_FILES

TEXT = "The cat sat on the mat because it was tired."
CAT, IT = 2, 8
DARK = """
# /// script
# [tool.marimo.display]
# theme = "dark"
# ///
import marimo

app = marimo.App()


@app.cell
def _():
    import gc
    import weakref

    import marimo as mo
    from attention_explorer import AttentionExplorer

    made = []
    again = mo.ui.button(label="again")
    again
    return AttentionExplorer, again, gc, made, mo, weakref


@app.cell
def _(AttentionExplorer, again, made, mo, weakref):
    again
    explorer = mo.ui.anywidget(AttentionExplorer.demo())
    made.append(weakref.ref(explorer.attention))
    explorer
    return (explorer,)


@app.cell
def _(explorer, gc, made, mo):
    gc.collect()
    alive = [each for each in made if each() is not None]
    mo.plain_text(f"selected: {explorer.selected}, {len(made)} made, {len(alive)} left")
"""


@pytest.fixture(scope="module")
def traced() -> Iterator[Trace]:
    model, tokenizer = demo_model()
    yield trace_text(model, tokenizer, TEXT)
    del model  # a trace doesn't keep it


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with marimo(EXAMPLES / "marimo_page.py") as url:
        yield url


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    with explorer_page(browser, url) as page:
        yield page


@pytest.fixture
def explorer(page: Page) -> Explorer:
    return Explorer(page.locator(".explorer"))


def test_a_hover_reads_out_the_weight_that_python_has(explorer: Explorer, traced: Trace) -> None:
    """Catches an explorer whose data model was never opened, as marimo opens comms by itself."""
    explorer.expect_live()
    explorer.expect_exact(IT, traced, 5, 11)
    assert explorer.overflow() == []


def test_a_choice_in_the_explorer_runs_the_cells_that_read_it(
    page: Page, explorer: Explorer, traced: Trace
) -> None:
    """Catches a choice that marimo hears of too late or never, and an explorer that it resets."""
    expect(page.get_by_text("Click a token")).to_be_visible()
    explorer.layer.select_option("3")
    explorer.chip(4).dblclick()
    explorer.token(IT).click()
    row = traced.attention.row(3, 4, IT)
    key = int(row.argmax())
    said = f"'it' reads {traced.tokens.text[key]} {row[key]:.4f}"
    expect(page.get_by_text(said)).to_contain_text("(layer 3, head 4)")
    expect(explorer.token(IT)).to_have_class(re.compile("pinned"))
    explorer.layer.select_option("5")
    expect(page.get_by_text("(layer 5, head 4)")).to_be_visible()


def test_an_edge_is_cut_in_the_page(explorer: Explorer, traced: Trace) -> None:
    """Catches a part of the renderer or a run of the model that never comes in marimo."""
    explorer.view_button("Evidence").click()
    explorer.token(IT).press("Escape")
    explorer.token(IT).click()
    explorer.token(CAT).click(modifiers=["Shift"])
    evidence = explorer.root.get_by_role("region", name="evidence view")
    evidence.get_by_role("button", name="Cut the edge").click()
    said = measure(traced, CutEdges(IT, CAT, 5, 4)).said
    expect(evidence.locator(".effect b")).to_have_text(said, timeout=60_000)
    explorer.view_button("Evidence").click()


def test_another_text_makes_another_explorer(page: Page) -> None:
    """Catches an explorer that is dead once its cell has run again, and text that becomes HTML."""
    field = page.get_by_label("Text", exact=True)
    field.fill("The <b>dog</b> barked.")
    field.press("Enter")
    explorer = Explorer(page.locator(".explorer"))
    expect(explorer.text).to_contain_text("barked", timeout=30_000)
    explorer.expect_live()
    explorer.token(2).click()
    expect(page.get_by_text("In Python, '<' reads")).to_be_visible()
    expect(page.locator(".explorer")).to_have_count(1)


def test_what_cannot_be_traced_is_told_in_a_sentence(page: Page) -> None:
    """Catches a traceback where a person pasted too much."""
    field = page.get_by_label("Text", exact=True)
    field.fill("word " * 700)
    field.press("Enter")
    expect(page.locator("pre", has_text="512")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Traceback")).to_have_count(0)
    expect(page.locator(".explorer")).to_have_count(0)


@pytest.fixture(scope="module")
def dark_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("marimo") / "dark.py"
    path.write_text(DARK)
    return path


@pytest.fixture(scope="module")
def dark_url(dark_page: Path) -> Iterator[str]:
    with marimo(dark_page) as url:
        yield url


def test_two_tabs_of_a_dark_page_choose_for_themselves(browser: Browser, dark_url: str) -> None:
    """Catches an explorer that the visitors of a page share, and a light one on a dark page."""
    with watched_page(browser) as first, watched_page(browser) as second:
        explorers = []
        for page in (first, second):
            page.goto(dark_url)
            explorers.append(Explorer(page.locator(".explorer")))
            explorers[-1].expect_live()
            explorers[-1].expect_legible("dark")
        explorers[0].token(CAT).click()
        expect(first.get_by_text("selected: (2, 2)")).to_be_visible()
        explorers[1].token(IT).click()
        expect(second.get_by_text("selected: (8, 8)")).to_be_visible()
        expect(first.get_by_text("selected: (2, 2)")).to_be_visible()
        expect(explorers[0].root.locator(".token.pinned")).to_have_text("cat")


def test_a_cell_that_runs_again_lets_go_of_what_it_showed(browser: Browser, dark_url: str) -> None:
    """Catches the weights of all explorers that the cell ever made."""
    with watched_page(browser) as page:
        page.goto(dark_url)
        explorer = Explorer(page.locator(".explorer"))
        for made in range(1, 5):
            explorer.expect_live()
            expect(page.get_by_text(f"{made} made, 1 left")).to_be_visible()
            page.get_by_role("button", name="again").click()


def test_an_exported_page_has_every_weight(browser: Browser, dark_page: Path) -> None:
    """Catches an export whose explorer waits for a kernel that it doesn't have."""
    exported = dark_page.with_suffix(".html")
    run_module("marimo", "export", "html", str(dark_page), "-o", str(exported))
    with watched_page(browser, allowed=[MARIMO_FILES]) as page:
        page.route(f"{MARIMO_FILES}**", _installed)
        page.goto(exported.as_uri())
        explorer = Explorer(page.locator(".explorer"))
        explorer.layer.select_option("3")
        explorer.chip(4).dblclick()
        explorer.token(IT).hover()
        row = demo_trace().attention.row(3, 4, IT)
        read = f"{demo_trace().tokens.text[int(row.argmax())]} ≈ {row.max():.2f}"
        expect(explorer.item(f"({IT}) reads").locator(".read").first).to_have_text(read)


def _installed(route: Route) -> None:
    """Answer from the installed marimo: the same files as its CDN has."""
    path = route.request.url.removeprefix(MARIMO_FILES).split("/", 1)[1]
    file = Path(marimo_package.__file__).parent / "_static" / path.removeprefix("dist/")
    route.fulfill(path=file, headers={"Access-Control-Allow-Origin": "*"})

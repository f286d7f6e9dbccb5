"""The Voilà dashboard: a slider, an explorer and a figure that follow each other."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Browser, Page, expect

from attention_explorer import AttentionExplorer, demo_model, trace

from .conftest import explorer_page, watched_page
from .servers import EXAMPLES, voila
from .shown import Explorer
from .watch import VOILA_ICONS

# Reads the picture that is shown now, in its own bytes.
PICTURE = """async () => {
  const picture = document.querySelector(".widget-image");
  const bytes = new Uint8Array(await (await fetch(picture.src)).arrayBuffer());
  return bytes.toBase64();
}"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with voila(EXAMPLES / "dashboard.ipynb") as url:
        yield url


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    with explorer_page(browser, url, [VOILA_ICONS]) as page:
        yield page


@pytest.fixture
def explorer(page: Page) -> Explorer:
    return Explorer(page.locator(".explorer"))


@pytest.fixture(scope="module")
def here() -> AttentionExplorer:
    """Return the same explorer in this process, to draw what the page should show."""
    traced = trace(*demo_model(), "The cat sat on the mat because it was tired.")
    return AttentionExplorer(traced, layer=5, heads=11, selected=8, theme="light")


def expect_figure(page: Page, here: AttentionExplorer, view: str = "heads") -> None:
    """Wait until the page shows this explorer's figure, to the byte."""
    png = BytesIO()
    here.plot(view).savefig(png)  # type: ignore[arg-type, union-attr]
    wanted = b64encode(png.getvalue()).decode()
    page.wait_for_function(f"async (wanted) => (await ({PICTURE})()) === wanted", arg=wanted)


def test_the_slider_moves_the_explorer_and_the_figure(
    page: Page, explorer: Explorer, here: AttentionExplorer
) -> None:
    """Catches a link that only Python, or only the browser, follows."""
    explorer.expect_live()
    expect_figure(page, here)
    handle = page.locator(".noUi-handle").first
    for _ in range(3):
        handle.press("ArrowLeft")
    expect(explorer.layer).to_have_value("2")
    here.layer = 2
    expect_figure(page, here)


def test_a_choice_in_the_explorer_moves_the_slider_and_the_figure(
    page: Page, explorer: Explorer, here: AttentionExplorer
) -> None:
    """Catches a slider that stays, and a figure of the choice before."""
    explorer.layer.select_option("4")
    explorer.chip(3).click()
    explorer.token(2).click()
    expect(page.locator(".noUi-handle").first).to_have_attribute("aria-valuenow", "4.0")
    here.layer, here.heads, here.selected = 4, [3, 11], 2
    expect_figure(page, here)
    page.get_by_role("button", name="Matrix", exact=True).last.click()
    expect_figure(page, here, "matrix")


def test_it_fits_a_narrow_page(page: Page, explorer: Explorer) -> None:
    """Catches controls, views or a figure that stick out where a window is narrow."""
    for width in (1200, 700):
        page.set_viewport_size({"width": width, "height": 1300})
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".widget-image")).to_be_visible()
        assert explorer.overflow() == []


def test_the_figure_is_dark_on_a_dark_page(
    browser: Browser, url: str, here: AttentionExplorer
) -> None:
    """Catches a page whose theme Python, which draws the figure, never hears of."""
    with watched_page(browser, allowed=[VOILA_ICONS]) as page:
        page.goto(f"{url}/?theme=dark", wait_until="commit")
        explorer = Explorer(page.locator(".explorer"))
        expect(explorer.root).to_have_attribute("data-theme", "dark", timeout=60_000)
        explorer.expect_legible("dark")
        here.layer, here.heads, here.selected, here.theme = 5, [11], 8, "dark"
        expect_figure(page, here)

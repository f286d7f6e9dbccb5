"""The single file in a browser that is offline, opened as by a double click."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from attention_explorer import AttentionExplorer, to_html

from .shown import Explorer
from .watch import Watch

Open = Callable[..., contextlib.AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def open_file(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Write explorers to a file and open it; a request for anything but the file is a fault."""

    @contextlib.contextmanager
    def opened(html: str, scheme: str = "light", width: int = 1200) -> Iterator[Page]:
        path = tmp_path_factory.mktemp("page") / "page.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(
            offline=True,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 1000},
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        watch = Watch(page, {path.as_uri()})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        try:
            page.goto(path.as_uri())
            yield page
        finally:
            context.close()
        allowed = ("file:", "blob:", "data:")
        assert not [url for url in asked if not url.startswith(allowed)]
        assert not watch.faults, "\n".join(watch.faults)

    return opened


def shown(page: Page, index: int = 0) -> Explorer:
    """An explorer on the page, once it has all that it asks for."""
    explorer = Explorer(page.locator(".explorer").nth(index))
    expect(explorer.root).to_have_attribute("aria-busy", "false")
    return explorer


def test_a_double_click_shows_the_models_own_weights(open_file: Open) -> None:
    """Catches a file that asks the network, or whose numbers aren't the explorer's."""
    explorer = AttentionExplorer.demo()
    with open_file(explorer.to_html()) as page:
        view = shown(page)
        expect(view.status).to_have_text("this file, exact")
        view.token(9).hover()
        weight = explorer.weights()[9].max()
        expect(view.item("reads")).to_contain_text(f"{weight:.4f}"[:6])


def test_tokens_that_look_like_markup_stay_text(open_file: Open) -> None:
    """Catches tokens that end the script element that they are in, or run as one."""
    hostile = [
        "</script><script>document.title='x'</script>",
        "<!--",
        "-->",
        "<b>bold</b>",
        "\ud800",
    ]
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 5)).astype(np.float32)
    explorer = AttentionExplorer(weights, hostile)
    with open_file(to_html(explorer, title="</title><script>1</script>")) as page:
        view = shown(page)
        expect(view.token(0)).to_contain_text("</script>")
        assert page.title() == "</title><script>1</script>"
        assert page.locator("b", has_text="bold").count() == 0

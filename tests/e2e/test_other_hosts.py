"""Hosts that can't run here, by what they are documented to allow: VS Code, Colab."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from string import Template
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from attention_explorer import AttentionExplorer
from attention_explorer.demo import demo_trace

from .conftest import watched_page
from .servers import files
from .shown import Explorer

PAGE = Template((Path(__file__).parent / "afm.html").read_text())
# What VS Code gives notebooks under `notebook.experimental.enableCsp`; and `blob:`, without which
# no anywidget can be imported.
VSCODE = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src https: http: data:; font-src https:; connect-src https:; "
    "child-src https: data:"
)
CAT, IT = 2, 8

Shown = tuple[AttentionExplorer, Explorer, Frame]


def as_text(value: Any) -> Any:
    """Return a state or a reply as JSON can carry it."""
    if isinstance(value, dict):
        return {name: as_text(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(each) for each in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def answer(explorer: AttentionExplorer, page: Page) -> None:
    """Let a page's frames reach Python."""

    def ask(request: dict[str, Any]) -> Any:
        assert explorer._data is not None
        return as_text(explorer._data._answer(request["id"], request))

    page.expose_function("ask", ask)
    page.expose_function("save", explorer.set_state)


def show(explorer: AttentionExplorer, frame: Frame) -> None:
    state = as_text(explorer.get_state())
    esm, source = state.pop("_esm"), state["_source"].removeprefix("IPY_MODEL_")
    shown = {"esm": esm, "id": explorer.model_id, "source": source, "state": state}
    frame.evaluate("(shown) => show(shown)", shown)


@contextmanager
def in_webview(browser: Browser, folder: Path) -> Iterator[Shown]:
    """As in VS Code: one strict page, whose body says the theme."""
    (folder / "index.html").write_text(
        PAGE.substitute(policy=VSCODE, theme="vscode-dark", ground="#1e1e1e")
    )
    explorer = AttentionExplorer.demo()
    with files(folder) as url, watched_page(browser) as page:
        answer(explorer, page)
        page.goto(url)
        show(explorer, page.main_frame)
        yield explorer, Explorer(page.locator(".explorer")), page.main_frame


@contextmanager
def in_frame(browser: Browser, folder: Path) -> Iterator[Shown]:
    """As in Colab: each output is a frame of another origin, that can store nothing."""
    inner = PAGE.substitute(
        policy="default-src 'unsafe-inline' blob: data:", theme="", ground="#222"
    )
    style = "width: 1200px; height: 1200px"
    (folder / "index.html").write_text(
        f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{html.escape(inner)}"></iframe>'
    )
    explorer = AttentionExplorer.demo()
    with files(folder) as url, watched_page(browser) as page:
        answer(explorer, page)
        page.goto(url)
        show(explorer, page.frames[1])
        yield explorer, Explorer(page.frames[1].locator(".explorer")), page.frames[1]


@pytest.fixture(params=[in_webview, in_frame])
def shown(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> Iterator[Shown]:
    host: Callable[..., AbstractContextManager[Shown]] = request.param
    with host(browser, tmp_path) as shown:
        yield shown


def test_all_of_it_works_under_what_the_host_allows(shown: Shown) -> None:
    """Catches a worker or a request that the policy forbids, and what needs the page's storage."""
    explorer, view, frame = shown
    view.expect_live()
    view.expect_exact(IT, demo_trace(), 5, 11)
    view.expect_legible("dark")
    view.layer.select_option("3")
    view.token(CAT).click()
    expect(view.token(CAT)).to_have_class("token looked pinned")
    assert explorer.layer == 3
    view.view_button("Neuron").click()
    neuron = view.root.get_by_role("region", name="neuron view")
    expect(neuron).to_have_attribute("aria-busy", "false")
    expect(neuron).to_contain_text("queries and keys")
    expect(view.root.get_by_role("alert")).to_have_count(0)
    assert explorer.selected == (CAT, CAT)
    assert view.overflow() == []
    assert frame.evaluate("forbidden") == []

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from .lab import LabNotebook, write_notebook
from .servers import jupyter_lab
from .watch import Watch

CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]

expect.set_options(timeout=30_000)

OpenCells = Callable[..., contextlib.AbstractContextManager[LabNotebook]]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def watched_page(browser: Browser, allowed: Collection[str] = ()) -> Iterator[Page]:
    """Open a page that fails its test when it asks another host or our module faults."""
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    page.set_default_timeout(20_000)
    watch = Watch(page, allowed)
    try:
        yield page
    finally:
        page.close()
    assert not watch.faults, "\n".join(watch.faults)


@contextlib.contextmanager
def explorer_page(browser: Browser, url: str, allowed: Collection[str] = ()) -> Iterator[Page]:
    """Open a host's page as its reader does; it has an explorer when the block begins."""
    with watched_page(browser, allowed) as page:
        # Its load event waits for icons of another host, where there are such.
        page.goto(url, wait_until="commit")
        page.locator(".explorer").wait_for(timeout=60_000)
        yield page


@contextlib.contextmanager
def open_notebook(
    browser: Browser, url: str, name: str, at: str = "lab/tree"
) -> Iterator[LabNotebook]:
    """Open a notebook in a page of its own; its kernel ends with the block."""
    with watched_page(browser) as page:
        notebook = LabNotebook(page, url, name, at)
        notebook.wait_for_kernel()
        yield notebook
        notebook.shut_down()


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def lab_url(lab_folder: Path) -> Iterator[str]:
    with jupyter_lab(lab_folder) as url:
        yield url


@pytest.fixture(scope="session")
def open_cells(browser: Browser, lab_url: str, lab_folder: Path) -> OpenCells:
    """Open a new notebook of the given cells, run to its end."""
    numbers = itertools.count()

    @contextlib.contextmanager
    def opened(*cells: str) -> Iterator[LabNotebook]:
        name = f"{next(numbers)}.ipynb"
        write_notebook(lab_folder / name, list(cells))
        with open_notebook(browser, lab_url, name) as notebook:
            notebook.run_all()
            yield notebook

    return opened

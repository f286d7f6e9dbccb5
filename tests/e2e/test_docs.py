"""The documentation: complete, and loaded from nowhere but itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from .conftest import watched_page
from .servers import EXAMPLES, files

DOCS = EXAMPLES.parent / "docs"
# It imports the exercise's checker, which stands beside it.
LESSON = "course/zh/7_telescope"
# How many explorers stand on a page.
SHOWN = {"index": 1, "gallery": 11, "examples/quickstart": 3, f"examples/{LESSON}": 1}
# Attributes that make a browser load something, of the elements that have them.
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "srcset",
    "embed": "src",
    "object": "data",
    "link": "href",
}


class Loads(HTMLParser):
    """What a page has a browser load."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.page = page
        self.addresses: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_loaded = tag != "link" or given.get("rel") not in ("next", "prev", "search")
        if is_loaded and (address := given.get(LOADS.get(tag, ""))):
            self.addresses.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the pages, of whose notebooks two were run; a warning is an error."""
    into = tmp_path_factory.mktemp("site")
    two = f"import notebooks; notebooks.write(['quickstart', '{LESSON}'])"
    sphinx = ["sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", ".", str(into)]
    for step in (["live.py"], ["-c", two], ["-m", *sphinx]):
        done = subprocess.run([sys.executable, *step], cwd=DOCS, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return into


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with files(site) as url:
        yield url


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """Catches a font or a script of another host, and a picture that isn't there."""
    pages = [page for page in site.rglob("*.html") if "live" not in page.parent.name]
    assert len(pages) > 20
    wrong = []
    for page in pages:
        for loaded in Loads(page).addresses:
            there = urlsplit(loaded)
            if there.scheme == "data":
                continue
            file = page.parent / unquote(there.path)
            if there.scheme or there.netloc or not file.exists():
                wrong.append(f"{page.relative_to(site)}: {loaded}")
    assert wrong == []


def test_no_style_loads_anything_from_elsewhere(site: Path) -> None:
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        outside = re.findall(
            r"(?:@import|url\()\s*['\"]?(?:https?:)?//\S+", style.read_text("utf-8")
        )
        assert outside == [], style


def test_a_lesson_in_chinese_is_said_to_be(site: Path) -> None:
    """Catches letters of Japanese shapes, and a lesson whose checker wasn't found."""
    page = (site / "examples" / f"{LESSON}.html").read_text("utf-8")
    assert 'lang="zh-CN"' in page
    assert "1.2 看" in page
    assert 'lang="en"' in (site / "examples/quickstart.html").read_text("utf-8")


def test_every_public_name_is_explained(site: Path) -> None:
    """Catches a function that one has to read the source to find."""
    explained = {
        name.rpartition(".")[2]
        for page in (site / "api").glob("*.html")
        for name in re.findall(
            r'id="(?:module-)?(attention_explorer\.[\w.]+)"', page.read_text("utf-8")
        )
    }
    missing = []
    for room in ("", ".analysis", ".atlas", ".bertviz", ".flow", ".interventions"):
        module = import_module(f"attention_explorer{room}")
        names = {name for name in module.__all__ if callable(getattr(module, name))}
        missing += sorted(names - explained)
    assert missing == []


@pytest.mark.parametrize("page", SHOWN)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_explorers_are_live(browser: Browser, address: str, page: str, theme: str) -> None:
    """Catches a frame that stays empty, asks another host, or is light on a dark page."""
    with watched_page(browser) as shown:
        shown.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        shown.goto(f"{address}/{page}.html")
        frames = shown.locator("iframe.live")
        assert frames.count() == SHOWN[page]
        for i in range(frames.count()):
            frames.nth(i).scroll_into_view_if_needed()
            explorer = frames.nth(i).content_frame.locator(".explorer, .atlas").first
            expect(explorer).to_have_attribute("data-theme", theme)
            expect(explorer).not_to_have_class(re.compile("waiting"))
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_that_is_chosen_is_the_explorers_too(browser: Browser, address: str) -> None:
    """Catches explorers that follow the system where the reader chose otherwise."""
    with watched_page(browser) as page:
        page.emulate_media(color_scheme="light")
        page.add_init_script("localStorage.setItem('theme', 'dark')")
        page.goto(f"{address}/index.html")
        explorer = page.frame_locator("iframe.live").locator(".explorer")
        expect(explorer).to_have_attribute("data-theme", "dark")

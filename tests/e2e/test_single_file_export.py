"""A picture taken away from a single file, where no kernel sends the code that draws it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Browser

from attention_explorer import AttentionExplorer

from .conftest import watched_page

TEXT = "{http://www.w3.org/2000/svg}text"


def test_a_view_is_saved_from_a_single_file(browser: Browser, tmp_path: Path) -> None:
    """Catches a file that lacks the part of the renderer that a notebook is sent."""
    path = tmp_path / "page.html"
    AttentionExplorer.demo(selected=8).to_html(path)
    with watched_page(browser) as page:
        page.goto(path.as_uri())
        page.get_by_label("take away", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Heads as SVG").click()
        download.value.save_as(tmp_path / "heads.svg")
    texts = [el.text for el in ElementTree.parse(tmp_path / "heads.svg").iter(TEXT)]
    assert {"[CLS]", "cat", "because", "it"} <= set(texts)

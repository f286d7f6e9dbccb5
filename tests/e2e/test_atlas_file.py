"""The single file of an atlas in a browser that is offline, opened as by a double click."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from attention_explorer.atlas import HeadAtlas, profile_heads
from tests.atlas.conftest import make_encoder, make_tokenizer, random_texts

from .shown import Explorer
from .test_lab_atlas import Atlas
from .test_single_file import Open, open_file  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def atlas() -> HeadAtlas:
    return profile_heads(make_encoder(), make_tokenizer(), random_texts(24), progress=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_heads_exemplars_and_maps_are_there_offline(
    open_file: Open,  # noqa: F811
    atlas: HeadAtlas,
    scheme: str,
) -> None:
    """Catches a file that asks the network, or whose texts are of another head."""
    with open_file(atlas.to_html(), scheme) as page:
        view = Atlas(page.locator(".atlas"))
        expect(view.root).to_have_attribute("data-theme", scheme)
        view.plot.focus()
        for key in ("ArrowLeft", "ArrowRight", "Enter"):
            page.keyboard.press(key)
        layer, head = map(int, re.findall(r"\d+", view.head.locator("h3").inner_text())[:2])
        found = atlas.search(layer, head, "peak")[0]
        first = view.highest.get_by_role("listitem").first
        expect(first.locator(".number")).to_have_text(f"{found.weight:.3f}")
        view.press("MDS")
        expect(view.root).to_contain_text("classical scaling")
        first.get_by_role("button").click()
        expect(view.reading).to_contain_text("A file holds no model")
        assert Explorer(view.root).overflow() == []


def test_what_a_small_file_lacks_is_said_where_it_is_missed(
    open_file: Open,  # noqa: F811
    atlas: HeadAtlas,
) -> None:
    """Catches texts that are looked for until the end of time."""
    most = 0.9 * len((atlas.to_html() or "").encode()) / 1e6
    with open_file(atlas.to_html(max_mb=most)) as page:
        view = Atlas(page.locator(".atlas"))
        expect(view.root.locator(".notes")).to_contain_text("Not in this file")
        view.root.get_by_label("score of the exemplars").select_option("to word")
        view.plot.focus()
        for key in ("ArrowRight", "Enter"):
            page.keyboard.press(key)
        expect(view.head).to_contain_text("Not in this file")

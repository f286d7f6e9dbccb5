"""A book of static pages, as Jupyter Book and Quarto make them: run once, then served as files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from attention_explorer import AttentionExplorer
from attention_explorer.demo import demo_trace

from .conftest import watched_page
from .servers import files, run_module
from .shown import Explorer

CONF = """
extensions = ["myst_nb"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
html_extra_path = ["beside"]
# The cell's kernel has widgets, though the page shows none: MyST-NB would fetch their scripts.
nb_ipywidgets_js = {}
"""
# A cell that is run when the book is made, and a file that was written before.
PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# Attention

```{code-cell}
from IPython.display import HTML
from attention_explorer import AttentionExplorer
from attention_explorer.export.html import framed

HTML(framed(AttentionExplorer.demo().to_html()))
```

<iframe src="explorer.html" width="100%" height="700" style="border: 0"></iframe>
"""
CAT, IT = 2, 8


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    book: Path = tmp_path_factory.mktemp("book")
    (book / "conf.py").write_text(CONF)
    (book / "index.md").write_text(PAGE)
    (book / "beside").mkdir()
    AttentionExplorer.demo(layer=3, heads=4).to_html(book / "beside" / "explorer.html")
    run_module("sphinx", "-q", "-b", "html", str(book), str(book / "made"))
    with files(book / "made") as url:
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_ways_to_put_an_explorer_into_a_page_show_every_weight(
    browser: Browser, url: str, scheme: Literal["light", "dark"]
) -> None:
    """Catches a frame that stays blank or light, that asks another host, or has other numbers."""
    with watched_page(browser) as page:
        page.emulate_media(color_scheme=scheme)
        page.goto(url)
        frames = page.locator("iframe")
        expect(frames).to_have_count(2)
        for index, (layer, head) in enumerate([(5, 11), (3, 4)]):
            frames.nth(index).scroll_into_view_if_needed()
            explorer = Explorer(frames.nth(index).content_frame.locator(".explorer"))
            explorer.expect_exact(IT, demo_trace(), layer, head)
            explorer.layer.select_option("2")
            explorer.expect_exact(CAT, demo_trace(), 2, head)
            explorer.expect_legible(scheme)
            assert explorer.overflow() == []

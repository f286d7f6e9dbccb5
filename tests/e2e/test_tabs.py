"""Two tabs on one kernel: one notebook opened twice, each with views of the same explorer."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from attention_explorer.demo import demo_trace

from .conftest import OpenCells, watched_page
from .lab import LabNotebook

SHOW = """
from attention_explorer import AttentionExplorer
explorer = AttentionExplorer.demo()
explorer
"""
CAT, IT = 2, 8


def test_two_tabs_show_and_choose_the_same(
    browser: Browser, lab_url: str, open_cells: OpenCells
) -> None:
    """Catches a reply that the wrong tab takes, and a tab that is deaf when the other one goes."""
    with open_cells(SHOW) as first:
        first.explorer().expect_live()
        first.save()
        name = first.page.evaluate("window.jupyterapp.shell.currentWidget.context.path")
        with watched_page(browser) as page:
            second = LabNotebook(page, lab_url, name, "lab/workspaces/second/tree")
            second.wait_for_kernel()
            second.explorer().expect_live()
            assert second.python("print(id(explorer))") == first.python("print(id(explorer))")

            second.explorer().layer.select_option("3")
            expect(first.explorer().layer).to_have_value("3")
            first.explorer().token(CAT).click()
            expect(second.explorer().token(CAT)).to_have_class("token looked pinned")
            first.explorer().view_button("Neuron").click()
            for tab in (first, second):
                neuron = tab.explorer().root.get_by_role("region", name="neuron view")
                expect(neuron).to_have_attribute("aria-busy", "false")
                expect(neuron.get_by_role("alert")).to_have_count(0)
            second.explorer().view_button("Neuron").click()
            first.python("explorer.layer, explorer.selected = 5, None")
            for tab in (first, second):
                expect(tab.explorer().root.locator(".pinned")).to_have_count(0)
                tab.explorer().expect_exact(IT, demo_trace(), 5, 11)
        first.explorer().layer.select_option("2")
        first.expect_python("explorer.layer", 2)
        first.explorer().expect_exact(CAT, demo_trace(), 2, 11)

"""Kernels that end: what was loaded stays, and a new kernel makes a new explorer."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import expect

from .conftest import OpenCells

SHOW = """
from attention_explorer import AttentionExplorer
explorer = AttentionExplorer.demo()
explorer
"""


def test_a_killed_kernel_leaves_every_weight_and_a_restart_starts_anew(
    open_cells: OpenCells,
) -> None:
    """Catches weights that go with the kernel, silence about it, and a cell that stays dead."""
    with open_cells(SHOW) as notebook:
        explorer = notebook.explorer()
        explorer.expect_live()
        os.kill(int(notebook.python("import os; print(os.getpid())")), signal.SIGKILL)
        expect(explorer.status).to_have_text("no kernel", timeout=20_000)
        expect(explorer.root.get_by_text("The kernel is gone.")).to_be_visible()
        dialog = notebook.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        dialog.get_by_role("button", name="Ok").click()

        explorer.token(8).hover()
        expect(explorer.item("“it” (8) reads").locator(".read").first).to_contain_text("cat")
        explorer.layer.select_option("2")
        expect(explorer.heads).to_contain_text("layer 2 · head 11")
        explorer.chip(3).click()
        explorer.token(5).hover()
        expect(explorer.item("“the” (5) reads").locator(".read").first).to_be_visible()
        expect(explorer.root.get_by_role("alert")).to_have_count(0)

        notebook.wait_for_kernel()
        notebook.run_all()
        fresh = notebook.explorer()
        fresh.expect_live()
        notebook.expect_python("explorer.layer", 5)
        expect(fresh.layer).to_have_value("5")
        fresh.token(8).hover()
        notebook.expect_python("explorer.hovered", (8, 8))


def test_an_asked_for_restart_is_noticed_too(open_cells: OpenCells) -> None:
    """Catches an explorer that goes on saying `live` over a kernel that no longer knows it."""
    with open_cells(SHOW) as notebook:
        explorer = notebook.explorer()
        explorer.expect_live()
        notebook.restart()
        expect(explorer.status).to_have_text("no kernel")
        notebook.run_all()
        notebook.explorer().expect_live()

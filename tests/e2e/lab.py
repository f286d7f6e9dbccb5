"""A notebook in a real JupyterLab, driven as a person would, read as its Python would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

# Lab's application, exposed by --LabApp.expose_app_in_browser; the panel of the one open notebook.
_PANEL = "window.jupyterapp?.shell?.currentWidget"
_READY = f"""() => {{
  const context = {_PANEL}?.sessionContext;
  return !!context?.isReady && context.session?.kernel?.status === "idle";
}}"""
_EXECUTE = f"""async (code) => {{
  const kernel = {_PANEL}.sessionContext.session.kernel;
  const future = kernel.requestExecute({{ code, store_history: false }});
  const out = [];
  future.onIOPub = (message) => {{
    const type = message.header.msg_type;
    if (type === "stream") out.push(message.content.text);
    if (type === "error") out.push("ERROR " + message.content.ename + ": " + message.content.evalue);
  }};
  await future.done;
  return out.join("");
}}"""


def write_notebook(path: Path, cells: list[str]) -> Path:
    """Write a notebook of code cells without outputs."""
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for i, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook))
    return path


class LabNotebook:
    """One notebook open in a page of JupyterLab."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page = page
        page.goto(f"{url}/lab/tree/{name}?reset")
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(_READY, timeout=60_000)

    def command(self, name: str) -> None:
        self.page.evaluate("(name) => window.jupyterapp.commands.execute(name)", name)

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel beside its cells; returns what it printed."""
        result: str = self.page.evaluate(_EXECUTE, code)
        return result.strip()

    def save(self) -> None:
        self.command("docmanager:save")
        self.page.wait_for_function(f"() => !{_PANEL}.context.model.dirty")

    @property
    def explorers(self) -> Locator:
        return self.page.locator(".explorer")


def box_of(locator: Locator) -> dict[str, Any]:
    box = locator.bounding_box()
    assert box is not None, "the element has no box: it isn't shown"
    return dict(box)

"""A notebook in a real JupyterLab or Notebook 7, driven by hand, read as its Python would."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, Page

from .shown import Explorer

# Lab's application, exposed by --LabApp.expose_app_in_browser; the panel of the one open notebook.
_PANEL = "window.jupyterapp?.shell?.currentWidget"
_READY = f"""() => {{
  const context = {_PANEL}?.sessionContext;
  return !!context?.isReady && context.session?.kernel?.status === "idle";
}}"""
_EXECUTE = f"""async ({{ code, wanted, within }}) => {{
  const kernel = {_PANEL}.sessionContext.session.kernel;
  const run = async () => {{
    const future = kernel.requestExecute({{ code, store_history: false }});
    const out = [];
    future.onIOPub = ({{ header, content }}) => {{
      if (header.msg_type === "stream") out.push(content.text);
      if (header.msg_type === "error") throw new Error(content.ename + ": " + content.evalue);
    }};
    const failed = new Promise((_, reject) => {{
      future.onReply = ({{ content }}) => {{
        if (content.status !== "ok") reject(new Error(content.ename + ": " + content.evalue));
      }};
    }});
    await Promise.race([future.done, failed]);
    return out.join("").trim();
  }};
  const until = performance.now() + within;
  let printed = await run();
  while (wanted !== null && printed !== wanted && performance.now() < until) printed = await run();
  return printed;
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
    """One notebook open in a page of JupyterLab; or of Notebook 7, which is built of its parts."""

    def __init__(self, page: Page, url: str, name: str, at: str = "lab/tree") -> None:
        self.page = page
        page.goto(f"{url}/{at}/{name}?reset")

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(_READY, timeout=60_000)

    def command(self, name: str, **arguments: object) -> None:
        """Run one of Lab's commands to its end."""
        run = "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }"
        self.page.evaluate(run, [name, arguments])

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def run_cell(self, index: int) -> None:
        activate = (
            "(index) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }"
        )
        self.page.evaluate(activate, index)
        self.command("notebook:run-cell")

    def restart(self) -> None:
        self.page.evaluate(f"async () => {{ await {_PANEL}.sessionContext.restartKernel(); }}")
        self.wait_for_kernel()

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel beside its cells; returns what it printed."""
        result: str = self.page.evaluate(_EXECUTE, {"code": code, "wanted": None, "within": 0})
        return result

    def expect_python(self, expression: str, value: object, within_ms: int = 10_000) -> None:
        """Wait until an expression has this value in the kernel."""
        wanted = repr(value)
        code = f"print(repr({expression}))"
        printed = self.page.evaluate(
            _EXECUTE, {"code": code, "wanted": wanted, "within": within_ms}
        )
        assert printed == wanted, f"{expression} is {printed} in Python, expected {wanted}"

    def save(self) -> None:
        self.command("docmanager:save")
        self.page.wait_for_function(f"() => !{_PANEL}.context.model.dirty")

    def set_theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)

    def set_output_width(self, width: int) -> None:
        """Give the cells' outputs this width in CSS pixels."""
        self.page.add_style_tag(content=f".jp-OutputArea-output {{ max-width: {width}px; }}")

    def shut_down(self) -> None:
        self.page.evaluate(f"async () => {{ await {_PANEL}?.sessionContext?.shutdown(); }}")

    def outputs(self) -> list[str]:
        """What the cells' outputs say."""
        return self.page.locator(".jp-OutputArea-output").all_inner_texts()

    @property
    def explorers(self) -> Locator:
        return self.page.locator(".explorer")

    def explorer(self, index: int = 0) -> Explorer:
        return Explorer(self.explorers.nth(index))

"""Cells as a notebook runs them, and what they display."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from ipywidgets.widgets.widget import _instances
from traitlets.config import Config

from attention_explorer import AttentionExplorer

from ..notebooks import WIDGET

Output = dict[str, Any]


@contextmanager
def displayed() -> Iterator[list[Output]]:
    """Collect what is displayed within, by type of data, in a shell that ends with the block."""
    outputs: list[Output] = []
    before = InteractiveShell._instance
    InteractiveShell.clear_instance()
    # Without the person's own history, neither read nor written.
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    try:
        with capture_output() as captured:
            yield outputs
        outputs += [output.data for output in captured.outputs]
    finally:
        atexit.unregister(shell.atexit_operations)
        InteractiveShell.clear_instance()
        InteractiveShell._instance = before


def run_cells(cells: Sequence[str]) -> list[Output]:
    """Run cells one after another; return what they display, or raise what they do."""
    with displayed() as outputs:
        shell: Any = InteractiveShell.instance()
        for source in cells:
            shell.run_cell(source).raise_error()
    return outputs


def explorers_in(outputs: Sequence[Output]) -> list[AttentionExplorer]:
    """Return the explorers among what was displayed."""
    ids = [output[WIDGET]["model_id"] for output in outputs if WIDGET in output]
    found = [_instances[model_id] for model_id in ids]
    return [widget for widget in found if isinstance(widget, AttentionExplorer)]

"""Explorers that their host has closed let go of their weights, though nothing tells them.

ipywidgets keeps every widget until it is closed in Python. marimo closes the comm when a cell runs
again or goes, a browser when it gives up its model, and neither calls the widget.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

_open: WeakSet[Any] = WeakSet()


def opened(widget: Any) -> None:
    """Note a widget that opens its comm; those whose comm was closed meanwhile are closed too."""
    for other in list(_open):
        # Neither ipykernel's comms nor marimo's say so in public.
        if getattr(other.comm, "_closed", False):
            other.close()
    _open.add(widget)


def closed(widget: Any) -> None:
    """Forget a widget that was closed."""
    _open.discard(widget)

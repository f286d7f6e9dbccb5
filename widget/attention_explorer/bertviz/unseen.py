"""An explorer that goes into a file: no browser is told of it, and no notebook saves it."""

from __future__ import annotations

from typing import Any

from ..channel import AttentionSource
from ..explorer import AttentionExplorer


class UnseenExplorer(AttentionExplorer):
    """An explorer without a comm: one that is opened and closed at once is an error in Lab."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.layout.close()

    def open(self) -> None:
        """Let the weights be read, by Python only."""
        self._data = _UnseenSource(self._variants)


class _UnseenSource(AttentionSource):
    def open(self) -> None:
        """Do without a comm: nobody asks."""

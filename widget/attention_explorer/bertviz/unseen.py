"""An explorer that goes into a file, with its weights."""

from __future__ import annotations

from ..channel import AttentionSource
from ..explorer import AttentionExplorer
from ..unseen import Unseen


class UnseenExplorer(Unseen, AttentionExplorer):
    """An explorer that is returned as HTML."""

    def open(self) -> None:
        """Let the weights be read, by Python only."""
        self._data = _UnseenSource(self._variants)


class _UnseenSource(AttentionSource):
    def open(self) -> None:
        """Do without a comm: nobody asks."""

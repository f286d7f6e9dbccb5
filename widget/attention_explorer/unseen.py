"""Views that go into a file: no browser is told of them, and no notebook saves them."""

from __future__ import annotations

from typing import Any

from .channel import SavedWidget


class Unseen(SavedWidget):
    """A view without a comm: one that is opened and closed at once is an error in Lab."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.layout.close()

    def open(self) -> None:
        """Tell nobody."""

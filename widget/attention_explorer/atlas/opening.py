"""From an exemplar to its text in an explorer: the model reads it when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..explorer import AttentionExplorer
from ..protocol import Theme
from ..runs import Progress, Runs
from .identity import loaded_as
from .protocol import HeadKey, Place
from .view import AtlasView

if TYPE_CHECKING:
    from ..tracing import Trace

# Seconds that the browser waits before it hears how far a text is.
_WITHIN = 0.1


class OpenedExplorer(AttentionExplorer):
    """An explorer within an atlas's view, whose module draws it: no second one travels."""

    _esm = "export default {}"


class Opener:
    """Reads texts of an atlas with its model, and shows them in one explorer.

    Parameters
    ----------
    view : AtlasView
    model, tokenizer
        Those that the atlas is of.
    theme : {"auto", "light", "dark"}

    Attributes
    ----------
    explorer : OpenedExplorer
        Of one empty token before a text is opened: marimo lets no widget be made but by a cell.

    Raises
    ------
    ValueError
        Another model, or another tokenizer.
    """

    def __init__(self, view: AtlasView, model: Any, tokenizer: Any, theme: Theme) -> None:
        self._view = view
        identity = view.atlas._contents.identity
        self._model, self._tokenizer = loaded_as(identity, model, tokenizer)
        self._runs = Runs["Trace"]()
        self.explorer = OpenedExplorer(
            np.ones((*view.atlas.shape, 1, 1), np.float32),
            [""],
            theme=theme,
            model_name=view.atlas.model_name,
        )
        # Nobody else may keep it.
        self.explorer._model = self._model
        self._text: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether a text is shown."""
        return self._text is not None

    def go_on(self, run: str, head: HeadKey, place: Place) -> float:
        """Go on with showing a text at a head, with two tokens pinned; return the share done."""
        text = place[0]
        if text == self._text:
            self._at(head, place)
            return 1.0
        share, traced = self._runs.finish(run, lambda progress: self._read(text, progress), _WITHIN)
        if traced is None:
            return share
        if self.explorer._desk is not None:
            self.explorer._desk.stop()
        with self.explorer.hold_sync():
            # What a notebook saves of a text is of the head that is chosen as it comes.
            self._choose(head)
            self.explorer._show_trace(traced)
            self._text = text
            self._at(head, place)
        return 1.0

    def stop(self) -> None:
        """Give up what is being read."""
        self._runs.stop()

    def close(self) -> None:
        """Close the explorer and let go of the model."""
        self.stop()
        self.explorer.close()
        self._model = self._tokenizer = None

    def _read(self, text: int, progress: Progress) -> Trace:
        from ..tracing import trace
        from .working import longest_text

        entry, written = self._view.entry(text)
        progress(0.0)
        given = self._view.atlas._contents.max_length
        longest = longest_text(self._model, self._tokenizer, given)
        traced = trace(self._model, self._tokenizer, entry.text, entry.pair, max_length=longest)
        progress(0.9)
        if tuple(traced.tokens.text) != tuple(written.tokens):
            raise ValueError(
                f"text {text} has other tokens than when the atlas was made: is the tokenizer set "
                "up as it was then?"
            )
        return traced

    def _at(self, head: HeadKey, place: Place) -> None:
        explorer = self.explorer
        _, query, key = place
        with explorer.hold_sync():
            explorer.unit = "token"
            self._choose(head)
            explorer.selected, explorer.also = (query, key), []

    def _choose(self, head: HeadKey) -> None:
        self.explorer.layer, self.explorer.heads = head[0], [head[1]]

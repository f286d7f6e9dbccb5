"""What Python has of a view: its numbers, and the view taken away in another form."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, overload

from .attention import Attention
from .attention.base import Float
from .protocol import ViewName
from .state import check_index, check_layer
from .studied_view import StudiedView
from .tracing import Tokens
from .variants import key_tokens_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


class ExportedView(StudiedView):
    """A view whose numbers can be read, and which can be taken out of the notebook."""

    @property
    def attention(self) -> Attention:
        """Where the numbers come from: the attention of the kind that is shown."""
        return self._shown.attention

    @property
    def tokens(self) -> Tokens:
        """The tokens of the queries."""
        return self._shown.tokens

    @property
    def key_tokens(self) -> Tokens:
        """The tokens of the keys; those of the queries where they are the same."""
        return key_tokens_of(self._shown)

    def weights(self, layer: int | None = None, head: int | None = None) -> Float:
        """Return one head's exact weights.

        Parameters
        ----------
        layer : int, optional
            The chosen layer by default.
        head : int, optional
            The first of the chosen heads by default.

        Returns
        -------
        ndarray of float32, shape (queries, keys)
            A copy: it may be changed.

        Raises
        ------
        ValueError
            A layer or a head that isn't there.
        """
        attention = self.attention
        layer, head = self._one_head(layer, head)
        with self._lock:
            return attention.matrix(layer, head)

    def to_frame(
        self,
        layer: int | None = None,
        head: int | None = None,
        *,
        queries: slice | None = None,
        keys: slice | None = None,
    ) -> DataFrame:
        """Return one head's exact weights as a data frame; see `export.frame.to_frame`."""
        from .export.frame import to_frame

        return to_frame(self, layer, head, queries=queries, keys=keys)

    def plot(self, view: ViewName | None = None, ax: Axes | None = None) -> Figure | Axes:
        """Draw a view as it is now by matplotlib, for a paper; see `export.figure.plot`."""
        from .export.figure import plot

        return plot(self, view, ax)

    def to_png(
        self,
        path: str | PathLike[str] | None = None,
        *,
        view: ViewName | None = None,
        dpi: float = 200,
    ) -> bytes | None:
        """Save a view as it is now as PNG, or return it; see `export.pictures.to_png`."""
        from .export.pictures import to_png

        return to_png(self, path, view=view, dpi=dpi)

    def to_svg(
        self, path: str | PathLike[str] | None = None, *, view: ViewName | None = None
    ) -> str | None:
        """Save a view as it is now as SVG, or return it; see `export.pictures.to_svg`."""
        from .export.pictures import to_svg

        return to_svg(self, path, view=view)

    @overload
    def to_html(
        self, path: None = None, *, title: str | None = None, max_mb: float = 10.0
    ) -> str: ...
    @overload
    def to_html(
        self,
        path: str | PathLike[str],
        *,
        title: str | None = None,
        max_mb: float = 10.0,
    ) -> None: ...
    def to_html(
        self,
        path: str | PathLike[str] | None = None,
        *,
        title: str | None = None,
        max_mb: float = 10.0,
    ) -> str | None:
        """Write the view as one HTML file without kernel and network; see `export.html.to_html`."""
        from .export.html import to_html

        if path is None:
            return to_html(self, title=title, max_mb=max_mb)
        return to_html(self, path, title=title, max_mb=max_mb)

    def _still(self) -> str:
        if not self._variants:
            return ""
        from .export.still import still_of

        return still_of(self, self._room_for_still())

    def _said_beside(self) -> list[str]:
        """Return what a picture says before anything else."""
        return []

    def _one_head(self, layer: int | None, head: int | None) -> tuple[int, int]:
        limits = self._limits
        return (
            self.layer if layer is None else check_layer(layer, limits),
            self.heads[0] if head is None else check_index(head, limits.heads, "heads"),
        )

"""The widget of an atlas: heads as points, their exemplars, and a text opened below."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import widget_serialization

from ..explorer import AttentionExplorer
from ..lifetime import closed, opened
from ..part import STATIC
from ..shown_view import module
from .answering import AtlasSource
from .protocol import GroupInfo, HeadKey, Place
from .state import AtlasLimits, AtlasState
from .view import AtlasView

if TYPE_CHECKING:
    import os

    from .atlas import HeadAtlas
    from .opening import OpenedExplorer, Opener

_NO_MODEL = (
    "To open a text the model has to read it: show the atlas by atlas.explore(model, tokenizer)."
)


class AtlasExplorer(AtlasState):
    """What every head does over a corpus, to be looked through: `HeadAtlas.explore` makes one.

    Parameters
    ----------
    atlas : HeadAtlas
    model, tokenizer : optional
        Those that the atlas is of, or their name: to open texts.
    **options
        Traits of `state.AtlasState`, e.g. ``x="previous"``, ``head=(5, 11)``.

    Notes
    -----
    Its traits are those of `state.AtlasState`: each can be set, observed and linked, and follows
    what is done in the browser.

    Raises
    ------
    ValueError
        Another model than the atlas is of.
    TypeError
        An option that there isn't.
    traitlets.TraitError
        A trait out of its range, which the message names; the old value stands.
    RuntimeError
        The JavaScript part wasn't built.
    """

    _esm = module("atlas")

    _info = traitlets.Dict().tag(sync=True)
    _numbers = traitlets.Bytes().tag(sync=True)
    # The models themselves, not their names: Panel brings to a page those that it finds in traits.
    _source = traitlets.Instance(AtlasSource, allow_none=True).tag(
        sync=True, **widget_serialization
    )
    _explorer = traitlets.Instance(AttentionExplorer, allow_none=True).tag(
        sync=True, **widget_serialization
    )
    _open = traitlets.Any(None).tag(sync=True)
    _held = traitlets.Any(None).tag(sync=True)
    _uuid = traitlets.Unicode().tag(sync=True)

    # Set before anything can fail: an object that never came to be is closed too.
    _data: AtlasSource | None = None
    _opener: Opener | None = None

    def __init__(
        self, atlas: HeadAtlas, model: Any = None, tokenizer: Any = None, **options: Any
    ) -> None:
        if not type(self)._esm:
            raise RuntimeError(
                f"the JavaScript part isn't built ({STATIC} lacks atlas.js): in the project's "
                "folder run `pip install .` or `npm --prefix js ci && npm --prefix js run build`, "
                "then restart Python"
            )
        self.check_names(options)
        self._view = AtlasView(atlas)
        if model is not None:
            from .opening import Opener

            theme = options.get("theme", "auto")
            self._opener = Opener(self._view, model, tokenizer, theme)
            options["_explorer"] = self._opener.explorer
        info = self._view.info(_NO_MODEL if model is None else "")
        names = tuple(score["name"] for score in info["scores"])
        self._limits = AtlasLimits(*atlas.shape, names, tuple(info["names"]), self._view.texts)
        try:
            super().__init__(
                **options,
                _info=info,
                _numbers=self._view.numbers(),
                _uuid=uuid.uuid4().hex,
                layout={"flex": "1 1 auto"},
            )
        except BaseException:
            if self._opener is not None:
                self._opener.close()
            raise
        self.observe(self._let_go, "head")
        self.observe(self._stop, "exemplar")
        self.observe(self._take_theme, "theme")

    @property
    def atlas(self) -> HeadAtlas:
        """What is shown."""
        return self._view.atlas

    @property
    def opened(self) -> OpenedExplorer | None:
        """The explorer below, of the text that was opened; None before one was."""
        if self._opener is None or not self._opener.is_open:
            return None
        return self._opener.explorer

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state that crosses or is saved; the data model is there first."""
        if key is None and self._data is None:
            opened(self)
            self._data = AtlasSource(self._view, self._limits, self._open_text, self._like)
            self._source = self._data
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state

    def _still(self) -> str:
        from .still import still_of

        return still_of(self.atlas, self.x, self.y, self.theme == "dark")

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        title: str | None = None,
        max_mb: float = 10.0,
    ) -> str | None:
        """Write the view as it is now as one HTML file; see `HeadAtlas.to_html`."""
        from .html import to_html

        return to_html(self, path, title=title, max_mb=max_mb)

    def close(self) -> None:
        """Close the view, the data model and the explorer below, and let go of the model."""
        super().close()
        closed(self)
        if self._data is not None:
            self._data.close()
        if self._opener is not None:
            self._opener.close()

    def _let_go(self, _: object) -> None:
        """Of another head other places are looked at."""
        self.exemplar = None

    def _stop(self, change: dict[str, Any]) -> None:
        if change["new"] is None and self._opener is not None:
            self._opener.stop()

    def _take_theme(self, change: dict[str, Any]) -> None:
        if self._opener is not None:
            self._opener.explorer.theme = change["new"]

    def _open_text(self, run: str, head: HeadKey, place: Place) -> float:
        if self._opener is None:
            raise ValueError(_NO_MODEL)
        share = self._opener.go_on(run, head, place)
        if share == 1:
            self._open = (head, place)
        return share

    def _like(self) -> tuple[str, list[GroupInfo]]:
        if self.opened is None:
            raise ValueError("nothing is looked at: open a text, and click a token there")
        return self._view.like(self.opened)

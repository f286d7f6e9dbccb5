"""A view model with what it shows: state, the data model behind it, and what changes together."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, cast

import traitlets
from ipywidgets import widget_serialization

from .channel import AttentionSource, nobody_to_ask, nothing_to_study
from .lifetime import closed, opened
from .opening import describe, room_beside, room_for_still, take_snapshot
from .part import STATIC
from .protocol import Snapshot, Studied
from .requests import Question, Wish
from .runs import progress_bar, silent
from .state import Limits
from .tracing import Kind, Trace
from .variants import Variant, Variants
from .view_state import ViewState, variant_of

CLOSED = "this explorer is closed: its weights were let go"
_NOTHING_LOOKED_AT: dict[str, object] = {"hovered": None, "selected": None, "also": []}


def module(name: str) -> Path | str:
    """Return a bundle that was built; "" where it wasn't."""
    path = STATIC / f"{name}.js"
    if not path.is_file():
        return ""
    # A file that anywidget watches holds on to every explorer that was ever made.
    return path if os.environ.get("ANYWIDGET_HMR") == "1" else path.read_text("utf-8")


class ShownView(ViewState):
    """Shows one variant of some kinds of attention.

    Parameters
    ----------
    kinds : mapping of str to Kind
        What there is to show.
    kind : str
        Which of them is shown where the state doesn't say.
    state : mapping
        Traits of `ViewState` to open with.
    model_name : str
        Shown beside the controls.
    trace : Trace, optional
        Where the kinds are of.
    """

    _esm = module("widget")

    _description = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Dict().tag(sync=True)
    # The model itself, not its name: Panel brings to a page the models that it finds in traits.
    _source = traitlets.Instance(AttentionSource, allow_none=True).tag(
        sync=True, **widget_serialization
    )
    _uuid = traitlets.Unicode().tag(sync=True)

    # Set before anything can fail: an object that never came to be is closed too.
    _data: AttentionSource | None = None
    # What the browser sets is worked out without a bar: no cell waits for it.
    _is_told: bool = False

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        kind: str,
        state: Mapping[str, Any],
        model_name: str,
        trace: Trace | None = None,
    ) -> None:
        if not type(self)._esm:
            raise RuntimeError(
                f"the JavaScript part isn't built ({STATIC} lacks it): in the project's folder "
                "run `pip install .` or `npm --prefix js ci && npm --prefix js run build`, then "
                "restart Python"
            )
        self._variants = self._variants_of(kinds, trace)
        self._variant = variant_of(state, kinds, kind)
        try:
            self._limits = self._limits_of(self._variants, self._variant)
        except ValueError as error:
            raise traitlets.TraitError(f"measure={self._variant.measure!r}: {error}") from None
        super().__init__(
            **{"kind": kind, **state},
            _description=describe(self._variants, self._variant, model_name),
            _uuid=uuid.uuid4().hex,
            # It fits any width and so asks for none: without a share it has none in an HBox.
            layout={"flex": "1 1 auto"},
        )

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Return the state that crosses or is saved; the data model that it names is there first.

        Any host opens the comm with all of it: Jupyter in `open`, marimo before.
        """
        if key is None and self._data is None and self._variants:
            opened(self)
            self._data = AttentionSource(self._variants, self._ask_model, self._study)
            self._source = self._data
            for name, value in self._saved_state(
                self._variants, self._variant, self.layer, self.heads[0]
            ).items():
                setattr(self, name, value)
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return state

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights."""
        super().close()
        closed(self)
        if self._data is not None:
            self._data.close()
        self._variants = Variants({})

    def _variants_of(self, kinds: Mapping[str, Kind], trace: Trace | None) -> Variants:
        """Return what there is to show of some kinds of attention."""
        return Variants(kinds, trace)

    @property
    def _lock(self) -> Lock:
        assert self._data is not None
        return self._data.lock

    @property
    def _shown(self) -> Kind:
        if not self._variants:
            raise RuntimeError(CLOSED)
        return self._variants.show(self._variant)

    def _ask_model(self, question: Question) -> float | None:
        """Put a question to the model; return the share that is done, None when all is."""
        return nobody_to_ask(question)

    def _study(self, wish: Wish) -> tuple[float, Studied | None]:
        """Go on with a study; return the share that is done, and what came of it, once."""
        return nothing_to_study(wish)

    def set_state(self, sync_data: dict[str, object]) -> None:
        """Take over the browser's state; why a measure can't be had is said there."""
        self._is_told = True
        try:
            super().set_state(sync_data)
        except traitlets.TraitError as error:
            if "measure" in sync_data and self._variants:
                shown = describe(self._variants, self._variant, self._description["model"])
                self._description = {**shown, "notes": [*shown["notes"], f"Not shown: {error}"]}
            raise
        finally:
            self._is_told = False

    def _limits_of(self, variants: Variants, variant: Variant) -> Limits:
        """Return the limits of what is to be shown, which is worked out where it isn't there."""
        kind, measure = variant.kind, variant.measure
        if not variants.measures.has(kind, measure):
            bar = nullcontext() if self._is_told else progress_bar(measure)
            with bar as progress:
                variants.measures.of(kind, measure, progress or silent)
        return Limits.of(variants.show(variant), variants.kinds, kind, self._views)

    def _as_far_as_can(self, variants: Variants, variant: Variant) -> Variant:
        """Return a variant of another text or kind: by its weights, where there is no more."""
        try:
            self._limits_of(variants, variant)
        except ValueError:
            return variant._replace(measure="weights")
        return variant

    def _state_for(self, variant: Variant) -> tuple[Variant, Limits, dict[str, object]]:
        """Return what is to be shown, its limits and state; what is chosen stays if it can."""
        if not self._variants:
            raise RuntimeError(CLOSED)
        was = self._variant
        if variant.kind != was.kind:
            variant = self._as_far_as_can(self._variants, variant._replace(hide_tokens=()))
        limits, state = self._dependent_on(self._variants, variant)
        # Other tokens than before: what pointed at the old ones would point anywhere.
        if (variant.kind, variant.unit) != (was.kind, was.unit):
            state |= _NOTHING_LOOKED_AT
        if variant.kind != was.kind:
            state |= {"hide_tokens": [], "measure": variant.measure}
        return variant, limits, state

    def _show_instead(self, trace: Trace) -> None:
        """Show another text's kinds of attention, in one message; what is chosen stays."""
        if not self._variants:
            raise RuntimeError(CLOSED)
        assert self._data is not None
        variants = self._variants.instead(trace)
        kind = self._variant.kind if self._variant.kind in trace.kinds else trace.kind
        variant = self._variant._replace(kind=kind, hide_tokens=())
        variant = self._as_far_as_can(variants, variant)
        limits, state = self._dependent_on(variants, variant)
        state |= _NOTHING_LOOKED_AT | {"between": []}
        with self.hold_sync(), self.hold_trait_notifications():
            self._variants = self._data.kinds = variants
            self._variant, self._limits = variant, limits
            self.kind, self.measure, self.hide_tokens = kind, variant.measure, []
            for name, value in state.items():
                setattr(self, name, value)

    def _dependent_on(
        self, variants: Variants, variant: Variant
    ) -> tuple[Limits, dict[str, object]]:
        """Return the limits of what is to be shown, and the state that follows from it."""
        limits = self._limits_of(variants, variant)
        layer = min(self.layer, limits.layers - 1)
        heads = [head for head in self.heads if head < limits.heads] or [limits.heads - 1]
        return limits, {
            "layer": layer,
            "heads": heads,
            "_description": describe(variants, variant, self._description["model"]),
            **self._saved_state(variants, variant, layer, heads[0]),
        }

    def _beside(self, variants: Variants, variant: Variant) -> dict[str, object]:
        """Return what else there is to say of what is shown."""
        return {}

    def _saved_state(
        self, variants: Variants, variant: Variant, layer: int, head: int
    ) -> dict[str, object]:
        """Return what a notebook saves to show something without a kernel, and what is beside."""
        beside = self._beside(variants, variant)
        room = room_beside(str(self._esm), {**beside, "texts": variants.texts})
        with self._lock:
            snapshot = take_snapshot(variants.show(variant), layer, head, room)
        return {"_snapshot": snapshot, **beside}

    def _room_for_still(self) -> int:
        """Return how many bytes a picture beside the view may have."""
        beside = self._beside(self._variants, self._variant)
        state = {**beside, "texts": self._variants.texts}
        return room_for_still(str(self._esm), state, cast(Snapshot, self._snapshot))

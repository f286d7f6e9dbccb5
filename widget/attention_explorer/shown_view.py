"""A view model with what it shows: state, the data model behind it, and what changes together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import traitlets

from .channel import AttentionSource
from .opening import describe, take_snapshot
from .state import Limits
from .tracing import Kind
from .variants import Variant, Variants
from .view_state import ViewState, variant_of

_MODULE = Path(__file__).parent / "static" / "widget.js"


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
    """

    _esm = _MODULE if _MODULE.is_file() else ""

    _description = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Dict().tag(sync=True)
    _source = traitlets.Unicode().tag(sync=True)
    _uuid = traitlets.Unicode().tag(sync=True)

    # Set before anything can fail: an object that never came to be is closed too.
    _data: AttentionSource | None = None

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        kind: str,
        state: Mapping[str, Any],
        model_name: str,
    ) -> None:
        if not type(self)._esm:
            raise RuntimeError(
                f"the JavaScript part isn't built ({_MODULE} is missing): in the project's folder "
                "run `pip install .` or `npm --prefix js ci && npm --prefix js run build`, then "
                "restart Python"
            )
        self._variants = Variants(kinds)
        self._variant = variant_of(state, kinds, kind)
        self._limits = self._limits_of(self._variant)
        super().__init__(
            **{"kind": kind, **state},
            _description=describe(self._variants, self._variant, model_name),
            _uuid=uuid.uuid4().hex,
            # It fits any width and so asks for none: without a share it has none in an HBox.
            layout={"flex": "1 1 auto"},
        )

    def open(self) -> None:
        """Open the comms: the data model's first, which the view model's state names."""
        if self.comm is None:
            self._data = AttentionSource(self._variants)
            self._source = f"IPY_MODEL_{self._data.model_id}"
            self._snapshot = {**take_snapshot(self._shown, self.layer, self.heads[0])}
        super().open()

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights."""
        super().close()
        if self._data is not None:
            self._data.close()
        self._variants = Variants({})

    @property
    def _lock(self) -> Lock:
        assert self._data is not None
        return self._data.lock

    @property
    def _shown(self) -> Kind:
        if not self._variants:
            raise RuntimeError("this explorer is closed: its weights were let go")
        return self._variants.show(self._variant)

    def _limits_of(self, variant: Variant) -> Limits:
        return Limits.of(self._variants.show(variant), self._variants.kinds, variant.kind)

    def _state_for(self, variant: Variant) -> tuple[Variant, Limits, dict[str, object]]:
        """Return what is to be shown, its limits and state; what is chosen stays if it can."""
        if not self._variants:
            raise RuntimeError("this explorer is closed: its weights were let go")
        was = self._variant
        if variant.kind != was.kind:
            variant = variant._replace(hide_tokens=())
        limits = self._limits_of(variant)
        layer = min(self.layer, limits.layers - 1)
        heads = [head for head in self.heads if head < limits.heads] or [limits.heads - 1]
        assert self._data is not None
        with self._data.lock:
            snapshot = take_snapshot(self._variants.show(variant), layer, heads[0])
        state: dict[str, object] = {
            "layer": layer,
            "heads": heads,
            "_description": describe(self._variants, variant, self._description["model"]),
            "_snapshot": snapshot,
        }
        # Other tokens than before: what pointed at the old ones would point anywhere.
        if (variant.kind, variant.unit) != (was.kind, was.unit):
            state |= {"hovered": None, "selected": None, "also": []}
        if variant.kind != was.kind:
            state["hide_tokens"] = []
        return variant, limits, state

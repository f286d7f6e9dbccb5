"""The widget: state that Python and the browser share, and the way to the numbers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from .attention import Attention
from .attention.base import Float
from .channel import AttentionSource, SavedWidget
from .inputs import read_inputs
from .opening import describe, take_snapshot
from .protocol import Reduction, Theme, ViewName
from .state import (
    Checked,
    CheckedKind,
    Limits,
    check_heads,
    check_index,
    check_kind,
    check_layer,
    check_pointer,
    check_pooling,
    check_theme,
    check_top_mass,
    check_views,
)
from .tracing import Kind, Tokens, Trace, trace
from .tracing.tracer import Store

if TYPE_CHECKING:
    from typing_extensions import Self

DEFAULT_VIEWS: tuple[ViewName, ...] = ("text", "heads", "matrix", "model")

_MODULE = Path(__file__).parent / "static" / "widget.js"


class AttentionExplorer(SavedWidget):
    """Linked, interactive views of what a Transformer attends to.

    Layers, heads and tokens count from 0; a layer is an index into the layers that have attention.

    Parameters
    ----------
    attentions : Trace, Attention or arrays
        A trace of a model and a text; or attention weights as `attention.dense_attention` takes
        them: one array (heads, queries, keys) a layer, with or without the batch axis, or one array
        (layers, heads, queries, keys), of numpy, torch or anything with ``__array__`` or DLPack.
    tokens : Tokens or sequence of str, optional
        One for each query, special ones included. A trace has its own.
    key_tokens : Tokens or sequence of str, optional
        One for each key, where the keys are other tokens than the queries (cross-attention).
    layer : int
        The layer to open with.
    heads : int or sequence of int, optional
        The heads to open with; head 0 by default.
    view : name or sequence of names
        The views to show: ``"text"``, ``"heads"``, ``"matrix"``, ``"model"`` (every head of every
        layer at once: large by itself, else small, to find one's way by).
    selected : int, pair or None
        The pinned token: see Attributes.
    top_mass : float
        In the head view, lines are drawn for the largest weights of each row until they hold this
        share of its sum.
    pooling : {"max", "mean"}
        What a cell that holds several weights says of them.
    theme : {"auto", "light", "dark"}
        ``"auto"`` follows the page.
    model_name : str, optional
        Shown beside the controls; a trace has its own.
    batch_index : int, optional
        Which example, where the arrays have a batch of two or more.

    Attributes
    ----------
    kind : str
        The kind of attention that is shown, of a trace that has several, e.g. ``"cross"``. With it
        `attention`, `tokens`, `key_tokens` and `weights` change; nothing is hovered or selected any
        more, and `layer` and `heads` stay as far as they are there.
    layer, heads, view, top_mass, pooling, theme
        As above; each can be set, observed and linked, and follows what is done in the browser.
    hovered, selected : (query, key) or None
        The token under the pointer, and the one that was pinned: the query whose reading is shown
        and the key whose readers are shown, either None. Where queries and keys are the same
        tokens, an int t stands for (t, t).

    Raises
    ------
    ValueError
        Tokens that are missing or aren't as many as queries or keys; attentions that aren't as
        described (see `attention.dense_attention`).
    traitlets.TraitError
        A trait out of its range, which the message names; the old value stands.
    RuntimeError
        The JavaScript part wasn't built.
    """

    _esm = _MODULE if _MODULE.is_file() else ""

    kind = CheckedKind(check_kind, "").tag(sync=True)
    layer = Checked(check_layer, 0).tag(sync=True)
    heads = Checked(check_heads, [0]).tag(sync=True)
    view = Checked[list[ViewName]](check_views, [*DEFAULT_VIEWS]).tag(sync=True)
    hovered = Checked(check_pointer, None, allow_none=True).tag(sync=True)
    selected = Checked(check_pointer, None, allow_none=True).tag(sync=True)
    top_mass = Checked(check_top_mass, 0.8).tag(sync=True)
    pooling = Checked(check_pooling, "max").tag(sync=True)
    theme = Checked(check_theme, "auto").tag(sync=True)

    _description = traitlets.Dict().tag(sync=True)
    _snapshot = traitlets.Dict().tag(sync=True)
    _source = traitlets.Unicode().tag(sync=True)
    _uuid = traitlets.Unicode().tag(sync=True)

    # Set before anything can fail: an object that never came to be is closed too.
    _data: AttentionSource | None = None

    def __init__(
        self,
        attentions: object,
        tokens: Tokens | Sequence[str] | None = None,
        key_tokens: Tokens | Sequence[str] | None = None,
        *,
        layer: int = 0,
        heads: int | Sequence[int] | None = None,
        view: ViewName | Sequence[ViewName] = DEFAULT_VIEWS,
        selected: int | tuple[int | None, int | None] | None = None,
        top_mass: float = 0.8,
        pooling: Reduction = "max",
        theme: Theme = "auto",
        model_name: str | None = None,
        batch_index: int | None = None,
    ) -> None:
        if not type(self)._esm:
            raise RuntimeError(
                f"the JavaScript part isn't built ({_MODULE} is missing): in the project's folder "
                "run `pip install .` or `npm --prefix js ci && npm --prefix js run build`, then "
                "restart Python"
            )
        self._trace = attentions if isinstance(attentions, Trace) else None
        self._kinds, kind = read_inputs(attentions, tokens, key_tokens, batch_index)
        self._limits = Limits.of(self._kinds, kind)
        if model_name is None:
            model_name = self._trace.model_name if self._trace else ""
        super().__init__(
            kind=kind,
            layer=layer,
            heads=[0] if heads is None else heads,
            view=view,
            selected=selected,
            top_mass=top_mass,
            pooling=pooling,
            theme=theme,
            _description=describe(self._kinds, kind, model_name),
            _uuid=uuid.uuid4().hex,
            # It fits any width and so asks for none: without a share it has none in an HBox.
            layout={"flex": "1 1 auto"},
        )

    def open(self) -> None:
        """Open the comms: the data model's first, which the view model's state names."""
        if self.comm is None:
            self._data = AttentionSource(self._kinds)
            self._source = f"IPY_MODEL_{self._data.model_id}"
            self._snapshot = {**take_snapshot(self._shown, self.layer, self.heads[0])}
        super().open()

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights."""
        super().close()
        if self._data is not None:
            self._data.close()
        self._kinds, self._trace = {}, None

    @classmethod
    def from_model(
        cls,
        model: Any,
        tokenizer: Any = None,
        text: str | None = None,
        text_pair: str | None = None,
        *,
        target: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        tokens: Tokens | Sequence[str] | None = None,
        batch_index: int | None = None,
        max_length: int | None = None,
        store: Store = "device",
        **options: Any,
    ) -> Self:
        """Trace a model on a text and explore it: `trace` and `AttentionExplorer` in one call.

        Parameters
        ----------
        model, tokenizer, text, text_pair, target, inputs, tokens, batch_index, max_length, store
            As `trace` takes them.
        **options
            As `AttentionExplorer` takes them.
        """
        traced = trace(
            model,
            tokenizer,
            text,
            text_pair,
            target=target,
            inputs=inputs,
            tokens=tokens,
            batch_index=batch_index,
            max_length=max_length,
            store=store,
        )
        return cls(traced, **options)

    @classmethod
    def demo(cls, **options: Any) -> Self:
        """Explore a trace that ships with the package; needs no model, no torch and no network.

        all-MiniLM-L6-v2 on "The cat sat on the mat because it was tired.", opened where "it" reads
        "cat" (layer 5, head 11).
        """
        from .demo import demo_trace

        return cls(demo_trace(), **{"layer": 5, "heads": 11, **options})

    @property
    def attention(self) -> Attention:
        """Where the numbers come from: the attention of the kind that is shown."""
        return self._shown.attention

    @property
    def trace(self) -> Trace | None:
        """The trace that the explorer was made from, if it was, as it was given."""
        return self._trace

    @property
    def tokens(self) -> Tokens:
        """The tokens of the queries."""
        return self._shown.tokens

    @property
    def key_tokens(self) -> Tokens:
        """The tokens of the keys; those of the queries where they are the same."""
        keys = self._shown.key_tokens
        return self.tokens if keys is None else keys

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
        layer = self.layer if layer is None else check_layer(layer, self._limits)
        head = self.heads[0] if head is None else check_index(head, attention.n_heads, "heads")
        assert self._data is not None
        with self._data.lock:
            return attention.matrix(layer, head)

    @property
    def _shown(self) -> Kind:
        if not self._kinds:
            raise RuntimeError("this explorer is closed: its weights were let go")
        return self._kinds[self.kind]

    def _state_for(self, kind: str, limits: Limits) -> dict[str, object]:
        """Return the state with another kind shown; what is chosen stays as far as it is there."""
        layer = min(self.layer, limits.layers - 1)
        heads = [head for head in self.heads if head < limits.heads] or [limits.heads - 1]
        assert self._data is not None
        with self._data.lock:
            snapshot = take_snapshot(self._kinds[kind], layer, heads[0])
        return {
            "layer": layer,
            "heads": heads,
            "hovered": None,
            "selected": None,
            "_description": describe(self._kinds, kind, self._description["model"]),
            "_snapshot": snapshot,
        }

    def set_state(self, sync_data: dict[str, object]) -> None:
        """Take over the browser's state; what isn't valid is put right there too."""
        # The kind first, as the rest is in its range; and one answer, whatever it brings along.
        sync_data = dict(sorted(sync_data.items(), key=lambda entry: entry[0] != "kind"))
        try:
            with self.hold_sync():
                super().set_state(sync_data)
        except traitlets.TraitError:
            self.send_state([name for name in sync_data if name in self.keys])
            raise

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._kinds:
            return f"{name}(closed)"
        limits = self._limits
        sides = f"{limits.queries} queries x {limits.keys} keys"
        about = self._description["model"]
        which = f"{self.kind} of {', '.join(self._kinds)}: " if len(self._kinds) > 1 else ""
        return (
            f"{name}({about + ': ' if about else ''}{which}"
            f"{limits.layers} layers x {limits.heads} heads, "
            f"{f'{limits.queries} tokens' if limits.same_tokens else sides}; "
            f"layer {self.layer}, heads {self.heads})"
        )

"""The state of a view that Python, the browser and linked widgets share, as checked traits."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, get_args

import traitlets

from .channel import SavedWidget
from .protocol import (
    ColourScale,
    Combination,
    Direction,
    EditInfo,
    Hideable,
    Measure,
    Orientation,
    Paint,
    Pointer,
    Reduction,
    ScaleTo,
    SegmentPair,
    Theme,
    Unit,
    ViewName,
)
from .state import (
    Checked,
    Limits,
    Shows,
    check_between,
    check_edits,
    check_flag,
    check_heads,
    check_hidden,
    check_kind,
    check_layer,
    check_pointer,
    check_pointers,
    check_sort,
    check_threshold,
    check_top_k,
    check_top_mass,
    check_views,
    one_of,
    some_of,
)
from .tracing import Kind
from .variants import Variant

DEFAULT_VIEWS: tuple[ViewName, ...] = ("text", "heads", "matrix", "model")


class ViewState(SavedWidget):
    """The synced traits of a view: each can be set, observed and linked.

    Attributes
    ----------
    kind : str
        The kind of attention that is shown, of a trace that has several, e.g. ``"cross"``. With it
        `attention`, `tokens`, `key_tokens` and `weights` change; nothing is hovered or selected any
        more, and `layer` and `heads` stay as far as they are there.
    measure : {"weights", "norms", "norms summed", "rollout", "relevance", "logits"}
        What is shown: weights, or what `flow.measures.measure` makes of them, for which the model
        runs once more. What can't be had is a TraitError that says why.
    unit : {"token", "word", "segment"}
        What a row and a column are. A word or a segment reads the mean of what its tokens read, and
        is read with the sum of what they are read with.
    hide : list of {"special", "first", "punctuation"}
        Keys whose weights are set aside: what the tokenizer added, the first one, marks.
    hide_tokens : list of int
        Keys besides, counted in tokens.
    renormalise : bool
        Whether the other weights of each row are raised to the sum that all of them had.
    layer : int
        An index into the layers that have attention.
    heads : list of int
        The chosen heads.
    view : list of {"text", "heads", "matrix", "model", "neuron"}
        The views that are shown.
    hovered, selected : (query, key) or None
        The token under the pointer, and the one that was pinned: the query whose reading is shown
        and the key whose readers are shown, either None. Where queries and keys are the same
        tokens, an int t stands for (t, t).
    also : list of (query, key)
        More tokens that are pinned with `selected`.
    combine : {"mean", "sum"}
        What of several pinned tokens is shown.
    direction : {"reads", "is read by"}
        What shades the text: what the token that is looked at reads, or what reads it.
    top_mass : float
        In the head view, lines are drawn for the largest weights of each row until they hold this
        share of its sum,
    top_k : int or None
        of at most so many,
    threshold : float
        and of none below this weight.
    between : list of (int, int)
        Lines are drawn between these segments only: which reads and which is read; [] for all. The
        limits above then count what is left of each row.
    orientation : {"vertical", "horizontal"}
        Whether the head view's tokens stand below each other or side by side.
    pooling : {"max", "mean"}
        What a cell that holds several weights says of them.
    scale : {"linear", "sqrt", "log"}
        How colour follows weight.
    scale_to : {"model", "head"}
        Whether the scale ends at the largest weight that can be, or at the largest in view.
    sort : str
        How the model view orders heads: ``"layer"``, or a score's name.
    paint : {"weights", "score"}
        What the model view colours heads by: their weights, or the score that they are sorted by,
        from the least of all heads to the greatest.
    edits : list of dict
        What is to be changed when the model is run again, each with ``"on"``; see
        `protocol.EditInfo`.
    theme : {"auto", "light", "dark"}
        ``"auto"`` follows the page.
    """

    kind = Shows(check_kind, "").tag(sync=True)
    measure = Shows(one_of(*get_args(Measure)), "weights").tag(sync=True)
    unit = Shows(one_of(*get_args(Unit)), "token").tag(sync=True)
    hide = Shows[list[Hideable]](some_of(*get_args(Hideable)), []).tag(sync=True)
    hide_tokens = Shows[list[int]](check_hidden, []).tag(sync=True)
    renormalise = Shows(check_flag, False).tag(sync=True)
    layer = Checked(check_layer, 0).tag(sync=True)
    heads = Checked(check_heads, [0]).tag(sync=True)
    view = Checked[list[ViewName]](check_views, [*DEFAULT_VIEWS]).tag(sync=True)
    hovered = Checked(check_pointer, None, allow_none=True).tag(sync=True)
    selected = Checked(check_pointer, None, allow_none=True).tag(sync=True)
    also = Checked[list[Pointer]](check_pointers, []).tag(sync=True)
    combine = Checked(one_of(*get_args(Combination)), "mean").tag(sync=True)
    direction = Checked(one_of(*get_args(Direction)), "reads").tag(sync=True)
    top_mass = Checked(check_top_mass, 0.8).tag(sync=True)
    top_k = Checked(check_top_k, None, allow_none=True).tag(sync=True)
    threshold = Checked(check_threshold, 0.0).tag(sync=True)
    between = Checked[list[SegmentPair]](check_between, []).tag(sync=True)
    orientation = Checked(one_of(*get_args(Orientation)), "vertical").tag(sync=True)
    pooling = Checked(one_of(*get_args(Reduction)), "max").tag(sync=True)
    scale = Checked(one_of(*get_args(ColourScale)), "sqrt").tag(sync=True)
    scale_to = Checked(one_of(*get_args(ScaleTo)), "model").tag(sync=True)
    sort = Checked(check_sort, "layer").tag(sync=True)
    paint = Checked(one_of(*get_args(Paint)), "weights").tag(sync=True)
    edits = Checked[list[EditInfo]](check_edits, []).tag(sync=True)
    theme = Checked(one_of(*get_args(Theme)), "auto").tag(sync=True)

    # Those that an explorer of any model has.
    _views: tuple[ViewName, ...] = get_args(ViewName)[:-2]

    # Set by the owner before any trait is: what is shown, and what may be chosen of it.
    _variant: Variant
    _limits: Limits

    def state(self) -> dict[str, Any]:
        """Return the view as a small dict that JSON can hold, for ``state=`` of another explorer.

        Only what differs from a new explorer's is in it, and nothing of what is hovered.
        """
        return {
            name: list(map(list, value)) if name in ("also", "between") else value
            for name in self.state_names()
            if (value := getattr(self, name)) != type(self).class_traits()[name].default_value
        }

    @classmethod
    def state_names(cls) -> tuple[str, ...]:
        """Return the traits that `state` is made of."""
        traits = cls.class_traits().items()
        return tuple(name for name, it in traits if isinstance(it, Checked) and name != "hovered")

    @classmethod
    def read_state(cls, *given: Mapping[str, object] | None) -> dict[str, object]:
        """Merge states, later ones over earlier; a name that is none of a view's is a TypeError."""
        merged: dict[str, object] = {}
        for state in given:
            merged.update(state or {})
        known = cls.state_names()
        for name in merged:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                raise TypeError(f"an explorer has no option {name!r}: {meant}")
        return merged

    def set_state(self, sync_data: dict[str, object]) -> None:
        """Take over the browser's state; what isn't valid is put right there too."""
        # What is shown first, as the rest is in its range; and one answer, whatever comes with it.
        order = {name: place for place, name in enumerate(Variant._fields)}
        sync_data = dict(sorted(sync_data.items(), key=lambda entry: order.get(entry[0], 99)))
        try:
            with self.hold_sync():
                super().set_state(sync_data)
        except traitlets.TraitError:
            self.send_state([name for name in sync_data if name in self.keys])
            raise


def variant_of(state: Mapping[str, object], kinds: Mapping[str, Kind], kind: str) -> Variant:
    """Return what a state says of what is shown; `kind` is what is shown otherwise."""
    traits: Any = ViewState.class_traits()
    kind = traits["kind"].checked(state.get("kind", kind), Limits.of(kinds[kind], kinds, kind))
    limits = Limits.of(kinds[kind], kinds, kind)
    values: dict[str, Any] = {
        name: traits[name].checked(state[name], limits)
        for name in Variant._fields
        if name in state and name != "kind"
    }
    as_kept: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
    }
    return Variant(kind, **as_kept)

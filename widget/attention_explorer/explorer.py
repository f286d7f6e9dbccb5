"""The widget: state that Python and the browser share, and the way to the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .exported import ExportedView
from .inputs import read_inputs
from .protocol import Theme, ViewName
from .tracing import Tokens, Trace, trace
from .tracing.tracer import Store, load

if TYPE_CHECKING:
    from typing_extensions import Self

    from .asking import QAExplorer
    from .comparing import ComparingExplorer
    from .tracing.segments import Part


class AttentionExplorer(ExportedView):
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
    layer : int, optional
        The layer to open with; 0 by default.
    heads : int or sequence of int, optional
        The heads to open with; head 0 by default.
    view : name or sequence of names, optional
        The views to show: ``"text"``, ``"heads"``, ``"matrix"``, ``"model"`` (every head of every
        layer at once: large by itself, else small, to find one's way by).
    selected : int, pair or None
        The pinned token.
    top_mass : float, optional
        In the head view, lines are drawn for the largest weights of each row until they hold this
        share of its sum; 0.8 by default.
    theme : {"auto", "light", "dark"}, optional
        ``"auto"``, the default, follows the page.
    state : mapping, optional
        What `state` of another explorer returned: the same view again. What else is given here goes
        before it.
    model_name : str, optional
        Shown beside the controls; a trace has its own.
    batch_index : int, optional
        Which example, where the arrays have a batch of two or more.
    segments : mapping of str to str, (int, int), range or slice, optional
        Parts of the text by name, as for `trace`: ``{"question": "Who ...?", "doc 1": range(6,
        40)}``; where there are `key_tokens`, of the queries.
    **options
        Any other trait of `view_state.ViewState`, e.g. ``unit="word"`` or ``hide=["special"]``.

    Notes
    -----
    Its traits are those of `view_state.ViewState`: each can be set, observed and linked, and
    follows what is done in the browser.

    Raises
    ------
    ValueError
        Tokens that are missing or aren't as many as queries or keys; attentions that aren't as
        described (see `attention.dense_attention`); segments that aren't there.
    TypeError
        An option that no view has.
    traitlets.TraitError
        A trait out of its range, which the message names; the old value stands.
    RuntimeError
        The JavaScript part wasn't built.
    """

    def __init__(
        self,
        attentions: object,
        tokens: Tokens | Sequence[str] | None = None,
        key_tokens: Tokens | Sequence[str] | None = None,
        *,
        layer: int | None = None,
        heads: int | Sequence[int] | None = None,
        view: ViewName | Sequence[ViewName] | None = None,
        selected: int | tuple[int | None, int | None] | None = None,
        top_mass: float | None = None,
        theme: Theme | None = None,
        state: Mapping[str, object] | None = None,
        model_name: str | None = None,
        batch_index: int | None = None,
        segments: Mapping[str, Part] | None = None,
        **options: Any,
    ) -> None:
        named = {
            "layer": layer,
            "heads": heads,
            "view": view,
            "selected": selected,
            "top_mass": top_mass,
            "theme": theme,
        }
        given = {name: value for name, value in named.items() if value is not None}
        opened = self.read_state(state, given, options)
        kinds, kind = read_inputs(attentions, tokens, key_tokens, batch_index, segments)
        self._trace = attentions if isinstance(attentions, Trace) else None
        if model_name is None:
            model_name = self._trace.model_name if self._trace else ""
        super().__init__(kinds, kind, opened, model_name, self._trace)

    @classmethod
    def from_model(
        cls,
        model: Any,
        tokenizer: Any = None,
        text: str | None = None,
        text_pair: str | None = None,
        *,
        chat: Sequence[Mapping[str, Any]] | None = None,
        segments: Mapping[str, Part] | None = None,
        target: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        tokens: Tokens | Sequence[str] | None = None,
        batch_index: int | None = None,
        max_length: int | None = None,
        store: Store = "device",
        **options: Any,
    ) -> Self:
        """Trace a model on a text and explore it: `trace` and `AttentionExplorer` in one call.

        The explorer keeps the model, for what is to be run again.

        Parameters
        ----------
        model, tokenizer, text, text_pair, chat, segments
            As `trace` takes them.
        target, inputs, tokens, batch_index, max_length, store
            As `trace` takes them.
        **options
            As `AttentionExplorer` takes them.
        """
        model, tokenizer = load(model, tokenizer)
        traced = trace(
            model,
            tokenizer,
            text,
            text_pair,
            chat=chat,
            segments=segments,
            target=target,
            inputs=inputs,
            tokens=tokens,
            batch_index=batch_index,
            max_length=max_length,
            store=store,
        )
        explorer = cls(traced, **options)
        explorer._model = model
        return explorer

    @classmethod
    def qa(
        cls,
        model: Any,
        tokenizer: Any = None,
        question: str = "",
        context: str = "",
        *,
        max_length: int | None = None,
        stride: int | None = None,
        top: int = 5,
        max_answer_tokens: int = 30,
        no_answer: bool | None = None,
        store: Store = "device",
        **options: Any,
    ) -> QAExplorer:
        """Ask a question answering model, and explore the attention that led to its answer.

        Parameters
        ----------
        model, tokenizer, max_length, stride, top, max_answer_tokens, no_answer, store
            As `tasks.qa.QuestionAnswering` takes them.
        question, context : str
            What is asked about which text; both can be changed in the widget, or by `ask`.
        **options
            As `AttentionExplorer` takes them. It opens on the QA view, by words, at the head whose
            question reads most of the answer.
        """
        from .asking import open_qa

        asking = {
            "max_length": max_length,
            "stride": stride,
            "top": top,
            "max_answer_tokens": max_answer_tokens,
            "no_answer": no_answer,
            "store": store,
        }
        return open_qa(model, tokenizer, question, context, asking, options)

    @classmethod
    def compare(
        cls,
        first: Trace,
        second: Trace,
        *,
        names: tuple[str, str] = ("first", "second"),
        kind: str | None = None,
        **options: Any,
    ) -> ComparingExplorer:
        """Explore two traces beside each other: two texts of one model, or two models on one text.

        ``compare(trace(model, tokenizer, "The cat sat"), trace(model, tokenizer, "The dog sat"))``;
        or ``compare(trace(before, tokenizer, text), trace(after, tokenizer, text), names=("before",
        "after"))``.

        Their difference is a kind of attention: the second less the first, of the tokens that stand
        opposite each other (`tracing.alignment.align` says which). What stands opposite nothing is
        left out, and said to be.

        Parameters
        ----------
        first, second : Trace
            Of the same number of layers and heads.
        names : (str, str)
            What they are called, and their own kinds of attention with them.
        kind : str, optional
            Which kind of attention of both is compared; by default the one that each shows.
        **options
            As `AttentionExplorer` takes them. It opens on the difference, in the views
            ``"compare"`` and ``"model"``, of short texts at the head that differs most; with
            ``state=`` as that says.

        Raises
        ------
        TypeError
            Something that is no trace; an option that no view has.
        ValueError
            Traces of other layers or heads; texts that have no token in common; names that are the
            same; a kind that isn't there.
        """
        from .comparing import compare

        return compare(first, second, names=names, kind=kind, **options)

    @classmethod
    def demo(cls, **options: Any) -> Self:
        """Explore a trace that ships with the package; needs no model, no torch and no network.

        all-MiniLM-L6-v2 on "The cat sat on the mat because it was tired.", opened where "it" reads
        "cat" (layer 5, head 11).
        """
        from .demo import demo_trace

        return cls(demo_trace(), **{"layer": 5, "heads": 11, **options})

    def __repr__(self) -> str:
        name = type(self).__name__
        if not self._variants:
            return f"{name}(closed)"
        limits = self._limits
        sides = f"{limits.queries} queries x {limits.keys} keys"
        about = self._description["model"]
        which = f"{self.kind} of {', '.join(limits.kinds)}: " if len(limits.kinds) > 1 else ""
        return (
            f"{name}({about + ': ' if about else ''}{which}"
            f"{limits.layers} layers x {limits.heads} heads, "
            f"{f'{limits.queries} {self.unit}s' if limits.same_tokens else sides}; "
            f"layer {self.layer}, heads {self.heads})"
        )

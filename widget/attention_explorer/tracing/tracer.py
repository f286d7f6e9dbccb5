"""From a model and a text to a `Trace`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, overload

from .tokens import Tokens
from .trace import Check, Kind, Trace

if TYPE_CHECKING:
    from .examples import Examples, Text
    from .reader import Reading
    from .segments import Part

Store = Literal["device", "cpu"]


class Tracing:
    """Traces models: ``trace(model, tokenizer, text)``, and ``trace.generate`` as they write."""

    @overload
    def __call__(
        self,
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
    ) -> Trace: ...

    @overload
    def __call__(
        self,
        model: Any,
        tokenizer: Any,
        text: list[str] | tuple[str, ...],
        text_pair: list[str] | tuple[str, ...] | None = None,
        *,
        target: list[str] | tuple[str, ...] | None = None,
        max_length: int | None = None,
        store: Store = "device",
    ) -> list[Trace]: ...

    def __call__(
        self,
        model: Any,
        tokenizer: Any = None,
        text: str | Sequence[str] | None = None,
        text_pair: str | Sequence[str] | None = None,
        *,
        chat: Sequence[Mapping[str, Any]] | None = None,
        segments: Mapping[str, Part] | None = None,
        target: str | Sequence[str] | None = None,
        inputs: Mapping[str, Any] | None = None,
        tokens: Tokens | Sequence[str] | None = None,
        batch_index: int | None = None,
        max_length: int | None = None,
        store: Store = "device",
    ) -> Trace | list[Trace]:
        """Run a model once on a text and keep what it attended to.

        The model runs as it was loaded, whatever its backend, without dropout and gradients, and
        is left exactly as it was found. Weights are rebuilt from the pass's queries and keys when
        they are asked for, so a trace takes O(tokens) memory.

        Parameters
        ----------
        model : transformers model or str
            An encoder, a decoder or both, of texts, images or speech; a string is loaded with
            ``AutoModel.from_pretrained``.
        tokenizer : transformers tokenizer or str, optional
            Needed for a text, unless `model` is a string.
        text, text_pair : str, or list of str, optional
            What to trace; two texts as the tokenizer joins them, e.g. question and context. Of a
            list, all texts are traced in one forward pass, padded on the right.
        chat : list of {"role": str, "content": str}, optional
            Messages instead of a text, as the tokenizer's chat template renders them; with the
            beginning of an answer where the last one isn't the assistant's. Each is a segment:
            ``"system"``, ``"user"``, ``"assistant"``, ``"user 2"``, ..., and all else
            ``"template"``.
        segments : mapping of str to str, (int, int), range or slice, optional
            Parts of a single text by name, e.g. ``{"question": "Who ...?", "doc 1": (15, 80)}``:
            pieces that occur once in it, its characters (start, stop), or token positions as a
            range. Other tokens are a segment ``"other"``.
        target : str, or list of str, optional
            What the decoder of a model with an encoder and a decoder is to write. Its tokens are
            what it reads for that: the start, and all but the end.
        inputs : BatchEncoding or mapping, optional
            Prepared inputs instead of a text: ``input_ids``, ``pixel_values`` or
            ``input_features``, with ``decoder_input_ids`` or ``labels`` where the model writes a
            target.
        tokens : Tokens or sequence of str, optional
            With `inputs`: what to show, one for each position, where the tokenizer isn't to be
            asked.
        batch_index : int, optional
            Which example of `inputs`, where they hold two or more.
        max_length : int, optional
            Cut the text to so many tokens.
        store : "device" or "cpu"
            Where queries and keys are kept: on the model's device, or moved off it layer by layer.

        Returns
        -------
        Trace, or list of Trace for a list of texts
            Without the positions that the attention mask calls padding: `Attention.notes` says so.

        Raises
        ------
        ValueError
            No text, segments that aren't there, a chat that the template changes, a text longer
            than the model can read, inputs without any of the known, a batch without
            `batch_index`, no target for a model that needs one, or a model that returns no
            attention and whose attention can't be rebuilt.
        """
        from . import examples

        if store not in ("device", "cpu"):
            raise ValueError(f"store has to be 'device' or 'cpu', got {store!r}")
        model, tokenizer = load(model, tokenizer)
        _check_given(text, text_pair, inputs, chat, segments)
        rendered = None
        if chat is not None:
            from .segments import read_chat

            inputs, tokens, rendered = read_chat(tokenizer, chat, max_length)
        if inputs is None:
            assert text is not None
            given = _as_texts(text, text_pair, target)
            batch = examples.from_texts(model, tokenizer, given, max_length)
            traced = trace_examples(model, tokenizer, batch, store)
            traced = [
                replace(one, text=t.text, text_pair=t.pair, target=t.target)
                for one, t in zip(traced, given, strict=True)
            ]
            if not isinstance(text, str):
                return traced
            return traced[0] if segments is None else traced[0].with_segments(segments)
        if target is not None and not isinstance(target, str):
            raise TypeError(f"target has to be a string with inputs=, got {type(target).__name__}")
        batch = examples.from_inputs(model, tokenizer, inputs, tokens, target, batch_index)
        one = replace(
            trace_examples(model, tokenizer, batch, store)[0], text=rendered, target=target
        )
        return one if segments is None else one.with_segments(segments)

    def generate(
        self,
        model: Any,
        tokenizer: Any,
        prompt: str,
        *,
        max_new_tokens: int,
        store: Store = "device",
        **options: Any,
    ) -> Trace:
        """Let a model go on from a prompt, and keep what it attended to for every token.

        The text is written by the model's own ``generate``, whose passes are recorded: what each
        token reads of those before it, through the cache, and the logits that chose it. The last
        token, which a generation itself doesn't read any more, is passed through the same cache
        afterwards. Where there is no single key for each token, or passes aren't of one token each
        (beams, drafts, caches of a fixed size or none), one pass over the finished text is traced
        instead: ``source`` says which of the two it was. The model is left exactly as it was found.

        Parameters
        ----------
        model : transformers model or str
            One that can generate; a string is loaded with ``AutoModelForCausalLM`` or, for an
            encoder with a decoder, ``AutoModelForSeq2SeqLM``.
        tokenizer : transformers tokenizer or str, optional
            None only where `model` is a string.
        prompt : str
            What to go on from; what the encoder reads, where there is one.
        max_new_tokens : int
            Stop after so many tokens, where the model doesn't end before.
        store : "device" or "cpu"
            As for a trace.
        **options
            Go to ``model.generate``: ``do_sample``, ``temperature``, ``num_beams``, ...

        Returns
        -------
        Trace
            Of prompt and continuation, with a `Step` for each generated token in ``steps``; for an
            encoder with a decoder, all three kinds of attention over what was generated. ``target``
            is the text that was generated.

        Raises
        ------
        ValueError
            An empty prompt, no token to generate, more tokens than the model can read, several
            sequences at once, or a model that can't generate.
        """
        from .generate import generate

        return generate(
            model, tokenizer, prompt, max_new_tokens=max_new_tokens, store=store, **options
        )


trace = Tracing()


def load(
    model: Any, tokenizer: Any, from_name: Callable[[str], Any] | None = None
) -> tuple[Any, Any]:
    """Return the model itself and its tokenizer, those that are named loaded."""
    if isinstance(model, str):
        from transformers import AutoModel

        tokenizer = model if tokenizer is None else tokenizer
        model = (from_name or AutoModel.from_pretrained)(model)
    if isinstance(tokenizer, str):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(tokenizer)
    model = getattr(model, "_orig_mod", model)  # a compiled model shows nothing of its inside
    if not callable(getattr(model, "named_modules", None)):
        raise TypeError(
            f"the model has to be a transformers model or its name, got {type(model).__name__}"
        )
    return model, getattr(tokenizer, "tokenizer", tokenizer)  # a processor holds one


def _check_given(text: Any, text_pair: Any, inputs: Any, chat: Any, segments: Any) -> None:
    """Raise ValueError unless there is exactly one thing to trace, which may have segments."""
    given = {"a text": text, "a text_pair": text_pair, "inputs=": inputs, "chat=": chat}
    named = [name for name, value in given.items() if value is not None]
    if text is None and inputs is None and chat is None:
        raise ValueError("there is nothing to trace: pass a text, chat= or inputs=")
    if len(named) > 1 and named != ["a text", "a text_pair"]:
        raise ValueError(f"both {' and '.join(named)} are given: pass one of them")
    if segments is not None and (chat is not None or isinstance(text, (list, tuple))):
        raise ValueError(
            "segments= name parts of one text: the messages of a chat have names, and of a list "
            "each trace is named by itself, traced.with_segments(...)"
        )


def _as_texts(
    text: str | Sequence[str],
    text_pair: str | Sequence[str] | None,
    target: str | Sequence[str] | None,
) -> list[Text]:
    """Return one `examples.Text` for each text; the others have to be as many."""
    from .examples import Text

    if isinstance(text, str):
        return [Text(text, text_pair, target)]  # type: ignore[arg-type]
    if not text:
        raise ValueError("the list of texts is empty: there is nothing to trace")
    others = []
    for name, given in (("text_pair", text_pair), ("target", target)):
        if isinstance(given, str) or (given is not None and len(given) != len(text)):
            raise ValueError(f"{name} has to be a list of {len(text)} strings, as text is")
        others.append([None] * len(text) if given is None else given)
    return [Text(*one) for one in zip(text, *others, strict=True)]


def trace_examples(model: Any, tokenizer: Any, given: Examples, store: Store) -> list[Trace]:
    """Return one trace for each example."""
    from .forward import read_attention
    from .labels import noting_logits, with_labels

    with noting_logits(model) as logits:
        found = read_attention(model, given.batch, given.streams, given.size, on_cpu=store == "cpu")
    checks = [_Checks(model, given, example) for example in range(given.size)]
    return with_labels(trace_readings(model, tokenizer, given, found, checks), model, logits)


def trace_readings(
    model: Any,
    tokenizer: Any,
    given: Examples,
    found: Mapping[str, list[Reading]],
    checks: Sequence[Callable[[int], Mapping[str, Check]]],
) -> list[Trace]:
    """Return one trace for each example, of its readings by kind and what can check them."""
    from .kinds import SIDES
    from .limits import name_of
    from .live import Live

    traces = []
    for example, its_checks in enumerate(checks):
        readings = {kind: found[kind][example] for kind in SIDES if kind in found}
        names = {kind: shown_as(kind, readings) for kind in readings}
        kinds = {
            names[kind]: _as_kind(reading, given, kind, example)
            for kind, reading in readings.items()
        }
        live = Live.of(
            model,
            tokenizer,
            given=given,
            example=example,
            names=names,
            n_layers={name: kind.attention.n_layers for name, kind in kinds.items()},
        )
        shown = "cross" if "cross" in kinds else next(iter(kinds))
        traces.append(Trace(kinds, shown, name_of(model), _checks=its_checks, _live=live))
    return traces


def _as_kind(reading: Reading, given: Examples, kind: str, example: int) -> Kind:
    from .kinds import SIDES

    attention = reading.attention
    query_side, key_side = SIDES[kind]
    sides = {side: given.streams[side] for side in (query_side, key_side)}
    padding = sum(stream.n_padding(example) for stream in sides.values())
    if padding:
        attention.notes += (f"{padding} positions of padding are left out.",)
    tokens = sides[query_side].name(example, attention.n_queries)
    is_same = query_side == key_side
    return Kind(
        attention,
        tokens,
        None if is_same else sides[key_side].name(example, attention.n_keys),
        reading.check,
    )


def shown_as(kind: str, readings: Mapping[str, Reading]) -> str:
    """Return what a kind of attention is called in a trace."""
    if kind != "stack":
        return kind
    if len(readings) > 1:
        return "text"
    return "decoder" if readings[kind].attention.causal else "encoder"


class _Checks:
    """Runs a model again to compare other rows, as long as someone else keeps the model."""

    def __init__(self, model: Any, given: Examples, example: int) -> None:
        from weakref import ref

        self._model = ref(model)
        self._given = given
        self._example = example

    def __call__(self, rows: int) -> Mapping[str, Check]:
        from .forward import read_attention

        model = self._model()
        if model is None:
            raise ValueError("the model is gone: only with it other rows can be compared")
        given = self._given
        found = read_attention(model, given.batch, given.streams, given.size, rows)
        readings = {kind: found[kind][self._example] for kind in found}
        return {shown_as(kind, readings): reading.check for kind, reading in readings.items()}

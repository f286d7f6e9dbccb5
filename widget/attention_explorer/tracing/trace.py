"""From a model and a text to a `Trace`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

from ..attention.base import Attention
from .tokens import Tokens

if TYPE_CHECKING:
    from .examples import Examples
    from .reader import Reading

Store = Literal["device", "cpu"]


@dataclass(frozen=True)
class Check:
    """How far an attention is from what the model itself computed.

    Attributes
    ----------
    differences : tuple of float
        The largest difference in each layer, relative to the largest absolute value; one in all
        where whole outputs were compared.
    tolerance : float
        What rounding may make in the model's number format.
    compared : str
        What with what, in words.
    """

    differences: tuple[float, ...]
    tolerance: float
    compared: str

    @property
    def worst(self) -> float:
        """The largest of the differences."""
        return max(self.differences)

    @property
    def ok(self) -> bool:
        """Whether the attention can be trusted."""
        return all(difference <= self.tolerance for difference in self.differences)


@dataclass(frozen=True)
class Kind:
    """One kind of attention that a model has.

    Attributes
    ----------
    attention : Attention
        The weights.
    tokens : Tokens
        Of the queries, and of the keys where `key_tokens` is None.
    key_tokens : Tokens or None
        Of the keys, where they are other tokens.
    check : Check or None
        How the weights stand against the model's own outputs, where it was there to be asked.
    """

    attention: Attention
    tokens: Tokens
    key_tokens: Tokens | None = None
    check: Check | None = None


@dataclass(frozen=True, repr=False)
class Trace:
    """What one forward pass left behind: one or more kinds of attention, one of them shown.

    Attributes
    ----------
    kinds : mapping of str to Kind
        A model of one stack has one kind: ``"decoder"`` where no token reads a later one, else
        ``"encoder"``. An encoder with a decoder has ``"encoder"``, ``"decoder"`` and ``"cross"``; a
        model of texts and images ``"text"`` and ``"vision"``.
    kind : str
        The one that `attention`, `tokens`, `key_tokens` and `source` are of. A trace begins with
        ``"cross"`` where there is one, as that is where both texts meet, else with the first.
    model_name : str
        The checkpoint's name, or the model's class.
    text, text_pair, target : str or None
        What was traced, where it was given as text.
    """

    kinds: Mapping[str, Kind]
    kind: str
    model_name: str
    text: str | None = None
    text_pair: str | None = None
    target: str | None = None
    _checks: Callable[[int], Mapping[str, Check]] | None = field(default=None, compare=False)

    @property
    def attention(self) -> Attention:
        """The weights, as many queries as `tokens`."""
        return self.kinds[self.kind].attention

    @property
    def tokens(self) -> Tokens:
        """Of the queries, and of the keys where `key_tokens` is None."""
        return self.kinds[self.kind].tokens

    @property
    def key_tokens(self) -> Tokens | None:
        """Of the keys, where they are other tokens."""
        return self.kinds[self.kind].key_tokens

    @property
    def source(self) -> str:
        """How the numbers were had, in words."""
        return self.attention.source

    def __getitem__(self, kind: str) -> Trace:
        """Return the trace with another kind of attention shown: ``trace["encoder"]``."""
        if kind not in self.kinds:
            known = ", ".join(map(repr, self.kinds))
            raise KeyError(f"{kind!r} is not a kind of attention of {self.model_name}: {known}")
        return replace(self, kind=kind)

    def check(self, rows: int | None = None) -> Check:
        """Compare rebuilt weights with what the model itself computed.

        Rows of weights, rebuilt from queries and keys, times the values have to be the outputs of
        the model's own attention: right weights are off by rounding, a forgotten bias, mask or
        scaling by far more. Attention that fails isn't given by `trace` in the first place.

        Parameters
        ----------
        rows : int, optional
            Run the model once more and compare so many rows of each head, evenly spread. By
            default the result of the trace's own pass is returned, of 8 rows.

        Returns
        -------
        Check
            Differences by layer, ``worst``, ``tolerance`` and ``ok``.

        Raises
        ------
        ValueError
            The weights don't come from a model; or rows are wished for and there is none any more.
        """
        if rows is not None:
            if rows < 1:
                raise ValueError(f"rows has to be 1 or more, got {rows}")
            if self._checks is None:
                raise ValueError("only a trace whose model is at hand can compare other rows")
            return self._checks(rows)[self.kind]
        checked = self.kinds[self.kind].check
        if checked is None:
            raise ValueError("these weights don't come from a model that they could be held to")
        return checked

    def save(self, path: str | PathLike[str]) -> None:
        """Write the trace to one file (safetensors with JSON), which `load` opens.

        All kinds of attention are written, arrays in their dtype; the model isn't. A file that was
        there is replaced when all is written.

        Parameters
        ----------
        path : str or path
            Any name, e.g. ``"cat.trace"``.

        Raises
        ------
        ModuleNotFoundError
            safetensors isn't installed.
        TypeError
            The attention is of a class of your own.
        """
        from .saving import save

        save(self, path)

    @staticmethod
    def load(path: str | PathLike[str]) -> Trace:
        """Read a trace that `save` wrote: without the model, and without torch where it is dense.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        ValueError
            The file is of another kind, was cut short, is damaged, or was written by a newer
            version.
        ModuleNotFoundError
            safetensors isn't installed; or torch, for a trace of queries and keys.
        """
        from .saving import load

        return load(path)

    def __repr__(self) -> str:
        sides = f"{len(self.tokens)} tokens"
        if self.key_tokens is not None:
            sides += f" to {len(self.key_tokens)}"
        layers, heads = self.attention.n_layers, self.attention.n_heads
        which = f" {self.kind} of {', '.join(self.kinds)}:" if len(self.kinds) > 1 else ""
        return (
            f"Trace({self.model_name}:{which} {sides}, {layers} layers x {heads} heads; "
            f"{self.source})"
        )


@overload
def trace(
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
) -> Trace: ...


@overload
def trace(
    model: Any,
    tokenizer: Any,
    text: list[str] | tuple[str, ...],
    text_pair: list[str] | tuple[str, ...] | None = None,
    *,
    target: list[str] | tuple[str, ...] | None = None,
    max_length: int | None = None,
    store: Store = "device",
) -> list[Trace]: ...


def trace(
    model: Any,
    tokenizer: Any = None,
    text: str | Sequence[str] | None = None,
    text_pair: str | Sequence[str] | None = None,
    *,
    target: str | Sequence[str] | None = None,
    inputs: Mapping[str, Any] | None = None,
    tokens: Tokens | Sequence[str] | None = None,
    batch_index: int | None = None,
    max_length: int | None = None,
    store: Store = "device",
) -> Trace | list[Trace]:
    """Run a model once on a text and keep what it attended to.

    The model runs as it was loaded, whatever its backend, without dropout and gradients, and is
    left exactly as it was found. Weights are rebuilt from the pass's queries and keys when they are
    asked for, so a trace takes O(tokens) memory.

    Parameters
    ----------
    model : transformers model or str
        An encoder, a decoder or both, of texts, images or speech; a string is loaded with
        ``AutoModel.from_pretrained``.
    tokenizer : transformers tokenizer or str, optional
        Needed for a text, unless `model` is a string.
    text, text_pair : str, or list of str, optional
        What to trace; two texts as the tokenizer joins them, e.g. question and context. Of a list,
        all texts are traced in one forward pass, padded on the right.
    target : str, or list of str, optional
        What the decoder of a model with an encoder and a decoder is to write. Its tokens are what
        it reads for that: the start, and all but the end.
    inputs : BatchEncoding or mapping, optional
        Prepared inputs instead of a text: ``input_ids``, ``pixel_values`` or ``input_features``,
        with ``decoder_input_ids`` or ``labels`` where the model writes a target.
    tokens : Tokens or sequence of str, optional
        With `inputs`: what to show, one for each position, where the tokenizer isn't to be asked.
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
        No text, a text longer than the model can read, inputs without any of the known, a batch
        without `batch_index`, no target for a model that needs one, or a model that returns no
        attention and whose attention can't be rebuilt.
    """
    from . import examples

    if store not in ("device", "cpu"):
        raise ValueError(f"store has to be 'device' or 'cpu', got {store!r}")
    model, tokenizer = _load(model, tokenizer)
    if inputs is None:
        if text is None:
            raise ValueError("there is nothing to trace: pass a text, or inputs=")
        given = _as_texts(text, text_pair, target)
        batch = examples.from_texts(model, tokenizer, given, max_length)
        traced = _trace(model, batch, store)
        traced = [
            replace(one, text=t.text, text_pair=t.pair, target=t.target)
            for one, t in zip(traced, given, strict=True)
        ]
        return traced[0] if isinstance(text, str) else traced
    if text is not None or text_pair is not None:
        raise ValueError("both a text and inputs= are given: pass one of them")
    if target is not None and not isinstance(target, str):
        raise TypeError(f"target has to be a string with inputs=, got {type(target).__name__}")
    batch = examples.from_inputs(model, tokenizer, inputs, tokens, target, batch_index)
    return replace(_trace(model, batch, store)[0], target=target)


def _load(model: Any, tokenizer: Any) -> tuple[Any, Any]:
    if isinstance(model, str):
        from transformers import AutoModel

        tokenizer = model if tokenizer is None else tokenizer
        model = AutoModel.from_pretrained(model)
    if isinstance(tokenizer, str):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(tokenizer)
    model = getattr(model, "_orig_mod", model)  # a compiled model shows nothing of its inside
    if not callable(getattr(model, "named_modules", None)):
        raise TypeError(
            f"the model has to be a transformers model or its name, got {type(model).__name__}"
        )
    return model, getattr(tokenizer, "tokenizer", tokenizer)  # a processor holds one


def _as_texts(
    text: str | Sequence[str],
    text_pair: str | Sequence[str] | None,
    target: str | Sequence[str] | None,
) -> list[Any]:
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


def _trace(model: Any, given: Examples, store: Store) -> list[Trace]:
    """Return one trace for each example."""
    from .examples import name_of
    from .forward import read_attention
    from .kinds import SIDES

    found = read_attention(model, given.batch, given.streams, given.size, on_cpu=store == "cpu")
    traces = []
    for example in range(given.size):
        readings = {kind: found[kind][example] for kind in SIDES if kind in found}
        kinds = {
            _shown_as(kind, readings): _as_kind(reading, given, kind, example)
            for kind, reading in readings.items()
        }
        shown = "cross" if "cross" in kinds else next(iter(kinds))
        checks = _Checks(model, given, example)
        traces.append(Trace(kinds, shown, name_of(model), _checks=checks))
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


def _shown_as(kind: str, readings: Mapping[str, Reading]) -> str:
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
        return {_shown_as(kind, readings): reading.check for kind, reading in readings.items()}

"""What one forward pass left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING

from ..attention.base import Attention
from .tokens import Tokens

if TYPE_CHECKING:
    from .live import Live
    from .segments import Part


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
class Step:
    """How one token came to be generated.

    Attributes
    ----------
    position : int
        The token's own.
    query : int
        The one whose output chose the token: the position before it. Its row is what the model
        read to choose it; the token's own row is what it read to go on.
    probability : float
        What the model gave the token after all that came before it, before any temperature,
        penalty or cut of the generation.
    alternatives : tuple of (str, float)
        The tokens that it gave most, and how much, the most likely first.
    """

    position: int
    query: int
    probability: float
    alternatives: tuple[tuple[str, float], ...]


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
    steps : tuple of Step
        Of the queries that the model generated, in order.
    labels : tuple of (str, float)
        What a classifier says of all that it read, the most probable label first.
    labels_by : {"", "softmax", "sigmoid", "score"}
        What these numbers are: probabilities that sum to 1, of each label by itself, or the
        model's own scores.
    """

    attention: Attention
    tokens: Tokens
    key_tokens: Tokens | None = None
    check: Check | None = None
    steps: tuple[Step, ...] = ()
    labels: tuple[tuple[str, float], ...] = ()
    labels_by: str = ""


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
        What was traced, where it was given as text; `target` is also what was generated.
    """

    kinds: Mapping[str, Kind]
    kind: str
    model_name: str
    text: str | None = None
    text_pair: str | None = None
    target: str | None = None
    _checks: Callable[[int], Mapping[str, Check]] | None = field(default=None, compare=False)
    _live: Live | None = field(default=None, compare=False)

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
    def steps(self) -> tuple[Step, ...]:
        """How each token that `trace.generate` let the model write came to be, in order."""
        return self.kinds[self.kind].steps

    @property
    def labels(self) -> tuple[tuple[str, float], ...]:
        """What a classifier says of the text, the most probable label first; see `Kind`."""
        return self.kinds[self.kind].labels

    @property
    def source(self) -> str:
        """How the numbers were had, in words."""
        return self.attention.source

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The one or two texts that were traced, if they are known."""
        return tuple(text for text in (self.text, self.text_pair) if text is not None) or None

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
            default the result of the trace's own pass is returned, of 8 rows. Of a text that was
            generated through the cache, these are rows of the prompt, beside all others.

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

    @property
    def has_model(self) -> bool:
        """Whether it was made by a model, which somebody may still keep."""
        return self._live is not None

    @property
    def live(self) -> Live:
        """The model and what it was given, to be run once more.

        Raises
        ------
        ValueError
            The trace was read from a file, or made without a model.
        """
        if self._live is None:
            raise ValueError(
                "this trace has no model: trace(model, tokenizer, text) again, as a file keeps none"
            )
        return self._live

    def with_segments(self, segments: Mapping[str, Part]) -> Trace:
        """Return the trace with parts of its text called by name; see `segments.name_segments`.

        Parameters
        ----------
        segments : mapping of str to str, (int, int), range or slice
            By name: a piece of the text that occurs once in it, the characters (start, stop) of a
            single text, or token positions.

        Raises
        ------
        TypeError, ValueError
            Names or parts that can't be meant.
        """
        from .segments import name_kinds

        return replace(self, kinds=name_kinds(self.kinds, segments, self.texts))

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

"""What of the weights is shown: which kind of attention, between what, with which keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from .attention import Attention
from .flow.measures import Measures, with_kinds
from .marks import is_punctuation
from .protocol import Hideable, Measure, Unit
from .tracing import Kind, Tokens, Trace

# Who links two explorers, or goes back and forth, asks for a few of them in turn.
_KEPT = 8
# Longer texts stay in Python: what crosses is saved with every notebook.
TEXTS_KEPT = 4_000


class Variant(NamedTuple):
    """One way to show the weights.

    Attributes
    ----------
    kind : str
        Which kind of attention.
    measure : str
        What is shown of it: weights, or what `flow.measures` makes of them.
    unit : {"token", "word", "segment"}
        What rows and columns are: tokens, or words or segments of them (sum to, mean from).
    hide : tuple of {"special", "first", "punctuation"}
        Groups of keys whose weights are set aside.
    hide_tokens : tuple of int
        Keys besides, counted in tokens.
    renormalise : bool
        Whether each row's other weights are brought to the sum that all had.
    """

    kind: str
    measure: Measure = "weights"
    unit: Unit = "token"
    hide: tuple[Hideable, ...] = ()
    hide_tokens: tuple[int, ...] = ()
    renormalise: bool = False

    @property
    def name(self) -> str:
        """Return all of it in words; a kind as it was traced by its own name."""
        plain = self == Variant(self.kind, renormalise=self.renormalise)
        return self.kind if plain else json.dumps(self)


class Variants(Mapping[str, Kind]):
    """The kinds of attention of a trace, and what is made of them when it is shown, by name.

    Parameters
    ----------
    kinds : mapping of str to Kind
        As traced, by token.
    trace : Trace, optional
        Where they are of: what measures besides weights need is run again with its model.
    """

    def __init__(self, kinds: Mapping[str, Kind], trace: Trace | None = None) -> None:
        self.kinds = kinds
        self.measures = Measures(with_kinds(kinds, trace))
        self._trace = trace
        self._made: dict[str, Kind] = {}
        self._before: Mapping[str, Kind] = {}
        self._replaced = 0

    @property
    def texts(self) -> list[str] | None:
        """The texts that were traced; None where they are long, empty where no other could be."""
        texts = self._trace.texts if self._trace and self._trace.has_model else None
        if texts is None:
            return []
        return list(texts) if sum(map(len, texts)) <= TEXTS_KEPT else None

    def instead(self, trace: Trace) -> Variants:
        """Return the kinds of another trace under other names; these are still known by theirs."""
        others = Variants(trace.kinds, trace)
        # Requests are answered in another thread: what they name is there at any moment.
        others._before = {name: self[name] for name in self if name not in self._before}
        others._replaced = self._replaced + 1
        return others

    def name_of(self, variant: Variant) -> str:
        """Return what requests name a variant by."""
        return f"{variant.name} {self._replaced}" if self._replaced else variant.name

    def show(self, variant: Variant) -> Kind:
        """Return the attention and tokens of a variant, which requests may name from now on.

        Raises
        ------
        ValueError
            Its measure can't be had, or what is to be done with it.
        """
        name = self.name_of(variant)
        if name not in self._made:
            made = _make(self.measures.of(variant.kind, variant.measure), variant)
            for oldest in list(self._made)[: 1 - _KEPT]:
                del self._made[oldest]
            self._made[name] = made
        return self._made[name]

    def __getitem__(self, name: str) -> Kind:
        for named in (self._made, {} if self._replaced else self.kinds, self._before):
            if name in named:
                return named[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from {**self._before, **({} if self._replaced else self.kinds), **self._made}

    def __len__(self) -> int:
        return len(list(iter(self)))


def key_tokens_of(kind: Kind) -> Tokens:
    """Return the tokens of the keys: those of the queries where they are the same."""
    return kind.tokens if kind.key_tokens is None else kind.key_tokens


def in_units(tokens: Tokens, unit: Unit) -> tuple[Tokens, Sequence[int]]:
    """Return what stands for rows and columns, and of which of these each token is."""
    if unit == "token":
        return tokens, range(len(tokens))
    return tokens.words() if unit == "word" else tokens.by_segment()


def hidden_keys(kind: Kind, variant: Variant) -> tuple[int, ...]:
    """Return the keys, counted in tokens, whose weights a variant sets aside."""
    tokens = key_tokens_of(kind)
    keys = set(variant.hide_tokens)
    if "special" in variant.hide:
        keys.update(key for key, special in enumerate(tokens.special) if special)
    if "first" in variant.hide:
        keys.add(0)
    if "punctuation" in variant.hide:
        keys.update(key for key in range(len(tokens)) if is_punctuation(tokens, key))
    return tuple(sorted(keys))


def _make(kind: Kind, variant: Variant) -> Kind:
    from .attention.hidden import HiddenAttention

    keys = hidden_keys(kind, variant)
    if keys:
        note = _note(kind, keys, variant)
        hidden = HiddenAttention(kind.attention, keys, variant.renormalise, note)
        kind = replace(kind, attention=hidden)
    return kind if variant.unit == "token" else _joined(kind, variant.unit)


def _note(kind: Kind, keys: tuple[int, ...], variant: Variant) -> str:
    tokens = key_tokens_of(kind)
    named = list(dict.fromkeys(tokens.text[key].strip() or repr(tokens.text[key]) for key in keys))
    which = ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
    then = (
        "the other weights of each row are raised to its sum"
        if variant.renormalise
        else ("the other weights are as they were")
    )
    count = "1 key is" if len(keys) == 1 else f"{len(keys)} keys are"
    return f"{count} hidden ({which}); {then}."


def _joined(kind: Kind, unit: Unit) -> Kind:
    from .attention.words import WordAttention

    tokens, of_query = in_units(kind.tokens, unit)
    key_tokens, of_key = in_units(key_tokens_of(kind), unit)
    attention: Attention = WordAttention(kind.attention, tuple(of_query), tuple(of_key), unit)
    steps = tuple(
        replace(step, position=of_query[step.position], query=of_query[step.query])
        for step in kind.steps
        if unit == "word"  # a segment isn't chosen by what the model read before it
    )
    if kind.key_tokens is None:
        return replace(kind, attention=attention, tokens=tokens, steps=steps)
    return replace(kind, attention=attention, tokens=tokens, key_tokens=key_tokens, steps=steps)

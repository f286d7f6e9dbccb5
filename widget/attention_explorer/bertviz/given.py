"""bertviz's arguments, brought to kinds of attention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..attention import DenseAttention, dense_attention
from ..attention.dense import layers_of
from ..inputs import with_tokens
from ..tracing import Kind, Tokens
from .generated import check_read, is_generated, put_together

# Which tokens stand on the two sides of each: of the queries, of the keys.
SIDES = {
    "encoder": ("encoder_tokens", "encoder_tokens"),
    "decoder": ("decoder_tokens", "decoder_tokens"),
    "cross": ("decoder_tokens", "encoder_tokens"),
}
_OF_TWO_STACKS = (*(f"{kind}_attention" for kind in SIDES), "encoder_tokens", "decoder_tokens")
_BOTH_FORMS = (
    "'attention' is given and so is {}: 'attention' and 'tokens' are for a model of one stack; of "
    "an encoder with a decoder give encoder_attention, decoder_attention and cross_attention with "
    "encoder_tokens and decoder_tokens instead"
)
_NO_ATTENTION = (
    "there is no attention: give 'attention' with 'tokens'; or, of an encoder with a decoder, one "
    "or more of encoder_attention, decoder_attention and cross_attention, with their tokens"
)


@dataclass(frozen=True)
class Given:
    """What `head_view` and `model_view` take of attention and tokens, by the same names."""

    attention: object
    tokens: Tokens | Sequence[str] | None
    sentence_b_start: int | None
    prettify_tokens: bool
    encoder_attention: object
    decoder_attention: object
    cross_attention: object
    encoder_tokens: Tokens | Sequence[str] | None
    decoder_tokens: Tokens | Sequence[str] | None
    include_layers: Sequence[int] | None
    batch_index: int | None

    def kinds(self) -> dict[str, Kind]:
        """Return the kinds of attention by name; the only one of a model of one stack has none.

        Raises
        ------
        ValueError, TypeError
            As `head_view` says.
        """
        others = [name for name in _OF_TWO_STACKS if self._has(name)]
        if self.attention is not None:
            if others:
                raise ValueError(_BOTH_FORMS.format(" and ".join(others)))
            found = {"": self._kind("attention", "tokens", "tokens")}
        else:
            found = {
                kind: self._kind(f"{kind}_attention", *sides)
                for kind, sides in SIDES.items()
                if self._has(f"{kind}_attention")
            }
        if not found:
            raise ValueError(_NO_ATTENTION)
        return found

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None

    def _kind(self, attention: str, queries: str, keys: str) -> Kind:
        """Return what one of the attention arguments holds, with the tokens of its two sides."""
        for name in (queries, keys):
            if not self._has(name):
                raise ValueError(
                    f"{attention} is given without {name}: give one string for each position, e.g. "
                    "tokenizer.convert_ids_to_tokens(input_ids[0])"
                )
        with _naming(attention):
            weights = self._weights(getattr(self, attention), attention)
            sides = [self._tokens(getattr(self, name)) for name in (queries, keys)]
            if is_generated(getattr(self, attention)):
                check_read(len(sides[0]), weights.n_queries)
            unnamed = Kind(weights, sides[0])
            return with_tokens(unnamed, sides[0], None if queries == keys else sides[1])

    def _weights(self, given: object, name: str) -> DenseAttention:
        if is_generated(given):
            given = put_together(given, keys_grow=name != "cross_attention")
        layers = list(layers_of(given))
        numbers = self._layer_numbers(len(layers))
        return dense_attention(
            [layers[number] for number in numbers],
            batch_index=self.batch_index,
            layer_numbers=numbers,
        )

    def _layer_numbers(self, n_layers: int) -> list[int]:
        """Return which of a kind's layers are shown: of include_layers those that it has."""
        if self.include_layers is None:
            return list(range(n_layers))
        own = range(n_layers)
        given = several("include_layers", self.include_layers)
        there = [-n_layers <= number < n_layers for number in given]
        # One that is too deep for a decoder may be a layer of its encoder.
        if not (all(there) if self.attention is not None else any(there)) or not given:
            raise ValueError(
                f"include_layers={given}: expected {own[0]} to {own[-1]}, as there are {n_layers} "
                "layers counted from 0"
            )
        kept = [number for number, is_there in zip(given, there, strict=True) if is_there]
        return list(dict.fromkeys(own[number] for number in kept))

    def _tokens(self, given: Tokens | Sequence[str]) -> Tokens:
        tokens = given if isinstance(given, Tokens) else Tokens.from_strings(given)
        if not self.prettify_tokens:
            gaps = ("", *(" " for _ in tokens.raw[1:]))
            tokens = replace(tokens, text=tokens.raw, gap=gaps)
        # Of one stack only, as in bertviz.
        if self.sentence_b_start is None or self.attention is None:
            return tokens
        start, n = self.sentence_b_start, len(tokens)
        if not 0 < start < n:
            raise ValueError(
                f"sentence_b_start={start}: expected 1 to {n - 1}, the position of the second "
                f"text's first token among {n}"
            )
        return replace(tokens, segment=(0,) * start + (1,) * (n - start), segments=())


def several(name: str, given: object) -> list[int]:
    """Accept a list of layers or heads, of which there may be one."""
    if not isinstance(given, Iterable):
        raise TypeError(f"{name}={given!r}: expected a list, e.g. {name}=[{given!r}]")
    return list(given)


@contextmanager
def _naming(argument: str) -> Iterator[None]:
    """Say of which argument an error is, where there may be three."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if argument == "attention":
            raise
        raise type(error)(f"{argument}: {error}") from error

"""What the user gives, brought to kinds of attention with the tokens of their two sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .attention import Attention, dense_attention
from .tracing import Kind, Tokens, Trace

if TYPE_CHECKING:
    from .tracing.segments import Part


def read_inputs(
    attentions: object,
    tokens: Tokens | Sequence[str] | None,
    key_tokens: Tokens | Sequence[str] | None,
    batch_index: int | None,
    segments: Mapping[str, Part] | None = None,
) -> tuple[dict[str, Kind], str]:
    """Return the kinds of attention, and which one is shown: the one that tokens were given for.

    What isn't a trace has a single kind without a name.
    """
    kinds, shown = _read_kinds(attentions, tokens, key_tokens, batch_index)
    if segments is None:
        return kinds, shown
    from .tracing.segments import name_kinds

    texts = attentions.texts if isinstance(attentions, Trace) else None
    return name_kinds(kinds, segments, texts), shown


def _read_kinds(
    attentions: object,
    tokens: Tokens | Sequence[str] | None,
    key_tokens: Tokens | Sequence[str] | None,
    batch_index: int | None,
) -> tuple[dict[str, Kind], str]:
    if batch_index is not None and isinstance(attentions, Trace | Attention):
        raise ValueError(
            f"batch_index={batch_index} with a {type(attentions).__name__}, which holds one text: "
            "choose the text when tracing, trace(..., batch_index=...)"
        )
    if isinstance(attentions, Trace):
        shown = attentions.kinds[attentions.kind]
        tokens = shown.tokens if tokens is None else tokens
        key_tokens = shown.key_tokens if key_tokens is None else key_tokens
        named = with_tokens(shown, tokens, key_tokens)
        return {**attentions.kinds, attentions.kind: named}, attentions.kind
    if isinstance(attentions, Attention):
        attention = attentions
    else:
        attention = dense_attention(attentions, batch_index=batch_index)
    if tokens is None:
        raise ValueError(
            f"tokens are missing: give {attention.n_queries} strings, one for each query, e.g. "
            "tokenizer.convert_ids_to_tokens(inputs.input_ids[0])"
        )
    return {"": with_tokens(Kind(attention, _as_tokens(tokens)), tokens, key_tokens)}, ""


def with_tokens(
    kind: Kind, tokens: Tokens | Sequence[str], key_tokens: Tokens | Sequence[str] | None
) -> Kind:
    """Return the kind with these tokens, of which there have to be as many as queries and keys."""
    attention = kind.attention
    queries = _as_tokens(tokens)
    _check_count(len(queries), attention.n_queries, "queries")
    if key_tokens is None and attention.n_keys != attention.n_queries:
        raise ValueError(
            f"there are {attention.n_queries} queries and {attention.n_keys} keys, so the keys are "
            f"other tokens than the queries: give them as key_tokens ({attention.n_keys} strings)"
        )
    keys = None if key_tokens is None else _as_tokens(key_tokens)
    if keys is not None:
        _check_count(len(keys), attention.n_keys, "keys")
    return replace(kind, tokens=queries, key_tokens=keys)


def _as_tokens(tokens: Tokens | Sequence[str]) -> Tokens:
    return tokens if isinstance(tokens, Tokens) else Tokens.from_strings(tokens)


def _check_count(given: int, needed: int, side: str) -> None:
    if given == needed:
        return
    cause = (
        "did you leave out the special tokens?"
        if given < needed
        else "was the input cut to length?"
    )
    raise ValueError(
        f"{given} tokens for {needed} {side}; {cause} Every one of the {side} needs one."
    )

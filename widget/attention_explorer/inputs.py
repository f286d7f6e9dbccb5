"""What the user gives, brought to an attention and the tokens of its two sides."""

from __future__ import annotations

from collections.abc import Sequence

from .attention import Attention, dense_attention
from .tracing import Tokens, Trace


def read_inputs(
    attentions: object,
    tokens: Tokens | Sequence[str] | None,
    key_tokens: Tokens | Sequence[str] | None,
    batch_index: int | None,
) -> tuple[Attention, Tokens, Tokens | None]:
    """Return the attention, the tokens of its queries and, where they are others, of its keys."""
    if batch_index is not None and isinstance(attentions, Trace | Attention):
        raise ValueError(
            f"batch_index={batch_index} with a {type(attentions).__name__}, which holds one text: "
            "choose the text when tracing, trace(..., batch_index=...)"
        )
    if isinstance(attentions, Trace):
        attention = attentions.attention
        tokens = attentions.tokens if tokens is None else tokens
        key_tokens = attentions.key_tokens if key_tokens is None else key_tokens
    elif isinstance(attentions, Attention):
        attention = attentions
    else:
        attention = dense_attention(attentions, batch_index=batch_index)
    if tokens is None:
        raise ValueError(
            f"tokens are missing: give {attention.n_queries} strings, one for each query, e.g. "
            "tokenizer.convert_ids_to_tokens(inputs.input_ids[0])"
        )
    queries = _as_tokens(tokens)
    _check_count(len(queries), attention.n_queries, "queries")
    if key_tokens is None and attention.n_keys != attention.n_queries:
        raise ValueError(
            f"there are {attention.n_queries} queries and {attention.n_keys} keys, so the keys are "
            f"other tokens than the queries: give them as key_tokens ({attention.n_keys} strings)"
        )
    if key_tokens is None:
        return attention, queries, None
    keys = _as_tokens(key_tokens)
    _check_count(len(keys), attention.n_keys, "keys")
    return attention, queries, keys


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

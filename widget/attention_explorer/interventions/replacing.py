"""Another token in the place of one: which number it has, and the inputs with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..analysis.picks import pick_tokens
from ..tracing.tokens import Tokens
from ..tracing.trace import Trace
from .edits import ReplaceToken

if TYPE_CHECKING:
    import torch

    from ..tracing.live import Live

_INPUTS = {"source": "input_ids", "target": "decoder_input_ids"}


@dataclass(frozen=True)
class Replacement:
    """A token number that takes a place in the inputs.

    Attributes
    ----------
    name : str
        Of the input.
    position : int
        Counted in the input, padding included.
    token : int
        The new token's number.
    said : str
        What is replaced by what, in words.
    """

    name: str
    position: int
    token: int
    said: str


def replacement(trace: Trace, edit: ReplaceToken) -> Replacement:
    """Return what an edit does to a trace's inputs.

    Raises
    ------
    ValueError
        There is no such position, side or token, or the model isn't given tokens.
    """
    live, name = trace.live, _INPUTS[edit.side]
    ids = live.inputs.get(name)
    if ids is None:
        raise ValueError(
            f"{trace.model_name} was given no {name}: no token of its {edit.side} can be replaced"
        )
    tokens, positions = stream_of(live, edit.side, ids.shape[1])
    at = pick_one(tokens, edit.position, "position")
    token = (
        edit.token
        if isinstance(edit.token, int)
        else token_number(live.tokenizer, edit.token, tokens.gap[at])
    )
    shown = _name(live.tokenizer, token)
    return Replacement(
        name,
        positions[at],
        token,
        f"replacing token {at} {tokens.text[at]!r:.40} by {shown}",
    )


def replaced(trace: Trace, replacements: Iterable[Replacement]) -> dict[str, torch.Tensor]:
    """Return a trace's inputs with other tokens.

    Raises
    ------
    ValueError
        A token number that the model doesn't know.
    """
    from ..tracing.limits import check_limits

    live = trace.live
    inputs = live.inputs
    for one in replacements:
        ids = inputs[one.name].clone()
        ids[0, one.position] = one.token
        inputs[one.name] = ids
    check_limits(live.model, inputs, "target" in live.given.streams)
    return inputs


def stream_of(live: Live, side: str, n_positions: int) -> tuple[Tokens, list[int]]:
    """Return the tokens of one of a model's sequences, and where each stands, padding counted.

    Raises
    ------
    ValueError
        The sequence has another length, or isn't there.
    """
    from ..tracing.families import CannotRebuildError

    stream = live.given.streams[side]
    try:
        positions: list[int] = stream.positions(live.example, n_positions).tolist()
    except CannotRebuildError as error:
        raise ValueError(
            f"what the model gives isn't of the tokens that were traced: {error}"
        ) from None
    return stream.name(live.example, n_positions), positions


def pick_one(tokens: Tokens, what: int | str, name: str) -> int:
    """Return the one position that is meant."""
    found = pick_tokens(tokens, what)
    if len(found) != 1:
        raise ValueError(
            f"{name}={what!r:.60} are {len(found)} tokens, {found[0]} to {found[-1]}: give the "
            "position of one"
        )
    return found[0]


def token_number(tokenizer: Any, text: str, gap: str = "") -> int:
    """Return the number of the token that a text is.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        Makes tokens of it.
    text : str
        As it would be written, or the tokenizer's own string ("##ing", "Ġcat").
    gap : str
        What is written before it: the text is first read together with that.

    Raises
    ------
    ValueError
        It isn't one token.
    """
    if tokenizer is None:
        raise ValueError(
            f"{text!r:.60} is no token without a tokenizer: trace with one, or give a number"
        )
    unknown = getattr(tokenizer, "unk_token_id", None)
    found: list[int] = []
    for written in dict.fromkeys((gap + text, text)):
        found = list(tokenizer(written, add_special_tokens=False, verbose=False)["input_ids"])
        if len(found) == 1 and (found[0] != unknown or text == tokenizer.unk_token):
            return found[0]
    by_name = tokenizer.convert_tokens_to_ids(text)
    if isinstance(by_name, int) and by_name != unknown:
        return by_name
    names = ", ".join(map(str, tokenizer.convert_ids_to_tokens(found)))
    is_unknown = found == [unknown]
    raise ValueError(
        f"{text!r:.60} {'is unknown to' if is_unknown else 'is not one token of'} "
        f"{type(tokenizer).__name__}, which makes {names[:80] or 'nothing'} of it: what replaces a "
        "token has to be exactly one that is known, so that the text keeps its length"
    )


def _name(tokenizer: Any, token: int) -> str:
    name = None if tokenizer is None else tokenizer.convert_ids_to_tokens(token)
    return repr(name) if isinstance(name, str) else f"number {token}"

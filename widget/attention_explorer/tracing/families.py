"""What is special about an architecture: how it calls its softmax, how its layers are numbered."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch

from ..attention.from_qk import LayerStates
from ..attention.masks import KeyIntervals, Mask, compress
from .capture import Record

# Arguments of a backend that say nothing about the weights.
NEUTRAL = {
    "attention_mask",
    "cache_position",
    "dropout",
    "input_ids",
    "inputs_embeds",
    "labels",
    "logits_to_keep",
    "num_items_in_batch",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "past_key_values",
    "position_embeddings",
    "position_ids",
    "return_dict",
    "token_type_ids",
    "use_cache",
}
UNDERSTOOD = {"scaling", "softcap", "s_aux", "is_causal", "sliding_window"}


class CannotRebuildError(Exception):
    """Weights can't be had exactly from queries and keys; the message is the reason."""


Masks = dict[tuple[int, ...], tuple[tuple[object, ...], Mask | None]]


def layer_states(
    record: Record, example: int, queries: torch.Tensor, keys: torch.Tensor, masks: Masks
) -> LayerStates:
    """Return what enters the softmax of one call, for the positions that hold a token.

    Parameters
    ----------
    record : Record
        Of a batch.
    example : int
        Which of the batch.
    queries, keys : tensor of int64
        The positions that are no padding.
    masks : dict
        Masks of such positions that were read before: layers share them.

    Raises
    ------
    CannotRebuildError
        Something about the call is not understood.
    """
    query, key = record.query, record.key
    if query.ndim != 4 or key.ndim != 4 or query.shape[1] % key.shape[1]:
        raise CannotRebuildError(
            f"{record.name} attends with queries of shape {tuple(query.shape)} and keys of shape "
            f"{tuple(key.shape)}"
        )
    _check_options(record)
    options = record.options
    scaling, sinks = options.get("scaling"), options.get("s_aux")
    queries, keys = queries.to(query.device), keys.to(query.device)
    # By identity, which is safe as long as the tensors are kept.
    read = (record.mask, *record.biases)
    known = (example, *map(id, read), record.is_causal, options.get("sliding_window") or 0)
    if known not in masks:
        masks[known] = (read, _read_mask(record, example, queries, keys))
    return LayerStates(
        query=_select(query[example], queries, 1),
        key=_select(key[example], keys, 1),
        scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        mask=masks[known][1],
        softcap=options.get("softcap"),
        sinks=None if sinks is None else sinks.detach().flatten(),
    )


def layer_numbers(names: Sequence[str]) -> tuple[int, ...]:
    """Return the model's own numbers of its layers: the first in each path that tells them apart.

    Modules that several layers share (ALBERT) are numbered in the order of their calls.
    """
    paths = [[int(n) for n in re.findall(r"(?:^|\.)(\d+)(?=\.|$)", name)] for name in names]
    for numbers in zip(*paths, strict=False):
        if len(set(numbers)) == len(names):
            return tuple(numbers)
    return tuple(range(len(names)))


def _check_options(record: Record) -> None:
    """Refuse arguments that may change the weights in a way that isn't known here."""
    if record.options.get("dropout"):
        raise CannotRebuildError(f"{record.name} drops out weights at random")
    for name, value in record.options.items():
        if name in UNDERSTOOD or name in NEUTRAL or value is None or isinstance(value, bool):
            continue
        raise CannotRebuildError(
            f"{record.name} passes {name!r} to its softmax, which isn't known here"
        )


def _read_mask(
    record: Record, example: int, queries: torch.Tensor, keys: torch.Tensor
) -> Mask | None:
    if record.backend.startswith("flash_attention") and not record.biases:
        return _flash_mask(record, len(queries), len(keys))
    terms = [_term(record, bias, example, queries, keys) for bias in record.biases]
    if record.mask is not None:
        terms.append(_term(record, record.mask, example, queries, keys))
    elif _is_causal_without_mask(record):
        if not terms:
            return KeyIntervals.causal(len(queries), len(keys), queries.device)
        square = torch.ones(1, len(queries), len(keys), dtype=torch.bool, device=queries.device)
        terms.append(square.tril())
    if not terms:
        return None
    try:
        return compress(terms, len(queries))
    except ValueError as reason:
        raise CannotRebuildError(f"{record.name}: {reason}") from None


def _term(
    record: Record, values: object, example: int, queries: torch.Tensor, keys: torch.Tensor
) -> torch.Tensor:
    """Return a mask or bias for one example, shape (heads or 1, queries or 1, keys)."""
    sizes = (1, len(record.query)), (1, record.query.shape[1]), (1, record.query.shape[2])
    if (
        not isinstance(values, torch.Tensor)
        or values.ndim != 4
        or any(n not in known for n, known in zip(values.shape, sizes, strict=False))
        or values.shape[3] < record.key.shape[2]
    ):
        shape = f" of shape {tuple(values.shape)}" if isinstance(values, torch.Tensor) else ""
        raise CannotRebuildError(
            f"{record.name} has a mask ({type(values).__name__}{shape}) of its own kind"
        )
    own = values.detach()[min(example, len(values) - 1)].to(record.query.device)
    own = own[..., : record.key.shape[2]]
    if own.shape[1] > 1:
        own = _select(own, queries, 1)
    return _select(own, keys, 2)


def _is_causal_without_mask(record: Record) -> bool:
    """Tell what a backend does that isn't given a mask."""
    says = record.options.get("is_causal")
    causal = record.is_causal if says is None else bool(says)
    return causal and record.backend != "eager" and record.query.shape[2] > 1


def _flash_mask(record: Record, n_queries: int, n_keys: int) -> Mask | None:
    """Read the arguments of flash attention, whose mask tells padding alone."""
    says = record.options.get("is_causal")
    window = record.options.get("sliding_window")
    if not (record.is_causal if says is None else says):
        if window is not None:
            raise CannotRebuildError(f"{record.name} has a two-sided window in flash attention")
        return None
    return KeyIntervals.causal(n_queries, n_keys, record.query.device, window)


def _select(states: torch.Tensor, kept: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the kept positions, without a copy where all are."""
    return states if len(kept) == states.shape[axis] else states.index_select(axis, kept)

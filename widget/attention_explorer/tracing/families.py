"""What is special about an architecture: how it calls its softmax, its layers, its limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

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


def layer_states(record: Record, kept: torch.Tensor, masks: dict[int, Mask]) -> LayerStates:
    """Return what enters the softmax of one call, for the positions that hold a token.

    Parameters
    ----------
    record : Record
        Of a batch of one.
    kept : tensor of int64
        The positions that are no padding.
    masks : dict
        Masks that were read before, by the id of the backend's own: layers share them.

    Raises
    ------
    CannotRebuildError
        Something about the call is not understood.
    """
    query, key = record.query, record.key
    if query.ndim != 4 or key.ndim != 4 or query.shape[0] != 1 or query.shape[1] % key.shape[1]:
        raise CannotRebuildError(
            f"{record.name} attends with queries of shape {tuple(query.shape)} and keys of shape "
            f"{tuple(key.shape)}"
        )
    _check_options(record)
    options = record.options
    scaling, sinks = options.get("scaling"), options.get("s_aux")
    kept = kept.to(query.device)
    if int(kept[-1]) >= min(query.shape[2], key.shape[2]):
        raise CannotRebuildError(
            f"{record.name} attends from {query.shape[2]} to {key.shape[2]} positions, and the "
            "input has others"
        )
    return LayerStates(
        query=_select(query[0], kept),
        key=_select(key[0], kept),
        scaling=query.shape[-1] ** -0.5 if scaling is None else float(scaling),
        mask=_read_mask(record, kept, masks),
        softcap=options.get("softcap"),
        sinks=None if sinks is None else sinks.detach().flatten(),
    )


def layer_numbers(names: Sequence[str]) -> tuple[int, ...]:
    """Return the model's own numbers of its layers: the last number in each module's path.

    Modules that several layers share (ALBERT) are numbered in the order of their calls.
    """
    found = [re.findall(r"(?:^|\.)(\d+)(?=\.|$)", name) for name in names]
    numbers = [int(parts[-1]) if parts else -1 for parts in found]
    if -1 in numbers or len(set(numbers)) < len(numbers):
        return tuple(range(len(names)))
    return tuple(numbers)


def longest_input(model: torch.nn.Module) -> int | None:
    """Return how many positions the model has learned embeddings for; None where it has none."""
    limits = []
    for name, module in model.named_modules():
        is_positions = re.search(r"(?:^|\.)(?:position_embeddings|embed_positions|wpe)$", name)
        if not is_positions or not isinstance(module, torch.nn.Embedding):
            continue
        # RoBERTa counts positions from after its padding index, OPT from its offset.
        first = getattr(module, "offset", 0)
        if module.padding_idx is not None:
            first = module.padding_idx + 1
        limits.append(module.num_embeddings - first)
    return min(limits, default=None)


def check_supported(model: Any) -> None:
    """Raise NotImplementedError for kinds of model that aren't handled yet."""
    config = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        raise NotImplementedError(
            f"{type(model).__name__} is an encoder-decoder model, which can't be traced yet: pass "
            "its attentions to AttentionExplorer, e.g. outputs.encoder_attentions of a model that "
            "was loaded with attn_implementation='eager'"
        )


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


def _read_mask(record: Record, kept: torch.Tensor, masks: dict[int, Mask]) -> Mask | None:
    mask, device = record.mask, record.query.device
    n_queries, n_keys = record.query.shape[2], record.key.shape[2]
    if record.backend.startswith("flash_attention"):
        return _flash_mask(record, len(kept))
    if mask is None:
        says = record.options.get("is_causal")
        causal = record.is_causal if says is None else bool(says)
        if record.backend == "eager" or not causal or n_queries == 1:
            return None
        return KeyIntervals.causal(len(kept), len(kept), device)
    if not isinstance(mask, torch.Tensor) or mask.ndim != 4 or mask.shape[0] != 1:
        shape = f" of shape {tuple(mask.shape)}" if isinstance(mask, torch.Tensor) else ""
        raise CannotRebuildError(
            f"{record.name} has a mask ({type(mask).__name__}{shape}) of its own kind"
        )
    if id(mask) not in masks:
        values = mask.detach()[0].to(device).expand(-1, n_queries, -1)[..., :n_keys]
        try:
            masks[id(mask)] = compress([_select(_select(values, kept), kept, axis=2)], len(kept))
        except ValueError as reason:
            raise CannotRebuildError(f"{record.name}: {reason}") from None
    return masks[id(mask)]


def _flash_mask(record: Record, n_kept: int) -> Mask | None:
    """Read the arguments of flash attention, whose mask tells padding alone."""
    says = record.options.get("is_causal")
    window = record.options.get("sliding_window")
    if not (record.is_causal if says is None else says):
        if window is not None:
            raise CannotRebuildError(f"{record.name} has a two-sided window in flash attention")
        return None
    return KeyIntervals.causal(n_kept, n_kept, record.query.device, window)


def _select(states: torch.Tensor, kept: torch.Tensor, axis: int = 1) -> torch.Tensor:
    """Return the kept positions of (heads, positions, ...), without a copy where all are."""
    return states if len(kept) == states.shape[axis] else states.index_select(axis, kept)

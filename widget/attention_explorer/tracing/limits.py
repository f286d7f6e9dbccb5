"""What a model can read: refused before it ends in an index out of range, on a GPU in a crash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import torch

from .kinds import SIDES, kind_of


def check_limits(model: Any, batch: Mapping[str, torch.Tensor], has_target: bool) -> None:
    """Raise ValueError for token numbers that the model doesn't know, or more than it can read.

    Parameters
    ----------
    model : transformers model
        Any.
    batch : mapping of str to tensor
        Its inputs.
    has_target : bool
        Whether it is an encoder and a decoder.
    """
    if "input_ids" in batch:
        limits = [longest_input(model, side, has_target) for side in ("source", "text")]
        limit = min((limit for limit in limits if limit is not None), default=None)
        _check_ids(model, batch["input_ids"], _embeddings(model), limit)
    if has_target:
        decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
        limit = longest_input(model, "target", has_target)
        _check_ids(model, batch["decoder_input_ids"], _embeddings(decoder), limit, "the target")


def longest_input(model: torch.nn.Module, side: str, has_target: bool) -> int | None:
    """Return how many positions the model has learned embeddings for.

    Parameters
    ----------
    model : torch.nn.Module
        Any.
    side : str
        Of which sequence, as `kinds.SIDES` calls them.
    has_target : bool
        Whether the model is an encoder and a decoder.

    Returns
    -------
    int or None
        None where there is no limit.
    """
    limits = []
    for name, module in model.named_modules():
        is_positions = re.search(r"(?:^|\.)(?:position_embeddings?|embed_positions|wpe)$", name)
        if not is_positions or not isinstance(module, torch.nn.Embedding):
            continue
        if SIDES[kind_of(name, has_target)][0] != side:
            continue
        # RoBERTa counts positions from after its padding index, OPT from its offset.
        first = getattr(module, "offset", 0)
        if module.padding_idx is not None:
            first = module.padding_idx + 1
        limits.append(module.num_embeddings - first)
    return min(limits, default=None)


def name_of(model: Any) -> str:
    """Return the checkpoint's name, or the model's class."""
    name = getattr(getattr(model, "config", None), "name_or_path", "")
    is_folder = isinstance(name, str) and PurePath(name).is_absolute()
    return (PurePath(name).name if is_folder else name) or type(model).__name__


def _check_ids(
    model: Any,
    ids: torch.Tensor,
    embeddings: Any,
    longest: int | None,
    what: str = "the text",
) -> None:
    n_tokens, name = ids.shape[1], name_of(model)
    if n_tokens == 0:
        raise ValueError("the inputs hold no tokens: there is nothing to attend to")
    if longest is not None and n_tokens > longest:
        cut = f", or cut it with max_length={longest}" if what == "the text" else ""
        raise ValueError(
            f"{what} has {n_tokens} tokens and {name} can read {longest}: shorten it{cut}"
        )
    known = getattr(embeddings, "num_embeddings", None)
    if known is not None and int(ids.max()) >= known:
        raise ValueError(
            f"the inputs hold token number {int(ids.max())} and {name} knows {known}: "
            "does the tokenizer belong to this model?"
        )


def _embeddings(model: Any) -> Any:
    try:
        return model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None

"""Interventions made by hand: eager attention with a mask of its own, or hooks on the modules."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Change:
    """What is done in one call of one attention module; positions count padding.

    `ablate` has heads whose output becomes zero; heads, queries and keys are cut.
    """

    name: str
    heads: Sequence[int] = ()
    queries: Sequence[int] = ()
    keys: Sequence[int] = ()
    ablate: Sequence[int] = ()
    call: int = 0

    def mask(self, n_heads: int, n_queries: int, n_keys: int, dtype: torch.dtype) -> torch.Tensor:
        """Return what is added to the scores."""
        added = torch.zeros(1, n_heads, n_queries, n_keys, dtype=dtype)
        for head in self.heads:
            for query in self.queries:
                for key in self.keys:
                    added[0, head, query, key] = -torch.inf
        return added


# Where each family has its attention, by kind.
NAMES = {
    ("bert", "encoder"): "encoder.layer.{}.attention.self",
    ("albert", "encoder"): "encoder.albert_layer_groups.0.albert_layers.0.attention",
    ("gpt2", "decoder"): "h.{}.attn",
    ("llama", "decoder"): "layers.{}.self_attn",
    ("mistral", "decoder"): "layers.{}.self_attn",
    ("gemma2", "decoder"): "layers.{}.self_attn",
    ("gpt_oss", "decoder"): "layers.{}.self_attn",
    ("qwen3_next", "decoder"): "layers.{}.self_attn",
    ("modernbert", "encoder"): "layers.{}.attn",
    ("bart", "encoder"): "encoder.layers.{}.self_attn",
    ("bart", "decoder"): "decoder.layers.{}.self_attn",
    ("bart", "cross"): "decoder.layers.{}.encoder_attn",
    ("whisper", "encoder"): "encoder.layers.{}.self_attn",
    ("whisper", "cross"): "decoder.layers.{}.encoder_attn",
    ("vit", "encoder"): "layers.{}.attention",
    ("t5", "encoder"): "encoder.block.{}.layer.0.SelfAttention",
    ("t5", "decoder"): "decoder.block.{}.layer.0.SelfAttention",
    ("t5", "cross"): "decoder.block.{}.layer.1.EncDecAttention",
    ("bloom", "decoder"): "h.{}.self_attention",
    ("gptj", "decoder"): "h.{}.attn",
    ("falcon", "decoder"): "h.{}.self_attention",
    ("deberta_v2", "encoder"): "encoder.layer.{}.attention.self",
}
# What the outputs of heads are projected by; whether its columns are the heads' (else its rows).
PROJECTIONS = {
    ("bert", "encoder"): ("encoder.layer.{}.attention.output.dense", True),
    ("gpt2", "decoder"): ("h.{}.attn.c_proj", False),
    ("llama", "decoder"): ("layers.{}.self_attn.o_proj", True),
    ("gemma2", "decoder"): ("layers.{}.self_attn.o_proj", True),
    ("gpt_oss", "decoder"): ("layers.{}.self_attn.o_proj", True),
    ("t5", "encoder"): ("encoder.block.{}.layer.0.SelfAttention.o", True),
    ("t5", "decoder"): ("decoder.block.{}.layer.0.SelfAttention.o", True),
    ("t5", "cross"): ("decoder.block.{}.layer.1.EncDecAttention.o", True),
    ("bloom", "decoder"): ("h.{}.self_attention.dense", True),
    ("falcon", "decoder"): ("h.{}.self_attention.dense", True),
    ("gptj", "decoder"): ("h.{}.attn.out_proj", True),
}
WRITTEN_OUT = ("bloom", "gptj", "falcon", "deberta_v2")


def run_by_hand(family: str, model: Any, inputs: Any, changes: Sequence[Change]) -> Any:
    """Run a model on the eager backend with changes to its attention."""
    body = getattr(model, model.base_model_prefix, model)
    how = _hooked if family in WRITTEN_OUT else _patched
    with torch.no_grad(), how(body, changes):
        return model(**inputs)


@contextmanager
def _patched(model: Any, changes: Sequence[Change]) -> Iterator[None]:
    """Put another function in the place of the one that a modeling file calls when eager."""
    names = {id(module): name for name, module in model.named_modules()}
    home = next(
        sys.modules[type(module).__module__]
        for name, module in model.named_modules()
        if name == changes[0].name
    )
    original: Callable[..., Any] = home.eager_attention_forward
    calls: Counter[str] = Counter()

    def attend(
        module: Any, query: Any, key: Any, value: Any, attention_mask: Any, *args: Any, **own: Any
    ) -> Any:
        name = names[id(module)]
        mine = [c for c in changes if c.name == name and c.call == calls[name]]
        calls[name] += 1
        for change in mine:
            added = change.mask(query.shape[1], query.shape[2], key.shape[2], query.dtype)
            attention_mask = added if attention_mask is None else attention_mask + added
        output, weights = original(module, query, key, value, attention_mask, *args, **own)
        for change in mine:
            output = output.clone()
            output[:, :, list(change.ablate)] = 0
        return output, weights

    home.eager_attention_forward = attend  # type: ignore[attr-defined]
    try:
        yield
    finally:
        home.eager_attention_forward = original  # type: ignore[attr-defined]


@contextmanager
def _hooked(model: Any, changes: Sequence[Change]) -> Iterator[None]:
    """Give modules that write their attention out another mask."""
    handles = [_give_mask(model.get_submodule(change.name), change) for change in changes]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _give_mask(module: Any, change: Change) -> Any:
    signature = inspect.signature(module.forward)

    def enter(_module: Any, args: Any, options: Any) -> Any:
        given = signature.bind(*args, **options).arguments
        given.update(given.pop("kwargs", {}))
        states, mask = given["hidden_states"], given["attention_mask"]
        n_tokens = states.shape[1]
        added = change.mask(4, n_tokens, n_tokens, states.dtype)
        is_additive = mask.is_floating_point()
        given["attention_mask"] = mask + added if is_additive else mask.bool() & (added == 0)
        return (), given

    return module.register_forward_pre_hook(enter, with_kwargs=True)

"""The attentions that both sides show: random softmax rows of BERT-base's shape."""

from __future__ import annotations

import torch

LAYERS = HEADS = 12


def attentions_of(n: int) -> tuple[torch.Tensor, ...]:
    """Return what transformers would: one (1, heads, n, n) tensor a layer."""
    generator = torch.Generator().manual_seed(n)
    return tuple(
        torch.softmax(3 * torch.randn(1, HEADS, n, n, generator=generator), -1)
        for _ in range(LAYERS)
    )


def tokens_of(n: int) -> list[str]:
    return ["[CLS]", *(f"word{i}" for i in range(n - 2)), "[SEP]"]

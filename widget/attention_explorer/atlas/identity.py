"""What tells a model, a tokenizer or a run from another: so that sums of two aren't added up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Numbers of each parameter that are looked at, evenly spread.
_NUMBERS = 64


def identity_of(model: torch.nn.Module, tokenizer: Any) -> dict[str, str]:
    """Return what a model and its tokenizer are, by name and by what is in them.

    Of each parameter the name, shape, type and 64 of its numbers are looked at: fine-tuning
    changes them all, and 7 billion needn't be read. What is offloaded to disk has only a name.
    """
    import torch

    from ..tracing.limits import name_of

    weights = hashlib.blake2b(digest_size=16)
    for name, parameter in model.named_parameters():
        weights.update(f"{name} {tuple(parameter.shape)} {parameter.dtype}".encode())
        if parameter.device.type == "meta" or not parameter.numel():
            continue
        spread = torch.linspace(0, parameter.numel() - 1, _NUMBERS, dtype=torch.float64)
        some = parameter.detach().reshape(-1)[spread.long().to(parameter.device)]
        weights.update(some.to("cpu", torch.float64).numpy().tobytes())
    vocabulary = sorted(tokenizer.get_vocab().items())
    added = getattr(tokenizer, "special_tokens_map", {})
    written = json.dumps([vocabulary, {name: str(token) for name, token in added.items()}])
    return {
        "model": name_of(model),
        "weights": weights.hexdigest(),
        "tokenizer": hashlib.blake2b(written.encode(), digest_size=16).hexdigest(),
    }


def loaded_as(identity: Mapping[str, str], model: Any, tokenizer: Any) -> tuple[Any, Any]:
    """Return a model and its tokenizer, loaded where they were named.

    Raises
    ------
    ValueError
        They aren't those of this identity.
    """
    from ..tracing.tracer import load

    model, tokenizer = load(model, tokenizer)
    if identity_of(model, tokenizer) != dict(identity):
        raise ValueError(
            "this isn't the model, or not the tokenizer, that the atlas is of "
            f"({identity['model']}): its weights or its vocabulary differ"
        )
    return model, tokenizer


def differences(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    """Say in what two runs differ; empty where they don't."""
    said = [
        f"{name} was {_short(before.get(name))} and is {_short(now.get(name))}"
        for name in now
        if before.get(name) != now[name]
    ]
    return "; ".join(said)


def _short(value: object) -> str:
    return f"{value!r:.60}"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers

LAYERS, HEADS = 3, 4
# Large initial weights: with the usual ones attention is so even that a lost scaling hardly shows.
COMMON = {"vocab_size": 50, "initializer_range": 0.5, "pad_token_id": 0}
BERT = {
    **COMMON,
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 40,
    "max_position_embeddings": 24,
}
LLAMA = {**BERT, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
WINDOW = 5

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("Bert", BERT),
    "roberta": ("Roberta", {**BERT, "pad_token_id": 1}),
    "distilbert": (
        "DistilBert",
        {
            **COMMON,
            "dim": 32,
            "n_layers": LAYERS,
            "n_heads": HEADS,
            "hidden_dim": 40,
            "max_position_embeddings": 24,
        },
    ),
    "electra": ("Electra", {**BERT, "embedding_size": 16}),
    "gpt2": (
        "GPT2",
        {**COMMON, "n_embd": 32, "n_layer": LAYERS, "n_head": HEADS, "n_positions": 24},
    ),
    "llama": ("Llama", LLAMA),
    "mistral": ("Mistral", {**LLAMA, "sliding_window": WINDOW}),
    "gemma2": (
        "Gemma2",
        {
            **LLAMA,
            "sliding_window": WINDOW,
            "attn_logit_softcapping": 2.0,
            "query_pre_attn_scalar": 16,
        },
    ),
    "gpt_oss": (
        "GptOss",
        {**LLAMA, "sliding_window": WINDOW, "num_local_experts": 2, "num_experts_per_tok": 1},
    ),
}
EAGER_ONLY = ("gemma2", "gpt_oss")

TinyModel = Callable[..., Any]


@pytest.fixture(scope="session")
def tiny_model() -> TinyModel:
    """Return a function that builds a small random model of a real class, in evaluation mode."""

    def build(family: str, backend: str = "sdpa", **changes: Any) -> Any:
        name, options = FAMILIES[family]
        config = getattr(transformers, f"{name}Config")(**{**options, **changes})
        config._attn_implementation = backend
        torch.manual_seed(0)
        model = getattr(transformers, f"{name}Model")(config).eval()
        for parameter_name, parameter in model.named_parameters():
            if "sinks" in parameter_name:
                torch.nn.init.normal_(parameter)
        return model

    return build


@pytest.fixture(scope="session")
def eager_attentions() -> Callable[..., list[torch.Tensor]]:
    """Return a function that gives the weights which the library itself returns: the oracle."""

    def read(model: Any, inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        before = model.config._attn_implementation
        model.set_attn_implementation("eager")
        with torch.no_grad():
            attentions = model(**inputs, output_attentions=True).attentions
        model.set_attn_implementation(before)
        return list(attentions)

    return read


@pytest.fixture(scope="session")
def padded_inputs() -> Callable[..., dict[str, torch.Tensor]]:
    """Return a function that makes a batch of two: 11 tokens, and 7 with padding on one side."""

    def make(side: str = "right") -> dict[str, torch.Tensor]:
        ids = torch.randint(3, 50, (2, 11), generator=torch.Generator().manual_seed(1))
        mask = torch.ones_like(ids)
        padding = slice(7, 11) if side == "right" else slice(0, 4)
        mask[1, padding] = 0
        ids[1, padding] = 0
        return {"input_ids": ids, "attention_mask": mask}

    return make

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from tokenizers import pre_tokenizers

from tests.words import word_tokenizer

from .families import FAMILIES, IMAGES, TARGETS

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "on", "mat", "."]

Inputs = dict[str, torch.Tensor]


@pytest.fixture(scope="session")
def tiny_model() -> Callable[..., Any]:
    """Return a function that builds a small random model of a real class, in evaluation mode."""

    def build(family: str, backend: str = "sdpa", **changes: Any) -> Any:
        name, options = FAMILIES[family]
        config = getattr(transformers, f"{name}Config")(**{**options, **changes})
        config._attn_implementation = backend
        torch.manual_seed(0)
        model = getattr(transformers, f"{name}Model")(config).eval()
        for parameter_name, parameter in model.named_parameters():
            if "sinks" in parameter_name or "relative_attention_bias" in parameter_name:
                torch.nn.init.normal_(parameter)
        return model

    return build


@pytest.fixture(scope="session")
def eager_attentions(tiny_model: Any) -> Callable[..., dict[str, torch.Tensor]]:
    """Return a function that gives the weights which the library itself returns: the oracle.

    By kind of attention, shape (layers, batch, heads, queries, keys).
    """

    def read(model: Any, inputs: Inputs) -> dict[str, torch.Tensor]:
        found: list[Any] = [getattr(module, "config", None) for module in model.modules()]
        configs = [config for config in found if hasattr(config, "_attn_implementation")]
        before = [config._attn_implementation for config in configs]
        for config in configs:
            config._attn_implementation = "eager"
        with torch.no_grad():
            output = model(**inputs, output_attentions=True)
        for config, backend in zip(configs, before, strict=True):
            config._attn_implementation = backend
        attentions: dict[str, Any]
        if hasattr(output, "cross_attentions") and "decoder_input_ids" in inputs:
            attentions = {
                "encoder": output.encoder_attentions,
                "decoder": output.decoder_attentions,
                "cross": output.cross_attentions,
            }
        elif hasattr(output, "vision_model_output"):
            attentions = {
                "text": output.text_model_output.attentions,
                "vision": output.vision_model_output.attentions,
            }
        else:
            attentions = {"": output.attentions}
        return {
            kind: torch.stack([layer for layer in layers if layer is not None])
            for kind, layers in attentions.items()
        }

    return read


@pytest.fixture(scope="session")
def padded_inputs() -> Callable[..., Inputs]:
    """Return a function that makes a batch of two: 11 tokens, and 7 with padding on one side."""

    def make(side: str = "right") -> Inputs:
        ids = torch.randint(3, 50, (2, 11), generator=torch.Generator().manual_seed(1))
        mask = torch.ones_like(ids)
        padding = slice(7, 11) if side == "right" else slice(0, 4)
        mask[1, padding] = 0
        ids[1, padding] = 0
        return {"input_ids": ids, "attention_mask": mask}

    return make


@pytest.fixture(scope="session")
def inputs_of(padded_inputs: Any) -> Callable[..., Inputs]:
    """Return a function that makes a batch of two for a family, with padding where it has it."""

    def make(family: str, side: str = "right") -> Inputs:
        generator = torch.Generator().manual_seed(2)
        inputs = dict(padded_inputs(side))
        if FAMILIES[family][1].get("pad_token_id") == 1:
            inputs["input_ids"] = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, 1)
        if family == "whisper":
            inputs = {"input_features": torch.randn(2, 8, 26, generator=generator)}
        if family in TARGETS:
            inputs["decoder_input_ids"] = torch.randint(3, 50, (2, 6), generator=generator)
        if family in IMAGES:
            width = 24 if family == "clip" else 18
            pixels = torch.randn(2, 3, 24, width, generator=generator)
            inputs = {"pixel_values": pixels, **(inputs if family == "clip" else {})}
        return inputs

    return make


@pytest.fixture
def tokenizer() -> Any:
    """Return a tokenizer of whole words, with a start and an end."""
    return word_tokenizer(WORDS, pre_tokenizers.Whitespace())

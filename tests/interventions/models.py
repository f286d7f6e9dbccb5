"""Tiny random models with heads, and their traces."""

from __future__ import annotations

from typing import Any

import torch
import transformers

from tests.tracing.families import EAGER_ONLY, FAMILIES

library: Any = transformers

HEADS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gpt2": ("GPT2LMHeadModel", "gpt2", {"bos_token_id": 2, "eos_token_id": 3}),
    "llama": ("LlamaForCausalLM", "llama", {}),
    "bloom": ("BloomForCausalLM", "bloom", {}),
    "t5": ("T5ForConditionalGeneration", "t5", {}),
    "masked": ("BertForMaskedLM", "bert", {}),
    "pretraining": ("BertForPreTraining", "bert", {}),
    "labels": ("BertForSequenceClassification", "bert", {"num_labels": 3}),
    "several": (
        "BertForSequenceClassification",
        "bert",
        {"num_labels": 3, "problem_type": "multi_label_classification"},
    ),
    "score": (
        "BertForSequenceClassification",
        "bert",
        {"num_labels": 1, "problem_type": "regression"},
    ),
    "causal labels": ("GPT2ForSequenceClassification", "gpt2", {"num_labels": 3}),
    "token labels": ("BertForTokenClassification", "bert", {"num_labels": 5}),
    "answer": ("BertForQuestionAnswering", "bert", {}),
    "discriminator": ("ElectraForPreTraining", "electra", {}),
    "images": ("ViTForImageClassification", "vit", {"num_labels": 4}),
}


def headed(which: str, backend: str = "sdpa", **changes: Any) -> Any:
    """Return a tiny random model with a head, in evaluation mode."""
    name, family, options = HEADS[which]
    kind = getattr(library, name)
    config = kind.config_class(**{**FAMILIES[family][1], **options, **changes})
    config._attn_implementation = "eager" if family in EAGER_ONLY else backend
    torch.manual_seed(0)
    return kind(config).eval()

"""What the calls are made with: attentions of tiny real models with random weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import bertviz.transformers_neuron_view as copies
import numpy as np
import torch
from transformers import GPT2LMHeadModel

from tests.tracing.families import BART

from .models import bert, build, byte_pieces, gpt2, xlnet

SENTENCES = "the cat quickly sat", "it was tired."


def arguments() -> dict[str, Any]:
    """Return what the calls name, of tiny real models with random weights."""
    return {**_arguments(), "np": np, "torch": torch}


@cache
def _arguments() -> dict[str, Any]:
    model, tokenizer = bert()
    pair = tokenizer(*SENTENCES, return_tensors="pt")
    attention = eager(model, **pair).attentions
    holed = [layer.clone() for layer in attention]
    holed[1][0, 2, 3, 4] = torch.nan
    writer, byte_tokenizer = gpt2()
    return {
        "model": model,
        "tokenizer": tokenizer,
        "attention": attention,
        "tokens": tokenizer.convert_ids_to_tokens(pair.input_ids[0]),
        "start": pair.token_type_ids[0].tolist().index(1),
        "batch": [layer.repeat(2, 1, 1, 1) for layer in attention],
        "holed": holed,
        "outputs": model(**pair, output_attentions=True),
        "sentence_a": SENTENCES[0],
        "sentence_b": SENTENCES[1],
        "stock": model,
        "xlnet": xlnet()[0],
        "gpt2": writer,
        "byte_tokenizer": byte_tokenizer,
        **_of_two_stacks(),
        **_generated(writer, byte_tokenizer),
    }


def eager(model: Any, **inputs: Any) -> Any:
    """Return a model's output with the attentions that its library computes."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            return model(**inputs, output_attentions=True)
    finally:
        model.set_attn_implementation(before)


def _of_two_stacks() -> dict[str, Any]:
    """Return the attentions of an encoder of three layers with a decoder of three, and of two."""
    tokenizer = byte_pieces("RobertaTokenizer", "<s>", "<pad>", "</s>", "<unk>", "<mask>")
    found: dict[str, Any] = {}
    for depth in (3, 2):
        model = build("Bart", tokenizer, BART, decoder_layers=depth)
        ids = [tokenizer(text, return_tensors="pt").input_ids for text in ("The cat sat", "cat")]
        output = eager(model, input_ids=ids[0], decoder_input_ids=ids[1])
        found[f"two_stacks_{depth}"] = {
            "encoder_attention": output.encoder_attentions,
            "decoder_attention": output.decoder_attentions,
            "cross_attention": output.cross_attentions,
            "encoder_tokens": tokenizer.convert_ids_to_tokens(ids[0][0]),
            "decoder_tokens": tokenizer.convert_ids_to_tokens(ids[1][0]),
        }
    return found


def _generated(model: Any, tokenizer: Any) -> dict[str, Any]:
    """Return what three steps of writing on gave."""
    torch.manual_seed(0)
    head: Any = GPT2LMHeadModel(model.config)
    head.eval()
    head.set_attn_implementation("eager")
    written = head.generate(
        **tokenizer("The cat", return_tensors="pt"),
        max_new_tokens=3,
        min_new_tokens=3,
        do_sample=False,
        pad_token_id=0,
        output_attentions=True,
        return_dict_in_generate=True,
    )
    return {
        "generated": written.attentions,
        "writer": head,
        "written_ids": written.sequences,
        "written": tokenizer.convert_ids_to_tokens(written.sequences[0]),
    }


@cache
def copied(model: Any) -> Any:
    """Return bertviz's own copy of a class of 2019, with the same weights."""
    name = type(model).__name__
    config = getattr(copies, name.replace("Model", "Config"))(
        vocab_size_or_config_json_file=model.config.vocab_size
    )
    for key, value in model.config.to_dict().items():
        if hasattr(config, key) and not isinstance(value, dict):
            setattr(config, key, value)
    copy = getattr(copies, name)(config).eval()
    missing, unexpected = copy.load_state_dict(model.state_dict(), strict=False)
    # A mask that GPT-2 had among its weights.
    assert not unexpected
    assert all(key.endswith("attn.bias") for key in missing)
    return copy

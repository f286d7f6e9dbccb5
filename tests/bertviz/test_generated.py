"""Attentions that `generate` returned, a tuple for each step, put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import BartForConditionalGeneration

from attention_explorer.bertviz import head_view, model_view
from tests.tracing.families import BART

from .arguments import arguments, eager
from .models import build, byte_pieces

WROTE = {
    "max_new_tokens": 4,
    "min_new_tokens": 4,
    "output_attentions": True,
    "return_dict_in_generate": True,
    "pad_token_id": 0,
}


@pytest.mark.parametrize("use_cache", [True, False])
def test_steps_are_the_rows_of_one_pass(use_cache: bool) -> None:
    """Catches a row at another's place, and a prompt's row taken for a step's."""
    given = arguments()
    writer = given["writer"]
    prompt = given["byte_tokenizer"]("The cat", return_tensors="pt")
    written = writer.generate(**prompt, **WROTE, do_sample=False, use_cache=use_cache)
    ids = written.sequences[:, :-1]
    whole = eager(writer, input_ids=ids).attentions
    tokens = given["byte_tokenizer"].convert_ids_to_tokens(ids[0])
    explorer: Any = head_view(written.attentions, tokens, html_action="explorer")
    assert explorer.attention.n_queries == len(tokens) == prompt.input_ids.shape[1] + 3
    for layer, weights in enumerate(whole):
        shown = [explorer.weights(layer, head) for head in range(4)]
        np.testing.assert_allclose(shown, weights[0], atol=1e-5)


@pytest.fixture(scope="module")
def translator() -> Any:
    tokenizer = byte_pieces("RobertaTokenizer", "<s>", "<pad>", "</s>", "<unk>", "<mask>")
    config = build("Bart", tokenizer, BART, max_position_embeddings=90).config
    config.decoder_start_token_id = 2
    torch.manual_seed(0)
    model: Any = BartForConditionalGeneration(config)
    model.eval()
    model.set_attn_implementation("eager")
    return model, tokenizer


def test_what_a_decoder_writes_reads_itself_and_its_source(translator: Any) -> None:
    """Catches cross attention padded as if its keys grew."""
    model, tokenizer = translator
    source = tokenizer("The cat sat", return_tensors="pt")
    written = model.generate(**source, **WROTE, do_sample=False, num_beams=1)
    ids = written.sequences[:, :-1]
    whole = eager(model, **source, decoder_input_ids=ids)
    explorer: Any = model_view(
        encoder_attention=written.encoder_attentions,
        decoder_attention=written.decoder_attentions,
        cross_attention=written.cross_attentions,
        encoder_tokens=tokenizer.convert_ids_to_tokens(source.input_ids[0]),
        decoder_tokens=tokenizer.convert_ids_to_tokens(ids[0]),
        html_action="explorer",
    )
    for kind in ("encoder", "decoder", "cross"):
        explorer.kind = kind
        for layer, weights in enumerate(getattr(whole, f"{kind}_attentions")):
            np.testing.assert_allclose(explorer.weights(layer, 2), weights[0, 2], atol=1e-5)


def test_beams_are_refused_and_trace_generate_named(translator: Any) -> None:
    """Catches beams put together as one: they change places at each step."""
    model, tokenizer = translator
    source = tokenizer("The cat sat", return_tensors="pt")
    written = model.generate(**source, **WROTE, do_sample=False, num_beams=3)
    with pytest.raises(ValueError, match=r"several sequences.*trace\.generate\(model, tokenizer"):
        head_view(
            decoder_attention=written.decoder_attentions,
            decoder_tokens=tokenizer.convert_ids_to_tokens(written.sequences[0]),
        )


def test_the_last_token_was_not_read() -> None:
    """Catches "was the input cut to length?" of a text that wasn't."""
    given = arguments()
    with pytest.raises(ValueError, match=r"ends with the choice.*tokens\[:-1\].*trace\.generate"):
        head_view(given["generated"], given["written"])


def test_passes_of_several_tokens_are_refused() -> None:
    """Catches rows of tokens that a draft proposed and the model refused."""
    draft = [[np.full((1, 2, n, keys), 0.1, np.float32)] for n, keys in ((3, 3), (2, 5))]
    fixed = [[np.full((1, 2, n, 9), 0.1, np.float32)] for n in (3, 1)]
    for steps, at in ((draft, r"token 3 has shape \(1, 2, 2, 5\)"), (fixed, "token 2 has shape")):
        with pytest.raises(ValueError, match=rf"{at}.*trace\.generate"):
            head_view(steps, list("abcd"))

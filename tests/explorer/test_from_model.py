from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_explorer import AttentionExplorer, trace

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["[CLS]", "a", "cat", "<b>sat</b>", "[SEP]"]


@pytest.fixture(scope="module")
def model() -> Any:
    """A random BERT of 3 layers x 4 heads on its default backend."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=16,
    )
    return transformers.BertModel(config).eval()


def test_weights_of_a_model_are_eager_attentions(model: Any) -> None:
    ids = torch.tensor([[1, 7, 8, 9, 2]])
    explorer = AttentionExplorer.from_model(
        model, inputs={"input_ids": ids}, tokens=WORDS, layer=2, heads=[3]
    )
    model.set_attn_implementation("eager")
    with torch.no_grad():
        eager = model(ids, output_attentions=True).attentions
    model.set_attn_implementation("sdpa")
    np.testing.assert_allclose(explorer.weights(), eager[2][0, 3].numpy(), atol=1e-6)
    np.testing.assert_allclose(explorer.weights(0, 1), eager[0][0, 1].numpy(), atol=1e-6)
    assert explorer.tokens.raw == tuple(WORDS)
    assert explorer.trace is not None
    assert explorer._description["source"] == explorer.trace.source
    assert explorer._description["model"] == explorer.trace.model_name


def test_a_target_goes_to_the_trace_and_each_kind_is_shown() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["<pad>", "a", "cat", "eine", "Katze", "saß"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="a"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>")
    config = transformers.T5Config(
        vocab_size=6, d_model=16, d_kv=4, d_ff=8, num_layers=2, num_heads=3, num_decoder_layers=1
    )
    config.decoder_start_token_id = 0
    model = transformers.T5ForConditionalGeneration(config).eval()
    explorer = AttentionExplorer.from_model(
        model, tokenizer, "a cat", target="eine Katze saß", store="cpu"
    )
    assert explorer.kind == "cross"
    assert (explorer.tokens.raw, explorer.key_tokens.raw) == (
        ("<pad>", "eine", "Katze"),
        ("a", "cat"),
    )
    assert explorer._description["check"]["ok"]
    assert (
        0 <= explorer._description["check"]["worst"] < explorer._description["check"]["tolerance"]
    )
    explorer.kind = "encoder"
    assert explorer.weights(1, 2).shape == (2, 2)


def test_a_trace_keeps_its_tokens_and_other_names_can_be_given(model: Any) -> None:
    traced = trace(model, inputs={"input_ids": torch.tensor([[1, 7, 2]])}, tokens=WORDS[:3])
    assert AttentionExplorer(traced).tokens is traced.tokens
    renamed = AttentionExplorer(traced, ["x", "y", "z"], model_name="mine")
    assert renamed.tokens.text == ("x", "y", "z")
    assert renamed._description["model"] == "mine"


def test_returned_attentions_can_be_given_as_they_are(model: Any) -> None:
    """The tuple with its batch axis, bfloat16, still attached to the graph."""
    model.set_attn_implementation("eager")
    eager = model(torch.tensor([[1, 7, 8, 9, 2]]), output_attentions=True).attentions
    model.set_attn_implementation("sdpa")
    explorer = AttentionExplorer(tuple(w.bfloat16() for w in eager), WORDS)
    expected = eager[1][0, 2].bfloat16().float().detach().numpy()
    np.testing.assert_array_equal(explorer.weights(1, 2), expected)


def test_what_an_sdpa_model_returns_names_the_cause(model: Any) -> None:
    outputs = model(torch.tensor([[1, 7, 8, 9, 2]]), output_attentions=True)
    with pytest.raises(ValueError, match="sdpa"):
        AttentionExplorer(outputs.attentions, WORDS)

"""Models with more than one kind of attention, several texts at once, and what isn't text."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from attention_explorer import AttentionExplorer, trace
from attention_explorer.demo import demo_trace
from attention_explorer.tracing.reader import Reader
from attention_explorer.tracing.streams import Stream, numbered

from .families import TARGETS


def difference(one: Any, other: Any) -> float:
    """Return the largest difference of two attentions of the same shape."""
    assert (one.n_layers, one.n_heads) == (other.n_layers, other.n_heads)
    return max(
        float(np.abs(one.matrix(layer, head) - other.matrix(layer, head)).max())
        for layer in range(one.n_layers)
        for head in range(one.n_heads)
    )


def test_a_target_is_read_as_in_training(tiny_model: Any, tokenizer: Any) -> None:
    """Shifted by one, or with its end, the decoder's rows would be those of other tokens."""
    config = tiny_model("bart", decoder_start_token_id=3).config
    model: Any = transformers.BartForConditionalGeneration(config)
    model.eval()
    traced = trace(model, tokenizer, "the cat sat", target="on the mat .")
    assert (traced.kind, list(traced.kinds)) == ("cross", ["encoder", "decoder", "cross"])
    assert traced.tokens.text == ("[SEP]", "[CLS]", "on", "the", "mat", ".")
    assert traced.key_tokens is not None
    assert traced.key_tokens.text == ("[CLS]", "the", "cat", "sat", "[SEP]")
    assert traced["decoder"].tokens == traced.tokens
    assert traced["encoder"].tokens == traced.key_tokens
    assert traced["encoder"].key_tokens is None
    assert (traced.text, traced.target) == ("the cat sat", "on the mat .")
    inputs = {**tokenizer("the cat sat"), "labels": tokenizer("on the mat .")["input_ids"]}
    model.set_attn_implementation("eager")
    with torch.no_grad():
        batch = {name: torch.tensor([value]) for name, value in inputs.items()}
        batch.pop("token_type_ids", None)
        own = model(**batch, output_attentions=True)
    for kind in traced.kinds:
        for layer, weights in enumerate(getattr(own, f"{kind}_attentions")):
            ours = traced[kind].attention.matrix(layer, 3)
            assert np.abs(ours - weights[0, 3].numpy()).max() <= 1e-5
    by_labels = trace(model, tokenizer, inputs=batch)
    assert by_labels.tokens == traced.tokens
    assert difference(by_labels.attention, traced.attention) <= 1e-5


def test_a_target_that_begins_with_the_start_keeps_one(tiny_model: Any, tokenizer: Any) -> None:
    """Whisper's tokenizer writes the start itself; shifted, it would stand twice."""
    model = tiny_model("whisper", decoder_start_token_id=2)
    inputs = {"input_features": torch.randn(1, 8, 26)}
    traced = trace(model, tokenizer, inputs=inputs, target="the cat")
    assert traced.tokens.text == ("[CLS]", "the", "cat")
    assert traced.key_tokens is not None
    assert traced.key_tokens.text[:3] == ("0.00 s", "0.02 s", "0.04 s")
    assert len(traced.key_tokens) == 13
    assert traced["encoder"].tokens == traced.key_tokens


def test_the_explorer_takes_each_kind(tiny_model: Any, tokenizer: Any) -> None:
    traced = trace(tiny_model("t5"), tokenizer, "the cat sat", target="on the mat .")
    assert "T5Model: cross of encoder, decoder, cross: 6 tokens to 5, 2 layers" in repr(traced)
    explorer: Any = AttentionExplorer(traced["encoder"])
    assert (explorer.trace.kind, explorer.attention.n_queries) == ("encoder", 5)
    cross: Any = AttentionExplorer(traced)
    assert (cross.attention.n_queries, cross.attention.n_keys) == (6, 5)
    explorer.close()
    cross.close()
    with pytest.raises(KeyError, match=r"'self' is not a kind.*'encoder', 'decoder', 'cross'"):
        traced["self"]


@pytest.mark.parametrize("family", ["bert", "gpt2", "mistral", "bloom", "bart", "t5"])
def test_a_list_of_texts_is_traced_as_each_alone(
    family: str, tiny_model: Any, tokenizer: Any
) -> None:
    """Padding that leaks, or rows of another example, would show against the single traces."""
    model = tiny_model(family, "eager" if family == "bloom" else "sdpa")
    texts = ["the cat", "the cat sat on the mat .", "mat ."]
    targets = ["on the mat . sat", "sat", "the"] if family in TARGETS else None
    together = trace(model, tokenizer, texts, target=targets)
    assert [traced.text for traced in together] == texts
    for number, text in enumerate(texts):
        target = targets and targets[number]
        alone, ours = trace(model, tokenizer, text, target=target or None), together[number]
        assert ours.target == alone.target
        for kind in alone.kinds:
            assert ours[kind].tokens == alone[kind].tokens
            assert ours[kind].key_tokens == alone[kind].key_tokens
            assert difference(ours[kind].attention, alone[kind].attention) <= 1e-5
            assert ours[kind].check().ok


@pytest.mark.parametrize("family", ["bert", "t5", "gpt_oss", "gemma3", "falcon_alibi"])
def test_stored_on_the_cpu_it_is_the_same(family: str, tiny_model: Any, inputs_of: Any) -> None:
    model = tiny_model(family, "eager" if family == "gpt_oss" else "sdpa")
    inputs = inputs_of(family)
    moved = trace(model, inputs=inputs, batch_index=1, store="cpu")
    stayed = trace(model, inputs=inputs, batch_index=1)
    for kind in moved.kinds:
        assert difference(moved[kind].attention, stayed[kind].attention) == 0


def test_layers_that_share_a_mask_share_it_on_the_cpu_too(tiny_model: Any, inputs_of: Any) -> None:
    """Moved layer by layer, a mask of n x n numbers would be there once a layer."""
    traced = trace(tiny_model("t5"), inputs=inputs_of("t5"), batch_index=0, store="cpu")
    encoder: Any = traced["encoder"].attention
    assert len({id(layer.mask) for layer in encoder.layers}) == 1


def test_the_check_tells_each_layer_and_compares_other_rows(
    tiny_model: Any, inputs_of: Any
) -> None:
    model = tiny_model("bart")
    traced = trace(model, inputs=inputs_of("bart"), batch_index=1)
    for kind, layers, rows in (("encoder", 3, 7), ("decoder", 2, 6), ("cross", 2, 6)):
        check = traced[kind].check()
        assert len(check.differences) == layers
        assert 0 < check.worst < 1e-5 < check.tolerance
        assert check.ok
        assert f"{rows} rows of each head" in check.compared
        again = traced[kind].check(rows=2)
        assert again.ok
        assert "2 rows" in again.compared
    with pytest.raises(ValueError, match="rows has to be 1 or more, got 0"):
        traced.check(rows=0)
    del model
    gc.collect()
    with pytest.raises(ValueError, match="the model is gone"):
        traced.check(rows=4)
    assert traced.check().ok


def test_a_trace_that_no_model_was_asked_about_has_no_check() -> None:
    with pytest.raises(ValueError, match="don't come from a model"):
        demo_trace().check()
    with pytest.raises(ValueError, match="only a trace whose model is at hand"):
        demo_trace().check(rows=3)


def test_patches_are_called_by_row_and_column(tiny_model: Any, inputs_of: Any) -> None:
    """Swapped sides would name a patch of another place: the image is 4 x 3 patches."""
    plain = trace(tiny_model("vit"), inputs=inputs_of("vit"), batch_index=0)
    assert plain.tokens.text == (
        *("[CLS]", "0,0", "0,1", "0,2", "1,0", "1,1", "1,2"),
        *("2,0", "2,1", "2,2", "3,0", "3,1", "3,2"),
    )
    assert plain.tokens.special == (True, *[False] * 12)
    family = "dinov2_registers"
    with_registers = trace(tiny_model(family), inputs=inputs_of(family), batch_index=1)
    assert with_registers.tokens.text[:4] == ("[CLS]", "[REG 0]", "[REG 1]", "0,0")
    assert sum(with_registers.tokens.special) == 3
    own = [f"patch {i}" for i in range(13)]
    named = trace(tiny_model("vit"), inputs=inputs_of("vit"), batch_index=0, tokens=own)
    assert named.tokens.text == tuple(own)


def test_a_model_of_texts_and_images_has_both(tiny_model: Any, tokenizer: Any) -> None:
    """The image's 17 positions must not be taken for the longest text."""
    inputs = dict(tokenizer("the cat " * 9, return_tensors="pt"))
    inputs.pop("token_type_ids", None)
    pixels = torch.randn(1, 3, 24, 24)
    traced = trace(tiny_model("clip"), tokenizer, inputs={**inputs, "pixel_values": pixels})
    assert (traced.kind, list(traced.kinds)) == ("text", ["text", "vision"])
    assert traced.tokens.text[:3] == ("[CLS]", "the", "cat")
    assert traced["vision"].tokens.text[:2] == ("[CLS]", "0,0")
    assert [len(traced[kind].tokens) for kind in traced.kinds] == [20, 17]


def test_a_kind_that_cannot_be_had_is_named_on_the_others(inputs_of: Any) -> None:
    """LED's encoder attends in blocks; its decoder is still worth seeing."""
    config = transformers.LEDConfig(
        vocab_size=50,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=40,
        decoder_ffn_dim=40,
        attention_window=4,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    model: Any = transformers.LEDModel(config)
    traced = trace(model, inputs=inputs_of("bart"), batch_index=0)
    assert list(traced.kinds) == ["decoder", "cross"]
    for kind in traced.kinds:
        (note,) = traced[kind].attention.notes
        assert "The encoder attention isn't shown: LEDModel returns attention of shape" in note


def test_a_cross_attention_is_no_self_attention_by_its_shape_alone(tiny_model: Any) -> None:
    """Source and target of one length: only the module's name tells them apart."""
    stacks = [tiny_model("bert").config, tiny_model("bert").config]
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(*stacks)
    torch.manual_seed(0)
    model: Any = transformers.EncoderDecoderModel(config)
    model.eval()
    ids = {
        "input_ids": torch.randint(3, 50, (1, 9)),
        "decoder_input_ids": torch.randint(3, 50, (1, 9)),
    }
    traced = trace(model, inputs=ids)
    for module in model.modules():
        if hasattr(module, "config"):
            module.config._attn_implementation = "eager"
    own = model(**ids, output_attentions=True)
    for kind in ("encoder", "decoder", "cross"):
        for layer, weights in enumerate(getattr(own, f"{kind}_attentions")):
            ours = traced[kind].attention.matrix(layer, 1)
            assert np.abs(ours - weights[0, 1].detach().numpy()).max() <= 2e-5


def error_of(model: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises((ValueError, TypeError)) as caught:
        trace(model, *arguments, **options)
    return str(caught.value)


def test_errors_about_targets_and_lists_say_what_to_do(tiny_model: Any, tokenizer: Any) -> None:
    bart, bert = tiny_model("bart", decoder_start_token_id=3), tiny_model("bert")
    assert "pass it as target='...'" in error_of(bart, tokenizer, "cat")
    assert "decoder_input_ids in inputs=" in error_of(bart, inputs={"input_ids": [5, 6]})
    assert "BertModel is none: put all of it" in error_of(bert, tokenizer, "cat", target="mat")
    assert "BertModel is none: put all of it into the inputs" in error_of(
        bert, inputs={"input_ids": [5, 6]}, target="mat"
    )
    both = {"input_ids": [5, 6], "decoder_input_ids": [7]}
    assert "pass one of them" in error_of(bart, tokenizer, inputs=both, target="mat")
    assert "needs the model's tokenizer" in error_of(bart, inputs={"input_ids": [5]}, target="mat")
    too_long = error_of(bart, tokenizer, "cat", target="mat " * 30)
    assert "the target has 32 tokens and BartModel can read 24" in too_long
    assert "token number 60" in error_of(bart, inputs={"input_ids": [5], "decoder_input_ids": [60]})
    bart.config.decoder_start_token_id = None
    assert "set model.config.decoder_start" in error_of(bart, tokenizer, "cat", target="mat")
    assert "list of texts is empty" in error_of(bert, tokenizer, [])
    assert "text_pair has to be a list of 2 strings" in error_of(bert, tokenizer, ["a", "b"], "c")
    assert "text is empty" in error_of(bert, tokenizer, ["cat", " "])
    assert "text has to be a string, got int" in error_of(bert, tokenizer, ["cat", 3])
    assert "store has to be 'device' or 'cpu', got 'gpu'" in error_of(
        bert, tokenizer, "cat", store="gpu"
    )


def test_positions_that_are_no_inputs_are_refused(tiny_model: Any, padded_inputs: Any) -> None:
    """A prefix of learned keys would shift every key by its length."""
    from attention_explorer.tracing.capture import Record, capture

    records: list[Record] = []
    model, inputs = tiny_model("bert"), padded_inputs()
    with torch.no_grad(), capture(model, records.append):
        model(**inputs)
    reader = Reader({"source": Stream(lambda _, n: numbered(n), length=9)}, 2)
    reader(records[0])
    assert reader.reasons["stack"] == (
        "encoder.layer.0.attention.self: it attends over 11 positions where the input has 9"
    )

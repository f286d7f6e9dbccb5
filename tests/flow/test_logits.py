"""Direct logit attribution, held to logits that are put together by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers

from attention_explorer import Trace, trace
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.flow import available, measure
from tests.tracing.families import FAMILIES

from .conftest import EXAMPLE, alone, backend_of, exact, keeping, kept, module_at, outputs_of

library: Any = transformers

# Of each family the class, and by path its layers, output projections, MLPs and final norm.
FAMILY: dict[str, tuple[str, str, str, str, str]] = {
    "gpt2": ("GPT2LMHeadModel", "transformer.h.{}", "attn.c_proj", "mlp", "transformer.ln_f"),
    "gptj": ("GPTJForCausalLM", "transformer.h.{}", "attn.out_proj", "mlp", "transformer.ln_f"),
    "gpt_neox": (
        "GPTNeoXForCausalLM",
        "gpt_neox.layers.{}",
        "attention.dense",
        "mlp",
        "gpt_neox.final_layer_norm",
    ),
    "opt": (
        "OPTForCausalLM",
        "model.decoder.layers.{}",
        "self_attn.out_proj",
        "fc2",
        "model.decoder.final_layer_norm",
    ),
    "bloom": (
        "BloomForCausalLM",
        "transformer.h.{}",
        "self_attention.dense",
        "mlp.dense_4h_to_h",
        "transformer.ln_f",
    ),
    "falcon": (
        "FalconForCausalLM",
        "transformer.h.{}",
        "self_attention.dense",
        "mlp",
        "transformer.ln_f",
    ),
    **{
        family: (f"{name}ForCausalLM", "model.layers.{}", "self_attn.o_proj", "mlp", "model.norm")
        for family, name in (
            ("llama", "Llama"),
            ("mistral", "Mistral"),
            ("qwen2", "Qwen2"),
            ("qwen3", "Qwen3"),
            ("phi3", "Phi3"),
            ("gpt_oss", "GptOss"),
        )
    },
}


def writer(family: str, name: str) -> Any:
    kind = getattr(library, name)
    config = kind.config_class(**FAMILIES[family][1])
    config._attn_implementation = backend_of(family)
    torch.manual_seed(0)
    model = kind(config).eval()
    for path, parameter in model.named_parameters():
        # Gains of 1 and biases of 0 would let one be forgotten.
        if path.endswith("bias") or "norm" in path or "ln_" in path:
            torch.nn.init.normal_(parameter, 1.0 if path.endswith("weight") else 0.0, 0.3)
    return model


def read(family: str, inputs_of: Any) -> tuple[Any, Trace, Any]:
    model, inputs = exact(family, writer(family, FAMILY[family][0]), inputs_of(family))
    found = trace(model, inputs=inputs, batch_index=EXAMPLE)
    return model, keeping(found, model), alone(inputs)


def given_to(model: Any, inputs: Any, path: str) -> torch.Tensor:
    """Return what a module is given in a pass of its own."""
    found: list[torch.Tensor] = []

    def note(_module: Any, args: Any, kwargs: Any) -> None:
        found.append((args[0] if args else kwargs["hidden_states"]).detach().clone())

    handle = module_at(model, path).register_forward_pre_hook(note, with_kwargs=True)
    with torch.no_grad():
        model(**inputs)
    handle.remove()
    return found[0]


@pytest.mark.parametrize("family", FAMILY)
def test_components_sum_to_the_logits(family: str, inputs_of: Any) -> None:
    """The fact: embeddings, what heads read of each key, biases, MLPs and the norm's constant.

    Catches a norm whose scale, gain or mean is forgotten, a head's slice of another, a layer that
    is counted twice, and a logit of another token or position.
    """
    model, found, inputs = read(family, inputs_of)
    _, layers, projection, mlp, final = FAMILY[family]
    places = kept(inputs)
    shown = measure(found, "logits").attention
    with torch.no_grad():
        logits = model(**inputs).logits[0, places].double()
    predicted = logits.argmax(-1)
    stream = given_to(model, inputs, final)[0, places].double()
    norm, unembedding = module_at(model, final), model.get_output_embeddings()
    direction = unembedding.weight.detach().double()[predicted] * norm.weight.detach().double()
    if isinstance(norm, torch.nn.LayerNorm):
        scale = (stream.var(-1, unbiased=False) + norm.eps).sqrt()
        direction = direction - direction.mean(-1, keepdim=True)
        constant = unembedding.weight.detach().double()[predicted] @ norm.bias.detach().double()
    else:
        scale = (stream.square().mean(-1) + norm.variance_epsilon).sqrt()
        constant = torch.zeros(len(places), dtype=torch.float64)
    if unembedding.bias is not None:
        constant = constant + unembedding.bias.detach().double()[predicted]
    direction = direction / scale[:, None]

    def along(addend: torch.Tensor) -> torch.Tensor:
        own = addend.reshape(-1, addend.shape[-1])[places].double()
        found: torch.Tensor = (own * direction).sum(-1)
        return found

    total = constant + along(given_to(model, inputs, layers.format(0)))
    for layer in range(shown.n_layers):
        at = layers.format(layer)
        heads = sum(shown.matrix(layer, head).sum(-1) for head in range(shown.n_heads))
        bias = module_at(model, f"{at}.{projection}").bias
        if bias is not None:
            heads = heads + (bias.detach().double() * direction).sum(-1).numpy()
        given, added = outputs_of(model, inputs, f"{at}.{projection}", f"{at}.{mlp}")
        tolerance = 2e-4 if family == "gpt_oss" else 2e-6
        np.testing.assert_allclose(heads, along(given).numpy(), rtol=0, atol=tolerance)
        total = total + torch.from_numpy(np.asarray(heads)) + along(added)
    expected = logits.gather(1, predicted[:, None])[:, 0]
    np.testing.assert_allclose(total.numpy(), expected.numpy(), rtol=0, atol=10 * tolerance)


def test_numbers_are_signed_and_a_future_key_adds_nothing(inputs_of: Any) -> None:
    _, found, _ = read("llama", inputs_of)
    shown = measure(found, "logits")
    attention = shown.attention
    assert attention.signed
    assert attention.causal
    whole = attention.matrix(1, 3)
    assert whole.min() < 0 < whole.max()
    assert not np.triu(whole, 1).any()
    assert "token that the model predicts after the query" in attention.notes[0]
    np.testing.assert_allclose(attention.columns(1, [3], [4, 0])[0], whole.T[[4, 0]], rtol=1e-5)
    np.testing.assert_allclose(attention.rows(1, [3], [6, 2])[0], whole[[6, 2]], rtol=1e-5)
    np.testing.assert_allclose(
        attention.tile(1, 3, slice(2, 6), slice(1, 4)), whole[2:6, 1:4], rtol=1e-5, atol=1e-9
    )
    with pytest.raises(ValueError, match="below 0"):
        HiddenAttention(attention, (0,), renormalise=True)


def test_a_target_is_the_same_token_for_all_queries(inputs_of: Any) -> None:
    """Linear in the unembedding: the difference of two targets is that of their directions."""
    model, found, _ = read("llama", inputs_of)
    one, other = (measure(found, "logits", target=target).attention for target in (5, 6))
    row = model.lm_head.weight.detach()
    with torch.no_grad():
        model.lm_head.weight[7] = row[5] - row[6]
    both = measure(found, "logits", target=7).attention
    np.testing.assert_allclose(
        both.matrix(2, 1), one.matrix(2, 1) - other.matrix(2, 1), rtol=1e-4, atol=1e-6
    )
    with pytest.raises(ValueError, match="no token 50: they count from 0 to 49"):
        measure(found, "logits", target=50)
    with pytest.raises(ValueError, match="at= is for relevance"):
        measure(found, "logits", at=1)


def test_a_token_is_named_by_its_text(tokenizer: Any) -> None:
    model = writer("llama", "LlamaForCausalLM")
    found = trace(model, tokenizer, "the cat sat on the mat")
    by_text, by_number = (
        measure(found, "logits", target=target).attention for target in ("mat", 8)
    )
    np.testing.assert_array_equal(by_text.matrix(1, 2), by_number.matrix(1, 2))
    assert "logit of “mat”" in by_text.notes[0]
    with pytest.raises(ValueError, match="is unknown"):
        measure(found, "logits", target="elephant")


@pytest.mark.parametrize(
    ("family", "name", "reason"),
    [
        ("gemma2", "Gemma2ForCausalLM", "isn't added to the stream as it is: a norm or a factor"),
        ("gemma3", "Gemma3ForCausalLM", "isn't added to the stream as it is: a norm or a factor"),
        ("qwen3_next", "Qwen3NextForCausalLM", "no projection takes the output of"),
    ],
)
def test_what_is_no_sum_is_refused(family: str, name: str, reason: str, inputs_of: Any) -> None:
    """Catches that norms after the attention are passed by: all numbers would be wrong."""
    model, inputs = exact(family, writer(family, name), inputs_of(family))
    found = trace(model, inputs=inputs, batch_index=EXAMPLE)
    with pytest.raises(ValueError, match=reason):
        measure(found, "logits")


def test_norms_after_each_layer_are_refused(inputs_of: Any) -> None:
    """A BERT that writes: its stream goes through a norm after each addition."""
    config = library.BertConfig(**FAMILIES["bert"][1], is_decoder=True)
    torch.manual_seed(0)
    model = library.BertLMHeadModel(config).eval()
    found = trace(model, inputs=inputs_of("bert"), batch_index=EXAMPLE)
    assert found.attention.causal
    with pytest.raises(ValueError, match="isn't added to the stream as it is"):
        measure(found, "logits")


def test_logits_that_are_changed_afterwards_are_refused(inputs_of: Any) -> None:
    """Catches a cap or a factor after the unembedding (Cohere, Granite), which is passed by."""
    model = writer("llama", "LlamaForCausalLM")

    def scale(_module: Any, _args: Any, output: Any) -> Any:
        output.logits = output.logits / 8
        return output

    model.register_forward_hook(scale)
    found = trace(model, inputs=inputs_of("llama"), batch_index=EXAMPLE)
    with pytest.raises(ValueError, match="changed after the unembedding"):
        measure(found, "logits")


def test_what_has_no_logits_is_refused_without_a_pass(tiny_model: Any, inputs_of: Any) -> None:
    for family, reason in (
        ("llama", "no unembedding"),
        ("bert", "one decoder"),
        ("bart", "one decoder"),
    ):
        model = tiny_model(family)
        found = trace(model, inputs=inputs_of(family), batch_index=EXAMPLE)
        assert reason in available(found)["logits"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_a_sum_is_told_from_what_is_none(
    dtype: torch.dtype, inputs_of: Any
) -> None:
    """Catches a tolerance that rounding breaks, or that lets a norm after the attention pass."""
    model = writer("llama", "LlamaForCausalLM").to(dtype)
    found = trace(model, inputs=inputs_of("llama"), batch_index=EXAMPLE)
    _, wide, _ = read("llama", inputs_of)
    token = 9
    shown, expected = (
        measure(it, "logits", target=token).attention.matrix(1, 2) for it in (found, wide)
    )
    np.testing.assert_allclose(shown, expected, rtol=0, atol=0.05 * np.abs(expected).max())
    model = writer("gemma3", "Gemma3ForCausalLM").to(dtype)
    found = trace(model, inputs=inputs_of("gemma3"), batch_index=EXAMPLE)
    with pytest.raises(ValueError, match="isn't added to the stream as it is"):
        measure(found, "logits")

"""Norms of what heads move, held to vectors that are made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import Trace, trace
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.words import WordAttention
from attention_explorer.flow import factors, measure
from attention_explorer.flow.norms import why_not_summed
from attention_explorer.flow.values import read_values
from tests.tracing.families import FAMILIES
from tests.tracing.test_left_as_found import state_of

from .conftest import keeping, kept, module_at, outputs_of, traced

HEADS, SIZE, WIDTH = 4, 8, 32
# Where each family makes values, and by what it projects them; both (out, in) but for GPT-2's.
BY_HAND = {
    ("bert", "encoder"): (
        "encoder.layer.{}.attention.self.value",
        "encoder.layer.{}.attention.output.dense",
    ),
    ("gpt2", "decoder"): ("h.{}.attn.c_attn", "h.{}.attn.c_proj"),
    ("llama", "decoder"): ("layers.{}.self_attn.v_proj", "layers.{}.self_attn.o_proj"),
    ("gpt_oss", "decoder"): ("layers.{}.self_attn.v_proj", "layers.{}.self_attn.o_proj"),
    ("t5", "decoder"): (
        "decoder.block.{}.layer.0.SelfAttention.v",
        "decoder.block.{}.layer.0.SelfAttention.o",
    ),
    ("t5", "cross"): (
        "decoder.block.{}.layer.1.EncDecAttention.v",
        "decoder.block.{}.layer.1.EncDecAttention.o",
    ),
}


def moved_by_hand(
    family: str, kind: str, model: Any, inputs: Any, layer: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return f(x) = v W_O of each head and key, shape (heads, keys, D)."""
    values, projection = (path.format(layer) for path in BY_HAND[family, kind])
    (given,) = outputs_of(model, inputs, values)
    given = given[0, :, -WIDTH:] if family == "gpt2" else given[0]
    if kind != "decoder" or family != "t5":
        given = given[kept(inputs)]
    by_head = given.reshape(len(given), -1, SIZE).transpose(0, 1)
    by_head = by_head.repeat_interleave(HEADS // len(by_head), 0)
    weight = module_at(model, projection).weight.detach()
    weight = weight if family == "gpt2" else weight.T
    found: np.ndarray[Any, np.dtype[np.float64]] = (
        (by_head @ weight.reshape(HEADS, SIZE, WIDTH)).double().numpy()
    )
    return found


@pytest.mark.parametrize(("family", "kind"), BY_HAND)
def test_norms_are_weights_times_the_length_of_what_is_moved(
    family: str, kind: str, tiny_model: Any, inputs_of: Any
) -> None:
    """Catches a projection of another head, of its rows for its columns, of the wrong key head."""
    model, found, inputs = traced(family, tiny_model, inputs_of)
    weights = found[kind].attention
    norms, summed = (measure(found, name, kind).attention for name in ("norms", "norms summed"))
    assert (summed.n_heads, norms.n_heads) == (1, HEADS)
    for layer in range(weights.n_layers):
        moved = moved_by_hand(family, kind, model, inputs, layer)
        own = np.stack([weights.matrix(layer, head) for head in range(HEADS)])
        vectors = own[..., None] * moved[:, None]
        expected = np.linalg.norm(vectors, axis=-1)
        shown = np.stack([norms.matrix(layer, head) for head in range(HEADS)])
        np.testing.assert_allclose(shown, expected, rtol=2e-5, atol=2e-6)
        together = np.linalg.norm(vectors.sum(0), axis=-1)
        np.testing.assert_allclose(summed.matrix(layer, 0), together, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "qwen3_next"])
def test_all_that_heads_move_is_what_the_projection_gives(
    family: str, tiny_model: Any, inputs_of: Any
) -> None:
    """The fact of Kobayashi et al.; catches a map that isn't the one the attention goes to."""
    model, found, inputs = traced(family, tiny_model, inputs_of)
    for kind in found.kinds:
        attention = found[kind].attention
        layers, checked = read_values(attention, kind, found.live)
        assert len(layers) == attention.n_layers
        assert len(checked.differences) == len(layers)
        assert checked.ok
        for i, layer in enumerate(layers):
            total = torch.zeros(attention.n_queries, layer.weight.shape[-1], dtype=layer.dtype)
            for head in range(attention.n_heads):
                weights = torch.from_numpy(attention.matrix(i, head)).to(layer.dtype)
                total += weights @ layer.moved(head, slice(None))
            if layer.bias is not None:
                total += layer.bias
            (given,) = outputs_of(model, inputs, layer.name)
            if family == "albert":
                continue  # one module for all layers: its last output is the last layer's
            given = given.reshape(-1, given.shape[-1])
            if len(given) != attention.n_queries:
                given = given[kept(inputs)]
            difference = float((total - given).abs().max() / given.abs().max())
            assert difference < (1e-5 if layer.dtype == torch.float32 else 1e-6)


def test_what_is_asked_for_in_parts_is_the_same_as_whole(tiny_model: Any, inputs_of: Any) -> None:
    """Catches factors of other keys: of a tile that begins elsewhere, of rows, of columns."""
    _, found, _ = traced("bart", tiny_model, inputs_of)
    for name in ("norms", "norms summed"):
        attention = measure(found, name, "cross").attention
        assert (attention.n_queries, attention.n_keys) == (6, 7)
        head = attention.n_heads - 1
        whole = attention.matrix(1, head)
        np.testing.assert_array_equal(
            attention.tile(1, head, slice(2, 5), slice(3, 7)), whole[2:5, 3:7]
        )
        np.testing.assert_allclose(attention.rows(1, [head], [5, 0])[0], whole[[5, 0]], rtol=1e-6)
        columns = attention.columns(1, [head], [6, 1])[0]
        np.testing.assert_allclose(columns, whole.T[[6, 1]], rtol=1e-6)
        pooled = attention.pooled(1, head, slice(0, 6), slice(0, 7), 3)
        expected = [[whole[i : i + 3, j : j + 3].max() for j in (0, 3, 6)] for i in (0, 3)]
        np.testing.assert_array_equal(pooled, expected)


def test_words_and_hidden_keys_apply_to_norms(tiny_model: Any, inputs_of: Any) -> None:
    """Catches a sum over a word's keys that is taken for a share of 1, and cut off there."""
    _, found, _ = traced("bert", tiny_model, inputs_of)
    norms = measure(found, "norms").attention
    whole = norms.matrix(2, 1)
    words = WordAttention(norms, (0, 0, 1, 2, 2, 2, 3), (0, 0, 1, 2, 2, 2, 3))
    assert words.matrix(2, 1)[2, 0] == pytest.approx(whole[3:6, :2].sum(1).mean(), rel=1e-5)
    hidden = HiddenAttention(norms, (0, 6), renormalise=True)
    np.testing.assert_allclose(hidden.row(2, 1, 4).sum(), whole[4].sum(), rtol=1e-5)
    assert hidden.hidden_mass(2, 1, [4]) == pytest.approx(whole[4, [0, 6]].sum(), rel=1e-5)


@pytest.mark.parametrize("name", ["norms", "norms summed", "logits"])
def test_of_many_numbers_the_scale_is_what_none_exceeds(
    name: Any, tiny_model: Any, inputs_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a scale that a long text's numbers, or the sums to a word's keys, go beyond."""
    from attention_explorer.flow import norms
    from tests.interventions.models import headed

    model = headed("llama")
    found = trace(model, inputs=inputs_of("llama"), batch_index=1)
    exact = measure(found, name).attention
    largest = max(
        float(np.abs(exact.matrix(layer, head)).max())
        for layer in range(exact.n_layers)
        for head in range(exact.n_heads)
    )
    assert exact.scale == pytest.approx(largest, rel=1e-6)
    for room in (factors, norms):
        monkeypatch.setattr(room, "READ_FOR_SCALE", 0)
    bounded = measure(found, name).attention
    assert largest <= bounded.scale < 40 * largest
    words = WordAttention(bounded, (0, 0, 1, 1, 1, 2, 2), (0, 0, 0, 0, 1, 1, 1))
    assert words.scale <= bounded.scale
    for layer in range(words.n_layers):
        for head in range(words.n_heads):
            assert np.abs(words.matrix(layer, head)).max() <= words.scale


def test_notes_say_what_a_number_is(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("gpt_oss", tiny_model, inputs_of)
    shown = measure(found, "norms")
    assert "|A f(x)|" in shown.attention.notes[0]
    assert "Rows don't sum to 1" in shown.attention.notes[0]
    assert any(
        note.startswith("Of the weights: Rows sum to less") for note in shown.attention.notes
    )
    assert shown.tokens is found.tokens
    assert shown.check is not None
    assert "projection" in shown.check.compared


def test_an_adapter_of_the_projection_counts(tiny_model: Any, inputs_of: Any) -> None:
    """Catches a weight that is read off the layer beneath a LoRA adapter."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(target_modules=["dense"], r=2, lora_alpha=8, init_lora_weights=False)
    model = tiny_model("bert")
    plain = measure(trace(model, inputs=inputs_of("bert"), batch_index=1), "norms").attention
    adapted: Any = get_peft_model(model, config).eval()
    found = trace(adapted, inputs=inputs_of("bert"), batch_index=1)
    shown = measure(found, "norms").attention
    merged = adapted.merge_and_unload().eval()
    expected = measure(trace(merged, inputs=inputs_of("bert"), batch_index=1), "norms").attention
    np.testing.assert_allclose(shown.matrix(0, 2), expected.matrix(0, 2), rtol=1e-4)
    assert np.abs(shown.matrix(0, 2) / plain.matrix(0, 2) - 1).max() > 0.05


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_worked_out_in_float32(
    dtype: torch.dtype, tiny_model: Any, inputs_of: Any
) -> None:
    """Catches norms that are summed in 16 bits, and a check that takes rounding for a mistake."""
    _, wide, _ = traced("llama", tiny_model, inputs_of)
    model = tiny_model("llama").to(dtype)
    found = trace(model, inputs=inputs_of("llama"), batch_index=1)
    shown, expected = (measure(it, "norms").attention.matrix(0, 1) for it in (found, wide))
    np.testing.assert_allclose(shown, expected, rtol=0.1, atol=0.02)


def test_a_gate_before_the_projection_is_refused_by_name(tiny_model: Any, inputs_of: Any) -> None:
    """Then the output is no sum over keys of anything that depends on the key alone."""
    _, found, _ = traced("qwen3_next", tiny_model, inputs_of)
    with pytest.raises(ValueError, match=r"layers\.1\.self_attn.*a gate, a norm"):
        measure(found, "norms")


def test_a_norm_in_the_place_of_the_projection_is_refused(tiny_model: Any, inputs_of: Any) -> None:
    """Catches that whatever takes the attention's output is held for a linear map."""
    model = tiny_model("llama")
    for layer in model.layers:
        projection = layer.self_attn.o_proj
        layer.self_attn.o_proj = torch.nn.Sequential(torch.nn.LayerNorm(WIDTH), projection)
    found = trace(model, inputs=inputs_of("llama"), batch_index=1)
    with pytest.raises(ValueError, match=r"o_proj.*isn't linear"):
        measure(found, "norms")


def test_a_dropout_before_the_projection_is_passed_by(tiny_model: Any, inputs_of: Any) -> None:
    """Switched off it gives what it takes: as linear as anything, and no projection."""
    model = tiny_model("llama")
    expected = measure(trace(model, inputs=inputs_of("llama"), batch_index=1), "norms").attention
    for layer in model.layers:
        projection = layer.self_attn.o_proj
        layer.self_attn.o_proj = torch.nn.Sequential(torch.nn.Dropout(0.1), projection)
    model.eval()
    shown = measure(trace(model, inputs=inputs_of("llama"), batch_index=1), "norms").attention
    np.testing.assert_allclose(shown.matrix(1, 1), expected.matrix(1, 1), rtol=1e-5)


@pytest.mark.parametrize("name", ["norms", "relevance", "logits"])
def test_a_model_that_changed_since_is_refused(name: Any, inputs_of: Any) -> None:
    """Catches weights of one model times values of another, which nothing on screen would tell."""
    from tests.interventions.models import headed

    model = headed("llama")
    found = trace(model, inputs=inputs_of("llama"), batch_index=1)
    with torch.no_grad():
        model.model.layers[1].self_attn.q_proj.weight.mul_(1.5)
    with pytest.raises(ValueError, match="changed since it was traced"):
        measure(found, name)


def test_without_a_model_it_says_so(tiny_model: Any, inputs_of: Any) -> None:
    model = tiny_model("bert")
    found = trace(model, inputs=inputs_of("bert"), batch_index=1)
    with pytest.raises(ValueError, match="has no model"):
        measure(replace(found, _live=None), "norms")
    del model
    with pytest.raises(ValueError, match="the model is gone"):
        measure(found, "norms")


@pytest.mark.parametrize("name", ["norms", "norms summed", "relevance", "logits"])
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_it_was_found(name: Any, fails: bool, inputs_of: Any) -> None:
    """Catches hooks that stay, a mode that isn't switched back, gradients that pile up."""
    from tests.interventions.models import headed

    model = headed("gpt2").train()
    found = trace(model, inputs=inputs_of("gpt2"), batch_index=1)
    before = state_of(model)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    if fails:
        hook = model.transformer.ln_f.register_forward_pre_hook(fail)
        with pytest.raises(KeyboardInterrupt):
            measure(found, name)
        hook.remove()
    else:
        with torch.inference_mode():
            measure(found, name)
    assert state_of(model) == before
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_would_take_too_much_is_refused_beforehand(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("bert", tiny_model, inputs_of)
    assert why_not_summed(found.attention) == ""

    class Long:
        n_layers, n_heads, n_keys = 32, 32, 16_384

    assert "2.0 GiB" in why_not_summed(Long())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> Trace:
    from attention_explorer import demo_model

    model, tokenizer = demo_model()
    return keeping(trace(model, tokenizer, "The cat sat on the mat because it was tired."), model)


def test_special_tokens_have_large_weights_and_move_little(demo: Trace) -> None:
    """The claim of Kobayashi et al. on a real model: the reason for which norms are shown."""
    special = np.array(demo.tokens.special)
    assert special.sum() == 2

    def share(attention: Any) -> float:
        """Return how much of all rows goes to special tokens, mean over heads and layers."""
        sums = [
            attention.matrix(layer, head)[:, special].sum() / attention.matrix(layer, head).sum()
            for layer in range(attention.n_layers)
            for head in range(attention.n_heads)
        ]
        return float(np.mean(sums))

    weights, norms = share(demo.attention), share(measure(demo, "norms").attention)
    assert weights > 2 / len(special)
    assert norms < 0.6 * weights

"""Relevance, held to gradients of the library's eager attentions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import Trace, trace
from attention_explorer.flow import available, measure
from attention_explorer.flow.relevance import read_gradients
from tests.interventions.models import HEADS, headed

from .conftest import EXAMPLE, alone, exact, keeping, kept

Chosen = Callable[[Any], torch.Tensor]


def best(row: torch.Tensor) -> torch.Tensor:
    return row[int(row.argmax())]


# What is explained, as it is taken from the output of the example by itself; padding is last.
EXPLAINED: dict[str, tuple[dict[str, Any], Chosen]] = {
    "gpt2": ({}, lambda output: best(output.logits[0, 6])),
    "llama": ({}, lambda output: best(output.logits[0, 6])),
    "bloom": ({}, lambda output: best(output.logits[0, 6])),
    "labels": ({}, lambda output: best(output.logits[0])),
    "several": ({"target": "LABEL_1"}, lambda output: output.logits[0, 1]),
    "causal labels": ({"target": 2}, lambda output: output.logits[0, 2]),
    "masked": ({"at": 3, "target": 9}, lambda output: output.logits[0, 3, 9]),
    "token labels": ({"at": 2}, lambda output: best(output.logits[0, 2])),
    "images": ({}, lambda output: best(output.logits[0])),
}


def positive(weights: torch.Tensor, gradient: torch.Tensor) -> Any:
    """Return the mean over heads of weight times gradient, where that is above 0."""
    return (weights * gradient)[0].detach().clamp(min=0).mean(0).numpy()


def example(which: str, inputs_of: Any) -> tuple[Any, Trace, Any]:
    """Return an eager model, its trace, and what it is given."""
    family = HEADS[which][1]
    model, inputs = exact(family, headed(which, "eager"), inputs_of(family))
    found = trace(model, inputs=inputs, batch_index=EXAMPLE)
    return model, keeping(found, model), alone(inputs)


@pytest.mark.parametrize("which", EXPLAINED)
def test_relevance_is_what_autograd_says_of_eager_attentions(which: str, inputs_of: Any) -> None:
    """Catches another output, a gradient of another head, products in another order."""
    options, chosen = EXPLAINED[which]
    model, found, inputs = example(which, inputs_of)
    output = model(**inputs, output_attentions=True)
    gradients = torch.autograd.grad(chosen(output), output.attentions)
    places = kept(inputs) if "attention_mask" in inputs else torch.arange(len(found.tokens))
    shown = measure(found, "relevance", **options).attention
    assert (shown.n_layers, shown.n_heads) == (found.attention.n_layers, 1)
    mine = read_gradients(found, options.get("target"), options.get("at"))
    expected = np.eye(len(places))
    for layer, (weights, gradient) in enumerate(zip(output.attentions, gradients, strict=True)):
        own, its = (it[0].detach()[:, places][..., places].numpy() for it in (weights, gradient))
        for head in range(len(own)):
            readable = own[head] > 0  # a weight that can't be has no gradient that matters
            np.testing.assert_allclose(
                mine.by_weight(layer, head)[readable], its[head][readable], rtol=1e-5, atol=1e-7
            )
        expected = expected + np.maximum(own * its, 0).mean(0) @ expected
        np.testing.assert_allclose(shown.matrix(layer, 0), expected, rtol=1e-5, atol=1e-7)
        assert shown.matrix(layer, 0).min() >= 0
        assert np.diag(shown.matrix(layer, 0)).min() >= 1
    assert np.abs(expected - np.eye(len(places))).max() > 1e-3


def test_an_answer_is_explained_by_its_start_and_end(tokenizer: Any) -> None:
    model = headed("answer", "eager").double()
    found = keeping(trace(model, tokenizer, "the cat sat", "the mat sat on the cat ."), model)
    shown = measure(found, "relevance")
    inputs = tokenizer("the cat sat", "the mat sat on the cat .", return_tensors="pt")
    output = model(**inputs, output_attentions=True)
    context = [i for i, segment in enumerate(found.tokens.segment) if segment == 1]
    start, end = max(
        ((i, j) for i in context for j in context if i <= j),
        key=lambda span: (output.start_logits[0, span[0]] + output.end_logits[0, span[1]]).item(),
    )
    words = found.tokens.text[start : end + 1]
    assert f"start + end of the answer “{' '.join(words)}”" in shown.attention.notes[0]
    number = output.start_logits[0, start] + output.end_logits[0, end]
    gradients = torch.autograd.grad(number, output.attentions)
    expected = np.eye(len(found.tokens))
    for weights, gradient in zip(output.attentions, gradients, strict=True):
        expected = expected + positive(weights, gradient) @ expected
    np.testing.assert_allclose(shown.attention.matrix(2, 0), expected, rtol=1e-5, atol=1e-7)


def test_sinks_windows_and_grouped_keys_are_in_it(inputs_of: Any) -> None:
    """In float32, as the family has it; the sink takes weight that has no gradient of its own."""
    import transformers

    from tests.tracing.families import FAMILIES

    library: Any = transformers
    config = library.GptOssConfig(**FAMILIES["gpt_oss"][1])
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    model = library.GptOssForCausalLM(config).eval()
    inputs = inputs_of("gpt_oss")
    found = trace(model, inputs=inputs, batch_index=EXAMPLE)
    shown = measure(found, "relevance").attention
    output = model(**alone(inputs), output_attentions=True)
    gradients = torch.autograd.grad(best(output.logits[0, 6]), output.attentions)
    expected = np.eye(7)
    for weights, gradient in zip(output.attentions, gradients, strict=True):
        expected = expected + positive(weights, gradient)[:7, :7] @ expected
    np.testing.assert_allclose(shown.matrix(2, 0), expected, rtol=1e-3, atol=1e-5)


def test_what_is_explained_is_said(tokenizer: Any) -> None:
    model = headed("gpt2", vocab_size=10)
    found = keeping(trace(model, tokenizer, "the cat sat on the mat"), model)
    shown = measure(found, "relevance", target="cat")
    assert "for the logit of “cat” after “[SEP]” (7)" in shown.attention.notes[0]
    shown = measure(found, "relevance", at=2)
    assert "after “cat” (2)" in shown.attention.notes[0]


def test_what_has_no_number_to_explain_is_refused_without_a_pass(
    tiny_model: Any, inputs_of: Any
) -> None:
    for family, reason in (
        ("bert", "returns representations"),
        ("bart", "through an encoder and its decoder"),
        ("clip", "models of texts and images"),
    ):
        model = tiny_model(family)
        found = trace(model, inputs=inputs_of(family), batch_index=EXAMPLE)
        assert reason in available(found)["relevance"]
        with pytest.raises(ValueError, match=reason):
            measure(found, "relevance")


def test_a_target_that_cannot_be_is_refused(inputs_of: Any) -> None:
    _, found, _ = example("labels", inputs_of)
    with pytest.raises(ValueError, match="no label"):
        measure(found, "relevance", target="nonsense")
    with pytest.raises(ValueError, match="target= is for relevance and logits, not for norms"):
        measure(found, "norms", target=1)
    with pytest.raises(ValueError, match="at= is for relevance, not for rollout"):
        measure(found, "rollout", at=1)
    _, found, _ = example("masked", inputs_of)
    with pytest.raises(ValueError, match="say with at="):
        measure(found, "relevance")

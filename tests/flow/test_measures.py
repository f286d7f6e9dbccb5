"""The door: what there is, without a pass; what was worked out is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from attention_explorer import Trace, trace
from attention_explorer.attention import dense_attention
from attention_explorer.flow import available, measure
from attention_explorer.flow.measures import MEASURES, Measures
from attention_explorer.protocol import Measure
from attention_explorer.runs import StoppedError
from attention_explorer.tracing import Kind, Tokens
from tests.interventions.models import headed
from tests.tracing.families import FAMILIES

from .conftest import EXAMPLE, traced


def passes(model: Any) -> list[int]:
    """Count the passes of a model from now on."""
    seen: list[int] = []
    model.register_forward_hook(lambda *_: seen.append(1))
    return seen


def test_every_measure_of_the_wire_is_there() -> None:
    assert tuple(MEASURES) == get_args(Measure)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_there_is_is_known_without_a_pass(
    family: str, tiny_model: Any, inputs_of: Any
) -> None:
    """Catches that opening an explorer costs a pass for what nobody has asked for yet."""
    model, found, _ = traced(family, tiny_model, inputs_of)
    seen = passes(model)
    for kind in found.kinds:
        said = available(found, kind)
        assert tuple(said) == tuple(MEASURES)
        assert said["weights"] == said["norms"] == said["norms summed"] == ""
        assert bool(said["rollout"]) == (kind == "cross" or family == "qwen3_next")
    assert seen == []


def test_what_was_worked_out_is_worked_out_once(inputs_of: Any) -> None:
    model = headed("llama")
    found = trace(model, inputs=inputs_of("llama"), batch_index=EXAMPLE)
    measures = Measures(found)
    seen = passes(model)
    assert not measures.has("decoder", "norms")
    shares: list[float] = []
    first = measures.of("decoder", "norms", shares.append)
    assert len(seen) == 1
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1
    assert measures.of("decoder", "norms") is first
    assert measures.has("decoder", "norms")
    assert measures.of("decoder", "weights") is found.kinds["decoder"]
    assert len(seen) == 1


def test_what_was_refused_is_known_from_then_on(tiny_model: Any, inputs_of: Any) -> None:
    """Else a person would be offered it again, and wait for another pass."""
    _, found, _ = traced("qwen3_next", tiny_model, inputs_of)
    measures = Measures(found)
    assert measures.available("decoder")["norms"] == ""
    with pytest.raises(ValueError, match="a gate"):
        measures.of("decoder", "norms")
    assert "a gate" in measures.available("decoder")["norms"]
    assert measures.available("decoder")["weights"] == ""


def test_what_was_given_up_is_not_refused(inputs_of: Any) -> None:
    """Catches that a person who changed their mind once is never offered it again."""
    model = headed("llama")
    measures = Measures(trace(model, inputs=inputs_of("llama"), batch_index=EXAMPLE))

    def stop(share: float) -> None:
        raise StoppedError

    for name in ("norms", "norms summed", "relevance", "logits", "rollout"):
        with pytest.raises(StoppedError):
            measures.of("decoder", name, stop)
    assert set(measures.available("decoder").values()) == {""}


def test_a_kind_keeps_all_but_its_numbers(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("bart", tiny_model, inputs_of)
    shown = measure(found, "norms", "cross")
    own = found.kinds["cross"]
    assert (shown.tokens, shown.key_tokens) == (own.tokens, own.key_tokens)
    assert shown.attention.layer_numbers == own.attention.layer_numbers
    assert measure(found, "norms").attention.n_keys == own.attention.n_keys, "the shown kind"
    assert measure(found, "weights", "cross") is own


def test_what_is_no_measure_or_kind_is_refused(tiny_model: Any, inputs_of: Any) -> None:
    _, found, _ = traced("bert", tiny_model, inputs_of)
    with pytest.raises(ValueError, match="no measure 'norm': use 'weights', 'norms'"):
        measure(found, "norm")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="'cross' is not a kind"):
        measure(found, "norms", "cross")


def test_arrays_and_files_have_rollout_alone() -> None:
    weights = np.full((2, 3, 5, 5), 0.2, np.float32)
    tokens = Tokens.from_strings(["a", "b", "c", "d", "e"])
    said = available(Trace({"": Kind(dense_attention(weights), tokens)}, "", "made up"))
    assert said["rollout"] == said["weights"] == ""
    assert "no model" in said["norms"]
    signed = Kind(dense_attention(-weights), tokens)
    said = available(Trace({"": signed}, "", "made up"))
    assert said["weights"] == ""
    assert all("below 0" in why for name, why in said.items() if name != "weights")


def test_a_text_that_was_generated_is_passed_whole(tokenizer: Any) -> None:
    """Catches a pass over the prompt alone, or one that gives logits for its last position only."""
    model = headed("llama", vocab_size=10)
    torch.manual_seed(0)
    found = trace.generate(model, tokenizer, "the cat sat", max_new_tokens=4, do_sample=True)
    assert len(found.steps) > 1
    for name in ("norms", "relevance", "logits"):
        shown = measure(found, name)
        assert shown.attention.n_queries == len(found.tokens)
        assert shown.steps == found.steps
        again = measure(replace(found, kind="decoder"), name).attention
        np.testing.assert_array_equal(again.matrix(1, 0), shown.attention.matrix(1, 0))

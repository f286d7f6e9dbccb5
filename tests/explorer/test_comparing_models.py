"""Comparing real models: a minimal pair, and a model before and after it was fine-tuned."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, demo_model, demo_qa_model, trace
from attention_explorer.interventions import AblateHead, measure

torch = pytest.importorskip("torch")

CAT = "The cat sat on the mat because it was tired."
DOG = "The dog sat on the mat because it was tired."
LONGER = "The hippopotamuses sat on the mat because they were tired."


@pytest.fixture(scope="module")
def before() -> tuple[Any, Any]:
    return _in_float64(*demo_model())


@pytest.fixture(scope="module")
def after() -> tuple[Any, Any]:
    return _in_float64(*demo_qa_model())


def _in_float64(model: Any, tokenizer: Any) -> tuple[Any, Any]:
    """Backends differ by what a processor rounds, six layers deep; in float64 they don't."""
    return model.double(), tokenizer


def eager(model: Any, tokenizer: Any, text: str) -> npt.NDArray[np.float32]:
    """Return the model's own attentions, (layers, heads, n, n)."""
    backend = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.no_grad():
        given = tokenizer(text, return_tensors="pt").to(model.device)
        found = model(**given, output_attentions=True).attentions
    model.set_attn_implementation(backend)
    weights: npt.NDArray[np.float32] = torch.cat(found).float().cpu().numpy()
    return weights


def test_a_minimal_pair_in_one_call(before: tuple[Any, Any]) -> None:
    explorer = AttentionExplorer.compare(trace(*before, CAT), trace(*before, DOG))
    expected = eager(*before, DOG) - eager(*before, CAT)
    for layer, head in np.ndindex(6, 12):
        np.testing.assert_allclose(explorer.weights(layer, head), expected[layer, head], atol=2e-6)
    assert explorer.tokens.text[2] == "cat → dog"
    assert explorer.attention.notes == (
        "“second” less “first”: above 0 where “second” reads more.",
    )
    most = explorer.differences()["js"].idxmax()
    assert (explorer.layer, explorer.heads[0]) == most


def test_before_and_after_fine_tuning_on_one_text(
    before: tuple[Any, Any], after: tuple[Any, Any]
) -> None:
    """Two models whose rows are alike in shape: a difference the wrong way round has its sign."""
    explorer = AttentionExplorer.compare(
        trace(*before, CAT), trace(*after, CAT), names=("before", "after")
    )
    expected = eager(*after, CAT) - eager(*before, CAT)
    assert np.abs(expected).max() > 0.3
    for layer, head in np.ndindex(6, 12):
        np.testing.assert_allclose(explorer.weights(layer, head), expected[layer, head], atol=2e-6)
    assert not any("→" in text for text in explorer.tokens.text)
    assert len(explorer.tokens) == 13
    assert explorer._description["model"].count(" and ") == 1


def test_a_word_of_other_pieces_stands_opposite_as_one(before: tuple[Any, Any]) -> None:
    explorer = AttentionExplorer.compare(trace(*before, CAT), trace(*before, LONGER))
    assert "cat → hippopotamuses" in explorer.tokens.text
    assert "it → they" in explorer.tokens.text
    assert len(explorer.tokens) == 13


def test_what_a_model_moves_is_compared_too(before: tuple[Any, Any]) -> None:
    first, second = trace(*before, CAT), trace(*before, DOG)
    explorer = AttentionExplorer.compare(first, second, measure="norms")
    sides = [AttentionExplorer(side, measure="norms").weights(3, 1) for side in (first, second)]
    np.testing.assert_allclose(explorer.weights(3, 1), sides[1] - sides[0], atol=1e-6)
    assert explorer._description["number"] == "difference of |Af|"


def test_each_side_can_be_run_again(before: tuple[Any, Any]) -> None:
    explorer = AttentionExplorer.compare(trace(*before, CAT), trace(*before, DOG))
    explorer.kind = "second"
    assert explorer.trace is not None
    assert explorer.trace.text == DOG
    effect = explorer.intervene(AblateHead(5, 4))
    alone = measure(explorer.traces[1], AblateHead(5, 4))
    assert effect.change.mean_cosine == alone.change.mean_cosine
    assert effect.change.mean_cosine is not None
    assert effect.change.mean_cosine > 0

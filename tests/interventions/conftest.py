from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch

from attention_explorer import Trace
from attention_explorer.interventions import Edit
from attention_explorer.interventions.altering import Altering
from attention_explorer.interventions.meant import meant
from attention_explorer.interventions.replacing import replaced
from tests.tracing.conftest import inputs_of, padded_inputs, tiny_model, tokenizer

__all__ = ["inputs_of", "padded_inputs", "tiny_model", "tokenizer"]


@pytest.fixture(scope="session")
def edited() -> Callable[..., Any]:
    """Return a function that gives a traced model's whole output with edits."""

    def run(traced: Trace, *edits: Edit) -> Any:
        done = meant(traced, edits)
        inputs = replaced(traced, done.replacements)
        with torch.no_grad():
            return traced.live.run(Altering(traced.live, [done]), inputs=inputs)

    return run


def states_of(output: Any) -> dict[str, torch.Tensor]:
    """Return the numbers of an output by name."""
    return {
        name: value
        for name, value in output.items()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
    }


def difference(first: Any, second: Any, kept: Iterable[int] | None = None) -> float:
    """Return how far two outputs are from each other, over the largest number of each tensor."""
    ours, theirs = states_of(first), states_of(second)
    assert ours.keys() == theirs.keys()
    assert ours
    worst = 0.0
    for name, own in ours.items():
        other = theirs[name]
        if kept is not None and own.ndim == 3:
            own, other = own[:, list(kept)], other[:, list(kept)]
        assert bool((own.isfinite() & other.isfinite()).all()), "nan would be no difference"
        worst = max(worst, float((own - other).abs().max() / other.abs().max()))
    return worst

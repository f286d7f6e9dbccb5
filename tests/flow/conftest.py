from __future__ import annotations

from typing import Any

import torch

from attention_explorer import Trace, trace
from tests.tracing.conftest import Inputs, inputs_of, padded_inputs, tiny_model, tokenizer
from tests.tracing.families import EAGER_ONLY

__all__ = ["inputs_of", "padded_inputs", "tiny_model", "tokenizer"]

# Their own operations take no float64.
FLOAT32 = ("gpt_oss", "qwen3_next")
# The example with 4 positions of padding.
EXAMPLE = 1


def backend_of(family: str) -> str:
    return "eager" if family in EAGER_ONLY else "sdpa"


def exact(family: str, model: Any, inputs: Inputs) -> tuple[Any, Inputs]:
    """Return both in float64, where the family can: rounding then hides no mistake."""
    if family in FLOAT32:
        return model, inputs
    wide = {name: it.double() if it.is_floating_point() else it for name, it in inputs.items()}
    return model.double(), wide


def traced(family: str, tiny_model: Any, inputs_of: Any) -> tuple[Any, Trace, Inputs]:
    """Return a tiny model, the trace of its padded example, and what the model is given for it."""
    model, inputs = exact(family, tiny_model(family, backend_of(family)), inputs_of(family))
    found = trace(model, inputs=inputs, batch_index=EXAMPLE)
    return model, keeping(found, model), alone(inputs)


def keeping(found: Trace, model: Any) -> Trace:
    """Return a trace that keeps its model, which else somebody has to."""
    found.live.kept["model"] = model
    return found


def alone(inputs: Inputs) -> Inputs:
    """Return the traced example by itself."""
    return {name: it[EXAMPLE : EXAMPLE + 1] for name, it in inputs.items()}


def kept(inputs: Inputs, side: str = "attention_mask") -> torch.Tensor:
    """Return the positions of one example that are no padding."""
    return inputs[side][0].nonzero()[:, 0]


def module_at(model: Any, path: str) -> Any:
    return dict(model.named_modules())[path]


def outputs_of(model: Any, inputs: Inputs, *paths: str) -> list[torch.Tensor]:
    """Return what modules give in a pass of their own."""
    found: dict[str, torch.Tensor] = {}

    def note(path: str) -> Any:
        def hook(_module: Any, _args: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            # Some add to it in place.
            found[path] = first.detach().clone()

        return hook

    handles = [module_at(model, path).register_forward_hook(note(path)) for path in paths]
    with torch.no_grad():
        model(**inputs)
    for handle in handles:
        handle.remove()
    return [found[path] for path in paths]

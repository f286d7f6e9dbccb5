"""A small real trace that ships with the package, so that a first look needs no model and no torch.

``python -m attention_explorer.demo`` makes the file anew with the demo model.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from .attention import dense_attention
from .tracing import Kind, Tokens, Trace, demo_model, trace

DATA = Path(__file__).parent / "data" / "demo.npz"
TEXT = "The cat sat on the mat because it was tired."


def demo_trace() -> Trace:
    """Return the trace of all-MiniLM-L6-v2 on "The cat sat on the mat because it was tired."."""
    with np.load(DATA, allow_pickle=False) as file:
        weights = file["weights"]
        about = json.loads(str(file["about"]))
    attention = dense_attention(weights, source=about["source"])
    return Trace(
        kinds={"encoder": Kind(attention, _tokens(about["tokens"]))},
        kind="encoder",
        model_name=about["model_name"],
        text=about["text"],
    )


def write_demo_trace(path: Path = DATA) -> None:
    """Trace the demo model and write what `demo_trace` reads: float32 weights and the tokens."""
    traced = trace(*demo_model(), TEXT)
    attention = traced.attention
    weights = [
        [attention.matrix(layer, head) for head in range(attention.n_heads)]
        for layer in range(attention.n_layers)
    ]
    about = {
        "model_name": traced.model_name,
        "text": TEXT,
        "source": traced.source,
        "tokens": {k: v for k, v in asdict(traced.tokens).items() if v is not None},
    }
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, weights=np.array(weights), about=json.dumps(about))


def _tokens(columns: dict[str, Any]) -> Tokens:
    """Return the tokens whose columns JSON has turned into lists."""
    frozen: dict[str, Any] = {name: tuple(column) for name, column in columns.items()}
    return Tokens(**{**frozen, "span": tuple(map(tuple, columns["span"]))})


if __name__ == "__main__":
    write_demo_trace()

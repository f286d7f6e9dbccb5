"""Explorers whose layers, heads, queries and keys are of different numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer.explorer import AttentionExplorer

Weights = npt.NDArray[np.float32]

HOSTILE = ["$x_1$", "\\frac{1}{2}", "漢字", "😀", "a_b^c", "<b>x</b>", "a\nb", "", "\x00", "שלום"]


@pytest.fixture(autouse=True)
def bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python's side be tested where the JavaScript wasn't built."""
    if not AttentionExplorer._esm:
        monkeypatch.setattr(AttentionExplorer, "_esm", "export default {}")


def softmax(layers: int, heads: int, queries: int, keys: int) -> Weights:
    """Random attention, the same each time."""
    scores = np.random.default_rng(0).normal(0, 2, (layers, heads, queries, keys))
    weights = np.exp(scores)
    rows: Weights = (weights / weights.sum(-1, keepdims=True)).astype(np.float32)
    return rows


@pytest.fixture
def weights() -> Weights:
    """3 layers x 4 heads, 10 queries x 7 keys."""
    return softmax(3, 4, 10, 7)


@pytest.fixture
def cross(weights: Weights) -> AttentionExplorer:
    """Queries with text that is markup elsewhere; keys that repeat."""
    keys = ["the", "cat", "the", "cat", "sat", ".", "the"]
    return AttentionExplorer(weights, HOSTILE, keys, layer=2, heads=3, model_name="m_$1$")


Explore = Callable[..., AttentionExplorer]


@pytest.fixture
def explore() -> Explore:
    """Make an explorer of so many tokens, 2 layers x 3 heads."""

    def make(tokens: int, **options: Any) -> AttentionExplorer:
        names = [f"t{i}" for i in range(tokens)]
        options = {"layer": 1, "heads": 2, **options}
        return AttentionExplorer(softmax(2, 3, tokens, tokens), names, **options)

    return make

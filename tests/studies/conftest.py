from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def softmax_of() -> Callable[..., Any]:
    """Return a function that makes random attention, shape (layers, heads, n, n)."""

    def make(layers: int, heads: int, n: int) -> Any:
        scores = np.random.default_rng(0).normal(0, 2, (layers, heads, n, n))
        weights = np.exp(scores)
        return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)

    return make

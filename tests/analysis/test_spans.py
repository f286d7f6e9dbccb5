from __future__ import annotations

import numpy as np
import pytest

from attention_explorer.analysis import spans
from attention_explorer.analysis.spans import span_mass, span_steps
from attention_explorer.attention import dense_attention


def test_mass_is_the_mean_over_queries_of_the_sum_over_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches a sum over queries, a stop that is counted in, and heads in the layers' place."""
    weights = np.random.default_rng(0).dirichlet(np.ones(11), (3, 2, 7)).astype(np.float32)
    attention = dense_attention(weights)
    expected = np.array(
        [
            [np.mean([sum(weights[l, h, q, k] for k in range(4, 9)) for q in (1, 2, 3, 4, 5)])]
            for l in range(3)  # noqa: E741
            for h in range(2)
        ]
    ).reshape(3, 2)
    assert span_mass(attention, (1, 6, 4, 9)) == pytest.approx(expected, abs=1e-6)
    # In several steps, as a long text is.
    monkeypatch.setattr(spans, "_CELLS", 2 * 11 * 2)
    assert len(list(span_steps(attention, (1, 6, 4, 9)))) == 3 * 3
    assert span_mass(attention, (1, 6, 4, 9)) == pytest.approx(expected, abs=1e-6)


def test_uniform_attention_has_lift_one_and_spans_of_all_keys_share_one() -> None:
    """The two facts that the ranking's baseline stands on."""
    attention = dense_attention(np.full((2, 3, 8, 10), 0.1, np.float32))
    assert span_mass(attention, (2, 5, 3, 7)) / (4 / 10) == pytest.approx(np.ones((2, 3)))
    parts = [span_mass(attention, (0, 8, a, b)) for a, b in ((0, 3), (3, 4), (4, 10))]
    assert sum(parts) == pytest.approx(np.ones((2, 3)))

"""Attention arrays of any library, and what is said of arrays that can't be shown."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqModelOutput

from attention_explorer.attention import DenseAttention, dense_attention

LAYERS, HEADS, QUERIES, KEYS = 2, 3, 5, 7
Array = npt.NDArray[Any]


def softmax(*shape: int) -> Array:
    scores = np.random.default_rng(0).normal(size=shape).astype(np.float32) * 2
    weights = np.exp(scores)
    normalised: Array = weights / weights.sum(-1, keepdims=True)
    return normalised


WEIGHTS = softmax(LAYERS, HEADS, QUERIES, KEYS)


class OnlyArray:
    def __init__(self, values: Array) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return self.values


class OnlyDLPack:
    def __init__(self, values: Array) -> None:
        self.values = values

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.values.__dlpack_device__()


FORMS: dict[str, Any] = {
    "one array": WEIGHTS,
    "one array with a batch": WEIGHTS[:, None],
    "tuple without batch": tuple(WEIGHTS),
    "list with batch": list(WEIGHTS[:, None]),
    "float64": WEIGHTS.astype(np.float64),
    "torch": tuple(torch.tensor(layer)[None] for layer in WEIGHTS),
    "torch that needs a gradient": tuple(torch.tensor(w, requires_grad=True) for w in WEIGHTS),
    "stacked torch": torch.tensor(WEIGHTS)[:, None],
    "__array__": OnlyArray(WEIGHTS),
    "__array__ layers": [OnlyArray(layer) for layer in WEIGHTS],
    "DLPack": OnlyDLPack(WEIGHTS),
    "DLPack layers": [OnlyDLPack(layer[None]) for layer in WEIGHTS],
    "nested lists": [layer.tolist() for layer in WEIGHTS],
    "model output": BaseModelOutput(attentions=tuple(torch.tensor(WEIGHTS)[:, None])),
    "dictionary": {"attentions": list(WEIGHTS)},
}


def everything(attention: DenseAttention) -> Array:
    layers, heads = range(attention.n_layers), range(attention.n_heads)
    return np.stack([[attention.matrix(layer, head) for head in heads] for layer in layers])


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str) -> None:
    """Queries != keys != heads != layers: a transposed axis can't hide."""
    attention = dense_attention(FORMS[form])
    assert np.array_equal(everything(attention), WEIGHTS)
    assert attention.layer_numbers == (0, 1)
    assert (attention.n_heads, attention.n_queries, attention.n_keys) == (3, 5, 7)
    assert (attention.scale, attention.signed, attention.causal) == (1.0, False, False)
    assert attention.notes == ()


@pytest.mark.parametrize(
    "low",
    [
        torch.tensor(WEIGHTS).to(torch.bfloat16),
        torch.tensor(WEIGHTS).to(torch.float16),
        WEIGHTS.astype(ml_dtypes.bfloat16),
        WEIGHTS.astype(np.float16),
    ],
    ids=["torch bfloat16", "torch float16", "numpy bfloat16", "numpy float16"],
)
def test_half_precision_is_exact_and_counts_as_normalised(low: Any) -> None:
    attention = dense_attention(low)
    exact = low.float().numpy() if isinstance(low, torch.Tensor) else low.astype(np.float32)
    assert np.array_equal(everything(attention), exact)
    assert attention.matrix(0, 0).dtype == np.float32
    assert attention.notes == ()


def test_float32_arrays_are_not_copied_but_answers_are() -> None:
    """512 tokens are 150 MB: a copy on the way in doubles it; a view on the way out corrupts it."""
    weights = WEIGHTS.copy()
    attention = dense_attention(weights)
    answers = [
        attention.rows(1, [2], [3]),
        attention.columns(1, [2], [3]),
        attention.tile(1, 2, slice(0, 9), slice(0, 9)),
        attention.pooled(1, 2, slice(0, 9), slice(0, 9), 1),
        attention.pooled(1, 2, slice(0, 9), slice(0, 9), 2),
    ]
    for answer in answers:
        answer[...] = 9
    assert np.array_equal(weights, WEIGHTS)
    weights[1, 2, 3, 4] = 0.125
    assert attention.tile(1, 2, slice(3, 4), slice(4, 5)) == 0.125


def test_rows_columns_and_tiles_are_the_matrix() -> None:
    attention = dense_attention(WEIGHTS)
    assert np.array_equal(attention.rows(1, [2, 0], [4, 1, 1]), WEIGHTS[1][[2, 0]][:, [4, 1, 1]])
    columns = WEIGHTS[1].transpose(0, 2, 1)
    assert np.array_equal(attention.columns(1, [0, 2], [6, 3]), columns[[0, 2]][:, [6, 3]])
    assert np.array_equal(attention.tile(0, 1, slice(2, 99), slice(3, 6)), WEIGHTS[0, 1, 2:, 3:6])
    assert attention.tile(0, 1, slice(5, 9), slice(0, 2)).shape == (0, 2)
    assert np.array_equal(attention.row(0, 1, 3), WEIGHTS[0, 1, 3])
    assert np.array_equal(attention.column(0, 1, 6), WEIGHTS[0, 1, :, 6])


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
@pytest.mark.parametrize("reduction", ["max", "mean"])
def test_pooled_cells_pool_what_they_have(factor: int, reduction: Any) -> None:
    """Border cells that are padded with zeros would be too small a mean."""
    pooled = dense_attention(WEIGHTS).pooled(1, 2, slice(1, 5), slice(0, 7), factor, reduction)
    block = WEIGHTS[1, 2, 1:5]
    expected = [
        [getattr(block[q : q + factor, k : k + factor], reduction)() for k in range(0, 7, factor)]
        for q in range(0, 4, factor)
    ]
    assert np.allclose(pooled, expected, atol=1e-7)


def test_the_signed_maximum_is_of_the_absolute_value() -> None:
    """A strongly negative cell would vanish behind a weakly positive neighbour."""
    signed = np.array([[[0.1, -0.9], [0.3, 0.2]]], np.float32)[None]
    attention = dense_attention(signed)
    assert attention.pooled(0, 0, slice(0, 2), slice(0, 2), 2) == np.float32(-0.9)
    assert attention.signed
    assert attention.scale == pytest.approx(0.9)
    assert "below 0 (the least is -0.9)" in attention.notes[0]
    assert "2 of 2 rows don't sum to 1 (sums from -0.8 to 0.5)" in attention.notes[1]


def test_sums_above_one_set_the_scale() -> None:
    attention = dense_attention(WEIGHTS * 4)
    assert attention.scale == pytest.approx(float(WEIGHTS.max()) * 4)
    assert "30 of 30 rows" in attention.notes[0]
    assert dense_attention(np.zeros((1, 1, 2, 2))).scale == 1.0


def test_causal_is_told_from_all_layers() -> None:
    weights = np.tril(softmax(LAYERS, HEADS, 5, 5))
    assert dense_attention(weights).causal
    weights[1, 2, 0, 1] = 1e-30
    assert not dense_attention(weights).causal
    assert not dense_attention(np.ones((1, 1, 1, 1))).causal


def test_a_batch_needs_a_choice() -> None:
    batch = np.stack([WEIGHTS, WEIGHTS[:, ::-1]], axis=1)
    assert np.array_equal(everything(dense_attention(batch, batch_index=1)), WEIGHTS[:, ::-1])
    with pytest.raises(ValueError, match=r"a batch of 2 examples: choose one with batch_index="):
        dense_attention(tuple(batch))
    with pytest.raises(ValueError, match=r"batch_index=2 is not in a batch of 2"):
        dense_attention(batch, batch_index=2)


def test_layer_numbers_are_the_models_own() -> None:
    assert dense_attention(WEIGHTS, layer_numbers=[3, 7]).layer_numbers == (3, 7)
    with pytest.raises(ValueError, match="1 entries for 2 layers"):
        dense_attention(WEIGHTS, layer_numbers=[3])


@pytest.mark.parametrize("empty", [None, (), [], BaseModelOutput(), {"attentions": None}])
def test_no_attentions_name_both_causes(empty: object) -> None:
    """sdpa returns an empty tuple, and outputs[-1] is the empty cross attentions."""
    with pytest.raises(ValueError, match=r"sdpa.*trace\(.*'eager'.*outputs\[-1\].*by name"):
        dense_attention(empty)


def odd(**places: float) -> Array:
    weights = WEIGHTS.copy()
    weights[1, 2, 3, 4] = places["value"]
    return weights


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [WEIGHTS[0], WEIGHTS[1, :, :4]],
            r"layer 1 has shape \(3, 4, 7\) and layer 0 .*\(3, 5, 7\)",
        ),
        ([WEIGHTS[0], WEIGHTS[1, :2]], "layer 1 has 2 heads and layer 0 has 3"),
        (odd(value=np.nan), "layer 1, head 2, query 3, key 4 is nan"),
        (odd(value=np.inf), "layer 1, head 2, query 3, key 4 is inf"),
        (WEIGHTS[0], r"got shape \(3, 5, 7\); one layer alone goes in a list"),
        ([WEIGHTS[0, 0]], r"layer 0 has shape \(5, 7\); expected \(batch, heads, queries, keys\)"),
        (WEIGHTS[:, :, :0], "an axis of length 0"),
        ([WEIGHTS[0], None], "layer 1 is None"),
        (
            Seq2SeqModelOutput(encoder_attentions=tuple(torch.tensor(WEIGHTS))),
            "no 'attentions' but encoder_attentions",
        ),
    ],
)
def test_what_cannot_be_shown_is_named(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dense_attention(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            (tuple(WEIGHTS), tuple(WEIGHTS)),
            r"generate\(\) returns one tuple of layers for each step",
        ),
        ("attentions", "got str"),
        (object(), "got object"),
        ([np.array([[["a"]]])], "layer 0 can't be read"),
        ([WEIGHTS[0] * 1j], "layer 0 can't be read"),
    ],
)
def test_what_is_no_array_is_named(given: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dense_attention(given)

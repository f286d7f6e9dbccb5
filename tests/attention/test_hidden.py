"""Attention with keys hidden: what is left is the base's, divided or not, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from attention_explorer.attention import Attention, DenseAttention, dense_attention, derived
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.attention.mixed import MixedAttention

LAYERS, HEADS, QUERIES, KEYS, SIZE = 2, 3, 37, 41, 5
FEW, MANY, EVERY = (0, 17, 40), tuple(range(0, KEYS, 2)), tuple(range(KEYS))
Array = npt.NDArray[Any]


def rebuilt(n_queries: int = QUERIES, n_keys: int = KEYS, **options: Any) -> QKAttention:
    generator = torch.Generator().manual_seed(4)
    layers = [
        LayerStates(
            torch.randn(HEADS, n_queries, SIZE, generator=generator),
            torch.randn(1, n_keys, SIZE, generator=generator),
            0.7,
            **options,
        )
        for _ in range(LAYERS)
    ]
    return QKAttention(layers, layer_numbers=[1, 4])


def causal(n: int) -> KeyIntervals:
    return KeyIntervals.causal(n, n, torch.device("cpu"))


BASES: dict[str, Any] = {
    "dense": lambda: dense_attention(whole(rebuilt()), layer_numbers=[1, 4]),
    "from queries and keys": rebuilt,
    "causal": lambda: rebuilt(QUERIES, QUERIES, mask=causal(QUERIES)),
    "learned sinks": lambda: rebuilt(sinks=torch.tensor([-1.0, 0.5, 2.0])),
}


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest) -> Attention:
    made: Attention = BASES[request.param]()
    return made


@pytest.fixture(params=[1, 3 * KEYS, 1 << 19], ids=["single rows", "3 rows", "whole"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived, "BLOCK_CELLS", request.param)


def whole(attention: Attention) -> Array:
    """Return all weights, (layers, heads, queries, keys)."""
    layers, heads = range(attention.n_layers), range(attention.n_heads)
    return np.array([[attention.matrix(layer, head) for head in heads] for layer in layers])


def by_hand(attention: Attention, keys: tuple[int, ...], renormalise: bool) -> Array:
    weights = whole(attention).astype(np.float64)
    sums = weights.sum(-1, keepdims=True)
    weights[..., list(keys)] = 0
    if renormalise:
        left = weights.sum(-1, keepdims=True)
        weights = np.where(left > 0, weights * sums / np.where(left > 0, left, 1), 0)
    return weights


def pooled_by_hand(block: Array, factor: int, reduction: str) -> Array:
    rows, columns = (range(0, length, factor) for length in block.shape)
    return np.array(
        [
            [getattr(block[i : i + factor, j : j + factor], reduction)() for j in columns]
            for i in rows
        ]
    )


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("keys", [(), FEW, MANY], ids=["none", "few", "many"])
def test_every_answer_is_of_the_same_matrix(
    base: Attention, keys: tuple[int, ...], renormalise: bool
) -> None:
    """A row that is divided in one answer and not in another would change under the mouse."""
    keys = tuple(key for key in keys if key < base.n_keys)
    expected = by_hand(base, keys, renormalise)

    def hidden() -> HiddenAttention:
        return HiddenAttention(base, keys, renormalise)

    def check(found: Array, theirs: Array) -> None:
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, theirs, atol=2e-6)

    check(hidden().rows(1, [2, 0], [30, 4, 4]), expected[1][[2, 0]][:, [30, 4, 4]])
    columns = expected[1].transpose(0, 2, 1)
    check(hidden().columns(1, [2, 0], [17, 5, 5]), columns[[2, 0]][:, [17, 5, 5]])
    check(hidden().tile(1, 2, slice(3, 99), slice(9, 30)), expected[1, 2, 3:, 9:30])
    check(hidden().matrix(0, 1), expected[0, 1])
    one = hidden()
    for part in ((slice(0, 99), slice(0, 99)), (slice(3, 30), slice(5, 38))):
        for reduction in ("max", "mean"):
            for factor in (1, 3, 5, 64):
                found = one.pooled(1, 2, *part, factor, reduction)
                check(found, pooled_by_hand(expected[1, 2][part], factor, reduction))
    for _ in one.prepare(0, 1, slice(2, 9)):
        pass
    check(one.columns(0, [1], [3])[0, 0], expected[0, 1, :, 3])


def test_what_is_hidden_and_what_is_left_are_the_row(base: Attention) -> None:
    hidden, row_sums = HiddenAttention(base, FEW[:2], False), whole(base).sum(-1)
    for _ in range(2):
        asked = [8, 30, 8]
        mass = hidden.hidden_mass(1, 2, asked)
        assert mass.shape == (3,)
        assert mass.dtype == np.float32
        left = hidden.rows(1, [2], asked)[0].sum(-1)
        np.testing.assert_allclose(mass + left, row_sums[1, 2, asked], atol=1e-6)
    np.testing.assert_allclose(
        hidden.hidden_mass(0, 1, range(QUERIES)),
        whole(base)[0, 1][:, list(FEW[:2])].sum(-1),
        atol=1e-6,
    )
    assert hidden.hidden_mass(0, 0, []).shape == (0,)


def test_the_mass_is_the_same_before_and_after_renormalising() -> None:
    """It is of what the model read; what was done to it afterwards is another matter."""
    base = rebuilt()
    divided = HiddenAttention(base, MANY, True)
    divided.pooled(1, 2, slice(0, QUERIES), slice(0, KEYS), 4)
    found = divided.hidden_mass(1, 2, range(QUERIES))
    again = HiddenAttention(base, MANY, False).hidden_mass(1, 2, range(QUERIES))
    np.testing.assert_allclose(found, again, atol=1e-6)


@pytest.mark.parametrize("case", BASES)
def test_renormalised_rows_sum_to_what_they_summed_to(case: str) -> None:
    """With learned sinks that is less than 1: their share stays what it was."""
    base = BASES[case]()
    hidden = HiddenAttention(base, FEW[1:2], True)
    np.testing.assert_allclose(whole(hidden).sum(-1), whole(base).sum(-1), atol=1e-5)
    assert (case == "learned sinks") == bool((whole(base).sum(-1) < 0.99).any())


def test_uniform_rows_stay_uniform_over_what_is_left() -> None:
    uniform = np.full((1, 2, 5, 8), 1 / 8, np.float32)
    hidden = HiddenAttention(dense_attention(uniform), (0, 3, 7), True)
    expected = np.array([0, 1, 1, 0, 1, 1, 1, 0], np.float32) / 5
    np.testing.assert_allclose(hidden.matrix(0, 1), np.tile(expected, (5, 1)), rtol=1e-6)
    np.testing.assert_allclose(hidden.hidden_mass(0, 1, [2, 4]), [3 / 8, 3 / 8], rtol=1e-6)


def test_a_row_with_nothing_left_is_all_zeros() -> None:
    """Query 0 of a causal model reads key 0 alone: 0 / 0 would be NaN, which has no colour."""
    hidden = HiddenAttention(rebuilt(QUERIES, QUERIES, mask=causal(QUERIES)), (0,), True)
    assert not hidden.row(0, 1, 0).any()
    assert not hidden.tile(0, 1, slice(0, 1), slice(0, 9)).any()
    assert hidden.column(0, 1, 3)[0] == 0
    assert hidden.pooled(0, 1, slice(0, 1), slice(0, QUERIES), 4).max() == 0
    assert hidden.hidden_mass(0, 1, [0]) == pytest.approx(1)
    everything = HiddenAttention(rebuilt(), EVERY, True)
    assert not whole(everything).any()


def test_hardly_anything_left_is_divided_by_what_it_is() -> None:
    """1 - 0.9999999 has no digit right, and hides that the row reads the last two keys alike."""
    weights = np.array([[[[1 - 2e-8, 1e-8, 1e-8]]]], np.float32)
    hidden = HiddenAttention(dense_attention(weights), (0,), True)
    np.testing.assert_allclose(hidden.row(0, 0, 0), [0, 0.5, 0.5], rtol=1e-6)
    np.testing.assert_allclose(hidden.column(0, 0, 2), [0.5], rtol=1e-6)


def test_what_is_said_of_it_is_the_bases_and_what_was_done() -> None:
    base = rebuilt(QUERIES, QUERIES, mask=causal(QUERIES))
    base.notes = ("Rows are as they were.",)
    hidden = HiddenAttention(base, (3,), True, "Token 3 is hidden.")
    assert hidden.layer_numbers == (1, 4)
    assert (hidden.n_heads, hidden.n_queries, hidden.n_keys) == (HEADS, QUERIES, QUERIES)
    assert hidden.causal
    assert (hidden.scale, hidden.signed) == (1.0, False)
    assert hidden.source == base.source
    assert hidden.notes == ("Rows are as they were.", "Token 3 is hidden.")
    assert HiddenAttention(base, (3,), True).notes == base.notes


def test_weights_below_0_can_be_hidden_but_not_divided() -> None:
    signed = dense_attention(np.array([[[[0.2, -0.6, 0.4], [0.1, 0.1, -0.1]]]], np.float32))
    hidden = HiddenAttention(signed, (2,), False)
    assert hidden.signed
    assert hidden.scale == pytest.approx(0.6)
    assert hidden.pooled(0, 0, slice(0, 2), slice(0, 3), 4) == np.float32(-0.6)
    np.testing.assert_allclose(hidden.hidden_mass(0, 0, [0, 1]), [0.4, -0.1])
    with pytest.raises(ValueError, match="below 0"):
        HiddenAttention(signed, (2,), True)


@pytest.mark.parametrize("is_mixed", [False, True])
def test_the_scale_of_what_is_no_softmax_is_found(is_mixed: bool) -> None:
    """A row (3, 1) with key 0 hidden is (0, 4): above the scale it would be cut off."""
    weights = np.array([[[[3, 1], [1, 1]]]], np.float32).repeat(HEADS, 1)
    base: Attention = dense_attention(weights)
    if is_mixed:
        base = MixedAttention([base, QKAttention(rebuilt(2, 2).layers, layer_numbers=[3, 7])])
    assert HiddenAttention(base, (0,), True).scale == 4
    assert HiddenAttention(base, (0,), False).scale == 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ((2, 1), "1 comes after 2"),
        ((1, 1), "1 comes after 1"),
        ((-1, 4), "key -1 .* keys 0 to 40"),
        ((3, 41), "key 41"),
    ],
)
def test_keys_that_can_not_be_hidden_are_named(keys: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HiddenAttention(rebuilt(), keys, False)


@pytest.mark.parametrize("renormalise", [False, True])
def test_previews_read_a_sample_of_rows_and_say_so(
    renormalise: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all queries of a cell are equal, any sample has their mean and maximum."""
    monkeypatch.setattr(derived, "EXACT_CELLS", 0)
    rows = np.random.default_rng(1).dirichlet(np.ones(KEYS), 5).repeat(16, 0)[:70]
    hidden = HiddenAttention(dense_attention(rows[None, None]), MANY, renormalise)
    for reduction in ("max", "mean"):
        preview = hidden.preview(0, 0, 16, reduction)
        assert not preview.exact
        block = by_hand(hidden.base, MANY, renormalise)[0, 0]
        theirs = pooled_by_hand(block, 16, reduction)
        np.testing.assert_allclose(preview.cells, theirs, atol=1e-6)
    assert hidden.preview(0, 0, 4).exact


@pytest.mark.parametrize("renormalise", [False, True])
def test_bands_can_be_left_and_mixed_with_other_questions(renormalise: bool) -> None:
    hidden = HiddenAttention(rebuilt(), FEW, renormalise)
    part = slice(1, QUERIES), slice(2, KEYS), 3
    next(hidden.bands(0, 2, *part))
    found = []
    for band in hidden.bands(0, 2, *part):
        found.append(band.copy())
        band[...] = 9
        hidden.column(0, 2, 7)
        hidden.pooled(0, 1, *part, "mean")
    assert all(band.shape[1] == 13 for band in found)
    theirs = pooled_by_hand(by_hand(hidden.base, FEW, renormalise)[0, 2, 1:, 2:], 3, "max")
    np.testing.assert_allclose(np.concatenate(found), theirs, atol=2e-6)


@pytest.mark.parametrize("renormalise", [False, True])
def test_a_block_without_rows_or_columns_is_empty(renormalise: bool) -> None:
    hidden = HiddenAttention(rebuilt(), FEW, renormalise)
    for factor in (1, 4):
        columns = -(-9 // factor)
        assert hidden.pooled(0, 1, slice(4, 4), slice(0, 9), factor).shape == (0, columns)
        assert hidden.pooled(0, 1, slice(0, 9), slice(4, 4), factor).shape == (columns, 0)
        with pytest.raises(ValueError, match="'max' or 'mean', got 'sum'"):
            hidden.pooled(0, 1, slice(0, 9), slice(0, 9), factor, "sum")  # type: ignore[arg-type]


class Counted(DenseAttention):
    """Notes how many weights each answer holds."""

    most = 0

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Any:
        found = super().tile(layer, head, queries, keys)
        self.most = max(self.most, found.size)
        return found


@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("factor", [16, 512])
def test_nothing_is_as_large_as_a_matrix(
    renormalise: bool, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32k tokens squared are 4 GB: nor may a single cell of the coarsest overview need them."""
    monkeypatch.setattr(derived, "BLOCK_CELLS", 1 << 13)
    n, everything = 1024, slice(0, 1024)
    base = Counted(list(np.full((1, 1, n, n), 1 / n, np.float32)))
    hidden = HiddenAttention(base, tuple(range(0, n, 2)), renormalise)
    tracemalloc.start()
    pooled = hidden.pooled(0, 0, everything, everything, factor, "mean")
    hidden.column(0, 0, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(pooled, 1 / n if renormalise else 0.5 / n, rtol=1e-5)
    assert base.most <= 1 << 13
    assert peak < n * n  # a quarter of a matrix


def test_it_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; import attention_explorer.attention.hidden"
    subprocess.run([sys.executable, "-c", code], check=True)

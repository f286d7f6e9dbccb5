"""Overviews in bands: exact, in pieces that give way, in little memory; previews from a sample."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from attention_explorer.attention import Attention, DenseAttention, blocks, dense, from_qk, scan
from attention_explorer.attention.base import Reduction
from attention_explorer.attention.biases import KeyBias
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import BiasedMask, DenseMask, KeyIntervals, Mask
from attention_explorer.attention.states import RowScores

HEADS, KEY_HEADS, QUERIES, KEYS, SIZE = 4, 2, 37, 41, 5
CPU = torch.device("cpu")
GENERATOR = torch.Generator().manual_seed(5)

CAUSAL = KeyIntervals.causal(QUERIES, KEYS, CPU)
HOLES = DenseMask(torch.rand(1, QUERIES, KEYS, generator=GENERATOR) > 0.4)
BIASED = BiasedMask((KeyBias(torch.randn(HEADS, KEYS, generator=GENERATOR)),), CAUSAL)
SINKS = torch.linspace(-3, 90, HEADS)
CASES: dict[str, dict[str, Any]] = {
    "full": {},
    "causal": {"mask": CAUSAL},
    "window": {"mask": KeyIntervals.causal(QUERIES, KEYS, CPU, 5)},
    "holes": {"mask": HOLES},
    "bias": {"mask": BIASED},
    "softcap": {"softcap": 1.5, "mask": CAUSAL},
    "sinks": {"sinks": SINKS},
    "scores far apart": {"scaling": 50.0, "mask": CAUSAL},
}


def states(mask: Mask | None = None, scaling: float = 0.7, **options: Any) -> LayerStates:
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(HEADS, QUERIES, SIZE, generator=generator)
    key = torch.randn(KEY_HEADS, KEYS, SIZE, generator=generator)
    return LayerStates(query, key, scaling, mask, **options)


def whole(layer: LayerStates) -> DenseAttention:
    """Return the weights by the textbook, in float64."""
    key = layer.key.double().repeat_interleave(HEADS // KEY_HEADS, dim=0)
    scores = layer.query.double() @ key.mT * layer.scaling
    if layer.softcap is not None:
        scores = layer.softcap * torch.tanh(scores / layer.softcap)
    for head in range(HEADS):
        if layer.mask is not None:
            layer.mask.hide(scores[head], head, slice(0, QUERIES), torch.arange(KEYS))
    if layer.sinks is not None:
        sinks = layer.sinks.double()[:, None, None].expand(-1, QUERIES, 1)
        scores = torch.cat([scores, sinks], -1)
    return DenseAttention([scores.softmax(-1)[..., :KEYS].float().numpy()])


@pytest.fixture(params=[(82, 6), (7 * 41, 21), (1 << 23, 1 << 18)], ids=["2x3", "7x3", "whole"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows at once x keys in a chunk, of whatever size of cell."""
    block, chunk = request.param
    monkeypatch.setattr(from_qk, "BLOCK_CELLS", block)
    monkeypatch.setattr(scan, "CHUNK_CELLS", chunk)
    monkeypatch.setattr(dense, "BAND_CELLS", block)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("reduction", ["max", "mean"])
@pytest.mark.parametrize("case", CASES)
def test_pooled_blocks_are_those_of_the_whole_softmax(case: str, reduction: Any) -> None:
    """Borders of blocks, chunks and cells coincide or don't; normalisers are known or not."""
    layer = states(**CASES[case])
    expected: Attention = whole(layer)
    tolerance = 1e-4 if case == "scores far apart" else 1e-6  # float32 holds 1e-4 of a thousand
    for part in ((slice(0, QUERIES), slice(0, KEYS)), (slice(3, 30), slice(5, 38))):
        for factor in (1, 3, 5, 8, 64):
            attention = QKAttention([layer], layer_numbers=[0])
            theirs = expected.pooled(0, 3, *part, factor, reduction)
            for _ in ("unknown", "known"):
                ours = attention.pooled(0, 3, *part, factor, reduction)
                assert ours.shape == theirs.shape
                assert ours.dtype == np.float32
                assert np.abs(ours - theirs).max() <= tolerance


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("kind", ["dense", "from queries and keys"])
def test_bands_can_be_left_and_mixed_with_other_questions(kind: str) -> None:
    """A band that kept state in the attention would be spoilt by what is asked in between."""
    layer = states(CAUSAL)
    attention: Attention = QKAttention([layer], layer_numbers=[0])
    if kind == "dense":
        attention = whole(layer)
    part = slice(1, QUERIES), slice(2, KEYS), 3
    left = attention.bands(0, 2, *part, "max")
    next(left)
    slow, quick = attention.bands(0, 2, *part), attention.bands(0, 3, *part, "mean")
    found = []
    for band in slow:
        found.append(band)
        next(quick, None)
        attention.column(0, 2, 7)
        attention.tile(0, 1, slice(0, 9), slice(0, 9))
    assert np.array_equal(np.concatenate(found), attention.pooled(0, 2, *part))
    assert all(band.shape[1] == 13 for band in found)


def test_a_block_without_rows_or_columns_is_empty() -> None:
    for attention in (QKAttention([states()], layer_numbers=[0]), whole(states())):
        for factor in (1, 4):
            columns = -(-9 // factor)
            assert attention.pooled(0, 1, slice(4, 4), slice(0, 9), factor).shape == (0, columns)
            assert attention.pooled(0, 1, slice(0, 9), slice(4, 4), factor).shape == (columns, 0)


def test_what_is_no_pooling_is_refused() -> None:
    for attention in (QKAttention([states()], layer_numbers=[0]), whole(states())):
        with pytest.raises(ValueError, match="has to be 1 or more, got 0"):
            attention.pooled(0, 1, slice(0, 9), slice(0, 9), 0)
        with pytest.raises(ValueError, match="'max' or 'mean', got 'sum'"):
            attention.pooled(0, 1, slice(0, 9), slice(0, 9), 2, "sum")  # type: ignore[arg-type]


def test_thumbnails_are_every_heads_overview() -> None:
    layer = states(CAUSAL)
    thumbnails = QKAttention([layer], layer_numbers=[0]).thumbnails(0, 8)
    assert thumbnails.shape == (HEADS, 5, 6)
    assert np.abs(thumbnails - whole(layer).thumbnails(0, 8)).max() < 1e-6


class Watched:
    """Counts the cells that are multiplied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shapes: list[tuple[int, ...]] = []
        original = RowScores.against

        def against(rows: RowScores, *arguments: Any) -> torch.Tensor:
            found = original(rows, *arguments)
            self.shapes.append(tuple(found.shape))
            return found

        monkeypatch.setattr(RowScores, "against", against)

    @property
    def cells(self) -> int:
        """Since it was asked last."""
        total = sum(queries * keys for queries, keys in self.shapes)
        self.shapes.clear()
        return total


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def long_states(n: int, mask: Mask | None, size: int = 4) -> LayerStates:
    return LayerStates(torch.randn(2, n, size), torch.randn(1, n, size), 0.5, mask)


@pytest.mark.parametrize("factor", [4, 512])
def test_each_band_is_a_bounded_amount_of_work(
    factor: int, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one row of cells is much work, the browser's next request would wait for it."""
    monkeypatch.setattr(from_qk, "BLOCK_CELLS", 1 << 14)
    attention = QKAttention([long_states(512, None)], layer_numbers=[0])
    rows = 0
    for band in attention.bands(0, 0, slice(0, 512), slice(0, 512), factor):
        assert watched.cells <= 1 << 14
        rows += len(band)
    assert rows == 512 // factor
    for _ in attention.prepare(0, 1, slice(100, 512)):
        assert watched.cells <= 1 << 14


def test_what_may_not_be_read_is_not_multiplied(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A causal overview that costs n x n, or a windowed one that isn't linear in n."""
    monkeypatch.setattr(from_qk, "BLOCK_ROWS", 32)
    monkeypatch.setattr(scan, "CHUNK_CELLS", 32 * 32)
    n, everything = 1024, slice(0, 1024)
    for window, most in ((None, n * n // 2 + 32 * n), (64, n * (64 + 2 * 32))):
        layer = long_states(n, KeyIntervals.causal(n, n, CPU, window))
        attention = QKAttention([layer], layer_numbers=[0])
        attention.pooled(0, 1, everything, everything, 16)
        assert watched.cells <= most
        attention.pooled(0, 1, everything, everything, 16, "mean")
        assert watched.cells <= most


def test_after_preparing_a_column_costs_its_own_products(watched: Watched) -> None:
    attention = QKAttention([states(CAUSAL)], layer_numbers=[0])
    for _ in attention.prepare(0, 2, slice(0, QUERIES)):
        pass
    watched.shapes.clear()
    attention.column(0, 2, 7)
    assert watched.shapes == [(QUERIES, 1)]


def test_an_overview_leaves_what_later_tiles_need(watched: Watched) -> None:
    attention = QKAttention([states(CAUSAL)], layer_numbers=[0])
    attention.pooled(0, 2, slice(0, QUERIES), slice(0, KEYS), 4)
    watched.shapes.clear()
    attention.tile(0, 2, slice(3, 9), slice(10, 15))
    assert watched.shapes == [(6, 5)]


def bands_of_equal_queries(n: int, factor: int) -> LayerStates:
    query = torch.randn(1, n // factor, 4).repeat_interleave(factor, dim=1)
    return LayerStates(query, torch.randn(1, n, 4), 0.5)


@pytest.mark.parametrize("reduction", ["max", "mean"])
def test_a_preview_is_of_a_sample_and_says_so(reduction: Reduction, watched: Watched) -> None:
    """Where the queries of a cell are equal, any sample of them has their mean and maximum."""
    layer = bands_of_equal_queries(512, 64)
    preview = QKAttention([layer], layer_numbers=[0]).preview(0, 0, 64, reduction)
    assert not preview.exact
    assert watched.cells == 8 * blocks.PREVIEW_ROWS * 512
    everything = slice(0, 512), slice(0, 512)
    exact = QKAttention([layer], layer_numbers=[0]).pooled(0, 0, *everything, 64, reduction)
    assert np.abs(preview.cells - exact).max() < 1e-6


def test_a_preview_samples_within_each_band_up_to_the_border() -> None:
    """Rows of the neighbouring band, or none of the last short one, would be another map."""
    for length, factor, count in ((100, 32, 4), (33, 32, 4), (4096, 64, 8)):
        sampled = np.array(blocks.sample(length, factor, count)).reshape(-1, count)
        assert (sampled // factor == np.arange(len(sampled))[:, None]).all()
        assert sampled.max() < length
        assert (np.diff(sampled[:-1], axis=1) > 0).all()


def test_a_long_preview_reads_no_more_than_its_budget(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "PREVIEW_CELLS", 2 * 8 * 512)
    QKAttention([long_states(512, None)], layer_numbers=[0]).preview(0, 0, 64, "mean")
    assert watched.cells == 2 * 8 * 512


def test_a_preview_that_reads_everything_is_exact() -> None:
    layer = states(CAUSAL)
    preview = QKAttention([layer], layer_numbers=[0]).preview(0, 3, 4, "mean")
    assert preview.exact
    theirs = whole(layer).preview(0, 3, 4, "mean")
    assert theirs.exact
    assert np.abs(preview.cells - theirs.cells).max() < 1e-6


def test_previews_leave_right_normalisers_behind() -> None:
    layer = bands_of_equal_queries(512, 64)
    attention = QKAttention([layer], layer_numbers=[0])
    attention.preview(0, 0, 64, "mean")
    column = attention.column(0, 0, 9)
    assert np.abs(column - QKAttention([layer], layer_numbers=[0]).column(0, 0, 9)).max() < 1e-6


class LargestOutput(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every tensor that an operation makes; tracemalloc sees none of torch's memory."""

    cells = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {t.untyped_storage().data_ptr() for t in args if isinstance(t, torch.Tensor)}
        is_new = isinstance(result, torch.Tensor) and (
            result.untyped_storage().data_ptr() not in given
        )
        if is_new:
            self.cells = max(self.cells, result.numel())
        return result


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("window", [None, 100])
def test_nothing_is_as_large_as_a_matrix(
    dtype: torch.dtype, window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32k tokens squared are 4 GB; nor are half precision states copied as float32."""
    n, size = 2048, 128
    monkeypatch.setattr(scan, "CHUNK_CELLS", 1 << 13)
    monkeypatch.setattr(blocks, "PREVIEW_CELLS", 1 << 20)
    layer = long_states(n, KeyIntervals.causal(n, n, CPU, window), size)
    layer = replace(layer, query=layer.query.to(dtype), key=layer.key.to(dtype))
    attention = QKAttention([layer], layer_numbers=[0])
    everything = slice(0, n), slice(0, n)
    with LargestOutput() as seen:  # type: ignore[no-untyped-call]
        attention.preview(0, 0, 64, "mean")
        attention.pooled(0, 0, *everything, 16)
        attention.pooled(0, 1, *everything, 16, "mean")
        attention.tile(0, 0, slice(1000, 1064), slice(900, 964))
    assert 1 << 13 <= seen.cells <= n * size // 2


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    yield
    torch.set_default_dtype(before)


MODES: dict[str, Any] = {
    "inference mode": torch.inference_mode,
    "gradients": torch.enable_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "half precision by default": lambda: default_dtype(torch.bfloat16),
}


@pytest.mark.parametrize("mode", MODES)
def test_the_callers_modes_change_no_number(mode: str) -> None:
    """Autocast rounds products to 3 digits; masks in bfloat16 lose positions above 256."""
    n = 600
    layer = long_states(n, KeyIntervals.causal(n, n, CPU, 300), 64)
    expected = list(every_answer(QKAttention([layer], layer_numbers=[0])))
    learning = replace(layer, query=layer.query.clone().requires_grad_())
    attention = QKAttention([learning], layer_numbers=[0])
    with MODES[mode]():
        inside = list(every_answer(attention))
    for ours in (inside, list(every_answer(attention))):
        for number, other in zip(ours, expected, strict=True):
            assert np.abs(number - other).max() < 1e-6


def every_answer(attention: Attention) -> Iterator[Any]:
    yield attention.row(0, 0, 60)
    yield attention.column(0, 0, 60)
    yield attention.tile(0, 0, slice(0, 64), slice(0, 64))
    yield attention.pooled(0, 0, slice(0, 64), slice(0, 64), 8)
    yield attention.preview(0, 0, 32).cells


def test_scores_far_apart_give_zeros_and_ones() -> None:
    """2 ** -inf - -inf is NaN; an unbounded sink overflows."""
    layer = LayerStates(
        query=torch.full((1, 64, 1), 1e3),
        key=torch.linspace(-9, 9, 64)[None, :, None],
        scaling=1.0,
        mask=KeyIntervals.causal(64, 64, CPU),
    )
    for answer in every_answer(QKAttention([layer], layer_numbers=[0])):
        assert np.isfinite(answer).all()
    assert np.array_equal(QKAttention([layer], layer_numbers=[0]).matrix(0, 0), np.eye(64))
    sunk = LayerStates(layer.query, layer.key, 1.0, layer.mask, sinks=torch.tensor([1e5]))
    for answer in every_answer(QKAttention([sunk], layer_numbers=[0])):
        assert not answer.any()

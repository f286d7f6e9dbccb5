"""The mask of all rows, put together from those of passes, against the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from attention_explorer.attention.biases import Bias, CellBias, KeyBias, OffsetBias
from attention_explorer.attention.growing import GrowingMask
from attention_explorer.attention.masks import BiasedMask, DenseMask, KeyIntervals, Mask

CPU = torch.device("cpu")
HEADS, N = 3, 11
# Queries of each pass: a prompt, and a prompt's second piece, and one at a time.
PASSES = (4, 3, 1, 1, 1, 1)


def addends(mask: Mask, n_queries: int, n_keys: int) -> torch.Tensor:
    """Return what a mask does to scores of 0, shape (heads, queries, keys)."""
    cells = torch.zeros(HEADS, n_queries, n_keys)
    for head in range(HEADS):
        scores = torch.zeros(n_keys, n_queries).T
        mask.hide(scores, head, slice(0, n_queries), torch.arange(n_keys))
        cells[head] = scores
    return cells


def grown(parts: list[tuple[Mask | None, int, slice]]) -> GrowingMask:
    growing = GrowingMask()
    for mask, n_queries, keys in parts:
        growing.add(mask, n_queries, keys, CPU)
    return growing


def causal_parts(window: int | None = None, forgets: bool = False) -> Any:
    """Return each pass's mask; one that forgets knows only the window's keys."""
    parts, stop = list[tuple[Mask | None, int, slice]](), 0
    for n_queries in PASSES:
        stop += n_queries
        start = max(0, stop - n_queries - (window or 0) + 1) if forgets else 0
        mask = KeyIntervals.causal(n_queries, stop - start, CPU, window)
        parts.append((None if n_queries == 1 and forgets else mask, n_queries, slice(start, stop)))
    return parts


@pytest.mark.parametrize(("window", "forgets"), [(None, False), (5, False), (5, True)])
def test_windows_are_moved_to_where_the_keys_are(window: int | None, forgets: bool) -> None:
    """Counted from the cache's first key, a row would read a window that has long gone by."""
    mask = grown(causal_parts(window, forgets)).whole(N, N)
    own = KeyIntervals.causal(N, N, CPU, window)
    assert isinstance(mask, KeyIntervals)
    assert torch.equal(mask.start, own.start)
    assert torch.equal(mask.stop, own.stop)
    shorter = grown(causal_parts(window, forgets)).whole(8, 8)
    assert isinstance(shorter, KeyIntervals)
    assert torch.equal(shorter.stop, own.stop[:8])


def test_no_mask_stays_none() -> None:
    """Cross attention reads everything, each time."""
    parts: Any = [(None, n_queries, slice(0, 5)) for n_queries in PASSES]
    assert grown(parts).whole(N, 5) is None


def values_of(form: type[Bias], n_queries: int, n_keys: int) -> torch.Tensor:
    """Return addends by key or by distance, shape (heads, queries, keys)."""
    slopes = torch.tensor([0.5, -0.25, 0.125])[:, None, None]
    keys = torch.arange(n_keys)
    if form is KeyBias:
        return (slopes * (keys**2)).expand(-1, n_queries, -1)
    distance = keys - torch.arange(n_keys - n_queries, n_keys)[:, None]
    return slopes * (distance.float().sin() + distance)


def biased_parts(form: type[Bias], as_cells: bool) -> Any:
    parts, stop = list[tuple[Mask | None, int, slice]](), 0
    for n_queries in PASSES:
        stop += n_queries
        values = values_of(form, n_queries, stop)
        bias: Bias = CellBias(values)
        if not as_cells and (form is KeyBias or n_queries == 1):
            bias = KeyBias(values[:, -1])
        pattern = KeyIntervals.causal(n_queries, stop, CPU)
        parts.append((BiasedMask((bias,), pattern), n_queries, slice(0, stop)))
    return parts


@pytest.mark.parametrize("as_cells", [False, True])
@pytest.mark.parametrize("form", [KeyBias, OffsetBias])
def test_biases_by_key_and_by_distance_become_one(form: type[Bias], as_cells: bool) -> None:
    """One query's addends look the same in both: only the others tell which they are."""
    for n_tokens in (N, N - 2):
        mask = grown(biased_parts(form, as_cells)).whole(n_tokens, n_tokens)
        assert isinstance(mask, BiasedMask)
        (bias,) = mask.biases
        assert isinstance(bias, form)
        causal = torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()
        expected = values_of(form, n_tokens, n_tokens).masked_fill(~causal, -torch.inf)
        torch.testing.assert_close(addends(mask, n_tokens, n_tokens), expected)


def test_addends_of_nothing_but_zeros_are_addends() -> None:
    """ALiBi's first key has none: what begins without a bias may have one later."""
    parts = biased_parts(KeyBias, False)
    first = KeyIntervals.causal(1, 1, CPU)
    begun = [(first, 1, slice(0, 1))]
    for n_read in range(2, 6):
        bias = KeyBias(values_of(KeyBias, 1, n_read)[:, 0])
        pattern = KeyIntervals.causal(1, n_read, CPU)
        begun.append((BiasedMask((bias,), pattern), 1, slice(0, n_read)))  # type: ignore[arg-type]
    mask: Any = grown(begun).whole(5, 5)  # type: ignore[arg-type]
    assert torch.equal(mask.biases[0].values, values_of(KeyBias, 1, 5)[:, 0])
    # And one that has a bias at first alone hasn't the same for a key or a distance.
    parts[-1] = (KeyIntervals.causal(1, N, CPU), 1, slice(0, N))
    with pytest.raises(ValueError, match="neither by key nor by distance"):
        grown(parts)


def test_what_cannot_be_put_together_is_refused() -> None:
    random = torch.randn(HEADS, 4, 4, generator=torch.Generator().manual_seed(0))
    odd = BiasedMask((CellBias(random),), KeyIntervals.causal(4, 4, CPU))
    with pytest.raises(ValueError, match="neither by key nor by distance"):
        grown([(odd, 4, slice(0, 4))])
    holes = DenseMask(torch.eye(4, dtype=torch.bool)[None])
    with pytest.raises(ValueError, match="hides keys between others"):
        grown([(holes, 4, slice(0, 4))])
    late = BiasedMask((KeyBias(torch.ones(1, 4)),), KeyIntervals.causal(1, 4, CPU))
    with pytest.raises(ValueError, match="its cache forgets keys"):
        grown([(KeyIntervals.causal(5, 5, CPU), 5, slice(0, 5)), (late, 1, slice(2, 6))])

"""What the same edit does elsewhere: other heads of the same layer, other edges."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from attention_explorer import trace
from attention_explorer.interventions import (
    AblateHead,
    Band,
    CutEdges,
    Edits,
    ReplaceToken,
    measure,
    random_band,
)

from .models import headed

Build = Callable[..., Any]

TEXT = "the cat sat on the mat . the cat sat on"


def edges(band: Band) -> list[tuple[Any, Any]]:
    """Return queries and keys of each draw's first cut."""
    cuts = [next(edit for edit in draw if isinstance(edit, CutEdges)) for draw in band.draws]
    return [(cut.queries, cut.keys) for cut in cuts]


def test_other_heads_of_the_same_layer(tokenizer: Any) -> None:
    """Drawn with repetition, or with the head itself, the band would be too narrow or too wide."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    band = random_band(traced, AblateHead(1, 2, "mean"))
    heads = {edit for draw in band.draws for edit in draw}
    assert heads == {AblateHead(1, head, "mean", "decoder") for head in (0, 1, 3)}
    assert len(band.draws) == 3
    for draw, effect in zip(band.draws, band.effect, strict=True):
        alone = measure(traced, draw).change
        assert effect == pytest.approx(alone.size, abs=1e-6, rel=1e-3)
    assert band.notes[0] == "The band is of 3 other heads of the same layer."
    low, high = band.interval
    assert band.effect.min() <= low <= high <= band.effect.max()


def test_several_heads_stay_as_many_and_together(tokenizer: Any) -> None:
    model = headed("gpt2", n_head=8)
    traced = trace(model, tokenizer, TEXT)
    band = random_band(traced, [AblateHead(1, 2), AblateHead(1, 5), AblateHead(2, 5)], n=40)
    assert len(set(band.draws)) == len(band.draws) == 40
    pairs = list(combinations([0, 1, 3, 4, 6, 7], 2))
    for draw in band.draws:
        first, second, third = draw
        assert isinstance(first, AblateHead)
        assert isinstance(second, AblateHead)
        assert isinstance(third, AblateHead)
        assert tuple(sorted((first.head, second.head))) in pairs
        assert [edit.layer for edit in (first, second, third)] == [1, 1, 2]
        assert third.head != 5


def test_the_same_seed_draws_the_same(tokenizer: Any) -> None:
    model = headed("gpt2", n_head=8)
    traced = trace(model, tokenizer, TEXT)
    draws = [random_band(traced, AblateHead(1, 2), 3, seed).draws for seed in (1, 1, 2, 3)]
    assert draws[0] == draws[1]
    assert len({frozenset(some) for some in draws}) > 1


def test_edges_at_the_same_distance(tiny_model: Build, tokenizer: Any) -> None:
    """[CLS] and [SEP] are read for reasons of their own: no draw may touch them."""
    model = tiny_model("bert")
    traced = trace(model, tokenizer, TEXT)
    band = random_band(traced, CutEdges([5, 6], [3], range(2), 1))
    places = edges(band)
    assert sorted(places) == [
        ((5 + step, 6 + step), (3 + step,)) for step in (-2, -1, 1, 2, 3, 4, 5)
    ]
    for draw in band.draws:
        cut = draw[0]
        assert isinstance(cut, CutEdges)
        assert (cut.layers, cut.heads, cut.kind) == ((0, 1), (1,), "encoder")
    assert "7 places with the same distances, special tokens apart" in band.notes[0]
    assert len(random_band(traced, CutEdges([5, 6], [3]), n=4).draws) == 4


def test_other_keys_of_the_same_query(tokenizer: Any) -> None:
    """Where the query's own output is looked at, another query's edges are no comparison."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    band = random_band(traced, CutEdges(8, 3), at=8)
    assert sorted(edges(band)) == [((8,), (key,)) for key in (1, 2, 4, 5, 6, 7)]
    assert "6 other keys of the same queries" in band.notes[0]
    by_distance = random_band(traced, CutEdges(8, 3), at=8, like="distance")
    assert {queries[0] - keys[0] for queries, keys in edges(by_distance)} == {5}
    at_the_end = random_band(traced, CutEdges(8, 3))
    assert {queries[0] - keys[0] for queries, keys in edges(at_the_end)} == {5}
    assert not np.isnan(band.effect).any()
    nowhere_else = random_band(traced, CutEdges(11, 1), at=12)
    assert {queries for queries, _ in edges(nowhere_else)} == {(11,)}


def test_keys_that_are_other_tokens(tokenizer: Any) -> None:
    """Between two texts there is no distance."""
    model = headed("t5")
    traced = trace(model, tokenizer, TEXT, target="the mat . the cat")
    assert traced.kind == "cross"
    band = random_band(traced, CutEdges(2, 3))
    assert {queries for queries, _ in edges(band)} == {(2,)}
    assert sorted(keys[0] for _, keys in edges(band)) == [1, 2, *range(4, 12)]
    with pytest.raises(ValueError, match="keys of the cross attention are other tokens"):
        random_band(traced, CutEdges(2, 3), like="distance")


def test_how_many_are_smaller(tokenizer: Any) -> None:
    model = headed("gpt2", n_head=8)
    traced = trace(model, tokenizer, TEXT)
    band = random_band(traced, AblateHead(0, 2))
    change = measure(traced, AblateHead(0, 2)).change
    expected = sum(measure(traced, draw).change.size < change.size for draw in band.draws)
    assert band.n_below(change) == (expected, 7)


@pytest.mark.parametrize(
    ("edits", "options", "message"),
    [
        (ReplaceToken(1, "cat"), {}, "a band is of heads or edges: switch replaced tokens off"),
        (Edits([AblateHead(0, 0)], [False]), {}, "no edit is switched on"),
        (AblateHead(0, 9), {}, "there is no head 9"),
        (AblateHead(0, 0), {"n": 0}, "n is how many are drawn, 1 or more, got 0"),
        ([AblateHead(0, head) for head in range(3)], {}, "no other head or edge of this kind"),
        (CutEdges(11, 1), {"like": "distance"}, "there is no other head or edge of this kind"),
    ],
)
def test_what_has_no_band(edits: Any, options: Any, message: str, tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match=message):
        random_band(traced, edits, **options)

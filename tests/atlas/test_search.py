"""From a head to the texts in which it does something."""

from __future__ import annotations

import math
from typing import Any

import pytest

from attention_explorer import AttentionExplorer, trace
from attention_explorer.analysis import head_scores
from attention_explorer.atlas import HeadAtlas, profile_heads

from .conftest import make_encoder, random_texts

COUNT = 60


@pytest.fixture(scope="module")
def atlas(encoder: Any, tokenizer: Any) -> HeadAtlas:
    return profile_heads(encoder, tokenizer, random_texts(COUNT), progress=False)


def test_texts_come_by_what_the_head_scores_in_them(
    atlas: HeadAtlas, encoder: Any, tokenizer: Any
) -> None:
    """Catches another head's texts, deciles of the weights, and a text without its own score."""
    own = {
        text: head_scores(trace(encoder, tokenizer, text))["previous"][1, 2]
        for text in random_texts(COUNT)
    }
    ranked = sorted(own.values())
    found = atlas.search(1, 2, "previous", top=COUNT)
    assert [it.score for it in found] == pytest.approx(ranked[::-1], abs=1e-5)
    assert found[0].text == max(own, key=lambda text: own[text])
    assert [it.decile for it in found[:6]] == [9] * 6
    lowest = atlas.search(1, 2, "previous token", decile=0)
    assert [it.score for it in lowest] == pytest.approx(ranked[:6][::-1], abs=1e-5)


def test_where_in_the_text_it_is(atlas: HeadAtlas, encoder: Any, tokenizer: Any) -> None:
    """Catches rows taken for columns, a sink for a neighbour, and the place of another layer."""
    for found in atlas.search(1, 2, "previous", top=COUNT):
        traced = trace(encoder, tokenizer, found.text)
        assert found.tokens == traced.tokens.text
        n = len(found.tokens)
        weights = traced.attention.rows(1, [2], range(n))[0]
        # The key is no sink: neither the first nor the last token.
        pairs = {(i, i - 1): weights[i, i - 1] for i in range(2, n)}
        assert found.weight == pytest.approx(max(pairs.values()), abs=1e-5)
        assert found.key is not None
        assert found.query == found.key + 1
    for found in atlas.search(0, 1, "punctuation", top=COUNT):
        marks = [i for i, token in enumerate(found.tokens) if token in ".,"]
        if not marks:
            assert found.query is found.key is None
            assert math.isnan(found.weight)
            continue
        attention = trace(encoder, tokenizer, found.text).attention
        weights = attention.rows(0, [1], range(attention.n_queries))[0]
        assert found.weight == pytest.approx(weights[:, marks].max(), abs=1e-5)
        assert found.key in marks


def test_which_token_reads_which(atlas: HeadAtlas, encoder: Any, tokenizer: Any) -> None:
    """Catches the pair the wrong way around, and texts that aren't looked at."""
    model = {"model": encoder, "tokenizer": tokenizer}
    expected = []
    for text in random_texts(COUNT):
        traced = trace(encoder, tokenizer, text)
        words = traced.tokens.text
        weights = traced.attention.rows(1, [2], range(len(words)))[0]
        expected += [
            float(weights[i, j])
            for i, reader in enumerate(words)
            for j, read in enumerate(words)
            if (reader, read) == ("b", "c") and weights[i, j] >= 0.05
        ]
    found = atlas.search(1, 2, ("B", "c"), top=1000, least=0.05, **model)
    assert expected
    assert [it.weight for it in found] == pytest.approx(sorted(expected)[::-1], abs=1e-5)
    streamed = atlas.search(
        1, 2, ("b", "*"), texts=iter(["a a", "", "b c d", "b b"]), least=0, top=1, **model
    )
    assert [it.text for it in streamed] == ["b c d"]
    assert streamed[0].said.startswith("'b' reads")


def test_what_cant_be_searched_is_said(atlas: HeadAtlas, encoder: Any, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="give model= and tokenizer="):
        atlas.search(0, 0, ("a", "b"))
    with pytest.raises(ValueError, match="isn't the model"):
        atlas.search(0, 0, ("a", "b"), model=make_encoder(seed=1), tokenizer=tokenizer)
    with pytest.raises(ValueError, match="expected 0 to 1, as there are 2 layers"):
        atlas.search(2, 0, "peak")
    with pytest.raises(ValueError, match="'peaks' is no score and no label"):
        atlas.search(0, 0, "peaks")
    with pytest.raises(ValueError, match="expected 0 to 9"):
        atlas.search(0, 0, "peak", decile=10)
    with pytest.raises(ValueError, match="are searched for tokens"):
        atlas.search(0, 0, "peak", texts=["a"])


def test_where_else_a_head_does_this(atlas: HeadAtlas, encoder: Any, tokenizer: Any) -> None:
    """Catches another head, and pairs that have nothing to do with what is shown."""
    explorer = AttentionExplorer(trace(encoder, tokenizer, "d c b a"), layer=1, heads=[2])
    with pytest.raises(ValueError, match="no token that reads is selected"):
        atlas.like(explorer)
    explorer.selected = (3, 2)
    found = atlas.like(explorer, top=1000, least=0)
    assert found
    seen = []
    for it in found:
        assert it.query is not None
        assert it.key is not None
        read = it.tokens[it.query], it.tokens[it.key]
        weights = trace(encoder, tokenizer, it.text).attention.rows(1, [2], [it.query])[0, 0]
        assert it.weight == pytest.approx(float(weights[it.key]), abs=1e-5)
        seen.append((read != ("b", "c"), read[0] != "b", it.key - it.query != -1))
        assert not all(seen[-1])
    assert seen == sorted(seen, key=lambda it: it.index(False))
    again = atlas.like(explorer, top=1, model=encoder, tokenizer=tokenizer, least=0)
    assert again[0].query is not None
    assert again[0].tokens[again[0].query] == "b"


def test_texts_are_searched_as_far_as_they_were_read(encoder: Any, tokenizer: Any) -> None:
    """Catches weights between tokens of which the atlas has read half."""
    text = "a b c d e f g h"
    cut = profile_heads(encoder, tokenizer, [text], max_length=6, progress=False)
    options = {"model": encoder, "tokenizer": tokenizer, "least": 0.0}
    (found,) = cut.search(0, 1, ("b", "a"), **options)
    assert len(found.tokens) == 6
    assert list(cut.search(0, 1, ("h", "a"), **options)) == []

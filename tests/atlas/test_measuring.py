"""What a batch's numbers are held to: one text's, the literature's definitions, closed forms."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import trace
from attention_explorer.analysis import head_distances, head_scores
from attention_explorer.analysis.scores import SCORES
from attention_explorer.atlas import HeadAtlas, layout, passes, profile_heads

from .conftest import make_encoder, random_texts

NAMES = [score.name for score in SCORES]


def profile(model: Any, tokenizer: Any, texts: Any, **options: Any) -> HeadAtlas:
    return profile_heads(model, tokenizer, texts, progress=False, **options)


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_the_mean_over_texts_of_each_texts_own_scores(
    family: str, tokenizer: Any, request: pytest.FixtureRequest
) -> None:
    """Catches padding that counts, rows of another text, a mean over tokens, a wrong n - 1."""
    model = request.getfixturevalue(family)
    texts = random_texts(23)
    found = profile(model, tokenizer, texts, batch_tokens=60).to_frame("score")
    frames = [head_scores(trace(model, tokenizer, text)) for text in texts]
    for name in NAMES:
        own = np.array([frame[name] for frame in frames])
        ours = found.xs(name, level="score")
        there = ~np.isnan(own[:, 0])
        np.testing.assert_array_equal(ours["texts"], there.sum())
        np.testing.assert_allclose(ours["mean"], own[there].mean(0), atol=5e-6, err_msg=name)
        deviation = own[there].std(0, ddof=1)
        np.testing.assert_allclose(ours["deviation"], deviation, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_texts_of_which_a_sample_of_rows_is_read(family: str, tokenizer: Any, decoder: Any) -> None:
    """Catches rows that are sampled otherwise than for one text, and rows taken for queries."""
    model = make_encoder(longest=400) if family == "encoder" else decoder
    texts = [" ".join(random_texts(60, seed=seed))[:600] for seed in range(2)]
    texts.append(texts[0][:100])
    atlas = profile(model, tokenizer, texts, batch_tokens=2000, max_length=310)
    assert atlas.n_cut == 0
    frames = [head_scores(trace(model, tokenizer, text)) for text in texts]
    assert frames[0].attrs["queries"] > 256
    for name in NAMES:
        expected = np.mean([frame[name] for frame in frames], 0)
        np.testing.assert_allclose(atlas.score(name).ravel(), expected, atol=2e-5, err_msg=name)
    for found in atlas.search(1, 2, "peak"):
        traced = trace(model, tokenizer, found.text)
        weights = traced.attention.rows(1, [2], [found.query])[0, 0]  # type: ignore[list-item]
        assert weights[found.key] == pytest.approx(found.weight, abs=1e-5)
        assert weights.argmax() == found.key


def test_uniform_attention_has_its_closed_forms_and_its_baselines(tokenizer: Any) -> None:
    """Catches a baseline over other rows than the score, and shares that aren't of what is left."""
    model = make_encoder()
    for layer in model.encoder.layer:
        torch.nn.init.zeros_(layer.attention.self.query.weight)
        torch.nn.init.zeros_(layer.attention.self.query.bias)
    texts = ["a b , a b c", "c a a . b a"]
    frame: Any = profile(model, tokenizer, texts).to_frame("score").loc[(1, 2)]
    n = 8
    closed = {
        "entropy": math.log(n),
        "peak": 1 / n,
        "distance": (n * n - 1) / (3 * n),
        "previous": 1 / n,
        "broad": 1.0,
        "special": 2 / n,
        "to first": 1 / n,
        "to special": 1 / n,
        "to punctuation": 1 / n,
        "to word": 5 / n,
        "self beside sinks": 1 / 6,
        # One of six is a mark, and a row has at most one token before it.
        "punctuation beside sinks": 1 / 6,
        "previous beside sinks": 1 / 6,
    }
    for name, value in closed.items():
        assert frame["mean"][name] == pytest.approx(value, abs=1e-6), name
    has_one = frame[frame["baseline"].notna() & (frame["texts"] > 0)]
    np.testing.assert_allclose(has_one["mean"], has_one["baseline"], atol=1e-6)
    assert frame["deviation"]["entropy"] == pytest.approx(0, abs=1e-6)


def test_uniform_causal_attention_has_its_baselines(tokenizer: Any, decoder: Any) -> None:
    """Catches a causal row whose keys are all counted as readable."""
    model = copy.deepcopy(decoder)
    for layer in model.layers:
        torch.nn.init.zeros_(layer.self_attn.q_proj.weight)
    frame: Any = profile(model, tokenizer, ["a b , a b c a", "b b a"]).to_frame("score").loc[(0, 3)]
    has_one = frame[frame["baseline"].notna() & (frame["texts"] > 0)]
    np.testing.assert_allclose(has_one["mean"], has_one["baseline"], atol=1e-6)


def test_beside_sinks_and_types_by_hand(tokenizer: Any, encoder: Any) -> None:
    """Catches a share of all that is read, and a key that is of two types."""
    text = "a b a , a b c ."
    atlas = profile(encoder, tokenizer, [text])
    weights = trace(encoder, tokenizer, text).attention.rows(1, [2], range(10))[0]
    n, sinks = 10, [0, 9]
    left = np.delete(weights, sinks, 1).sum(1)
    previous = [(i, i - 1) for i in range(1, n) if i - 1 not in sinks]
    share = sum(weights[pair] for pair in previous) / sum(left[i] for i, _ in previous)
    assert atlas.score("previous beside sinks")[1, 2] == pytest.approx(share, abs=1e-6)
    marks = weights[:, [4, 8]].sum() / left.sum()
    assert atlas.score("punctuation beside sinks")[1, 2] == pytest.approx(marks, abs=1e-6)
    types = ["to first", "to special", "to punctuation", "to piece", "to word"]
    np.testing.assert_allclose(sum(atlas.score(name) for name in types), 1, atol=1e-6)
    assert atlas.score("to special")[1, 2] == pytest.approx(weights[:, 9].mean(), abs=1e-6)


def test_how_far_heads_are_from_each_other(
    tokenizer: Any, encoder: Any, decoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches another smoothing, padding that is smoothed over, a text with few rows weighing more.

    With more rows than a text has it is the distance of one text, for which all rows are read.
    """
    monkeypatch.setattr(layout, "LOOKED", 16)
    texts = random_texts(5)
    for model in (encoder, decoder):
        expected = np.mean([head_distances(trace(model, tokenizer, text)) for text in texts], 0)
        found = profile(model, tokenizer, texts).distances
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_models_own_code_gives_the_same_as_its_eager_backend(
    tokenizer: Any, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches the slow way, which few models take, falling behind the quick one."""
    texts = random_texts(9)
    quick = profile(encoder, tokenizer, texts)
    assert "eager backend, which was held to" in quick.source
    monkeypatch.setattr(passes.Passes, "_differs", lambda *_: "the test wants it")
    slow = profile(encoder, tokenizer, texts)
    assert "text by text, as the test wants it" in slow.source
    for name in HeadAtlas.scores:
        np.testing.assert_allclose(quick.score(name), slow.score(name), atol=5e-6, err_msg=name)


def test_the_model_is_left_as_it_was(tokenizer: Any, encoder: Any) -> None:
    """Catches a model that stays on the eager backend, or in evaluation mode."""
    encoder.train()
    try:
        before = encoder.config._attn_implementation
        profile(encoder, tokenizer, ["a b c"])
        assert encoder.training
        assert encoder.config._attn_implementation == before == "sdpa"
        assert not any(module._forward_hooks for module in encoder.modules())
    finally:
        encoder.eval()

"""What scores are made of, against the softmax by hand in float64 and against the rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer.attention import Attention, dense_attention
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.masks import compress
from attention_explorer.attention.mixed import MixedAttention
from attention_explorer.attention.terms import NoTermsError

# Grouped: heads 0 to 2 read key head 0, heads 3 to 5 key head 1.
HEADS, KEY_HEADS, TOKENS, SIZE = 6, 2, 19, 5
GENERATOR = torch.Generator().manual_seed(5)
LOWER = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril()
WINDOW = LOWER & ~LOWER.tril(-6)
UNPADDED = (torch.arange(TOKENS) < 14).expand(TOKENS, TOKENS)
ALIBI = torch.arange(TOKENS) * torch.linspace(0.1, 0.9, HEADS)[:, None, None]
DISTANCES = torch.arange(TOKENS) - torch.arange(TOKENS)[:, None] + TOKENS - 1
RELATIVE = torch.randn(HEADS, 2 * TOKENS - 1, generator=GENERATOR)[:, DISTANCES]
NOTHING = torch.zeros(HEADS, TOKENS, TOKENS)
PLAIN = LayerStates(
    query=torch.randn(HEADS, TOKENS, SIZE, generator=GENERATOR),
    key=torch.randn(KEY_HEADS, TOKENS, SIZE, generator=GENERATOR),
    scaling=0.7,
)
EVERY = torch.ones_like(LOWER)

# Of each case: what enters the softmax, what is added to the scores, which keys may be read.
CASES: dict[str, tuple[LayerStates, torch.Tensor | None, torch.Tensor]] = {
    "grouped": (PLAIN, None, EVERY),
    "Gemma 2: softcap, window": (
        replace(PLAIN, softcap=0.8, mask=compress([WINDOW[None]], TOKENS)),
        None,
        WINDOW,
    ),
    "ALiBi": (replace(PLAIN, mask=compress([ALIBI, LOWER[None]], TOKENS)), ALIBI, LOWER),
    "T5: unscaled, by distance": (
        replace(PLAIN, scaling=1.0, mask=compress([RELATIVE], TOKENS)),
        RELATIVE,
        EVERY,
    ),
    "sinks": (
        replace(PLAIN, sinks=torch.linspace(-2, 3, HEADS), mask=compress([LOWER[None]], TOKENS)),
        None,
        LOWER,
    ),
    "padding": (replace(PLAIN, mask=compress([UNPADDED[None]], TOKENS)), None, UNPADDED),
    "bfloat16": (
        replace(PLAIN, query=PLAIN.query.bfloat16(), key=PLAIN.key.bfloat16()),
        None,
        EVERY,
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("head", "query"), [(1, 7), (5, 18)])
def test_every_term_is_that_of_the_textbook(case: str, head: int, query: int) -> None:
    """A wrong key head, a scaling or a cap in the wrong place, a bias of another row shows."""
    layer, added, readable = CASES[case]
    keys = [11, 3, 4, 16, 0, 7]
    terms = QKAttention([layer], layer_numbers=[0]).terms(0, head, query, keys)
    own, all_keys = layer.query[head, query].double(), layer.key[head // 3].double()
    products = own * all_keys
    capped = products.sum(-1) * layer.scaling
    if layer.softcap is not None:
        capped = layer.softcap * torch.tanh(capped / layer.softcap)
    scores = capped if added is None else capped + added.expand(NOTHING.shape)[head, query]
    scores = scores.masked_fill(~readable[query], -torch.inf)
    sink = [] if layer.sinks is None else [float(layer.sinks[head])]
    log_sum = torch.cat([scores, torch.tensor(sink, dtype=torch.float64)]).logsumexp(0)

    def same(ours: Any, expected: torch.Tensor) -> bool:
        return bool(np.allclose(ours, expected.numpy(), atol=3e-6))

    assert same(terms.query, own)
    assert same(terms.key, all_keys[keys])
    assert same(terms.product, products.sum(-1)[keys])
    assert same(terms.capped, capped[keys])
    assert same(terms.score, scores[keys])
    assert same(terms.weight, (scores - log_sum).exp()[keys])
    assert (terms.scaling, terms.softcap) == (layer.scaling, layer.softcap)
    assert math.isclose(terms.log_sum, float(log_sum), abs_tol=3e-6)
    assert terms.sink == (sink[0] if sink else None)
    assert np.allclose(terms.largest, [float(all_keys.abs().amax()), float(products.abs().amax())])
    assert (terms.bias is None) == (added is None)
    shown = readable[query, keys].numpy()
    bias = 0 if terms.bias is None else terms.bias
    assert np.allclose((terms.capped + bias)[shown], terms.score[shown], atol=3e-6), "add up"


@pytest.mark.parametrize("case", CASES)
def test_weights_are_what_the_other_views_show(case: str) -> None:
    """To 1e-6, whether normalisers were known before or not."""
    attention = QKAttention([CASES[case][0]], layer_numbers=[0])
    for head, query in ((0, 13), (4, 2)):
        weight = attention.terms(0, head, query, range(TOKENS)).weight
        assert np.abs(weight - attention.row(0, head, query)).max() < 1e-6
        attention.matrix(0, head)
        again = attention.terms(0, head, query, range(3, 9)).weight
        assert np.abs(again - attention.row(0, head, query)[3:9]).max() < 1e-6
        assert not weight[~CASES[case][2][query].numpy()].any()


def test_addends_that_hide_are_no_terms() -> None:
    """An additive mask's least number, shown as a bias, would dwarf every other."""
    least = torch.finfo(torch.float32).min
    layer = replace(PLAIN, mask=compress([RELATIVE.masked_fill(~LOWER, least)], TOKENS))
    terms = QKAttention([layer], layer_numbers=[0]).terms(0, 2, 9, range(TOKENS))
    assert terms.bias is not None
    assert np.array_equal(terms.bias[:10], RELATIVE[2, 9, :10].numpy())
    assert not terms.bias[10:].any()
    assert np.isneginf(terms.score[10:]).all()


def test_a_layer_that_fell_back_has_none_and_the_others_keep_theirs() -> None:
    traced = QKAttention([PLAIN, CASES["sinks"][0]], layer_numbers=[0, 2])
    given = dense_attention(np.full((1, HEADS, TOKENS, TOKENS), 1 / TOKENS), layer_numbers=[1])
    mixed: Attention = MixedAttention([traced, given])
    assert mixed.terms(2, 5, 4, [1]).sink == 3
    with pytest.raises(NoTermsError, match=r"as given.*trace\("):
        mixed.terms(1, 5, 4, [1])


def test_weights_without_some_keys_are_no_softmax_of_these_scores() -> None:
    hidden = HiddenAttention(QKAttention([PLAIN], layer_numbers=[0]), (0,), renormalise=True)
    with pytest.raises(NoTermsError, match="by token and with every key"):
        hidden.terms(0, 0, 3, [1])

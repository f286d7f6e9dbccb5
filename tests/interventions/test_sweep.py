"""Many edits, each alone: as one by one, however they are batched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_explorer import Trace, trace
from attention_explorer.interventions import (
    AblateHead,
    CutEdges,
    Sweep,
    ablate_all_heads,
    cut_all_keys,
    measure,
)
from attention_explorer.interventions.reading import Reading
from attention_explorer.interventions.running import copies_at_once

from .models import headed

Build = Callable[..., Any]

TEXT = "the cat sat on the mat ."


def check(sweep: Sweep, place: Any, traced: Trace, edit: Any, **options: Any) -> None:
    """Hold one cell to the edit measured by itself."""
    alone = measure(traced, edit, **options).change
    assert sweep.changes.keys() == dict(alone.numbers()).keys()
    for name, value in alone.numbers():
        assert sweep.changes[name][place] == pytest.approx(value, abs=1e-5, rel=1e-3)
    assert sweep.is_other[place] == alone.is_other
    assert sweep.effect[place] == pytest.approx(alone.size, abs=1e-5, rel=1e-3)


@pytest.mark.parametrize("which", ["gpt2", "bloom", "t5", "masked", "several", "score", "images"])
@pytest.mark.parametrize("batch", [None, 1, 5])
def test_every_head_alone(which: str, batch: int | None, tokenizer: Any, inputs_of: Build) -> None:
    """A copy that gets the edit of another, or of two, has another effect."""
    model, options = headed(which), dict[str, Any]({"at": 3} if which == "masked" else {})
    if which == "images":
        traced = trace(model, inputs=inputs_of("vit"), batch_index=1)
    else:
        traced = trace(model, tokenizer, TEXT, target="the mat ." if which == "t5" else None)
    sweep = ablate_all_heads(traced, batch=batch, **options)
    shape = traced.attention.n_layers, 4
    assert sweep.axes == ("layer", "head")
    assert sweep.effect.shape == sweep.is_other.shape == shape
    for layer, head in np.ndindex(*shape):
        check(sweep, (layer, head), traced, AblateHead(layer, head), **options)
    assert len(np.unique(sweep.effect.round(9))) > 6


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_every_head_of_each_kind(kind: str, tokenizer: Any) -> None:
    model = headed("t5")
    traced = trace(model, tokenizer, TEXT, target="the mat .")
    sweep = ablate_all_heads(traced, by="mean", kind=kind, at=1, target="sat")
    for layer, head in ((0, 3), (1, 0)):
        edit = AblateHead(layer, head, "mean", kind)
        check(sweep, (layer, head), traced, edit, at=1, target="sat")
    assert sweep.target is not None
    assert sweep.target.number == tokenizer.convert_tokens_to_ids("sat")


@pytest.mark.parametrize("batch", [None, 2])
def test_every_key_of_a_query(batch: int | None, tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    sweep = cut_all_keys(traced, "mat", range(1, 3), [0, 3], at=7, batch=batch)
    assert sweep.axes == ("key",)
    assert sweep.effect.shape == (9,)
    assert np.isnan(sweep.effect).tolist() == [False] * 7 + [True] * 2
    for key in range(7):
        check(sweep, key, traced, CutEdges(6, key, [1, 2], [0, 3]), at=7)
    rows = [traced.attention.row(layer, head, 6) for layer in (1, 2) for head in (0, 3)]
    assert sweep.attention == pytest.approx(np.mean(rows, 0), abs=1e-6)
    assert "2 of 9 keys have no effect to measure (NaN)" in " ".join(sweep.notes)


def test_a_key_that_is_all_that_is_read(tokenizer: Any) -> None:
    """One copy that can't be done mustn't end the sweep, and its number isn't 0."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match="there is nothing to measure: what is cut isn't read"):
        cut_all_keys(traced, 0)
    narrow = trace(headed("llama"), tokenizer, TEXT)
    with pytest.raises(ValueError, match="the model is gone"):
        cut_all_keys(narrow, 3)
    sweep = cut_all_keys(traced, 1, at=4)
    assert np.isnan(sweep.effect[2:]).all()
    assert not np.isnan(sweep.effect[:2]).any()


def test_progress_is_told(tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    shares: list[float] = []
    ablate_all_heads(traced, batch=5, progress=shares.append)
    assert shares == [5 / 12, 10 / 12, 1]


def test_attention_stands_beside_the_effects(tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    beside = np.arange(12).reshape(3, 4)
    sweep = ablate_all_heads(traced, attention=beside, attention_of="number")
    assert np.array_equal(sweep.attention, beside)  # type: ignore[arg-type]
    assert sweep.attention_of == "number"
    with pytest.raises(ValueError, match=r"shape \(4, 3\), and there are \(layers, heads\) \(3, 4"):
        ablate_all_heads(traced, attention=beside.T.reshape(4, 3))


def test_memory_is_bounded(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of a long text, or of one with many logits, mustn't all go through at once."""
    from attention_explorer.interventions import running

    masked, causal = headed("masked"), headed("gpt2")
    readings = [
        Reading(trace(masked, tokenizer, TEXT), 3),
        Reading(trace(causal, tokenizer, TEXT)),
    ]
    assert [copies_at_once(reading) for reading in readings] == [2048 // 9] * 2
    monkeypatch.setattr(running, "BATCH_TOKENS", 40)
    assert [copies_at_once(reading) for reading in readings] == [4, 4]
    # Of the causal model one token's logits are worked out.
    monkeypatch.setattr(running, "BATCH_LOGITS", 2 * 9 * 50)
    assert [copies_at_once(reading) for reading in readings] == [2, 4]
    monkeypatch.setattr(running, "BATCH_TOKENS", 3)
    assert [copies_at_once(reading) for reading in readings] == [1, 1]
    with pytest.raises(ValueError, match="batch has to be a whole number from 1 on, got 0"):
        ablate_all_heads(readings[1].trace, batch=0)


def test_a_classifier_that_takes_no_batch(tokenizer: Any) -> None:
    """Without a padding token it can't tell the last token of several texts, and refuses them."""
    model = headed("causal labels", pad_token_id=None)
    traced = trace(model, tokenizer, TEXT)
    sweep = ablate_all_heads(traced)
    check(sweep, (1, 2), traced, AblateHead(1, 2))

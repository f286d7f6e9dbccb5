"""What can't be done is refused with the reason, never done wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers.models.bert import modeling_bert

from attention_explorer import Trace, trace
from attention_explorer.interventions import AblateHead, CutEdges, ReplaceToken, measure

from .models import headed

Build = Callable[..., Any]

TEXT = "the cat sat on the mat ."


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (AblateHead(3, 0), "there is no layer 3: the encoder attention has 3, counted from 0 to 2"),
        (AblateHead(0, 4), "there is no head 4: the encoder attention has 4"),
        (CutEdges(0, 1, heads=[1, 7]), "there is no head 7"),
        (CutEdges(0, 1, layers=9), "there is no layer 9"),
        (CutEdges(9, 1), "there is no token 9: there are 9, counted from 0 to 8"),
        (CutEdges("dog", 1), "'dog' isn't in the text"),
        (CutEdges(0, "the"), "'the' occurs 2 times, at tokens 1 and 5"),
        (AblateHead(0, 0, kind="cross"), "'cross' is not a kind of attention of .*: 'encoder'"),
        (CutEdges(2, range(9)), "layer 0 of the encoder attention: query 2 would have nothing"),
        (ReplaceToken(9, "cat"), "there is no token 9"),
        (ReplaceToken("the cat", "sat"), "position='the cat' are 2 tokens, 1 to 2"),
        (ReplaceToken(1, "dog"), r"'dog' is unknown to \w+, which makes \[UNK\] of it"),
        (ReplaceToken(1, "the cat"), "'the cat' is not one token of"),
        (ReplaceToken(1, 50), "token number 50 and .* knows 50"),
        (ReplaceToken(1, "cat", "target"), "was given no decoder_input_ids"),
    ],
)
def test_what_is_not_there(edit: Any, message: str, tiny_model: Build, tokenizer: Any) -> None:
    model = tiny_model("bert")
    traced = trace(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match=message):
        measure(traced, edit)


def test_replaced_tokens_are_found_by_any_of_their_names(tiny_model: Build, tokenizer: Any) -> None:
    """Text, the tokenizer's own string and the number are the same token."""
    model = tiny_model("bert")
    traced = trace(model, tokenizer, TEXT)
    expected = measure(traced, ReplaceToken("cat", "mat")).change
    assert expected.mean_l2 is not None
    assert expected.mean_l2 > 1e-3
    number = tokenizer.convert_tokens_to_ids("mat")
    assert measure(traced, ReplaceToken(2, number)).change == expected
    assert measure(traced, ReplaceToken(2, "[UNK]")).change != expected


def test_the_target_is_replaced(tokenizer: Any) -> None:
    model = headed("t5")
    traced = trace(model, tokenizer, TEXT, target="the cat sat")
    other = trace(model, tokenizer, TEXT, target="the mat sat")
    effect = measure(traced, ReplaceToken("cat", "mat", "target"))
    plain = measure(other, AblateHead(0, 0)).before
    assert effect.after.numbers == pytest.approx(plain.numbers, abs=1e-5)
    assert effect.change.kl is not None
    assert effect.change.kl > 1e-4


def test_padding_comes_before_a_replaced_token(tiny_model: Build, padded_inputs: Build) -> None:
    """Positions count tokens: with padding on the left another one would be replaced."""
    model, inputs = tiny_model("gpt2"), padded_inputs("left")
    traced = trace(model, inputs=inputs, batch_index=1)
    other = {name: value.clone() for name, value in inputs.items()}
    other["input_ids"][1, 4 + 2] = 7
    effect = measure(traced, ReplaceToken(2, 7), at=4)
    expected = measure(trace(model, inputs=other, batch_index=1), AblateHead(0, 0), at=4).before
    assert effect.after.states["token"] == pytest.approx(expected.states["token"], abs=1e-5)


def test_a_layer_that_cannot_be_rebuilt_is_named(tiny_model: Build, padded_inputs: Build) -> None:
    """Its weights are shown as the model returns them, but there is nothing to cut them from."""
    model = tiny_model("llama")
    inputs = {**padded_inputs(), "slopes": torch.ones(1)}
    traced = trace(model, inputs=inputs, batch_index=0)
    message = "layer 1 of the decoder attention can't be changed: .* passes 'slopes' to its softmax"
    with pytest.raises(ValueError, match=message):
        measure(traced, CutEdges(3, 1, layers=1))
    effect = measure(traced, AblateHead(1, 0))
    assert effect.change.mean_l2 is not None
    assert effect.change.mean_l2 > 1e-3


def test_what_does_something_of_its_own_is_named(
    tiny_model: Build, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut of weights that aren't the model's own would measure something else."""
    model = tiny_model("bert", "eager")
    traced = trace(model, tokenizer, TEXT)
    original = modeling_bert.eager_attention_forward

    def sharper(module: Any, query: Any, *args: Any, **options: Any) -> Any:
        return original(module, query * 1.1, *args, **options)

    monkeypatch.setattr(modeling_bert, "eager_attention_forward", sharper)
    with pytest.raises(ValueError, match=r"can't be changed: the weights rebuilt for .* miss its"):
        measure(traced, CutEdges(3, 1, layers=1))


def test_a_trace_without_its_model(tiny_model: Build, tokenizer: Any, tmp_path: Any) -> None:
    model = tiny_model("bert")
    traced = trace(model, tokenizer, TEXT)
    traced.save(tmp_path / "cat.trace")
    loaded = Trace.load(tmp_path / "cat.trace")
    with pytest.raises(ValueError, match="this trace has no model: trace"):
        measure(loaded, AblateHead(0, 0))
    del model
    with pytest.raises(ValueError, match="the model is gone: keep it in a variable"):
        measure(traced, AblateHead(0, 0))


def test_nothing_keeps_a_model(tiny_model: Build, tokenizer: Any) -> None:
    """What is remembered of a pass must not be the reason why a model stays in memory."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    effect = measure(traced, CutEdges(6, 2))
    assert effect.before.top
    del model
    with pytest.raises(ValueError, match="the model is gone"):
        measure(traced, CutEdges(6, 2))
    assert effect.before.top

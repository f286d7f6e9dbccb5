"""A model is after a trace what it was before, whatever happened in between."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AttentionInterface

from attention_explorer import trace
from attention_explorer.tracing.capture import Record, capture

watching_modes: Any = torch.overrides._get_current_function_mode_stack


def state_of(model: Any) -> tuple[Any, ...]:
    return (
        [module.training for module in model.modules()],
        model.config.to_dict(),
        model.config._attn_implementation,
        AttentionInterface.__dict__["get_interface"],
        [len(module._forward_hooks) for module in model.modules()],
        [len(module._forward_pre_hooks) for module in model.modules()],
        watching_modes(),
        torch.is_grad_enabled(),
    )


LAST_ATTENTION = {
    "bert": "encoder.layer.2.attention",
    "bart": "decoder.layers.1.encoder_attn",
    "bloom": "h.2.self_attention",
}


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("family", "backend"),
    [("bert", "sdpa"), ("bert", "eager"), ("bart", "sdpa"), ("bloom", "eager")],
)
def test_model_is_left_as_found(
    error: type[BaseException] | None, family: str, backend: str, tiny_model: Any, inputs_of: Any
) -> None:
    """Modes that differ by module have to come back, after an interrupted cell too."""
    model = tiny_model(family, backend).train()
    attention = model.get_submodule(LAST_ATTENTION[family])
    attention.eval()
    before = state_of(model)
    if error is None:
        trace(model, inputs=inputs_of(family), batch_index=1)
    else:

        def fail(*_: Any) -> None:
            # BLOOM's own code is watched in a second pass, which is the one to be interrupted.
            if family != "bloom" or watching_modes():
                raise error("in the middle")

        hook = attention.register_forward_pre_hook(fail)
        with pytest.raises(error, match="in the middle"):
            trace(model, inputs=inputs_of(family), batch_index=1)
        hook.remove()
    assert state_of(model) == before


@pytest.mark.parametrize("fails", [False, True])
def test_the_fallback_restores_the_backend(
    fails: bool, tiny_model: Any, padded_inputs: Any
) -> None:
    """A model that stays on the eager backend after a trace is slower for good."""
    model = tiny_model("llama").train()
    before = state_of(model)
    inputs = {**padded_inputs(), "slopes": torch.ones(1)}
    if fails:

        def fail_on_eager(*_: Any) -> None:
            if model.config._attn_implementation == "eager":
                raise KeyboardInterrupt

        hook = model.layers[1].register_forward_pre_hook(fail_on_eager)
        with pytest.raises(KeyboardInterrupt):
            trace(model, inputs=inputs, batch_index=0)
        hook.remove()
    else:
        trace(model, inputs=inputs, batch_index=0)
    assert state_of(model) == before


def test_training_mode_traces_without_dropout(tiny_model: Any, padded_inputs: Any) -> None:
    model = tiny_model("bert")
    quiet = trace(model, inputs=padded_inputs(), batch_index=0).attention.matrix(2, 3)
    model.train()
    assert np.array_equal(
        trace(model, inputs=padded_inputs(), batch_index=0).attention.matrix(2, 3), quiet
    )


def test_inputs_are_not_changed(tiny_model: Any, padded_inputs: Any) -> None:
    inputs = padded_inputs()
    copies = {name: value.clone() for name, value in inputs.items()}
    trace(tiny_model("bert"), inputs=inputs, batch_index=1)
    assert inputs.keys() == copies.keys()
    assert all(torch.equal(inputs[name], copies[name]) for name in copies)


@pytest.mark.parametrize("families", [("bert", "gpt2"), ("bart", "bloom")])
def test_threads_record_their_own_models_only(
    families: tuple[str, str], tiny_model: Any, inputs_of: Any
) -> None:
    """With a shared list one thread's layers would end up in the other's trace."""
    models = [tiny_model(families[0]), tiny_model(families[1], "eager", n_layer=5)]
    original = AttentionInterface.__dict__["get_interface"]

    def read(number: int) -> Any:
        traced = trace(models[number], inputs=inputs_of(families[number]), batch_index=0)
        return {
            kind: [traced[kind].attention.matrix(i, 1) for i in range(shown.attention.n_layers)]
            for kind, shown in traced.kinds.items()
        }

    expected = [read(number) for number in (0, 1)]
    assert [len(expected[1][kind]) for kind in expected[1]] == [5]
    meet = threading.Barrier(2)
    passed = [False, False]

    def wait_for_the_other(number: int) -> Any:
        def wait(*_: Any) -> None:
            if not passed[number]:
                passed[number] = True
                meet.wait(30)

        return wait

    for number, model in enumerate(models):  # both are inside their forward at once
        model.register_forward_pre_hook(wait_for_the_other(number))
    found: dict[int, Any] = {}

    def work(number: int) -> None:
        found[number] = read(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in (0, 1):
        assert found[number].keys() == expected[number].keys()
        for kind, matrices in expected[number].items():
            assert np.array_equal(found[number][kind], matrices)
    assert AttentionInterface.__dict__["get_interface"] is original


def test_one_model_is_watched_by_two_threads(tiny_model: Any, inputs_of: Any) -> None:
    """The hooks that tell which module runs are on the model, and so run in both threads."""
    model = tiny_model("bloom", "eager")
    expected = trace(model, inputs=inputs_of("bloom"), batch_index=0)
    found: list[Any] = []

    def work() -> None:
        found.append(trace(model, inputs=inputs_of("bloom"), batch_index=0))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for traced in found:
        assert traced.source == expected.source
        assert np.array_equal(traced.attention.matrix(2, 1), expected.attention.matrix(2, 1))


def test_nested_captures_record_each_model(tiny_model: Any, inputs_of: Any) -> None:
    outer, inner, encoder_decoder = tiny_model("bert"), tiny_model("gpt2"), tiny_model("bart")
    inputs = inputs_of("bert")
    outer_records: list[Record] = []
    inner_records: list[Record] = []
    with torch.no_grad(), capture(outer, outer_records.append):
        outer(**inputs)
        with capture(inner, inner_records.append):
            inner(**inputs)
            outer(**inputs)
        traced = trace(encoder_decoder, inputs=inputs_of("bart"), batch_index=0)
        outer(**inputs)
    assert len(outer_records) == 9
    assert len(inner_records) == 3
    assert inner_records[0].output.shape == (2, 11, 4, 8)
    assert [traced[kind].attention.n_layers for kind in traced.kinds] == [3, 2, 2]

"""A model is after an intervention what it was before, and so is the next trace of it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AttentionInterface

from attention_explorer import Trace, trace
from attention_explorer.interventions import (
    AblateHead,
    CutEdges,
    Edit,
    Effect,
    ReplaceToken,
    ablate_all_heads,
    measure,
)
from attention_explorer.tracing.live import Live

from .models import headed

Build = Callable[..., Any]

TEXT = "the cat sat on the mat ."
EDITS: list[Edit] = [AblateHead(0, 1), CutEdges(5, [2, 3]), ReplaceToken(1, "mat")]
watching_modes: Any = torch.overrides._get_current_function_mode_stack


class State:
    """All of a model that an intervention could leave behind."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._weights = copy.deepcopy(model.state_dict())
        self._rest = self._read()

    def _read(self) -> tuple[Any, ...]:
        modules = list(self._model.modules())
        return (
            [module.training for module in modules],
            [sorted(vars(module)) for module in modules],
            [len(module._forward_hooks) for module in modules],
            [len(module._forward_pre_hooks) for module in modules],
            [(p.requires_grad, p.grad) for p in self._model.parameters()],
            self._model.config.to_dict(),
            self._model.config._attn_implementation,
            AttentionInterface.__dict__["get_interface"],
            watching_modes(),
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
        )

    def check(self) -> None:
        assert self._read() == self._rest
        weights = self._model.state_dict()
        assert weights.keys() == self._weights.keys()
        assert all(torch.equal(weights[name], own) for name, own in self._weights.items())


def matrices(traced: Trace) -> Any:
    of = traced.attention
    return np.stack(
        [[of.matrix(layer, head) for head in range(of.n_heads)] for layer in range(of.n_layers)]
    )


@pytest.mark.parametrize("which", ["gpt2", "llama", "bloom", "masked"])
def test_nothing_stays(which: str, tokenizer: Any) -> None:
    """Modes that differ by module, hooks and the patched look-up have to be what they were."""
    model = headed(which).train()
    next(module for module in model.modules() if "Attention" in type(module).__name__).eval()
    traced = trace(model, tokenizer, TEXT)
    shown = matrices(traced)
    before = State(model)
    first = measure(traced, EDITS, at=6)
    before.check()
    assert first.change.kl is not None
    assert first.change.kl > 1e-5
    assert measure(traced, EDITS, at=6) == first
    assert np.array_equal(matrices(trace(model, tokenizer, TEXT)), shown)


class _StoppedError(BaseException):
    """Not even an exception."""


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, _StoppedError])
@pytest.mark.parametrize(
    ("which", "last"),
    [
        ("gpt2", "transformer.h.2.attn"),
        ("bloom", "transformer.h.2.self_attention"),
        ("t5", "decoder.block.1.layer.1.EncDecAttention"),
    ],
)
def test_nothing_stays_of_what_was_interrupted(
    error: type[BaseException], which: str, last: str, tokenizer: Any
) -> None:
    model = headed(which).train()
    target = "the mat ." if which == "t5" else None
    traced = trace(model, tokenizer, TEXT, target=target)
    expected = measure(traced, AblateHead(0, 1))

    def fail(*_: Any) -> None:
        raise error("in the middle")

    before = State(model)
    hook = model.get_submodule(last).register_forward_hook(fail)
    edits: list[Edit] = [AblateHead(0, 1), CutEdges(1, 0)]
    for edit in edits:
        with pytest.raises(error, match="in the middle"):
            measure(traced, edit)
    hook.remove()
    before.check()
    assert measure(traced, AblateHead(0, 1)) == expected


@pytest.mark.parametrize("which", ["gpt2", "bloom"])
def test_nothing_stays_of_a_refused_edit(which: str, tokenizer: Any) -> None:
    """A refusal is raised from within the model's own pass."""
    model = headed(which)
    traced = trace(model, tokenizer, TEXT)
    before = State(model)
    with pytest.raises(ValueError, match="query 1 would have nothing left to read in head 0"):
        measure(traced, CutEdges(1, [0, 1], 2))
    before.check()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_stays_of_a_stopped_sweep(error: type[BaseException], tokenizer: Any) -> None:
    model = headed("gpt2").train()
    traced = trace(model, tokenizer, TEXT)
    before = State(model)
    shares: list[float] = []

    def stop(share: float) -> None:
        shares.append(share)
        if share > 0.4:
            raise error

    with pytest.raises(error):
        ablate_all_heads(traced, batch=3, progress=stop)
    assert shares == [0.25, 0.5]
    before.check()


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_the_callers_modes_change_nothing(mode: Any, tokenizer: Any) -> None:
    """What inference mode makes can't be written into outside of it, nor the other way round."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    expected = measure(traced, EDITS, at=6)
    with mode():
        traced = trace(model, tokenizer, TEXT)
        before = State(model)
        assert measure(traced, EDITS, at=6).change == expected.change
        before.check()
    assert measure(traced, EDITS, at=6).change == expected.change


def test_a_loss_can_be_derived_afterwards(tokenizer: Any) -> None:
    """Gradients that were there stay, and new ones come to the same parameters."""
    model = headed("gpt2").train()
    traced = trace(model, tokenizer, TEXT)
    model(**traced.live.inputs).logits.sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    measure(traced, EDITS, at=6)
    assert all(
        torch.equal(parameter.grad, own)
        for parameter, own in zip(model.parameters(), gradients, strict=True)
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("which", ["gpt2", "llama", "bloom"])
def test_models_of_half_precision(which: str, dtype: torch.dtype, tokenizer: Any) -> None:
    """What is worked out in float32 goes back in the model's own format; its weights stay as is."""
    wide = headed(which, initializer_range=0.1)
    exact = measure(trace(wide, tokenizer, TEXT), EDITS[:2], at=6)
    model = headed(which, initializer_range=0.1).to(dtype)
    traced = trace(model, tokenizer, TEXT)
    before = State(model)
    effect = measure(traced, EDITS[:2], at=6)
    before.check()
    assert exact.change.kl is not None
    assert any(f"{dtype}"[6:] in note for note in effect.notes)
    assert not any("float32" in note for note in exact.notes)
    assert effect.change.kl == pytest.approx(exact.change.kl, rel=0.3)
    assert effect.change.kl is not None
    assert effect.change.kl > 1e-6


def test_autocast_does_not_round_what_is_worked_out_anew(tokenizer: Any) -> None:
    """The rows would miss the model's own, and be refused."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    before = State(model)
    with torch.autocast("cpu", torch.bfloat16):
        effect = measure(traced, CutEdges(5, [2, 3]), at=6)
    before.check()
    assert effect.change.kl is not None
    assert effect.change.kl > 0


@pytest.mark.parametrize("which", ["gpt2", "bloom"])
def test_threads_do_not_mix_their_edits(which: str, tokenizer: Any) -> None:
    """One model, four threads, four edits: with shared state one would get another's effect."""
    model = headed(which)
    traced = trace(model, tokenizer, TEXT)
    edits: list[Edit] = [
        AblateHead(0, 1),
        AblateHead(2, 3),
        CutEdges(5, 2),
        CutEdges([4, 6], [1, 2], 1),
    ]
    expected = [measure(traced, edit) for edit in edits]
    before = State(model)
    found: dict[int, list[Effect]] = {i: [] for i in range(len(edits))}

    def work(number: int) -> None:
        for _ in range(3):
            found[number].append(measure(traced, edits[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, effects in found.items():
        assert effects == [expected[number]] * 3
    before.check()


def test_the_unchanged_pass_is_run_once(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A knock-out is to cost one pass; after a training step what is kept is another model's."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    n_passes = 0
    run = Live.run

    def counting(*args: Any, **options: Any) -> Any:
        nonlocal n_passes
        n_passes += 1
        return run(*args, **options)

    monkeypatch.setattr(Live, "run", counting)
    first = measure(traced, AblateHead(0, 1))
    assert n_passes == 2
    measure(traced, CutEdges(5, 2))
    measure(traced["decoder"], CutEdges(5, 3))
    assert n_passes == 4
    assert model.train(False) is model
    measure(traced, AblateHead(0, 2), at=4)
    assert n_passes == 6
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    model(**traced.live.inputs).logits.square().mean().backward()
    optimiser.step()
    after = measure(traced, AblateHead(0, 1))
    assert n_passes == 8
    assert not np.allclose(after.before.numbers, first.before.numbers)

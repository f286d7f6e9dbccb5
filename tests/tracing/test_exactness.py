"""Traced weights against those that the library's eager path returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AttentionInterface

from attention_explorer import Trace, trace
from attention_explorer.attention import DenseAttention
from attention_explorer.attention.from_qk import QKAttention
from attention_explorer.tracing.capture import Record, capture
from attention_explorer.tracing.families import CannotRebuildError, layer_numbers
from attention_explorer.tracing.forward import rebuild

CASES = [
    (family, backend)
    for family in ("bert", "roberta", "distilbert", "electra", "gpt2", "llama", "mistral")
    for backend in ("sdpa", "eager")
] + [("gemma2", "eager"), ("gpt_oss", "eager")]
DECODERS = ("gpt2", "llama", "mistral", "gemma2", "gpt_oss")


def matrices(traced: Trace) -> np.ndarray[Any, Any]:
    attention = traced.attention
    return np.stack(
        [
            [attention.matrix(layer, head) for head in range(attention.n_heads)]
            for layer in range(attention.n_layers)
        ]
    )


@pytest.mark.parametrize(("family", "backend"), CASES)
@pytest.mark.parametrize("side", ["right", "left"])
def test_weights_are_those_of_the_eager_path(
    family: str, backend: str, side: str, tiny_model: Any, padded_inputs: Any, eager_attentions: Any
) -> None:
    """A lost mask, window, softcap, sink, scaling or a wrong key head is off by far more."""
    model, inputs = tiny_model(family, backend), padded_inputs(side)
    expected = eager_attentions(model, inputs)
    for example in (0, 1):
        traced = trace(model, inputs=inputs, batch_index=example)
        assert isinstance(traced.attention, QKAttention), traced.source
        kept = inputs["attention_mask"][example].bool()
        own = torch.stack([layer[example][:, kept][:, :, kept] for layer in expected]).numpy()
        ours = matrices(traced)
        assert ours.shape == own.shape == (3, 4, int(kept.sum()), int(kept.sum()))
        assert np.abs(ours - own).max() <= 1e-5
        assert (traced.attention.causal) == (family in DECODERS)
        if family in DECODERS:
            assert not np.triu(ours, 1).any()
        if family in ("mistral", "gemma2"):
            assert (ours == 0).sum() == (own == 0).sum()
        assert bool(traced.attention.notes) == (example == 1 or family == "gpt_oss")


@pytest.mark.parametrize("family", ["bert", "llama"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_rebuilt_not_refused(
    family: str, dtype: torch.dtype, tiny_model: Any, padded_inputs: Any, eager_attentions: Any
) -> None:
    """A self-check as strict as for float32 would send all of these to the fallback."""
    model = tiny_model(family, initializer_range=0.1).to(dtype)
    inputs = padded_inputs()
    traced = trace(model, inputs=inputs, batch_index=0)
    assert isinstance(traced.attention, QKAttention)
    expected = torch.stack(eager_attentions(model, inputs))[:, 0].float().numpy()
    assert np.abs(matrices(traced) - expected).max() <= 0.02


def test_outputs_stay_bit_identical(tiny_model: Any, padded_inputs: Any) -> None:
    """Recording that changed a stride or a dtype would change the model's answer."""
    model, inputs = tiny_model("llama"), padded_inputs()
    with torch.no_grad():
        plain = model(**inputs).last_hidden_state
        with capture(model, torch.tensor([0])) as records:
            recorded = model(**inputs).last_hidden_state
    assert torch.equal(plain, recorded)
    assert [record.key.shape[1] for record in records] == [2, 2, 2]


class Biased(torch.nn.Module):
    """An attention of its own that goes through the interface."""

    is_causal = False

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = config
        self.states = torch.nn.Linear(8, 24)

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, Any]:
        query, key, value = self.states(hidden).view(1, -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        interface: Any = AttentionInterface
        attend = interface().get_interface(self.config._attn_implementation, biased)
        output, weights = attend(self, query, key, value, None, scaling=0.5)
        return output.flatten(2), weights


def biased(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **options: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    distance = torch.arange(query.shape[2])[:, None] - torch.arange(key.shape[2])
    weights = (query @ key.mT * scaling - 0.3 * distance.abs()).softmax(-1)
    return (weights @ value).transpose(1, 2), weights


class MadeUp(torch.nn.Module):
    """A model that isn't of the library; it returns attentions where it is told to."""

    def __init__(self, attends: bool = True, returns: bool = True) -> None:
        super().__init__()
        from transformers import PretrainedConfig

        self.config: Any = PretrainedConfig()
        self.config._attn_implementation = "eager"
        self.embeddings = torch.nn.Embedding(50, 8)
        self.layer = torch.nn.ModuleList([Biased(self.config) for _ in range(2 * attends)])
        self.returns = returns

    def forward(self, input_ids: torch.Tensor, output_attentions: bool = False) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        hidden = self.embeddings(input_ids)
        attentions: tuple[torch.Tensor, ...] = ()
        for layer in self.layer:
            change, weights = layer(hidden)
            hidden, attentions = hidden + change, (*attentions, weights)
        returned = attentions if self.returns and output_attentions else None
        return BaseModelOutput(last_hidden_state=hidden, attentions=returned)


IDS = {"input_ids": torch.arange(3, 10)[None]}


def test_a_bias_of_the_models_own_falls_back_and_says_so() -> None:
    """Queries and keys alone would give a plausible map that isn't the model's."""
    torch.manual_seed(0)
    model = MadeUp()
    traced = trace(model, inputs=IDS)
    assert isinstance(traced.attention, DenseAttention)
    assert "own returned attentions" in traced.source
    assert "layer.0" in traced.source
    own = torch.stack(model(**IDS, output_attentions=True).attentions)[:, 0].detach().numpy()
    assert np.array_equal(matrices(traced), own)


def test_a_bias_of_the_models_own_is_refused_where_nothing_is_returned() -> None:
    torch.manual_seed(0)
    with pytest.raises(ValueError, match=r"MadeUp returns no attention.*layer\.0 miss its own"):
        trace(MadeUp(returns=False), inputs=IDS)


def test_a_model_without_attention_is_refused() -> None:
    with pytest.raises(ValueError, match="MadeUp returns no attention"):
        trace(MadeUp(attends=False), inputs=IDS)


def test_an_unknown_argument_of_the_softmax_falls_back_by_name(
    tiny_model: Any, padded_inputs: Any, eager_attentions: Any
) -> None:
    """A bias handed to the backend under a name that isn't known would otherwise be dropped."""
    model, inputs = tiny_model("llama"), padded_inputs()
    traced = trace(model, inputs={**inputs, "slopes": torch.ones(2, 1)}, batch_index=0)
    assert "'slopes'" in traced.source
    expected = torch.stack(eager_attentions(model, inputs))[:, 0].numpy()
    assert np.abs(matrices(traced) - expected).max() <= 1e-6


def test_own_attention_code_falls_back_to_what_the_model_returns(eager_attentions: Any) -> None:
    """BLOOM passes by the interface: nothing is recorded."""
    from transformers import BloomConfig, BloomModel

    torch.manual_seed(0)
    config = BloomConfig(vocab_size=50, hidden_size=32, n_layer=3, n_head=4)
    model: Any = BloomModel(config)
    model.eval()
    mask = torch.ones(1, 7, dtype=torch.long)
    mask[0, 5:] = 0
    traced = trace(model, inputs={**IDS, "attention_mask": mask})
    expected = torch.stack(eager_attentions(model, {**IDS, "attention_mask": mask}))
    assert "own returned attentions" in traced.source
    assert traced.attention.causal
    assert np.array_equal(matrices(traced), expected[:, 0, :, :5, :5].numpy())


def test_an_eager_backend_that_computes_something_else_is_refused(padded_inputs: Any) -> None:
    """Falcon's eager code adds ALiBi twice: its map isn't that of the model on sdpa."""
    from transformers import FalconConfig, FalconModel

    torch.manual_seed(0)
    config = FalconConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        alibi=True,
        new_decoder_architecture=False,
        initializer_range=0.5,
    )
    config._attn_implementation = "sdpa"
    model: Any = FalconModel(config)
    with pytest.raises(ValueError, match=r"FalconModel can't be had.*gives other outputs"):
        trace(model, inputs=padded_inputs(), batch_index=0)
    assert config._attn_implementation == "sdpa"
    config._attn_implementation = "eager"
    assert trace(model, inputs=padded_inputs(), batch_index=0).attention.causal


def test_layers_that_skip_numbers_keep_the_models_own() -> None:
    assert layer_numbers(["model.layers.3.self_attn", "model.layers.7.self_attn"]) == (3, 7)
    assert layer_numbers(["groups.0.layers.0.attention"] * 3) == (0, 1, 2)
    assert layer_numbers(["attention"]) == (0,)


def without(name: str) -> Callable[[Record], Record]:
    return lambda record: replace(record, options={**record.options, name: None})


MISTAKES: dict[str, tuple[str, Callable[[Record], Record]]] = {
    "softcap": ("gemma2", without("softcap")),
    "sinks": ("gpt_oss", without("s_aux")),
    "window": (
        "mistral",
        lambda record: replace(record, mask=torch.ones(1, 1, 11, 11, dtype=torch.bool).tril()),
    ),
    "causality": ("llama", lambda record: replace(record, is_causal=False)),
    "a tenth of the scaling": (
        "bert",
        lambda record: replace(
            record, options={**record.options, "scaling": record.options["scaling"] * 1.1}
        ),
    ),
    "order of the key heads": ("llama", lambda record: replace(record, key=record.key.flip(1))),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_self_check_catches_what_a_family_could_hide(
    mistake: str, tiny_model: Any, padded_inputs: Any
) -> None:
    """The check is all that stands between an unknown family and a plausible wrong map."""
    family, spoil = MISTAKES[mistake]
    kept = torch.arange(11)
    picks = torch.tensor([0, 3, 10])
    model = tiny_model(family, "eager" if family in ("gemma2", "gpt_oss") else "sdpa")
    with torch.no_grad(), capture(model, kept[picks]) as records:
        model(input_ids=padded_inputs()["input_ids"][:1])
    assert rebuild(records, kept, picks).n_layers == 3
    spoilt = [records[0], spoil(records[1]), records[2]]
    with pytest.raises(CannotRebuildError, match="miss its own output"):
        rebuild(spoilt, kept, picks)

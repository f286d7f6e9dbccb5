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
from attention_explorer.attention.biases import KeyBias, OffsetBias
from attention_explorer.attention.from_qk import QKAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.tracing.capture import Record, capture
from attention_explorer.tracing.families import layer_numbers
from attention_explorer.tracing.reader import Reader
from attention_explorer.tracing.streams import Stream, numbered

from .families import EAGER_ONLY, FAMILIES, IMAGES

CASES = [
    (family, backend)
    for family in FAMILIES
    for backend in ("sdpa", "eager")
    if not (backend == "sdpa" and (family in EAGER_ONLY or family == "falcon_alibi"))
]
ENCODERS = (
    *("bert", "roberta", "distilbert", "electra", "albert", "modernbert", "deberta_v2"),
    *("vit", "dinov2", "dinov2_registers"),
)
LAYER_NUMBERS = {"qwen3_next": (1, 3)}


def matrices(traced: Trace) -> np.ndarray[Any, Any]:
    attention = traced.attention
    return np.stack(
        [
            [attention.matrix(layer, head) for head in range(attention.n_heads)]
            for layer in range(attention.n_layers)
        ]
    )


def without_padding(weights: torch.Tensor, kept: torch.Tensor) -> np.ndarray[Any, Any]:
    """Drop the rows and columns of padding from weights, where these sides can have it."""
    for axis in (-1, -2):
        if weights.shape[axis] == len(kept):
            weights = weights.index_select(axis, kept.nonzero()[:, 0])
    return weights.numpy()


@pytest.mark.parametrize(("family", "backend"), CASES)
@pytest.mark.parametrize("side", ["right", "left"])
def test_weights_are_those_of_the_eager_path(
    family: str, backend: str, side: str, tiny_model: Any, inputs_of: Any, eager_attentions: Any
) -> None:
    """A lost mask, window, softcap, sink, bias, scaling or a wrong key head is off by far more."""
    if side == "left" and family in (*IMAGES[:-1], "whisper"):
        pytest.skip("has no padding")
    model, inputs = tiny_model(family, backend), inputs_of(family, side)
    expected = eager_attentions(model, inputs)
    for example in (0, 1):
        traced = trace(model, inputs=inputs, batch_index=example)
        if "" in expected:
            expected = {"encoder" if family in ENCODERS else "decoder": expected[""]}
        assert list(traced.kinds) == list(expected)
        kept = inputs.get("attention_mask", torch.ones(2, 1))[example]
        for kind, weights in expected.items():
            shown = traced[kind]
            assert isinstance(shown.attention, QKAttention), shown.source
            own, ours = without_padding(weights[:, example], kept), matrices(shown)
            assert ours.shape == own.shape
            assert len(shown.tokens) == own.shape[2]
            assert len(shown.key_tokens or shown.tokens) == own.shape[3]
            assert np.abs(ours - own).max() <= (2e-5 if kind == "cross" else 1e-5)
            is_causal = kind in ("decoder", "text")
            assert shown.attention.causal == is_causal
            assert shown.attention.layer_numbers == LAYER_NUMBERS.get(
                family, tuple(range(len(own)))
            )
            assert shown.check().ok
            if is_causal:
                assert not np.triu(ours, 1).any()
            if family in ("mistral", "gemma2", "gemma3", "phi3", "modernbert"):
                assert (ours == 0).sum() == (own == 0).sum() > 0


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_a_relative_bias_takes_a_line_not_a_square(
    kind: str, tiny_model: Any, inputs_of: Any
) -> None:
    """T5's bias as n x n numbers a head would take what the weights themselves take."""
    traced = trace(tiny_model("t5"), inputs=inputs_of("t5"), batch_index=0)
    attention: Any = traced[kind].attention
    assert "biases" in attention.source
    for layer in attention.layers:
        (bias,) = layer.mask.biases
        assert isinstance(bias, OffsetBias)
        assert bias.values.shape == (4, 2 * attention.n_queries - 1)
        assert layer.scaling == 1


@pytest.mark.parametrize("family", ["bloom", "falcon_alibi"])
def test_alibi_takes_one_number_a_key(family: str, tiny_model: Any, inputs_of: Any) -> None:
    model = tiny_model(family, "sdpa" if family == "falcon_alibi" else "eager")
    attention: Any = trace(model, inputs=inputs_of(family), batch_index=1).attention
    assert attention.causal
    for layer in attention.layers:
        (bias,) = layer.mask.biases
        assert isinstance(bias, KeyBias)
        assert isinstance(layer.mask.pattern, KeyIntervals)


@pytest.mark.parametrize("example", [0, 1])
def test_alibi_on_sdpa_is_what_the_model_computes(
    example: int, tiny_model: Any, inputs_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Falcon's eager code adds ALiBi twice: its map isn't that of the model on sdpa."""
    model, inputs = tiny_model("falcon_alibi"), inputs_of("falcon_alibi")
    traced = trace(model, inputs=inputs, batch_index=example)
    function, own = torch.nn.functional.scaled_dot_product_attention, []

    def note(query: Any, key: Any, value: Any, attn_mask: Any, **options: Any) -> Any:
        own.append((query @ key.mT * query.shape[-1] ** -0.5 + attn_mask).softmax(-1)[0])
        return function(query, key, value, attn_mask=attn_mask, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", note)
    kept = inputs["attention_mask"][example]
    with torch.no_grad():
        model(**{name: value[example : example + 1] for name, value in inputs.items()})
    expected = without_padding(torch.stack(own), kept)
    assert np.abs(matrices(traced) - expected).max() <= 1e-5
    assert traced.check(rows=int(kept.sum())).worst <= 1e-6


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
    expected = eager_attentions(model, inputs)[""][:, 0].float().numpy()
    assert np.abs(matrices(traced) - expected).max() <= 0.02


def test_outputs_stay_bit_identical(tiny_model: Any, padded_inputs: Any) -> None:
    """Recording that changed a stride or a dtype would change the model's answer."""
    model, inputs = tiny_model("llama"), padded_inputs()
    records: list[Record] = []
    with torch.no_grad():
        plain = model(**inputs).last_hidden_state
        with capture(model, records.append):
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
    # Alone, as it was traced: products of a batch round otherwise.
    alone = {name: value[:1] for name, value in inputs.items()}
    expected = eager_attentions(model, alone)[""][:, 0].numpy()
    assert np.abs(matrices(traced) - expected).max() <= 1e-6


class Roundabout(torch.nn.Module):
    """Takes its softmax in a way of its own, which leaves no trail from product to product."""

    def __init__(self, config: Any, twist: float) -> None:
        super().__init__()
        self.config = config
        self.twist = twist
        self.states = torch.nn.Linear(8, 24)

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, Any]:
        query, key, value = self.states(hidden).view(1, -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
        powers = (query @ key.mT / 2).exp()
        if self.config._attn_implementation == "eager":
            powers = powers ** (1 + self.twist)
        weights = powers / powers.sum(-1, keepdim=True)
        return (weights @ value).transpose(1, 2).flatten(2), weights


def roundabout(twist: float) -> Any:
    torch.manual_seed(0)
    model = MadeUp()
    model.config._attn_implementation = "sdpa"
    model.layer = torch.nn.ModuleList([Roundabout(model.config, twist) for _ in range(2)])
    return model


def test_attention_without_a_trail_falls_back_to_what_the_model_returns() -> None:
    model = roundabout(0.0)
    mask = torch.ones(1, 7, dtype=torch.long)
    mask[0, 5:] = 0
    traced = trace(model, inputs=IDS)
    assert "own returned attentions" in traced.source
    own = torch.stack(model(**IDS, output_attentions=True).attentions)[:, 0].detach().numpy()
    assert np.array_equal(matrices(traced), own)
    assert traced.check().ok
    assert "eager backend" in traced.check().compared


def test_an_eager_backend_that_computes_something_else_is_refused() -> None:
    """Its returned attentions would be a plausible map that isn't the model's."""
    model = roundabout(0.1)
    with pytest.raises(ValueError, match=r"MadeUp can't be had.*gives other outputs"):
        trace(model, inputs=IDS)
    assert model.config._attn_implementation == "sdpa"


def test_layers_that_skip_numbers_keep_the_models_own() -> None:
    assert layer_numbers(["model.layers.3.self_attn", "model.layers.7.self_attn"]) == (3, 7)
    assert layer_numbers(["groups.0.layers.0.attention"] * 3) == (0, 1, 2)
    assert layer_numbers(["attention"]) == (0,)
    assert layer_numbers(["decoder.block.0.layer.1.EncDecAttention"]) == (0,)
    cross = [f"decoder.block.{block}.layer.1.EncDecAttention" for block in (0, 1)]
    assert layer_numbers(cross) == (0, 1)


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
    "relative bias": ("t5", lambda record: replace(record, biases=())),
    "scaling where there is none": ("t5", without("scaling")),
    "order of the key heads": ("llama", lambda record: replace(record, key=record.key.flip(1))),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_self_check_catches_what_a_family_could_hide(
    mistake: str, tiny_model: Any, inputs_of: Any
) -> None:
    """The check is all that stands between an unknown family and a plausible wrong map."""
    family, spoil = MISTAKES[mistake]
    model = tiny_model(family, "eager" if family in EAGER_ONLY else "sdpa")
    records: list[Record] = []
    inputs = inputs_of(family)
    inputs.pop("attention_mask")
    with torch.no_grad(), capture(model, records.append):
        model(**{name: value[:1] for name, value in inputs.items()})
    stream = Stream(lambda _, n_positions: numbered(n_positions))
    streams = {"source": stream, **({"target": stream} if family == "t5" else {})}
    honest, spoilt = Reader(streams, 1, rows=3), Reader(streams, 1, rows=3)
    for number, record in enumerate(records):
        honest(record)
        spoilt(spoil(record) if number == 1 else record)
    assert not honest.reasons
    ((kind, reason),) = spoilt.reasons.items()
    assert "miss its own output" in reason
    assert kind in honest.readings()
    assert kind not in spoilt.readings()

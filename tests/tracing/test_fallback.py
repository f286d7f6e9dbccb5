"""Only the layers that can't be rebuilt are the model's returned attentions, and are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AttentionInterface

from attention_explorer import AttentionExplorer, Trace, trace
from attention_explorer.attention import DenseAttention
from attention_explorer.attention.from_qk import QKAttention
from attention_explorer.attention.mixed import MixedAttention
from tests.tracing.test_exactness import IDS, matrices
from tests.tracing.test_saving import same

N_LAYERS, SIZE = 4, 8


class Layer(torch.nn.Module):
    """Goes through the interface, with a bias of its own or without."""

    is_causal = False

    def __init__(self, config: Any, slope: float, returns: bool) -> None:
        super().__init__()
        self.config, self.slope, self.returns = config, slope, returns
        self.states = torch.nn.Linear(SIZE, 3 * SIZE)

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, Any]:
        size = hidden.shape[0], -1, 3, 2, SIZE // 2
        query, key, value = self.states(hidden).view(*size).permute(2, 0, 3, 1, 4)
        interface: Any = AttentionInterface
        attend = interface().get_interface(self.config._attn_implementation, sloping)
        output, weights = attend(self, query, key, value, None, scaling=0.5)
        return output.flatten(2), weights if self.returns else None


def sloping(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: float, **options: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    distance = torch.arange(query.shape[2])[:, None] - torch.arange(key.shape[2])
    weights = (query @ key.mT * scaling - module.slope * distance.abs()).softmax(-1)
    return (weights @ value).transpose(1, 2), weights


class MadeUp(torch.nn.Module):
    """A model some of whose layers add to their scores what nobody is told of.

    Parameters
    ----------
    sloping : sequence of int
        These layers.
    silent : sequence of int
        Layers that return no weights.
    skipped : bool
        Whether each layer with attention stands between two without, which return None.
    """

    def __init__(
        self, sloping: tuple[int, ...], silent: tuple[int, ...] = (), skipped: bool = False
    ) -> None:
        super().__init__()
        from transformers import PretrainedConfig

        self.config: Any = PretrainedConfig()
        self.config._attn_implementation = "eager"
        self.embeddings = torch.nn.Embedding(50, SIZE)
        layers: list[torch.nn.Module] = []
        for number in range(N_LAYERS):
            layers += [torch.nn.Linear(SIZE, SIZE)] * skipped
            layers.append(Layer(self.config, 0.3 * (number in sloping), number not in silent))
        self.layer = torch.nn.ModuleList(layers)

    def forward(self, input_ids: torch.Tensor, output_attentions: bool = False) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        hidden = self.embeddings(input_ids)
        attentions: tuple[torch.Tensor | None, ...] = ()
        for layer in self.layer:
            change, weights = layer(hidden) if isinstance(layer, Layer) else (layer(hidden), None)
            hidden, attentions = hidden + change, (*attentions, weights)
        returned: Any = attentions if output_attentions else None
        return BaseModelOutput(last_hidden_state=hidden, attentions=returned)


def made_up(*arguments: Any) -> Any:
    torch.manual_seed(0)
    return MadeUp(*arguments)


def own_weights(model: Any) -> Any:
    with torch.no_grad():
        attentions = model(**IDS, output_attentions=True).attentions
    return torch.stack([weights for weights in attentions if weights is not None])[:, 0].numpy()


@pytest.mark.parametrize("skipped", [False, True])
@pytest.mark.parametrize("biased", [(2,), (0, 3), (0,)])
def test_only_layers_with_a_bias_of_their_own_fall_back(
    biased: tuple[int, ...], skipped: bool
) -> None:
    """One odd layer made all others dense, or took the number of another."""
    model = made_up(biased, (), skipped)
    traced = trace(model, inputs=IDS)
    attention = traced.attention
    assert isinstance(attention, MixedAttention)
    numbers = [2 * number + 1 if skipped else number for number in range(N_LAYERS)]
    assert attention.layer_numbers == tuple(numbers)
    rebuilt, returned = attention.parts
    assert isinstance(rebuilt, QKAttention)
    assert isinstance(returned, DenseAttention)
    assert returned.layer_numbers == tuple(numbers[number] for number in biased)
    assert len(returned.layers) == len(biased)
    own = own_weights(model)
    assert np.abs(matrices(traced) - own).max() <= 1e-5
    for number in biased:
        assert np.array_equal(matrices(traced)[number], own[number])
    names = " and ".join(str(numbers[number]) for number in biased)
    plural = "s" * (len(biased) > 1)
    assert traced.source.startswith("queries and keys of the forward pass; layer")
    assert f"layer{plural} {names}: the model's own returned attentions" in traced.source
    assert f"layer.{numbers[biased[0]]} miss its own output" in traced.source
    check = traced.check()
    assert check.ok
    assert len(check.differences) == N_LAYERS
    assert f"for layer{plural} {names} the output of the eager backend" in check.compared
    assert traced.check(rows=3).ok
    AttentionExplorer(traced)


def test_what_is_not_returned_for_a_layer_is_refused_by_its_name() -> None:
    """The layers that could be rebuilt need not be returned; of the others, each has to be."""
    for silent in ((1,), (0, 1, 2, 3)):
        with pytest.raises(ValueError, match=r"MadeUp returns no attention: .*layer\.1 miss its"):
            trace(made_up((1, 2), silent), inputs=IDS)
    with pytest.raises(ValueError, match=r"MadeUp returns no attention: .*layer\.2 miss its"):
        trace(made_up((1, 2), (2,)), inputs=IDS)
    traced = trace(made_up((1, 2), (0, 3)), inputs=IDS)
    assert "layers 1 and 2: the model's own" in traced.source


def test_examples_of_a_batch_have_each_their_own() -> None:
    model = made_up((2,))
    ids = torch.randint(3, 50, (2, 9), generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        own = torch.stack(model(ids, output_attentions=True).attentions)
    for example in (0, 1):
        traced = trace(model, inputs={"input_ids": ids}, batch_index=example)
        assert np.abs(matrices(traced) - own[:, example].numpy()).max() <= 1e-5


def test_it_survives_saving(tmp_path: Path) -> None:
    before = trace(made_up((0, 2)), inputs=IDS)
    before.attention.notes += ("A note.",)
    before.save(tmp_path / "mixed")
    after = Trace.load(tmp_path / "mixed")
    assert isinstance(after.attention, MixedAttention)
    assert same(before, after)
    assert np.abs(matrices(before) - matrices(after)).max() <= 1e-6
    assert (repr(before), before.check()) == (repr(after), after.check())

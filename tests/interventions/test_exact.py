"""Edits against the same done by hand, on the eager backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from attention_explorer import trace
from attention_explorer.interventions import AblateHead, CutEdges, measure
from attention_explorer.interventions.altering import Altering
from attention_explorer.interventions.meant import meant
from attention_explorer.tracing.capture import Record
from attention_explorer.tracing.live import Place

from .by_hand import NAMES, PROJECTIONS, Change, run_by_hand
from .conftest import difference

Build = Callable[..., Any]

TOLERANCE = 1e-5
EAGER_ONLY = ("gemma2", "gpt_oss", "bloom", "gptj", "deberta_v2")
CASES = [
    (family, kind, backend)
    for family, kind in NAMES
    for backend in ("sdpa", "eager")
    if not (backend == "sdpa" and family in EAGER_ONLY)
    and not (backend == "eager" and family == "falcon")
]
WRITTEN_IN_TARGET = ("decoder", "cross")


# In float64 experts have no kernel, and rows that read padding alone are nan on the eager backend:
# smaller weights keep float32 as exact.
MILD = {"initializer_range": 0.2}
NO_DOUBLE = ("gpt_oss", "qwen3_next", "modernbert")
HYBRID = {"qwen3_next": (1, 3)}


class Case:
    """A traced example of a family, and the same model on the eager backend."""

    def __init__(
        self, build: Build, inputs_of: Build, which: tuple[str, str, str], place: tuple[int, str]
    ) -> None:
        family, kind, backend = which
        self.example, side = place
        self.family, self.kind = family, kind
        is_double = side == "right" and family not in NO_DOUBLE
        changes = {} if is_double else MILD
        self.model = build(family, backend, **changes)
        by_hand = "sdpa" if family == "falcon" else "eager"
        self.by_hand = build(family, by_hand, **changes)
        inputs = dict(inputs_of(family, side))
        if is_double:
            self.model, self.by_hand = self.model.double(), self.by_hand.double()
            inputs = {
                name: value.double() if value.is_floating_point() else value
                for name, value in inputs.items()
            }
        self.traced = trace(self.model, inputs=inputs, batch_index=self.example)[kind]
        self.inputs = {
            name: value[self.example : self.example + 1] for name, value in inputs.items()
        }
        of = self.traced.attention
        self.queries, self.keys = self._places(of.n_queries), self._places(of.n_keys)

    def _places(self, n_kept: int) -> list[int]:
        """Return where the tokens that are no padding stand; the target has none."""
        mask = self.inputs.get("attention_mask")
        if mask is None or int(mask.sum()) != n_kept:
            return list(range(n_kept))
        places: list[int] = mask[0].nonzero()[:, 0].tolist()
        return places

    def name(self, layer: int) -> str:
        numbers = HYBRID.get(self.family, range(self.traced.attention.n_layers))
        return NAMES[self.family, self.kind].format(numbers[layer])

    def run_by_hand(self, changes: Sequence[Change]) -> Any:
        return run_by_hand(self.family, self.by_hand, self.inputs, changes)

    def difference(self, first: Any, second: Any) -> float:
        """Padding's own outputs mean nothing."""
        is_source = "decoder_input_ids" not in self.inputs
        return difference(first, second, self.queries if is_source else None)


@pytest.fixture(params=CASES, ids="-".join)
def family_case(request: Any) -> tuple[str, str, str]:
    family, kind, backend = request.param
    return family, kind, backend


@pytest.mark.parametrize("place", [(0, "right"), (1, "right"), (1, "left")], ids=str)
def test_edges_are_cut_as_by_hand(
    family_case: Any, place: Any, tiny_model: Build, inputs_of: Build, edited: Build
) -> None:
    """A lost mask, softcap, sink, bias, window or padding shift, or a wrong key head, shows."""
    if family_case[0] in ("vit", "whisper") and place[1] == "left":
        pytest.skip("has no padding")
    case = Case(tiny_model, inputs_of, family_case, place)
    of = case.traced.attention
    layers, heads = [0, of.n_layers - 1], [1, 2]
    queries, keys = (3, 5, of.n_queries - 1), (0, 2)
    expected = case.run_by_hand(
        [
            Change(
                case.name(layer),
                heads,
                [case.queries[i] for i in queries],
                [case.keys[i] for i in keys],
                call=layer if case.family == "albert" else 0,
            )
            for layer in layers
        ]
    )
    found = edited(case.traced, CutEdges(queries, keys, layers, heads))
    assert case.difference(found, expected) <= TOLERANCE
    assert case.difference(case.traced.live.run(), expected) > 1e-3


@pytest.mark.parametrize("which", [(*case, "eager") for case in PROJECTIONS], ids="-".join)
def test_a_head_at_zero_is_its_slice_of_the_projection_at_zero(
    which: tuple[str, str, str], tiny_model: Build, inputs_of: Build, edited: Build
) -> None:
    """Another head, or a head's outputs taken after the projection, would differ."""
    family, kind, _ = which
    which = (family, kind, "sdpa") if family == "falcon" else which
    case = Case(tiny_model, inputs_of, which, (1, "right"))
    layer, head = case.traced.attention.n_layers - 1, 2
    name, is_by_column = PROJECTIONS[family, kind]
    weight = case.by_hand.get_submodule(name.format(layer)).weight
    size = weight.shape[is_by_column] // 4
    own = slice(head * size, (head + 1) * size)
    with torch.no_grad():
        weight[(slice(None), own) if is_by_column else own] = 0
        expected = case.by_hand(**case.inputs)
    found = edited(case.traced, AblateHead(layer, head))
    assert case.difference(found, expected) <= (0 if family not in NO_DOUBLE else 1e-6)
    assert case.difference(case.traced.live.run(), expected) > 1e-3


@pytest.mark.parametrize("family", ["bert", "gpt2", "bloom"])
def test_the_mean_of_a_head_leaves_padding_out(
    family: str, tiny_model: Build, inputs_of: Build, edited: Build
) -> None:
    """The mean over 11 positions, of which 4 are padding, is another one."""
    kind = "encoder" if family == "bert" else "decoder"
    case = Case(tiny_model, inputs_of, (family, kind, "eager"), (1, "right"))
    name, _ = PROJECTIONS[family, kind]
    projection = case.by_hand.get_submodule(name.format(1))

    def enter(_module: Any, args: Any) -> Any:
        states = args[0].clone()
        size = states.shape[-1] // 4
        own = states[..., 3 * size : 4 * size]
        own[:] = own[:, :7].mean(1, keepdim=True)
        return (states, *args[1:])

    handle = projection.register_forward_pre_hook(enter)
    with torch.no_grad():
        expected = case.by_hand(**case.inputs)
    handle.remove()
    found = edited(case.traced, AblateHead(1, 3, "mean"))
    assert case.difference(found, expected) <= TOLERANCE
    assert case.difference(case.traced.live.run(), expected) > 1e-3


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_other_weights_are_rescaled(family: str, tiny_model: Build, inputs_of: Build) -> None:
    """Zeroing after the softmax would leave them as they are: o - A v, not (o - A v) / (1 - A)."""
    kind = "encoder" if family == "bert" else "decoder"
    case = Case(tiny_model, inputs_of, (family, kind, "sdpa"), (0, "right"))
    layer, head, query = 1, 3, 6
    key = int(case.traced.attention.row(layer, head, query).argmax())
    done = Altering(case.traced.live, [meant(case.traced, [CutEdges(query, key, layer, head)])])
    seen: list[tuple[Record, torch.Tensor]] = []

    def alter(place: Place, record: Record) -> torch.Tensor | None:
        output = done(place, record)
        if output is not None:
            seen.append((record, output))
        return output

    case.traced.live.run(alter)
    ((record, output),) = seen
    weight = float(case.traced.attention.row(layer, head, query)[key])
    value = record.value[0, head * record.value.shape[1] // 4, key]
    expected = (record.output[0, query, head] - weight * value) / (1 - weight)
    assert 0.01 < weight < 0.99
    assert torch.allclose(output[0, query, head], expected, atol=1e-5)
    rest = torch.ones(output.shape[:3], dtype=torch.bool)
    rest[0, query, head] = False
    assert torch.equal(output[rest], record.output[rest])
    assert done.n_cut == [1]


def test_a_sink_takes_what_is_left(tiny_model: Build, inputs_of: Build, edited: Build) -> None:
    """gpt-oss rows may lose every key: the learned sink is read then, which has no value."""
    case = Case(tiny_model, inputs_of, ("gpt_oss", "decoder", "eager"), (0, "right"))
    expected = case.run_by_hand([Change(case.name(1), [2], [3], [0, 1, 2, 3])])
    found = edited(case.traced, CutEdges(3, range(4), 1, 2))
    assert case.difference(found, expected) <= TOLERANCE


def test_what_the_model_does_not_read_changes_nothing(
    tiny_model: Build, inputs_of: Build, edited: Build
) -> None:
    """Rounding of a row that needn't be worked out anew would look like an effect."""
    case = Case(tiny_model, inputs_of, ("mistral", "decoder", "sdpa"), (0, "left"))
    plain = case.traced.live.run()
    # A later token, and one before the window of 5.
    for query, key in ((3, 7), (9, 2)):
        edit = CutEdges(query, key)
        assert case.difference(edited(case.traced, edit), plain) == 0
        unread = "12 of 12 edges, over layers and heads, aren't read by the model anyway"
        assert unread in measure(case.traced, edit).notes[-1]
    assert case.difference(edited(case.traced, CutEdges(9, 7)), plain) > 1e-3


def test_several_edits_apply_together(tiny_model: Build, inputs_of: Build, edited: Build) -> None:
    """Cuts of one head in one layer add up, and an ablation isn't undone by a cut of its head."""
    case = Case(tiny_model, inputs_of, ("gpt2", "decoder", "sdpa"), (0, "right"))
    expected = case.run_by_hand(
        [
            Change(case.name(1), [0], [4], [1]),
            Change(case.name(1), [0, 2], [4, 5], [2]),
            Change(case.name(1), ablate=[2]),
            Change(case.name(2), ablate=[0, 3]),
        ]
    )
    edits = [
        AblateHead(1, 2),
        CutEdges(4, 1, 1, 0),
        CutEdges([4, 5], 2, 1, [0, 2]),
        AblateHead(2, 0),
        AblateHead(2, 3),
    ]
    assert case.difference(edited(case.traced, *edits), expected) <= TOLERANCE

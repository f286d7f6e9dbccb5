"""Relevance of each token for an output, by the weights and their gradients.

Source: Chefer, Gur & Wolf 2021, "Generic Attention-model Explainability for Interpreting Bi-Modal
and Encoder-Decoder Transformers", self-attention.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..attention.base import Attention, Float
from ..runs import Progress
from ..tracing.trace import Kind
from .rollout import LayeredAttention, why_not

if TYPE_CHECKING:
    import torch

    from ..tracing.capture import Record
    from ..tracing.live import Live, Place
    from ..tracing.trace import Trace
    from .outputs import Chosen, Target

NOTE = (
    "Relevance (Chefer et al. 2021) for {of}, up to this layer: R + (mean over heads of weight × "
    "gradient, where above 0) R, with R = I before the first. Rows don't sum to 1, and the "
    "diagonal is at least 1."
)


@dataclass(frozen=True)
class Gradients:
    """What an output's number changes by with each weight, without a number for each of them.

    Attributes
    ----------
    chosen : Chosen
        The output.
    value : list of tensor, shape (key heads, keys, d)
        By layer.
    by_output : list of tensor, shape (heads, queries, d)
        The gradient at what each head gives, by layer.
    """

    chosen: Chosen
    value: list[torch.Tensor]
    by_output: list[torch.Tensor]

    def by_weight(self, layer: int, head: int) -> Float:
        """Return the gradient at a head's weights, <gradient at o_i, v_j>: (queries, keys)."""
        from ..attention.head import to_numpy

        value, by_output = self.value[layer], self.by_output[layer]
        own = value[head * len(value) // len(by_output)]
        return to_numpy(by_output[head] @ own.T)


def relevance(
    trace: Trace, target: Target | None, at: int | str | None, progress: Progress
) -> Kind:
    """Return the relevance up to each layer, one head a layer; see `measures.measure`."""
    gradients = read_gradients(trace, target, at)
    kind = trace.kinds[trace.kind]
    base = kind.attention
    reached: Float = np.eye(base.n_queries, dtype=np.float32)
    layers = []
    for layer in range(base.n_layers):
        progress((layer + 1) / (base.n_layers + 1))
        reached = reached + _positive(base, gradients, layer) @ reached
        layers.append(reached[None])
    found = LayeredAttention(
        layers,
        base,
        f"{base.source}; gradients of one more pass",
        [NOTE.format(of=gradients.chosen.name)],
    )
    return replace(kind, attention=found, check=None)


def read_gradients(trace: Trace, target: Target | None, at: int | str | None) -> Gradients:
    """Run the model once more, forth and back.

    Raises
    ------
    ValueError
        The model has no number to explain, or its attention can't be altered.
    """
    import torch

    from .outputs import Choice
    from .values import kept

    live, choice = trace.live, Choice(trace, target, at)
    values, added, positions = list[torch.Tensor](), list[torch.Tensor](), list[torch.Tensor]()
    check_unchanged = _Unchanged(trace.attention)

    def note(place: Place, record: Record) -> torch.Tensor | None:
        if place.kind != trace.kind:
            return None
        queries, keys = kept(live, trace.kind, record)
        values.append(record.value[0].detach().index_select(1, keys))
        positions.append(queries)
        check_unchanged(place.layer, values[-1], record.output[0].detach()[queries])
        delta = torch.zeros_like(record.output, requires_grad=True)
        added.append(delta)
        return record.output + delta

    # What a caller's inference mode makes can never be a part of a graph.
    with torch.inference_mode(False), torch.enable_grad():
        output = live.run(note, inputs=choice.inputs, gradients=True)
        chosen = choice.of(output)
        found = torch.autograd.grad(chosen.number, added, allow_unused=True)
    by_output = [
        torch.zeros_like(delta) if own is None else own
        for own, delta in zip(found, added, strict=True)
    ]
    return Gradients(
        replace(chosen, number=chosen.number.detach()),
        [_wide(value) for value in values],
        [
            _wide(own[0].index_select(0, queries).transpose(0, 1))
            for own, queries in zip(by_output, positions, strict=True)
        ],
    )


def why_no_relevance(kind: Kind, live: Live) -> str:
    """Return why there is none, "" where there may be; no pass is made."""
    from .outputs import why_no_output

    if "target" in live.given.streams:
        return "relevance through an encoder and its decoder isn't implemented"
    if len(live.names) > 1:
        return "relevance in models of texts and images isn't implemented"
    return why_not(kind, "relevance") or why_no_output(live.model)


class _Unchanged:
    """Refuses a pass that isn't the one whose weights were traced."""

    def __init__(self, attention: Attention) -> None:
        self._attention = attention

    def __call__(self, layer: int, value: torch.Tensor, output: torch.Tensor) -> None:
        """Compare weights times values with what the heads give, shape (queries, heads, d)."""
        import torch

        from ..tracing import check

        picks = check.sample(torch.arange(len(output)), check.ROWS)
        heads = range(self._attention.n_heads)
        rows = torch.from_numpy(self._attention.rows(layer, heads, picks.tolist())).to(value.device)
        shared = value.repeat_interleave(len(heads) // len(value), 0)
        found = (rows.to(_wide(value).dtype) @ _wide(shared)).transpose(0, 1)
        difference = float((found - output[picks.to(output.device)]).abs().max())
        if not difference <= check.tolerance(value.dtype) * float(value.abs().max()):
            raise ValueError("the model has changed since it was traced: trace the text once more")


def _positive(base: Attention, gradients: Gradients, layer: int) -> Float:
    """Return the mean over heads of weight times gradient, where that is above 0."""
    total = np.zeros((base.n_queries, base.n_keys), np.float32)
    for head in range(base.n_heads):
        total += np.maximum(base.matrix(layer, head) * gradients.by_weight(layer, head), 0)
    return total / np.float32(base.n_heads)


def _wide(numbers: torch.Tensor) -> torch.Tensor:
    import torch

    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))

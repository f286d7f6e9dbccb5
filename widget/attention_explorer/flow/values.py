"""Values and output projections of the traced model, from one more pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import Any, NamedTuple

import torch

from ..attention.base import Attention
from ..tracing import check
from ..tracing.capture import Record
from ..tracing.kinds import SIDES
from ..tracing.live import Live, Place
from ..tracing.trace import Check

# A probe of a map that also adds something is so large that rounding the sum hardly touches it.
_PROBE = 64.0


@dataclass(frozen=True)
class LayerValues:
    """What the heads of one layer move from each key, and into what.

    Attributes
    ----------
    name : str
        The output projection's path in the model.
    value : tensor, shape (key heads, keys, d)
        Each key head serves heads / key heads consecutive heads.
    weight : tensor, shape (heads, d, D)
        Each head's slice of the output projection.
    bias : tensor, shape (D,), or None
        What the projection adds.
    output : tensor, shape (queries, D)
        What it gave in the same pass.
    """

    name: str
    value: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    output: torch.Tensor

    @property
    def dtype(self) -> torch.dtype:
        """What is computed in: float32 or wider."""
        return torch.promote_types(self.value.dtype, torch.float32)

    def values_of(self, head: int) -> torch.Tensor:
        """Return what a head reads, shape (keys, d)."""
        return self.value[head * len(self.value) // len(self.weight)].to(self.dtype)

    def weight_of(self, head: int) -> torch.Tensor:
        """Return a head's slice of the projection, shape (d, D)."""
        return self.weight[head].to(self.dtype)

    def moved(self, head: int, keys: slice) -> torch.Tensor:
        """Return f(x) = v W_O of some keys, shape (keys, D)."""
        return self.values_of(head)[keys] @ self.weight_of(head)

    def difference(self, attention: Attention, layer: int) -> float:
        """Return how far the sum of A f(x) over heads and keys, and the bias, is from the output.

        Of `check.ROWS` queries, relative to the largest output.
        """
        picks = check.sample(torch.arange(attention.n_queries), check.ROWS)
        heads = range(attention.n_heads)
        rows = torch.from_numpy(attention.rows(layer, heads, picks.tolist())).to(self.value.device)
        output = self.output[picks.to(self.output.device)].to(self.dtype)
        found = torch.zeros_like(output)
        for head in heads:
            found += rows[head].to(self.dtype) @ self.values_of(head) @ self.weight_of(head)
        if self.bias is not None:
            found += self.bias
        worst = float((found - output).abs().max())
        return worst / max(float(output.abs().max()), 1e-30)


@torch.no_grad()
def read_values(attention: Attention, kind: str, live: Live) -> tuple[list[LayerValues], Check]:
    """Run the model once more, and return what every head moves.

    The output projection is found by what it is given: the attention's output, heads side by side.
    Only what it does counts, so adapters (LoRA) and quantised weights are in it.

    Parameters
    ----------
    attention : Attention
        Of the trace, by token.
    kind : str
        Which of the trace's kinds it is.
    live : Live
        The trace's model.

    Returns
    -------
    list of LayerValues
        One for each layer.
    Check
        The sum of A f(x) over heads and keys and the bias against the projection's own output,
        which it is exactly (Kobayashi et al. 2020).

    Raises
    ------
    ValueError
        The model is gone or has changed; or the attention's output goes through something that
        isn't linear before it is projected, so that it is no sum over keys.
    """
    watch = _Projections(live, kind)
    with watch.watching():
        live.run(watch.note, inputs=whole_inputs(live))
    layers = watch.found()
    differences = tuple(own.difference(attention, i) for i, own in enumerate(layers))
    tolerance = max(check.tolerance(own.value.dtype, own.output.dtype) for own in layers)
    for own, difference in zip(layers, differences, strict=True):
        if not difference <= tolerance:
            raise ValueError(
                f"the weights times values and projection miss the output of {own.name} by "
                f"{difference:.2g} of its largest: it isn't linear, or the model has changed since "
                "it was traced"
            )
    compared = "weights times values and output projection with the projection's own output"
    return layers, Check(differences, tolerance, compared)


def kept(live: Live, kind: str, record: Record) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which of a record's queries and keys are no padding, on its device."""
    sides = (0, record.output.shape[1]), (1, record.value.shape[2])
    queries, keys = (
        positions_of(live, kind, side, count).to(record.value.device) for side, count in sides
    )
    return queries, keys


def positions_of(live: Live, kind: str, side: int, count: int) -> torch.Tensor:
    """Return which of `count` positions of a kind's queries (side 0) or keys are no padding."""
    own = next(name for name, shown in live.names.items() if shown == kind)
    return live.given.streams[SIDES[own][side]].positions(live.example, count)


def whole_inputs(live: Live) -> dict[str, torch.Tensor]:
    """Return what the model was given, to be run for the output at every position."""
    return {name: given for name, given in live.inputs.items() if name != "logits_to_keep"}


class _Pending(NamedTuple):
    """What an attention gave, until somebody takes it."""

    record: Record
    queries: torch.Tensor
    value: torch.Tensor


class _Projections:
    """Finds the map that takes each attention's output, while the model runs."""

    def __init__(self, live: Live, kind: str) -> None:
        self._live, self._kind = live, kind
        self._thread = get_ident()
        self._pending: _Pending | None = None
        self._taken: tuple[torch.nn.Module, torch.Tensor] | None = None
        self._found: list[LayerValues] = []
        self._missing: list[str] = []
        self._probing = False

    def note(self, place: Place, record: Record) -> None:
        """Take the record of an attention; its output is waited for."""
        self._give_up()
        if place.kind == self._kind:
            queries, keys = kept(self._live, self._kind, record)
            value = record.value[0].detach().index_select(1, keys)
            self._pending = _Pending(record, queries, value)

    def found(self) -> list[LayerValues]:
        """Return what was found for each layer."""
        self._give_up()
        if self._missing:
            raise ValueError(
                f"no projection takes the output of {self._missing[0]} as it is: something stands "
                "between (a gate, a norm), or the model's own code multiplies it"
            )
        return self._found

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch all modules of the model until the block is left."""
        handles: list[Any] = []
        try:
            for name, module in self._live.model.named_modules():
                handles.append(module.register_forward_pre_hook(self._enter))
                handles.append(module.register_forward_hook(self._leave(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _enter(self, module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if self._probing or self._pending is None or get_ident() != self._thread:
            return
        output = self._pending.record.output
        if self._taken is None and len(given) == 1 and _is_flat(given[0], output):
            self._taken = module, given[0]

    def _leave(self, name: str) -> Callable[[torch.nn.Module, tuple[Any, ...], Any], None]:
        def leave(module: torch.nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if self._probing or get_ident() != self._thread:
                return
            if self._pending is None or self._taken is None or self._taken[0] is not module:
                return
            given, self._taken = self._taken[1], None
            if not isinstance(output, torch.Tensor) or output.shape[:-1] != given.shape[:-1]:
                return
            if output.shape == given.shape and torch.equal(output, given):
                return  # a dropout that is switched off
            self._add(name, module, given, output)

        return leave

    def _add(
        self, name: str, module: torch.nn.Module, given: torch.Tensor, output: torch.Tensor
    ) -> None:
        assert self._pending is not None
        (record, queries, value), self._pending = self._pending, None
        self._probing = True
        try:
            weight, bias = _affine(module, given)
        finally:
            self._probing = False
        n_heads = record.output.shape[-2]
        self._found.append(
            LayerValues(
                name=name,
                value=value,
                weight=weight.detach().reshape(n_heads, -1, weight.shape[-1]),
                bias=None if bias is None else bias.detach(),
                output=output.detach().reshape(-1, output.shape[-1]).index_select(0, queries),
            )
        )

    def _give_up(self) -> None:
        if self._pending is not None:
            self._missing.append(self._pending.record.name)
        self._pending = self._taken = None


def _is_flat(given: object, output: torch.Tensor) -> bool:
    """Tell whether something is an attention's output with its heads side by side."""
    if not isinstance(given, torch.Tensor) or given.numel() != output.numel():
        return False
    width = output.shape[-1] * output.shape[-2]
    return given.shape[-1:] == (width,) and torch.equal(given.flatten(), output.flatten())


def _affine(
    module: torch.nn.Module, given: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the matrix (in, out) that a module multiplies by, and what it adds."""
    from transformers.pytorch_utils import Conv1D

    own: Any = module
    if type(module) in (torch.nn.Linear, Conv1D) and _is_plain(own.weight):
        return own.weight if type(module) is Conv1D else own.weight.T, own.bias
    width = given.shape[-1]
    leading = (1,) * (given.ndim - 2)
    bias = module(given.new_zeros(*leading, 1, width)).reshape(-1)
    basis = torch.eye(width, dtype=given.dtype, device=given.device).mul_(_PROBE)
    weight = module(basis.reshape(*leading, width, width)).reshape(width, -1)
    return (weight - bias) / _PROBE, bias


def _is_plain(weight: torch.Tensor) -> bool:
    """Tell whether a weight is there and made of numbers as they are used."""
    return weight.is_floating_point() and not weight.is_meta

"""One forward pass of a model as it is loaded, and the attention that it leaves behind."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from ..attention.base import Attention
from ..attention.dense import dense_attention
from ..attention.from_qk import LayerStates, QKAttention
from .capture import Record, capture
from .families import CannotRebuildError, layer_numbers, layer_states

# Largest difference between rebuilt rows times V and the backend's own output, relative to the
# largest |V|. Right weights come within a tenth of it, a forgotten bias or window far beyond.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 2e-2}
SAMPLED_ROWS = 8

Inputs = Mapping[str, torch.Tensor]


def read_attention(model: torch.nn.Module, inputs: Inputs, kept: torch.Tensor) -> Attention:
    """Run the model once and return what it attended to.

    Weights come from the queries and keys of the pass, checked against the outputs of the model's
    own backend; where they can't be rebuilt, from a second pass on the eager backend, which returns
    them itself. The model is left as it was found.

    Parameters
    ----------
    model : torch.nn.Module
        In any mode, on any backend.
    inputs : mapping of str to tensor
        A batch of one, on the model's device.
    kept : tensor of int64
        The positions that are no padding: queries and keys of the result.

    Raises
    ------
    ValueError
        The model gives its attention in neither way.
    """
    picks = torch.linspace(0, len(kept) - 1, min(SAMPLED_ROWS, len(kept))).round().long()
    with evaluating(model):
        with capture(model, kept[picks]) as records:
            output = model(**inputs)
        try:
            return rebuild(records, kept, picks)
        except CannotRebuildError as error:
            reason = str(error)
        return _returned(model, inputs, kept, output, reason)


def rebuild(records: list[Record], kept: torch.Tensor, picks: torch.Tensor) -> QKAttention:
    """Return the attention of recorded calls; CannotRebuildError where it isn't the model's own."""
    if not records:
        raise CannotRebuildError(
            "its queries and keys don't go through transformers' attention interface"
        )
    masks: dict[int, Any] = {}
    layers = [layer_states(record, kept, masks) for record in records]
    for record, states in zip(records, layers, strict=True):
        if _kind(states) != _kind(layers[0]):
            raise CannotRebuildError(
                f"{record.name} has (heads, queries, keys) {_kind(states)} and {records[0].name} "
                f"{_kind(layers[0])}"
            )
    attention = QKAttention(layers, layer_numbers=layer_numbers([r.name for r in records]))
    for index, record in enumerate(records):
        difference = check(attention, index, record, kept, picks)
        if not difference <= TOLERANCE.get(record.query.dtype, 0.0):
            raise CannotRebuildError(
                f"the weights rebuilt for {record.name} miss its own output by {difference:.2g} of "
                "its largest value: it does something to them that its arguments don't tell"
            )
    return attention


def check(
    attention: QKAttention, layer: int, record: Record, kept: torch.Tensor, picks: torch.Tensor
) -> float:
    """Return how far rebuilt rows times V are from the backend's own output, over max |V|."""
    value = record.value[0].to(torch.float32)[:, kept.to(record.value.device)]
    value = value.repeat_interleave(attention.n_heads // len(value), dim=0)
    heads = range(attention.n_heads)
    rows = torch.from_numpy(attention.rows(layer, heads, picks.tolist())).to(value.device)
    rebuilt = (rows @ value).transpose(0, 1)
    own = record.output[0].to(torch.float32)
    if own.shape != rebuilt.shape:
        raise CannotRebuildError(
            f"{record.name} gives outputs of shape {tuple(own.shape)} where {tuple(rebuilt.shape)} "
            "is what its values have"
        )
    return float((rebuilt - own).abs().max() / value.abs().max().clamp(min=1e-30))


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Switch dropout and gradients off, and each module's mode back to what it was afterwards."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def eager_backend(model: torch.nn.Module) -> Iterator[None]:
    """Switch all configurations of a model to the eager backend, and back afterwards."""
    found: dict[int, Any] = {}
    queue = [getattr(module, "config", None) for module in model.modules()]
    while queue:
        config = queue.pop()
        if config is None or id(config) in found:
            continue
        if not hasattr(config, "_attn_implementation_internal"):
            continue
        found[id(config)] = config
        queue += [getattr(config, name, None) for name in getattr(config, "sub_configs", ())]
    before = [(config, config._attn_implementation_internal) for config in found.values()]
    try:
        for config, _ in before:
            config._attn_implementation_internal = "eager"
        yield
    finally:
        for config, backend in before:
            config._attn_implementation_internal = backend


@contextmanager
def without_new_hooks(model: torch.nn.Module) -> Iterator[None]:
    """Take back what the library leaves on the modules when it is first asked for attentions."""
    before = [(module, set(vars(module)), set(module._forward_hooks)) for module in model.modules()]
    try:
        yield
    finally:
        for module, attributes, hooks in before:
            for name in vars(module).keys() - attributes:
                delattr(module, name)
            for hook in module._forward_hooks.keys() - hooks:
                del module._forward_hooks[hook]


def _returned(
    model: torch.nn.Module, inputs: Inputs, kept: torch.Tensor, before: Any, reason: str
) -> Attention:
    """Return the attentions that the model itself returns from the eager backend."""
    name = type(model).__name__
    parameters = inspect.signature(model.forward).parameters.values()
    takes = any(p.name == "output_attentions" or p.kind is p.VAR_KEYWORD for p in parameters)
    output = None
    if takes:
        with eager_backend(model), without_new_hooks(model):
            output = model(**inputs, output_attentions=True)
    attentions = getattr(output, "attentions", None)
    if not attentions or all(layer is None for layer in attentions):
        raise ValueError(
            f"{name} returns no attention: {reason}; and it returns none with "
            "output_attentions=True on the eager backend. Weights from elsewhere can be shown with "
            "AttentionExplorer(attentions, tokens)"
        )
    numbers = [number for number, layer in enumerate(attentions) if layer is not None]
    layers = [attentions[number] for number in numbers]
    for layer in layers:
        if tuple(layer.shape[-2:]) != (inputs["input_ids"].shape[1],) * 2:
            raise ValueError(
                f"{name} returns attention of shape {tuple(layer.shape)}, which is not from token "
                f"to token; nor can it be rebuilt: {reason}"
            )
    _check_same_output(name, before, output, reason)
    device = layers[0].device
    kept = kept.to(device)
    return dense_attention(
        [layer[..., kept, :][..., kept] for layer in layers],
        layer_numbers=numbers,
        source=f"the model's own returned attentions (eager backend), as {reason}",
    )


def _check_same_output(name: str, own: Any, eager: Any, reason: str) -> None:
    """Refuse the eager backend's attentions where it computes something else (Falcon's ALiBi)."""
    first, second = own[0], eager[0]
    if not isinstance(first, torch.Tensor) or first.shape != second.shape:
        return
    difference = float((first - second).abs().max() / first.abs().max().clamp(min=1e-30))
    if difference > 10 * TOLERANCE.get(first.dtype, 0.0):
        raise ValueError(
            f"the attention of {name} can't be had: {reason}; and its eager backend, which would "
            f"return it, gives other outputs than the one that it runs (by {difference:.2g} of the "
            "largest value). Load it with attn_implementation='eager' to see what that computes"
        )


def _kind(states: LayerStates) -> tuple[int, int, int]:
    return len(states.query), states.query.shape[1], states.key.shape[1]

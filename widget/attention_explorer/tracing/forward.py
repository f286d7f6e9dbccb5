"""One forward pass of a model as it is loaded, and the attention that it leaves behind."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ..attention.dense import dense_attention
from ..attention.mixed import MixedAttention, named_layers
from . import check
from .capture import capture
from .families import CannotRebuildError
from .kinds import SIDES
from .reader import Reader, Reading
from .streams import Stream
from .written_out import capture_written_out

Inputs = Mapping[str, torch.Tensor]

# Where the library's outputs hold the weights of each kind.
_RETURNED = {
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
    "text": "text_model_output.attentions",
    "vision": "vision_model_output.attentions",
    "stack": "attentions",
}


def read_attention(
    model: torch.nn.Module,
    inputs: Inputs,
    streams: Mapping[str, Stream],
    n_examples: int,
    rows: int = check.ROWS,
    on_cpu: bool = False,
) -> dict[str, list[Reading]]:
    """Run the model once and return what it attended to.

    Weights come from the queries and keys of the pass, checked against the outputs of the model's
    own backend. Models that don't take their attention from the library's interface run a second
    time, with each operation watched. Where a layer's weights can't be rebuilt, the model runs once
    more on the eager backend, which returns them itself, and that layer's are taken from there. The
    model is left as it was found.

    Parameters
    ----------
    model : torch.nn.Module
        In any mode, on any backend.
    inputs : mapping of str to tensor
        A batch, on the model's device.
    streams : mapping of str to Stream
        The sequences that the inputs are.
    n_examples : int
        Size of the batch.
    rows : int
        How many queries of each head are checked.
    on_cpu : bool
        Whether queries and keys are moved there, layer by layer.

    Returns
    -------
    dict of str to list of Reading
        By the kinds of `kinds.SIDES`, one an example. A kind that can't be had where another can is
        left out, and the others' notes say so.

    Raises
    ------
    ValueError
        The model gives its attention in neither way.
    """
    reader = Reader(streams, n_examples, rows, on_cpu)
    with evaluating(model), uncompiled(model):
        with capture(model, reader):
            output = model(**inputs)
        if not reader.layers:
            with capture_written_out(model, n_examples, reader):
                output = model(**inputs)
        found, reasons = reader.readings(), reader.reasons
        expected = ["encoder", "decoder", "cross"] if "target" in streams else []
        for kind in expected or (["stack"] if not reader.layers else []):
            if kind not in found:
                reasons.setdefault(kind, "its own code shows no queries and keys")
        refused: dict[str, str] = {}
        if reasons:
            returned = _Returned(model, inputs, output)
            for kind, reason in reasons.items():
                try:
                    found[kind] = returned.readings(kind, reason, reader)
                except ValueError as error:
                    refused[kind] = str(error)
    if not found:
        raise ValueError(next(iter(refused.values())))
    for kind, reason in refused.items():
        for reading in (one for others in found.values() for one in others):
            reading.attention.notes += (f"The {kind} attention isn't shown: {reason}.",)
    return found


@contextmanager
def evaluating(model: torch.nn.Module, gradients: bool = False) -> Iterator[None]:
    """Switch dropout off, gradients off or on, and each mode back to what it was afterwards."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        with torch.enable_grad() if gradients else torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def uncompiled(model: torch.nn.Module) -> Iterator[None]:
    """Run modules that were compiled in place as they are written: else nothing is noticed."""
    is_compiled = any(module._compiled_call_impl is not None for module in model.modules())
    if is_compiled and hasattr(torch.compiler, "set_stance"):
        with torch.compiler.set_stance("force_eager"):
            yield
    else:
        yield


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


class _Returned:
    """The attentions that the model itself returns from the eager backend."""

    def __init__(self, model: torch.nn.Module, inputs: Inputs, before: Any) -> None:
        self._name = type(model).__name__
        self._before = before
        self._output = None
        parameters = inspect.signature(model.forward).parameters.values()
        if any(p.name == "output_attentions" or p.kind is p.VAR_KEYWORD for p in parameters):
            with eager_backend(model), without_new_hooks(model):
                self._output = model(**inputs, output_attentions=True)

    def readings(self, kind: str, reason: str, reader: Reader) -> list[Reading]:
        """Return the readings of one kind, with what could be rebuilt of it.

        Raises
        ------
        ValueError
            A layer is neither returned nor rebuilt; with both reasons.
        """
        attentions: Any = self._output
        for name in _RETURNED[kind].split("."):
            attentions = getattr(attentions, name, None)
        is_mixed = bool(reader.rebuilt(kind))
        missing = reader.missing(kind)
        layers = _by_number(attentions or (), reader.numbers(kind))
        if is_mixed:
            layers = {number: own for number, own in layers.items() if number in missing}
        lacking = [why for number, why in missing.items() if is_mixed and number not in layers]
        if lacking or not layers:
            raise ValueError(
                f"{self._name} returns no attention: {(lacking or [reason])[0]}; and it returns "
                "none with output_attentions=True on the eager backend. Weights from elsewhere can "
                "be shown with AttentionExplorer(attentions, tokens)"
            )
        checked = self._same_output(reason)
        returned = [
            Reading(
                dense_attention(
                    self._kept(list(layers.values()), kind, reason, reader.streams, example),
                    layer_numbers=list(layers),
                    source=f"the model's own returned attentions (eager backend), as {reason}",
                ),
                checked,
            )
            for example in range(reader.n_examples)
        ]
        if not is_mixed:
            return returned
        return [_mixed(*both) for both in zip(reader.reading(kind), returned, strict=True)]

    def _kept(
        self,
        layers: list[torch.Tensor],
        kind: str,
        reason: str,
        streams: Mapping[str, Stream],
        example: int,
    ) -> list[torch.Tensor]:
        """Return the weights of one example, without padding."""
        kept = []
        for layer in layers:
            try:
                queries, keys = (
                    streams[side].positions(example, n_positions).to(layer.device)
                    for side, n_positions in zip(SIDES[kind], layer.shape[-2:], strict=True)
                )
            except CannotRebuildError:
                raise ValueError(
                    f"{self._name} returns attention of shape {tuple(layer.shape)}, which is not "
                    f"from token to token; nor can it be rebuilt: {reason}"
                ) from None
            kept.append(layer[example : example + 1, :, queries][..., keys])
        return kept

    def _same_output(self, reason: str) -> check.Check:
        """Refuse the eager backend where it computes something else (Falcon's ALiBi)."""
        assert self._output is not None
        compared = "the output of the eager backend, which returns them, with the model's own"
        first, second = (_first_tensor(output) for output in (self._before, self._output))
        difference = float((first - second).abs().max() / first.abs().max().clamp(min=1e-30))
        tolerated = 10 * check.tolerance(first.dtype)
        if not difference <= tolerated:
            raise ValueError(
                f"the attention of {self._name} can't be had: {reason}; and its eager backend, "
                "which would return it, gives other outputs than the one that it runs (by "
                f"{difference:.2g} of the largest value). Load it with "
                "attn_implementation='eager' to see what that computes"
            )
        return check.Check((difference,), tolerated, compared)


def _by_number(
    attentions: Sequence[torch.Tensor | None], numbers: Sequence[int]
) -> dict[int, torch.Tensor]:
    """Return what a model returned by its own numbers, of which `numbers` are known to attend."""
    # Some models return an entry for each layer that has attention, others one for each layer.
    places = numbers if len(attentions) == len(numbers) else range(len(attentions))
    return {number: own for number, own in zip(places, attentions, strict=True) if own is not None}


def _mixed(rebuilt: Reading, returned: Reading) -> Reading:
    """Return the layers of both, each with what it was held to."""
    attention = MixedAttention([rebuilt.attention, returned.attention])
    own = dict(zip(rebuilt.attention.layer_numbers, rebuilt.check.differences, strict=True))
    (whole,) = returned.check.differences
    return Reading(
        attention,
        check.Check(
            tuple(own.get(number, whole) for number in attention.layer_numbers),
            max(rebuilt.check.tolerance, returned.check.tolerance),
            f"{rebuilt.check.compared}; for {named_layers(returned.attention.layer_numbers)} "
            f"{returned.check.compared}",
        ),
    )


def _first_tensor(output: Any) -> torch.Tensor:
    values = output.values() if isinstance(output, Mapping) else output
    found = [v for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()]
    if not found:
        raise ValueError("the model gives no numbers that two of its backends could be compared by")
    return found[0]

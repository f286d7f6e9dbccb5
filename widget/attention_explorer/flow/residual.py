"""The residual stream of a decoder, and what of its logits each addend makes.

Direct attribution needs that every layer adds what its heads give to the stream as it is. Whether a
model does is not read off its name: the addends of each layer are summed up and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from typing import Any

import torch

from ..tracing.check import tolerance
from ..tracing.limits import name_of
from ..tracing.live import Live
from .values import whole_inputs

# What rounding may take of what heads give where a layer tells a sum from what is none.
_TELLING = 0.2


@dataclass(frozen=True)
class Unembedding:
    """How the last layer's output becomes logits, with the final norm's scale as it was.

    Attributes
    ----------
    logits : tensor, shape (positions, vocabulary)
        The model's own.
    stream : tensor, shape (positions, D)
        The last layer's output.
    weight : tensor, shape (vocabulary, D)
        The unembedding's.
    gain : tensor, shape (D,)
        The final norm's.
    scale : tensor, shape (positions,)
        What the final norm divides by.
    is_centred : bool
        Whether it takes the mean away before.
    """

    logits: torch.Tensor
    stream: torch.Tensor
    weight: torch.Tensor
    gain: torch.Tensor
    scale: torch.Tensor
    is_centred: bool

    def directions(self, positions: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Return u with ``logit = u @ stream + constant`` for a token at each position.

        Shape (positions, D).
        """
        found = self.weight[tokens].to(self.scale.dtype) * self.gain
        if self.is_centred:
            found = found - found.mean(-1, keepdim=True)
        return found / self.scale[positions, None]


@torch.no_grad()
def read_unembedding(live: Live, projections: Sequence[str]) -> Unembedding:
    """Run the model once, hold its layers to being sums, and return how its logits come to be.

    Parameters
    ----------
    live : Live
        The traced model, with an unembedding.
    projections : sequence of str
        The output projection of each layer, by its path.

    Raises
    ------
    ValueError
        The stream isn't a sum of what layers add; the final norm is none that is known; or logits
        are changed after the unembedding.
    """
    model = live.model
    watch = _Stream(model, projections)
    with watch.watching():
        output = live.run(inputs=whole_inputs(live))
    watch.check()
    head = model.get_output_embeddings()
    _check_logits(output.logits, watch.gave.get(head))
    gain, scale, is_centred = _read_norm(watch, watch.given[head])
    found = Unembedding(
        output.logits[0], watch.stream[0], head.weight.detach(), gain, scale[0], is_centred
    )
    _check_sums(found)
    return found


@dataclass
class _Stream:
    """Watches layers, what is around them and, one layer at a time, what is in them."""

    model: Any
    projections: Sequence[str]
    n_layers: int = 0
    least: float = float("inf")
    stream: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    reasons: list[str] = field(default_factory=list)
    given: dict[torch.nn.Module, torch.Tensor] = field(default_factory=dict)
    gave: dict[torch.nn.Module, torch.Tensor] = field(default_factory=dict)
    _inside: dict[str, torch.Tensor] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the block is left."""
        thread, handles = get_ident(), list[Any]()
        layers = {_layer_of(name): name for name in self.projections}

        def hook(module: torch.nn.Module, before: Any, after: Any) -> None:
            def enter(own: Any, args: Any, kwargs: Any) -> None:
                if get_ident() == thread:
                    before(own, _first_tensor((*args, *kwargs.values())))

            def leave(own: Any, args: Any, output: Any) -> None:
                if get_ident() == thread:
                    after(own, _first_tensor(output))

            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave))

        def note_given(own: torch.nn.Module, given: torch.Tensor | None) -> None:
            if given is not None:
                self.given[own] = given.detach()

        def note_gave(own: torch.nn.Module, gave: torch.Tensor | None) -> None:
            if gave is not None:
                self.gave[own] = gave.detach()

        try:
            for name, module in self.model.named_modules():
                layer = next((it for it in layers if name == it or name.startswith(f"{it}.")), None)
                if layer is None:
                    hook(module, note_given, note_gave)
                elif name == layer:
                    hook(module, self._begin, self._finish(layers[layer]))
                else:
                    hook(module, lambda *_: None, self._note_inside(name))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def check(self) -> None:
        """Refuse a model whose stream isn't the sum of what its layers add."""
        name = name_of(self.model)
        if self.reasons:
            raise ValueError(f"direct attribution needs sums: in {name} {self.reasons[0]}")
        if self.least > _TELLING:
            raise ValueError(
                f"in {self.stream.dtype} the stream of {name} is rounded so much that nobody can "
                "tell what is added to it: load the model with dtype=torch.float32"
            )
        if self.n_layers != len(self.projections):
            raise ValueError(
                f"{name} runs {self.n_layers} layers where {len(self.projections)} have attention"
            )

    def _begin(self, _: torch.nn.Module, given: torch.Tensor | None) -> None:
        self._inside = {}
        start = torch.zeros(0) if given is None else given.detach()
        if self.n_layers and not torch.equal(start, self.stream):
            self.reasons.append("something stands between two layers")
        # A copy: some add to it in place.
        self.stream = start.clone()

    def _note_inside(self, name: str) -> Any:
        def note(_: torch.nn.Module, gave: torch.Tensor | None) -> None:
            if gave is not None:
                self._inside[name] = gave.detach().clone()

        return note

    def _finish(self, projection: str) -> Any:
        def finish(_: torch.nn.Module, end: torch.Tensor | None) -> None:
            start, inside = self.stream, self._inside
            self.n_layers += 1
            self._inside = {}
            if end is None or end.shape != start.shape or projection not in inside:
                self.reasons.append(f"no stream goes through the layer of {projection}")
                return
            self.stream = end.detach().clone()
            heads = _as(start, inside[projection])
            missed, allowed = (
                (1.0, 0.0) if heads is None else _missed(start, heads, self.stream, inside)
            )
            self.least = min(self.least, allowed)
            if missed > allowed:
                self.reasons.append(
                    f"what {projection} gives isn't added to the stream as it is: a norm or a "
                    "factor comes after it"
                )

        return finish


def _missed(
    start: torch.Tensor, heads: torch.Tensor, end: torch.Tensor, inside: dict[str, torch.Tensor]
) -> tuple[float, float]:
    """Return how far a layer is from start + what its heads give + what one module in it gives.

    And how far rounding alone may take it; both as shares of what the heads give, medians over
    positions, as those of a huge norm round away whatever is added to them.
    """
    wide = torch.promote_types(start.dtype, torch.float32)
    start, heads, end = start.to(wide), heads.to(wide), end.to(wide)
    eps = torch.finfo(next(iter(inside.values())).dtype).eps
    size = _norm(heads).clamp(min=1e-30)
    rest = end - start - heads
    found = (float("inf"), 0.0)
    for gave in inside.values():
        module = _as(start, gave)
        if module is None:
            continue
        module = module.to(wide)
        missed = float((_norm(rest - module) / size).median())
        if missed < found[0]:
            addends = sum(_norm(own) for own in (start, end, heads, module))
            found = missed, float((eps * addends / size).median())
    return found


def _norm(numbers: torch.Tensor) -> torch.Tensor:
    length: torch.Tensor = torch.linalg.vector_norm(numbers, dim=-1)
    return length


def _read_norm(watch: _Stream, normed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, bool]:
    """Return gain and scale of the norm between the last layer and the unembedding."""
    stream = watch.stream
    module: Any = next(
        (
            own
            for own, gave in watch.gave.items()
            if gave.shape == normed.shape
            and torch.equal(gave, normed)
            and own in watch.given
            and watch.given[own].shape == stream.shape
            and torch.equal(watch.given[own], stream)
        ),
        None,
    )
    name = name_of(watch.model)
    if module is None:
        raise ValueError(f"in {name} no norm alone stands between the layers and the unembedding")
    wide = torch.promote_types(stream.dtype, torch.float32)
    numbers, normed = stream.to(wide), normed.to(wide)
    is_centred = isinstance(module, torch.nn.LayerNorm)
    if is_centred:
        gain = torch.ones_like(numbers[0, 0]) if module.weight is None else module.weight.to(wide)
        numbers = numbers - numbers.mean(-1, keepdim=True)
        if module.bias is not None:
            normed = normed - module.bias.to(wide)
    else:
        # Of numbers that are all alike and large, an RMS norm gives its gain.
        gain = module(torch.full_like(stream[:1, :1], 1024.0))[0, 0].to(wide)
    scaled = numbers * gain
    # What it is divided by, as least squares say it: exact where it is one number.
    share = (normed * scaled).sum(-1) / scaled.square().sum(-1).clamp(min=1e-30)
    missed = (normed - scaled * share[..., None]).abs().amax() / normed.abs().amax()
    if not float(missed) <= tolerance(stream.dtype):
        raise ValueError(f"{name}'s final norm ({type(module).__name__}) is none that is known")
    return gain, 1 / share, is_centred


def _check_logits(logits: torch.Tensor, gave: torch.Tensor | None) -> None:
    if gave is None or logits.shape != gave.shape or not torch.equal(logits, gave):
        raise ValueError(
            "the logits are changed after the unembedding (capped or scaled), so they are no sums"
        )


def _check_sums(found: Unembedding) -> None:
    """Hold the directions to the logits of one token, which differ from sums by a constant."""
    positions = torch.arange(len(found.logits), device=found.logits.device)
    token = found.logits[-1].argmax()
    directions = found.directions(positions, token.expand(len(positions)))
    sums = (directions * found.stream).sum(-1)
    constant = found.logits[:, token].to(sums.dtype) - sums
    size = float(torch.cat([found.logits[:, token].to(sums.dtype), sums]).abs().max())
    if not float(constant.max() - constant.min()) <= 10 * tolerance(found.logits.dtype) * size:
        raise ValueError("the logits aren't the unembedding of the final norm's output")


def _layer_of(projection: str) -> str:
    """Return the path of a layer: up to the number that tells it from the others."""
    parts = projection.split(".")
    place = next(i for i, part in enumerate(parts) if part.isdigit())
    return ".".join(parts[: place + 1])


def _as(like: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor | None:
    """Return a tensor in the shape of another one, None where it has none."""
    fits = tensor.numel() == like.numel() and tensor.shape[-1] == like.shape[-1]
    return tensor.reshape(like.shape) if fits else None


def _first_tensor(values: object) -> torch.Tensor | None:
    if isinstance(values, torch.Tensor):
        return values
    if isinstance(values, (tuple, list)):
        return next((it for it in values if isinstance(it, torch.Tensor)), None)
    return None

"""Queries, keys and addends of attention that a model's own code writes out.

Some models take their attention from no interface: they call PyTorch's own, or multiply, add and
take the softmax themselves. Operations are watched from the product of queries and keys over the
softmax to the product with the values; anything between that isn't known makes the trail end, so
that nothing is recorded. The numbers are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import get_ident
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from ..attention.masks import hiding
from .capture import Receive, Record


@dataclass(frozen=True)
class Scores:
    """How a tensor came about: factor * query @ key.T plus addends, then perhaps a softmax.

    Attributes
    ----------
    query, key : tensor, shape (..., positions, d)
    factor : float
    biases : tuple of tensor
        As `Record.biases` has them, but for their leading dimensions.
    is_softmax : bool
        Whether the tensor is the softmax of the scores.
    """

    query: torch.Tensor
    key: torch.Tensor
    factor: float = 1.0
    biases: tuple[torch.Tensor, ...] = ()
    is_softmax: bool = False


@contextmanager
def capture_written_out(
    model: torch.nn.Module, n_examples: int, receive: Receive
) -> Iterator[None]:
    """Tell of each attention that `model` computes in this thread, until the block is left.

    Parameters
    ----------
    model : torch.nn.Module
        Its modules' paths are what records are called by.
    n_examples : int
        Size of the batch, which leading dimensions are divided by.
    receive : callable
        Is given each record while the forward pass goes on.
    """
    running: list[str] = []
    thread = get_ident()

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: running.append(name) if get_ident() == thread else None

    def leave(*_: object) -> None:
        if get_ident() == thread:
            running.pop()

    handles: list[Any] = []
    try:
        for name, module in model.named_modules():
            handles.append(module.register_forward_pre_hook(enter(name)))
            handles.append(module.register_forward_hook(leave))
        with _Watch(running, n_examples, receive):
            yield
    finally:
        for handle in handles:
            handle.remove()


class _Watch(TorchFunctionMode):
    def __init__(self, running: list[str], n_examples: int, receive: Receive) -> None:
        super().__init__()
        self._running = running
        self._n_examples = n_examples
        self._receive = receive
        self._known: Any = WeakTensorKeyDictionary()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        options = kwargs or {}
        result = func(*args, **options)
        name = getattr(func, "__name__", "")
        if name == "scaled_dot_product_attention":
            altered = self._receive(self._of_call(result, *args, **options))
            result = result if altered is None else altered.transpose(1, 2)
        elif isinstance(result, torch.Tensor) and (name in _STEPS or name in _PRODUCTS):
            operands = [*args, *(v for n, v in options.items() if n in _OPERANDS)]
            options = {n: v for n, v in options.items() if n not in _OPERANDS}
            result = self._follow(name, result, operands, options)
        return result

    def _follow(
        self, name: str, result: torch.Tensor, operands: list[Any], options: dict[str, Any]
    ) -> torch.Tensor:
        """Note what is known of the result of an operation; return what takes its place."""
        tensors = [operand for operand in operands if isinstance(operand, torch.Tensor)]
        source = next((tensor for tensor in tensors if tensor in self._known), None)
        found = None
        if source is None:
            if name in _PRODUCTS and result.ndim > 2:
                found = _product(tensors, options)
        elif name in _STEPS:
            others = [operand for operand in operands if operand is not source]
            found = _STEPS[name](self._known[source], others, options, result)
        elif name in _PRODUCTS and self._known[source].is_softmax and tensors[0] is source:
            return self._record(self._known[source], tensors[1], result)
        if found is not None:
            self._known[result] = found
        elif result in self._known:
            del self._known[result]
        return result

    def _record(self, scores: Scores, value: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        by_head = [
            self._by_head(tensor)
            for tensor in (scores.query, scores.key, value, result, *scores.biases)
        ]
        query, key, value, output = by_head[:4]
        altered = self._receive(
            Record(
                name=self._running[-1] if self._running else "",
                backend="eager",
                query=query,
                key=key,
                value=value,
                mask=None,
                biases=tuple(by_head[4:]),
                options={"scaling": scores.factor},
                is_causal=False,
                output=output.transpose(1, 2),
            )
        )
        return result if altered is None else altered.transpose(1, 2).reshape(result.shape)

    def _of_call(
        self,
        result: torch.Tensor,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Record:
        """Return the record of a call of PyTorch's own attention."""
        return Record(
            name=self._running[-1] if self._running else "",
            backend="sdpa",
            query=query,
            key=key,
            value=value,
            mask=None if attn_mask is None else self._by_head(attn_mask),
            biases=(),
            options={"scaling": scale, "dropout": dropout_p},
            is_causal=is_causal,
            output=result.transpose(1, 2),
        )

    def _by_head(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor by (batch or 1, heads or 1, rows, columns), if it is one of these."""
        if tensor.ndim == 2:
            return tensor[None, None]
        if tensor.ndim != 3:
            return tensor
        if len(tensor) % self._n_examples:
            return tensor[None]
        return tensor.reshape(self._n_examples, -1, *tensor.shape[1:])


def _product(tensors: list[torch.Tensor], options: dict[str, Any]) -> Scores:
    *added, query, key = tensors
    beta = options.get("beta", 1)
    biases = tuple(bias if beta == 1 else bias * beta for bias in added)
    return Scores(query, key.transpose(-1, -2), options.get("alpha", 1), biases)


# From what is known of one operand, the other operands and the result to what is known of that.
Step = Callable[[Scores, list[Any], dict[str, Any], torch.Tensor], Scores | None]


def _add(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    if scores.is_softmax or options:
        return None
    added = tuple(other for other in others if isinstance(other, torch.Tensor))
    return replace(scores, biases=(*scores.biases, *added))


def _times(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    if scores.is_softmax or options or not _is_number(*others):
        return None
    factor = float(others[0])
    biases = tuple(_scaled(bias, factor) for bias in scores.biases)
    return replace(scores, factor=scores.factor * factor, biases=biases)


def _divide(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    return _times(scores, [1 / others[0]], options, result) if _is_number(*others) else None


def _hide(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    hidden, value = others
    if scores.is_softmax or not _is_number(value):
        return None
    if float(value) > hiding(result.dtype):
        return None
    return replace(scores, biases=(*scores.biases, ~hidden))


def _hide_elsewhere(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    shown, value = others
    return _hide(scores, [~shown, value], options, result)


def _softmax(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    axis = options.get("dim", others[0] if others else None)
    is_last = axis in (-1, result.ndim - 1)
    return replace(scores, is_softmax=True) if is_last and not scores.is_softmax else None


def _pass_on(
    scores: Scores, others: list[Any], options: dict[str, Any], result: torch.Tensor
) -> Scores | None:
    sides = scores.query.shape[-2], scores.key.shape[-2]
    return scores if result.shape[-2:] == sides else None


def _scaled(bias: torch.Tensor, factor: float) -> torch.Tensor:
    """Scale a bias, but not what it hides keys by."""
    if bias.dtype == torch.bool:
        return bias
    return (bias * factor).masked_fill(bias <= hiding(bias.dtype), -torch.inf)


def _is_number(value: object) -> bool:
    return value.ndim == 0 if isinstance(value, torch.Tensor) else isinstance(value, int | float)


# Names of functions and methods, in place and not, and of those behind operators.
_PRODUCTS = ("matmul", "__matmul__", "bmm", "baddbmm")
_STEPS: dict[str, Step] = {
    **dict.fromkeys(("add", "add_", "__add__", "__radd__", "__iadd__"), _add),
    **dict.fromkeys(("mul", "mul_", "__mul__", "__rmul__", "__imul__"), _times),
    **dict.fromkeys(("div", "div_", "__truediv__", "__itruediv__", "true_divide"), _divide),
    **dict.fromkeys(("masked_fill", "masked_fill_"), _hide),
    "where": _hide_elsewhere,
    "softmax": _softmax,
    **dict.fromkeys(
        ("view", "reshape", "to", "float", "type", "type_as", "contiguous", "dropout"), _pass_on
    ),
}
_OPERANDS = ("input", "other", "mat2", "batch1", "batch2", "mask", "value", "tensor")

"""Queries, keys and whatever else enters a model's softmax, recorded during one forward pass.

The model's own backend is called as ever; its arguments are noted beside it, so outputs stay
bit-identical and the cost is that of keeping references. Who receives a record may put another
output in the place of the backend's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch


@dataclass(frozen=True)
class Record:
    """One call of one attention module.

    Attributes
    ----------
    name : str
        The module's path in the model, e.g. ``"encoder.layer.3.attention.self"``.
    backend : str
        ``"sdpa"``, ``"eager"``, ...
    query, key, value : tensor, shape (batch, heads or key heads, positions, d)
        As they enter the softmax, in the model's dtype.
    mask : object
        The backend's own: a tensor or None for most.
    biases : tuple of tensor, shape (batch or 1, heads or 1, queries or 1, keys)
        Numbers that are added to the scores, and booleans that are True where a key may be read.
    options : dict
        Keyword arguments of the backend: scaling, softcap, ...
    is_causal : bool
        What the module says of itself; a backend may use it where there is no mask.
    output : tensor, shape (batch, queries, heads, d)
        The backend's own output, a part of the graph where gradients are kept.
    weights : tensor, shape (batch, heads, queries, keys), or None
        Those that the backend returns beside it, as the eager one does.
    """

    name: str
    backend: str
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: object
    biases: tuple[torch.Tensor, ...]
    options: dict[str, Any]
    is_causal: bool
    output: torch.Tensor
    weights: torch.Tensor | None = None


# What it returns, if anything, takes the place of the output.
Receive = Callable[[Record], "torch.Tensor | None"]


@dataclass(frozen=True)
class Capture:
    """Who is told of which modules' calls; `names` has each module's path by the module's id."""

    names: dict[int, str]
    receive: Receive


_active: ContextVar[tuple[Capture, ...]] = ContextVar("active captures", default=())
_lock = threading.Lock()
_users = 0
_original: Callable[..., Any] | None = None


@contextmanager
def capture(model: torch.nn.Module, receive: Receive) -> Iterator[None]:
    """Tell of each attention of `model` in this thread, until the block is left in whatever way.

    Models that don't take their backend from transformers' ``AttentionInterface`` aren't noticed.
    Captures may be nested; other threads and other models are left alone.

    Parameters
    ----------
    model : torch.nn.Module
        Only its modules are recorded.
    receive : callable
        Is given each record while the forward pass goes on, so that it need not keep all of it.
        A tensor that it returns takes the place of the output.
    """
    opened = Capture({id(module): name for name, module in model.named_modules()}, receive)
    _install()
    token = _active.set((*_active.get(), opened))
    try:
        yield
    finally:
        _active.reset(token)
        _uninstall()


def _install() -> None:
    global _users, _original
    interface = _interface()
    with _lock:
        if _users == 0:
            _original = interface.get_interface
            interface.get_interface = _recording(interface.get_interface)
        _users += 1


def _uninstall() -> None:
    global _users
    interface = _interface()
    with _lock:
        _users -= 1
        if _users == 0:
            interface.get_interface = _original


def _interface() -> Any:
    from transformers import AttentionInterface

    return AttentionInterface


def _recording(get_interface: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the look-up of a backend so that what it returns records, where a capture is open."""

    @wraps(get_interface)
    def look_up(interface: object, backend: str, default: Callable[..., Any]) -> Any:
        function = get_interface(interface, backend, default)
        captures = _active.get()
        if not captures:
            return function

        @wraps(function)
        def attend(
            module: torch.nn.Module,
            query: torch.Tensor,
            key: torch.Tensor,
            value: torch.Tensor,
            attention_mask: object = None,
            *args: Any,
            **options: Any,
        ) -> Any:
            result = function(module, query, key, value, attention_mask, *args, **options)
            output = result[0]
            bias = options.pop("position_bias", None)
            for opened in captures:
                if id(module) not in opened.names:
                    continue
                altered = opened.receive(
                    Record(
                        name=opened.names[id(module)],
                        backend=backend,
                        query=query.detach(),
                        key=key.detach(),
                        value=value.detach(),
                        mask=attention_mask,
                        biases=() if bias is None else (bias,),
                        options={**options, **{f"argument {i + 5}": a for i, a in enumerate(args)}},
                        is_causal=bool(getattr(module, "is_causal", True)),
                        output=output,
                        weights=result[1] if len(result) > 1 else None,
                    )
                )
                output = output if altered is None else altered
            return result if output is result[0] else (output, *result[1:])

        return attend

    return look_up

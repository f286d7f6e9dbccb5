"""A trace in one file: safetensors, with what is no array as JSON in its header. No pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..attention import Attention

if TYPE_CHECKING:
    from .trace import Trace

HEADER = "attention_explorer"
VERSION = 1

# What a file may hold, and where it is defined: imported when it is met, as most needs torch.
_ROOMS = {
    "BiasedMask": "..attention.masks",
    "CellBias": "..attention.biases",
    "Check": ".trace",
    "DenseAttention": "..attention.dense",
    "DenseMask": "..attention.masks",
    "KeyBias": "..attention.biases",
    "KeyIntervals": "..attention.masks",
    "Kind": ".trace",
    "LayerStates": "..attention.states",
    "MixedAttention": "..attention.mixed",
    "OffsetBias": "..attention.biases",
    "QKAttention": "..attention.from_qk",
    "Step": ".trace",
    "Tokens": ".tokens",
    "Trace": ".trace",
}
_ATTENTION_FIELDS = ("layers", "layer_numbers", "source", "notes")
_MIXED_FIELDS = ("parts", "source", "notes")


def save(trace: Trace, path: str | os.PathLike[str]) -> None:
    """Write a trace to a file; see `Trace.save`."""
    _require_safetensors()
    writer = _Writer()
    content = json.dumps({"version": VERSION, "trace": writer.node(trace, "trace")})
    unfinished = Path(f"{os.fspath(path)}.unfinished")
    try:
        writer.write(unfinished, {HEADER: content})
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Trace:
    """Read a trace from a file; see `Trace.load`."""
    _require_safetensors()
    from safetensors import SafetensorError, safe_open

    file = Path(path)
    _check_beginning(file)
    with ExitStack() as stack:

        def open_for(library: str) -> Any:
            return stack.enter_context(safe_open(file, framework=library))

        try:
            header = open_for("numpy").metadata()
        except SafetensorError as error:
            raise ValueError(f"{file} was cut short or is damaged: {error}") from None
        content = _content(header, file)
        try:
            trace: Trace = _Reader(open_for).value(content["trace"])
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, SafetensorError) as e:
            raise ValueError(f"{file} holds no whole trace: {type(e).__name__}: {e}") from e
    return trace


class _Writer:
    """Turns a tree of values into JSON, and collects its arrays, those that are shared once."""

    def __init__(self) -> None:
        self._arrays: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def node(self, value: Any, name: str) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, (tuple, list)):
            return [self.node(entry, f"{name}.{i}") for i, entry in enumerate(value)]
        if isinstance(value, Mapping):
            return {"map": {key: self.node(it, f"{name}.{key}") for key, it in value.items()}}
        if isinstance(value, np.ndarray) or hasattr(value, "untyped_storage"):
            self._arrays[self._names.setdefault(id(value), name)] = value
            library = "numpy" if isinstance(value, np.ndarray) else "torch"
            return {"array": self._names[id(value)], "library": library}
        kind = type(value).__name__
        if _ROOMS.get(kind) is None or _class(kind) is not type(value):
            raise TypeError(f"{name} is a {type(value).__name__}, which can't be saved in a trace")
        parts = {field: getattr(value, field) for field in _field_names(value)}
        return {
            "kind": kind,
            "fields": {part: self.node(it, f"{name}.{part}") for part, it in parts.items()},
        }

    def write(self, path: Path, header: dict[str, str]) -> None:
        if all(isinstance(array, np.ndarray) for array in self._arrays.values()):
            from safetensors.numpy import save_file as save_numpy

            arrays = {name: np.ascontiguousarray(it) for name, it in self._arrays.items()}
            save_numpy(arrays, path, metadata=header)
        else:
            from safetensors.torch import save_file as save_torch

            tensors = {name: _own_tensor(it) for name, it in self._arrays.items()}
            save_torch(tensors, path, metadata=header)


class _Reader:
    """Turns JSON and the arrays that it names back into the tree of values."""

    def __init__(self, open_for: Any) -> None:
        self._open_for = open_for
        self._files: dict[str, Any] = {}
        self._arrays: dict[str, Any] = {}

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return tuple(self.value(entry) for entry in node)
        if not isinstance(node, dict):
            return node
        if "map" in node:
            return {key: self.value(part) for key, part in node["map"].items()}
        if "array" in node:
            return self._array(node["array"], node["library"])
        kind = _class(node["kind"])
        parts = {name: self.value(part) for name, part in node["fields"].items()}
        if not issubclass(kind, Attention):
            return kind(**parts)
        # Made anew, it adds to the notes what they hold already.
        notes = parts.pop("notes")
        attention = kind(**parts)
        attention.notes = notes
        return attention

    def _array(self, name: str, library: str) -> Any:
        if library not in self._files:
            self._files[library] = self._open_for(library)
        if name not in self._arrays:
            self._arrays[name] = self._files[library].get_tensor(name)
        return self._arrays[name]


def _class(kind: str) -> Any:
    try:
        return getattr(import_module(_ROOMS[kind], __package__), kind)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(
            "this trace holds queries and keys, from which torch computes the weights: install "
            "torch to open it",
            name="torch",
        ) from None


def _field_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, Attention):
        return _MIXED_FIELDS if hasattr(value, "parts") else _ATTENTION_FIELDS
    assert is_dataclass(value)
    return tuple(field.name for field in fields(value) if not field.name.startswith("_"))


def _own_tensor(array: Any) -> Any:
    """Return a tensor in main memory that shares its storage with none, as the format wants it."""
    import torch

    tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array.detach().cpu()
    tensor = tensor.contiguous()
    if tensor.untyped_storage().nbytes() != tensor.numel() * tensor.element_size():
        tensor = tensor.clone()
    return tensor


def _check_beginning(file: Path) -> None:
    """Tell a file of another kind from one that was cut short."""
    with file.open("rb") as opened:
        beginning = opened.read(9)
    if len(beginning) < 9:
        raise ValueError(f"{file} was cut short or is no trace: it has {len(beginning)} bytes")
    if beginning[8:] != b"{":
        raise ValueError(f"{file} is no trace: it doesn't begin as a safetensors file does")


def _content(header: dict[str, str] | None, file: Path) -> Any:
    if not header or HEADER not in header:
        raise ValueError(
            f"{file} is no trace: it is a safetensors file of something else (a model's weights?)"
        )
    try:
        content = json.loads(header[HEADER])
        version = int(content["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} is damaged: its header can't be read: {error!r}") from None
    if version > VERSION:
        raise ValueError(
            f"{file} was written by a newer attention-explorer (format {version}, this one reads "
            f"up to {VERSION}): upgrade it with `pip install -U attention-explorer`"
        )
    return content


def _require_safetensors() -> None:
    try:
        import_module("safetensors")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "traces are saved and opened with safetensors, which isn't installed: "
            "`pip install safetensors`",
            name="safetensors",
        ) from None

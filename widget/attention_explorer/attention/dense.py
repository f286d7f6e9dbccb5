"""Attention weights that exist as arrays, from whatever library made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Attention, Float, Reduction
from .blocks import check_pooling, clip, pieces, pool

Layer = npt.NDArray[np.floating[Any]]

# 4 MiB of float32, pooled in a few ms.
BAND_CELLS = 1 << 20
# Half precision rounds each weight by up to 0.4 %: a row whose sum is off by less is a softmax.
ROW_SUM_TOLERANCE = 0.01

NO_ATTENTIONS = (
    "there are no attention weights in what was given. Two usual causes: (1) the model runs the "
    "'sdpa' (or flash) backend, with which output_attentions=True returns nothing: use "
    "trace(model, tokenizer, text) or AttentionExplorer.from_model(model, tokenizer, text), which "
    "work with any backend, or load the model with attn_implementation='eager'; (2) they were "
    "taken as outputs[-1], which is now the empty cross_attentions of many models: read "
    "outputs.attentions by name"
)


class DenseAttention(Attention):
    """Attention over arrays of shape (heads, queries, keys), one a layer; see `dense_attention`.

    Attributes
    ----------
    are_shares : bool
        Whether every row is of shares of 1, as a softmax gives them.
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        *,
        layer_numbers: Sequence[int] | None = None,
        source: str = "attention weights as given",
        notes: Sequence[str] = (),
    ) -> None:
        self._layers: list[Layer] = []
        facts = _Facts()
        for layer in layers:
            if self._layers:
                _check_same_shape(self._layers[0].shape, layer.shape, len(self._layers))
            facts.add(layer, len(self._layers))
            self._layers.append(layer)
        if not self._layers:
            raise ValueError(NO_ATTENTIONS)
        self.n_heads, self.n_queries, self.n_keys = self._layers[0].shape
        self.layer_numbers = _layer_numbers(layer_numbers, len(self._layers))
        self.causal = facts.causal
        self.signed = facts.lowest < 0
        self.scale = facts.scale
        self.are_shares = facts.are_shares
        self.source = source
        self.notes = (*notes, *facts.notes())

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The arrays themselves, shape (heads, queries, keys) each."""
        return tuple(self._layers)

    def rows(self, layer: int, heads: Sequence[int], queries: Sequence[int]) -> Float:
        return _float32(self._layers[layer][np.ix_(list(heads), list(queries))])

    def columns(self, layer: int, heads: Sequence[int], keys: Sequence[int]) -> Float:
        matrices = self._layers[layer].transpose(0, 2, 1)
        return _float32(matrices[np.ix_(list(heads), list(keys))])

    def tile(self, layer: int, head: int, queries: slice, keys: slice) -> Float:
        matrix = self._layers[layer][head]
        block = matrix[clip(queries, self.n_queries), clip(keys, self.n_keys)]
        return np.array(block, np.float32, order="C")

    def bands(
        self,
        layer: int,
        head: int,
        queries: slice,
        keys: slice,
        factor: int,
        reduction: Reduction = "max",
    ) -> Iterator[Float]:
        check_pooling(factor, reduction)
        queries = clip(queries, self.n_queries)
        yield pool(self.tile(layer, head, slice(0, 0), keys), factor, reduction)
        for rows in pieces(queries, factor, max(factor, BAND_CELLS // self.n_keys)):
            yield pool(self.tile(layer, head, rows, keys), factor, reduction, self.signed)


def dense_attention(
    attentions: object,
    *,
    batch_index: int | None = None,
    layer_numbers: Sequence[int] | None = None,
    source: str = "attention weights as given",
) -> DenseAttention:
    """Wrap attention weights that a model returned.

    Parameters
    ----------
    attentions
        One array a layer, as transformers returns them, of shape (batch, heads, queries, keys) or
        (heads, queries, keys); or one array (layers, heads, queries, keys) or (layers, batch,
        heads, queries, keys); or a model's output that has ``attentions``. Arrays are numpy, torch
        (any device and dtype) or anything with ``__array__`` or DLPack. float32 and float16 arrays
        in main memory are not copied.
    batch_index : int, optional
        Which example of a batch of two or more.
    layer_numbers : sequence of int, optional
        The model's own number of each layer; 0, 1, 2, ... by default.
    source : str
        How the numbers were had, in words.

    Raises
    ------
    ValueError
        No layers, shapes that don't fit, a batch without `batch_index`, NaN or infinity.
    TypeError
        Something that is no array of real numbers.
    """
    layers = (
        _layer(layer, number, batch_index) for number, layer in enumerate(layers_of(attentions))
    )
    return DenseAttention(layers, layer_numbers=layer_numbers, source=source)


def to_numpy(array: object) -> npt.NDArray[Any]:
    """Return any library's array as numpy, without a copy where it lies in main memory."""
    given: Any = array
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        try:
            given = given.numpy()
        except TypeError:  # numpy has no bfloat16 or float8
            given = given.float().numpy()
    elif hasattr(given, "__dlpack__") and not hasattr(given, "__array__"):
        given = np.from_dlpack(given)
    found = np.asarray(given)
    if found.dtype.kind in "OUSMmc":
        raise TypeError(f"numbers of dtype {found.dtype}")
    return found


class _Facts:
    """What one pass over the layers tells about the numbers."""

    def __init__(self) -> None:
        self.causal = True
        self.lowest, self.highest = np.inf, -np.inf
        self.rows = self.odd_rows = 0
        self.least_sum, self.greatest_sum = np.inf, -np.inf

    def add(self, layer: Layer, number: int) -> None:
        lowest, highest = float(layer.min()), float(layer.max())
        if not np.isfinite(lowest) or not np.isfinite(highest):
            _raise_not_finite(layer, number)
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        sums = layer.sum(-1, dtype=np.float32)
        self.rows += sums.size
        self.odd_rows += int((np.abs(sums - 1) > ROW_SUM_TOLERANCE).sum())
        self.least_sum = min(self.least_sum, float(sums.min()))
        self.greatest_sum = max(self.greatest_sum, float(sums.max()))
        self.causal = self.causal and _is_causal(layer)

    @property
    def are_shares(self) -> bool:
        return self.odd_rows == 0 and self.lowest >= 0

    @property
    def scale(self) -> float:
        if self.are_shares:
            return 1.0
        return max(self.highest, -self.lowest) or 1.0

    def notes(self) -> Iterable[str]:
        if self.lowest < 0:
            yield f"Some weights are below 0 (the least is {self.lowest:.4g}): shown as given."
        if self.odd_rows:
            yield (
                f"{self.odd_rows:,} of {self.rows:,} rows don't sum to 1 (sums from "
                f"{self.least_sum:.4g} to {self.greatest_sum:.4g}): shown as given."
            )


def layers_of(attentions: object) -> Iterable[object]:
    """Return the layers of what `dense_attention` takes, not looked at yet."""
    if isinstance(attentions, Mapping) or hasattr(attentions, "attentions"):
        attentions = _attentions_of(attentions)
    if attentions is None:
        raise ValueError(NO_ATTENTIONS)
    if isinstance(attentions, (tuple, list)):
        if not attentions:
            raise ValueError(NO_ATTENTIONS)
        return attentions
    array: Any = attentions
    if not hasattr(array, "shape"):
        try:
            array = to_numpy(array)
        except Exception as error:
            raise _no_array("the attentions", attentions) from error
    if len(array.shape) not in (4, 5):
        raise ValueError(
            "one array for all layers has to be (layers, heads, queries, keys) or (layers, batch, "
            f"heads, queries, keys), got shape {tuple(array.shape)}; one layer alone goes in a "
            "list: [array]. Hidden states are (batch, tokens, width): outputs[-1] is these where a "
            "model returned no attentions"
        )
    return (array[number] for number in range(array.shape[0]))


def _attentions_of(output: object) -> object:
    """Return the attentions of a model's output or of a dictionary."""
    if not isinstance(output, Mapping):
        return getattr(output, "attentions", None)
    found: object = output.get("attentions")
    others = [name for name, value in output.items() if name.endswith("_attentions") and len(value)]
    if found is None and others:
        raise ValueError(
            f"the model's output has no 'attentions' but {' and '.join(others)}: pass one of them, "
            f"e.g. outputs.{others[0]}"
        )
    return found


def _layer(layer: object, number: int, batch_index: int | None) -> Layer:
    """Return one layer as (heads, queries, keys), its batch axis resolved before it is moved."""
    if layer is None:
        raise ValueError(
            f"layer {number} is None: this layer returned no attention; leave it out and say which "
            "layers the others are with layer_numbers="
        )
    if isinstance(layer, (tuple, list)) and layer and hasattr(layer[0], "shape"):
        raise TypeError(
            f"entry {number} of the attentions is itself a {type(layer).__name__} of arrays "
            "(generate() returns one tuple of layers for each step): pass the layers of one step, "
            "e.g. attentions[0]"
        )
    given: Any = layer
    if not hasattr(given, "shape"):
        given = _numbers(given, number)
    shape = tuple(given.shape)
    if len(shape) not in (3, 4):
        raise ValueError(
            f"layer {number} has shape {shape}; expected (batch, heads, queries, keys) or "
            "(heads, queries, keys)"
        )
    if 0 in shape:
        raise ValueError(
            f"layer {number} has shape {shape}: an axis of length 0 holds no attention"
        )
    if len(shape) == 4:
        given = given[_example(shape[0], batch_index)]
    return _numbers(given, number)


def _example(size: int, batch_index: int | None) -> int:
    if batch_index is None:
        if size > 1:
            raise ValueError(
                f"the attentions are of a batch of {size} examples: choose one with batch_index= "
                f"(0 to {size - 1})"
            )
        return 0
    if not 0 <= batch_index < size:
        raise ValueError(f"batch_index={batch_index} is not in a batch of {size} (0 to {size - 1})")
    return batch_index


def _numbers(layer: object, number: int) -> Layer:
    """Return float32 or float16 numbers in main memory."""
    try:
        array = to_numpy(layer)
        if array.dtype in (np.float32, np.float16):
            return array
        return array.astype(np.float32)
    except Exception as error:
        raise _no_array(f"layer {number}", layer) from error


def _no_array(what: str, given: object) -> TypeError:
    return TypeError(
        f"{what} can't be read as an array of real numbers (got {type(given).__name__}): pass "
        "numpy or torch arrays, or anything with __array__ or DLPack, in main memory"
    )


def _check_same_shape(first: tuple[int, ...], shape: tuple[int, ...], number: int) -> None:
    if shape == first:
        return
    if shape[1:] == first[1:]:
        raise ValueError(
            f"layer {number} has {shape[0]} heads and layer 0 has {first[0]}: layers with "
            "different numbers of heads can't be shown together; pass those that agree, with "
            "layer_numbers="
        )
    raise ValueError(
        f"layer {number} has shape {shape} and layer 0 has {first}, as (heads, queries, keys): all "
        "layers have to be of one shape"
    )


def _layer_numbers(given: Sequence[int] | None, n_layers: int) -> tuple[int, ...]:
    if given is None:
        return tuple(range(n_layers))
    if len(given) != n_layers:
        raise ValueError(f"layer_numbers has {len(given)} entries for {n_layers} layers")
    return tuple(int(number) for number in given)


def _raise_not_finite(layer: Layer, number: int) -> None:
    head, query, key = (int(i) for i in np.argwhere(~np.isfinite(layer))[0])
    raise ValueError(
        f"the weight of layer {number}, head {head}, query {query}, key {key} is "
        f"{layer[head, query, key]}: attention weights have to be finite; look for a mask that "
        "hides every key, or for half precision that overflowed"
    )


def _is_causal(layer: Layer) -> bool:
    _, n_queries, n_keys = layer.shape
    if n_queries != n_keys or n_queries == 1 or layer[:, 0, 1:].any():
        return False
    return not any(np.triu(matrix, 1).any() for matrix in layer)


def _float32(array: Layer) -> Float:
    return array.astype(np.float32, copy=False)

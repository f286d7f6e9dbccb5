"""What a forward pass's records become: checked layers of each kind of attention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from ..attention.base import Attention
from ..attention.from_qk import LayerStates, QKAttention
from ..attention.masks import BiasedMask, Mask
from . import check
from .capture import Record
from .families import CannotRebuildError, Masks, layer_numbers, layer_states
from .kinds import SIDES, kind_of
from .streams import Stream


@dataclass(frozen=True)
class Reading:
    """The attention of one example, and how it stands against the model's own outputs."""

    attention: Attention
    check: check.Check


@dataclass(frozen=True)
class Layer:
    """One recorded call; the lists have one entry an example."""

    name: str
    states: list[LayerStates]
    differences: list[float]
    tolerance: float


@dataclass(frozen=True)
class MissingLayer:
    """A recorded call whose weights can't be rebuilt."""

    name: str
    reason: str


@dataclass
class Reader:
    """Reads and checks records as they come, so that values and outputs needn't be kept.

    Attributes
    ----------
    streams : mapping of str to Stream
        The sequences that the model is given.
    n_examples : int
        Size of the batch.
    rows : int
        How many queries of each head are checked.
    on_cpu : bool
        Whether queries and keys are moved there.
    layers : dict of str to list of Layer or MissingLayer
        What came of the records of each kind of attention, in order.
    """

    streams: Mapping[str, Stream]
    n_examples: int
    rows: int = check.ROWS
    on_cpu: bool = False
    layers: dict[str, list[Layer | MissingLayer]] = field(default_factory=dict)
    _masks: dict[str, Masks] = field(default_factory=dict)
    _moved: dict[int, tuple[Mask, Mask]] = field(default_factory=dict)

    def __call__(self, record: Record) -> None:
        """Take one record."""
        kind = kind_of(record.name, "target" in self.streams)
        layers = self.layers.setdefault(kind, [])
        try:
            layers.append(self._read(kind, record))
        except CannotRebuildError as error:
            layers.append(MissingLayer(record.name, str(error)))

    @property
    def reasons(self) -> dict[str, str]:
        """Why some layer of a kind can't be rebuilt: what is wrong with the first of them."""
        missing = {kind: list(self.missing(kind).values()) for kind in self.layers}
        return {kind: reasons[0] for kind, reasons in missing.items() if reasons}

    def numbers(self, kind: str) -> tuple[int, ...]:
        """Return the model's own number of each layer of a kind."""
        return layer_numbers([layer.name for layer in self.layers.get(kind, [])])

    def rebuilt(self, kind: str) -> dict[int, Layer]:
        """Return the layers of a kind that could be rebuilt, by the model's own numbers."""
        layers = zip(self.numbers(kind), self.layers.get(kind, []), strict=True)
        return {number: layer for number, layer in layers if isinstance(layer, Layer)}

    def missing(self, kind: str) -> dict[int, str]:
        """Return why others couldn't be rebuilt, by the model's own numbers."""
        layers = zip(self.numbers(kind), self.layers.get(kind, []), strict=True)
        return {number: it.reason for number, it in layers if isinstance(it, MissingLayer)}

    def readings(self) -> dict[str, list[Reading]]:
        """Return the kinds that could be rebuilt in all layers; one entry an example."""
        return {kind: self.reading(kind) for kind in self.layers if kind not in self.reasons}

    def reading(self, kind: str) -> list[Reading]:
        """Return what could be rebuilt of one kind; one entry an example."""
        layers = self.rebuilt(kind)
        return [
            reading(layers, example, "the forward pass", self.rows)
            for example in range(self.n_examples)
        ]

    def _read(self, kind: str, record: Record) -> Layer:
        if {len(record.query), len(record.key), len(record.output)} != {self.n_examples}:
            raise CannotRebuildError(
                f"{record.name} attends with queries of shape {tuple(record.query.shape)}, which "
                f"are not those of {self.n_examples} example{'s' * (self.n_examples > 1)}"
            )
        first = next((it for it in self.layers[kind] if isinstance(it, Layer)), None)
        layer = Layer(record.name, [], [], check.tolerance(record.query.dtype, record.output.dtype))
        for example in range(self.n_examples):
            queries, keys = (
                self._positions(record, side, example, states.shape[2])
                for side, states in zip(SIDES[kind], (record.query, record.key), strict=True)
            )
            masks = self._masks.setdefault(kind, {})
            states = layer_states(record, example, queries, keys, masks)
            if first is not None and _shape(states) != _shape(first.states[example]):
                raise CannotRebuildError(
                    f"{record.name} has (heads, queries, keys) {_shape(states)} and {first.name} "
                    f"{_shape(first.states[example])}"
                )
            difference = check.output_difference(
                states, record, example, queries, keys, check.sample(queries, self.rows)
            )
            if not difference <= layer.tolerance:
                raise CannotRebuildError(check.misses(record.name, difference))
            layer.states.append(self._to_cpu(states) if self.on_cpu else states)
            layer.differences.append(difference)
        return layer

    def _positions(self, record: Record, side: str, example: int, n_positions: int) -> torch.Tensor:
        if side not in self.streams:
            raise CannotRebuildError(f"{record.name} attends over what isn't in the inputs")
        try:
            return self.streams[side].positions(example, n_positions)
        except CannotRebuildError as error:
            raise CannotRebuildError(f"{record.name}: {error}") from None

    def _to_cpu(self, states: LayerStates) -> LayerStates:
        """Move what a layer needs, masks that layers share once."""
        cpu = torch.device("cpu")
        mask = states.mask
        if mask is not None:
            mask = self._moved.setdefault(id(mask), (mask, mask.to(cpu)))[1]
        return replace(
            states,
            query=states.query.to(cpu),
            key=states.key.to(cpu),
            mask=mask,
            sinks=None if states.sinks is None else states.sinks.to(cpu),
        )


def reading(layers: Mapping[int, Layer], example: int, of: str, rows: int) -> Reading:
    """Return the attention of some layers.

    Parameters
    ----------
    layers : mapping of int to Layer
        By the model's own numbers.
    example : int
        Which of the batch.
    of : str
        What the queries and keys are of, in words.
    rows : int
        How many queries of each head were checked.
    """
    states = [layer.states[example] for layer in layers.values()]
    is_biased = any(isinstance(layer.mask, BiasedMask) for layer in states)
    entered = "queries, keys and biases" if is_biased else "queries and keys"
    attention = QKAttention(states, layer_numbers=tuple(layers), source=f"{entered} of {of}")
    return Reading(
        attention,
        check.Check(
            tuple(layer.differences[example] for layer in layers.values()),
            max(layer.tolerance for layer in layers.values()),
            f"{min(rows, attention.n_queries)} rows of each head times the values with the "
            "outputs of the model's own attention",
        ),
    )


def _shape(states: LayerStates) -> tuple[int, int, int]:
    return len(states.query), states.query.shape[1], states.key.shape[1]

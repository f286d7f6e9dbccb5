"""The passes of a generation through its cache: queries and keys put together as they are added."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..attention.growing import GrowingMask
from ..attention.states import LayerStates
from . import check
from .capture import Record
from .families import CannotRebuildError, Masks, layer_numbers, layer_states
from .kinds import kind_of
from .reader import Layer, Reading, reading


@dataclass
class _Growing:
    """One layer so far; the lists have one entry a pass, the keys' only where there are new ones.

    Attributes
    ----------
    record : Record
        The last one, whose keys the next one has to begin with.
    states : LayerStates
        Of the first pass, without queries and keys: what has to stay as it is.
    """

    record: Record
    states: LayerStates
    mask: GrowingMask = field(default_factory=GrowingMask)
    n_keys: int = 0
    queries: list[torch.Tensor] = field(default_factory=list)
    outputs: list[torch.Tensor] = field(default_factory=list)
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)


class CachedPasses:
    """Takes the records of a generation, pass by pass, and makes one attention of each kind.

    A pass has the queries of the tokens that are new to it, and reads the keys of those before from
    the cache. They have to be those that were recorded: a cache that rounds, moves or mixes them
    has no single key for each token.

    Parameters
    ----------
    has_target : bool
        Whether the model is an encoder and a decoder.
    on_cpu : bool
        Whether what is kept is moved there.

    Attributes
    ----------
    reason : str or None
        Why the passes can't be put together.
    """

    def __init__(self, has_target: bool, on_cpu: bool) -> None:
        self.reason: str | None = None
        self._has_target = has_target
        self._on_cpu = on_cpu
        self._layers: dict[str, list[_Growing]] = {}
        self._n_calls: dict[str, int] = {}
        self._masks: Masks = {}

    @property
    def has_records(self) -> bool:
        """Whether any record came."""
        return bool(self._layers or self.reason)

    def begin(self) -> None:
        """Note that the records of another pass follow."""
        self._n_calls.clear()
        self._masks.clear()

    def refuse(self, reason: str) -> None:
        """Give up, and let go of what was kept."""
        self.reason = self.reason or reason
        self._layers.clear()

    def __call__(self, record: Record) -> None:
        """Take one record."""
        if self.reason is not None:
            return
        try:
            self._add(record)
        except CannotRebuildError as error:
            self.refuse(str(error))

    def readings(self, n_given: int, n_tokens: int, rows: int) -> dict[str, Reading]:
        """Return the attention of each kind over the first `n_tokens` that were written or read.

        Parameters
        ----------
        n_given : int
            How many of them weren't generated.
        n_tokens : int
            Tokens that were passed through the model; those after them are left out.
        rows : int
            How many of the other queries of each head are checked: of the generated ones, all are.

        Raises
        ------
        CannotRebuildError
            The passes can't be put together.
        """
        if self.reason is not None:
            raise CannotRebuildError(self.reason)
        expected = {"encoder", "decoder", "cross"} if self._has_target else set[str]()
        if not self._layers or expected - self._layers.keys():
            raise CannotRebuildError("its own code shows no queries and keys")
        self._masks.clear()
        shared: list[Any] = []
        found = {}
        for kind in list(self._layers):
            n_rows = None if kind == "encoder" else n_tokens
            picks = _picks(n_given, n_tokens, rows) if n_rows else None
            layers = []
            # Let go of as it is put together.
            growing = self._layers.pop(kind)
            growing.reverse()
            while growing:
                layers.append(_whole(growing.pop(), kind, n_rows, picks, rows, shared))
            numbers = layer_numbers([layer.name for layer in layers])
            found[kind] = reading(
                dict(zip(numbers, layers, strict=True)),
                0,
                "the generation, step by step through its cache",
                rows if picks is None else len(picks),
            )
        return found

    def _add(self, record: Record) -> None:
        kind = kind_of(record.name, self._has_target)
        if len(record.query) != 1:
            raise CannotRebuildError(f"its passes are of {len(record.query)} sequences at once")
        every_query, every_key = (torch.arange(it.shape[-2]) for it in (record.query, record.key))
        states = layer_states(record, 0, every_query, every_key, self._masks)
        n_queries, n_keys = len(every_query), len(every_key)
        layer, is_first = self._layer_of(kind, record, states)
        n_new = n_queries
        if kind in ("cross", "encoder"):
            n_new = n_keys if is_first else 0
        _check_continues(layer, record, states, n_new, is_first)
        known = slice(layer.n_keys + n_new - n_keys, layer.n_keys + n_new)
        if kind != "encoder":
            try:
                layer.mask.add(states.mask, n_queries, known, states.query.device)
            except ValueError as reason:
                raise CannotRebuildError(f"{record.name}: {reason}") from None
        layer.record = record
        layer.n_keys += n_new
        layer.queries.append(self._kept(states.query))
        layer.outputs.append(self._kept(record.output[0]))
        if n_new:
            layer.keys.append(self._kept(states.key[:, n_keys - n_new :]))
            layer.values.append(self._kept(record.value[0][:, n_keys - n_new :]))

    def _layer_of(self, kind: str, record: Record, states: LayerStates) -> tuple[_Growing, bool]:
        """Return the layer that a record is of, and whether it is new."""
        number = self._n_calls.get(kind, 0)
        self._n_calls[kind] = number + 1
        layers = self._layers.setdefault(kind, [])
        is_first = number == len(layers)
        if is_first:
            nothing = states.query.new_empty(0)
            layers.append(_Growing(record, replace(states, query=nothing, key=nothing)))
        elif kind == "encoder":
            raise CannotRebuildError("its encoder runs more than once")
        return layers[number], is_first

    def _kept(self, part: torch.Tensor) -> torch.Tensor:
        """Return it without the rest of the tensor that it is a part of."""
        if self._on_cpu and part.device.type != "cpu":
            return part.cpu()
        return part.clone(memory_format=torch.contiguous_format)


def _check_continues(
    layer: _Growing, record: Record, states: LayerStates, n_new: int, is_first: bool
) -> None:
    """Refuse a pass that isn't the next one of the layer."""
    n_cached = record.key.shape[2] - n_new
    if is_first:
        if n_cached:
            raise CannotRebuildError(f"its cache holds {n_cached} positions before the first pass")
        return
    if record.name != layer.record.name:
        raise CannotRebuildError(f"it runs {record.name} where it ran {layer.record.name} before")
    first = layer.states
    same = (states.scaling, states.softcap) == (first.scaling, first.softcap)
    if first.sinks is not None and states.sinks is not None:
        same = same and torch.equal(states.sinks, first.sinks)
    if not same or (first.sinks is None) != (states.sinks is None):
        raise CannotRebuildError(f"{record.name} scales its scores anew in each pass")
    if n_cached == 0:
        raise CannotRebuildError("it keeps no cache")
    before = layer.record.key
    if n_cached > before.shape[2] or not torch.equal(
        before[:, :, before.shape[2] - n_cached :], record.key[:, :, :n_cached]
    ):
        raise CannotRebuildError(f"{record.name} finds other keys in its cache than were put there")


def _picks(n_given: int, n_tokens: int, rows: int) -> torch.Tensor:
    """Return the queries that are checked: some of those that were given, all that follow."""
    given = torch.arange(n_given)
    return torch.cat([check.sample(given, rows), torch.arange(n_given, n_tokens)])


def _whole(
    layer: _Growing,
    kind: str,
    n_tokens: int | None,
    picks: torch.Tensor | None,
    rows: int,
    shared: list[Any],
) -> Layer:
    """Return a layer put together, checked against all that the passes gave."""
    query = torch.cat(layer.queries, 1)[:, :n_tokens]
    if n_tokens is not None and query.shape[1] != n_tokens:
        raise CannotRebuildError(
            f"{layer.record.name} passed on {query.shape[1]} of {n_tokens} tokens"
        )
    n_keys = None if kind == "cross" else n_tokens
    key = torch.cat(layer.keys, 1)[:, :n_keys]
    mask = layer.states.mask
    if kind != "encoder":
        mask = layer.mask.whole(query.shape[1], key.shape[1])
    mask = mask if mask is None else mask.to(query.device)
    states = replace(layer.states, query=query, key=key, mask=_same(mask, shared))
    if states.sinks is not None:
        states = replace(states, sinks=states.sinks.to(query.device))
    record = replace(
        layer.record,
        query=query[None],
        key=key[None],
        value=torch.cat(layer.values, 1)[None, :, :n_keys],
        output=torch.cat(layer.outputs)[None, :n_tokens],
    )
    queries, keys = torch.arange(query.shape[1]), torch.arange(key.shape[1])
    compared = check.sample(queries, rows) if picks is None else picks
    tolerance = check.tolerance(record.query.dtype, record.output.dtype)
    difference = check.output_difference(states, record, 0, queries, keys, compared)
    if not difference <= tolerance:
        raise CannotRebuildError(check.misses(record.name, difference))
    return Layer(record.name, [states], [difference], tolerance)


def _same(mask: Any, shared: list[Any]) -> Any:
    """Return an equal mask that another layer has already, so that it is kept once."""
    for other in shared:
        if _are_equal(mask, other):
            return other
    shared.append(mask)
    return mask


def _are_equal(first: Any, second: Any) -> bool:
    if type(first) is not type(second):
        return False
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, tuple):
        return len(first) == len(second) and all(map(_are_equal, first, second))
    if hasattr(first, "__dict__"):
        return all(_are_equal(it, vars(second)[name]) for name, it in vars(first).items())
    return bool(first == second)

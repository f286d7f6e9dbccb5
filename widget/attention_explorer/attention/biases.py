"""What is added to scores by position, in as little memory as the pattern allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

Index = slice | torch.Tensor

BLOCK_CELLS = 1 << 22


@dataclass(frozen=True)
class KeyBias:
    """The same addend for every query (ALiBi, as far as the softmax sees it).

    Attributes
    ----------
    values : tensor, shape (heads or 1, keys)
    """

    values: torch.Tensor

    def add(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Add to the scores (queries, keys) in place."""
        scores.add_(self.values[_own(self.values, head), keys])

    def to(self, device: torch.device) -> KeyBias:
        """Return it on the device."""
        return KeyBias(self.values.to(device))


@dataclass(frozen=True)
class OffsetBias:
    """An addend that depends on key position - query position alone (T5).

    Attributes
    ----------
    values : tensor, shape (heads or 1, queries + keys - 1)
        Of the offsets -(queries - 1) to keys - 1.
    n_queries : int
    """

    values: torch.Tensor
    n_queries: int

    def add(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Add to the scores (queries, keys) in place."""
        positions = torch.arange(self.n_queries, device=scores.device)[queries]
        offsets = keys - positions[:, None] + (self.n_queries - 1)
        scores.add_(self.values[_own(self.values, head)][offsets])

    def to(self, device: torch.device) -> OffsetBias:
        """Return it on the device."""
        return OffsetBias(self.values.to(device), self.n_queries)


@dataclass(frozen=True)
class CellBias:
    """Any other addend: one value a cell.

    Attributes
    ----------
    values : tensor, shape (heads or 1, queries, keys)
    """

    values: torch.Tensor

    def add(self, scores: torch.Tensor, head: int, queries: Index, keys: torch.Tensor) -> None:
        """Add to the scores (queries, keys) in place."""
        scores.add_(self.values[_own(self.values, head), queries][:, keys])

    def to(self, device: torch.device) -> CellBias:
        """Return it on the device."""
        return CellBias(self.values.to(device))


Bias = KeyBias | OffsetBias | CellBias


def compress_bias(values: torch.Tensor, readable: torch.Tensor) -> Bias | None:
    """Return the smallest form that is exact in each cell that may be read; None where all are 0.

    Parameters
    ----------
    values : tensor, shape (heads or 1, queries or 1, keys)
        What is added to the scores.
    readable : tensor of bool, shape (heads or 1, queries, keys)
        Cells that are no part of it need no value.
    """
    if values.shape[1] == 1:
        return KeyBias(values[:, 0]) if bool(values.any()) else None
    n_queries = values.shape[1]
    zero = KeyBias(values.new_zeros(1, values.shape[2]))
    if _agrees(zero, values, readable):
        return None
    # The last query of a causal pattern reads every key, the first column every offset.
    by_key = KeyBias(values[:, -1].clone())
    if _agrees(by_key, values, readable):
        return by_key
    offsets = torch.cat([values[:, :, 0].flip(1), values[:, 0, 1:]], dim=1)
    by_offset = OffsetBias(offsets, n_queries)
    if _agrees(by_offset, values, readable):
        return by_offset
    return CellBias(values)


def row_blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Cut rows into blocks that fit the budget."""
    step = max(1, BLOCK_CELLS // n_columns)
    for first in range(0, n_rows, step):
        yield slice(first, min(first + step, n_rows))


def _agrees(bias: Bias, values: torch.Tensor, readable: torch.Tensor) -> bool:
    heads, n_queries, n_keys = values.shape
    keys = torch.arange(n_keys, device=values.device)
    for head in range(heads):
        for rows in row_blocks(n_queries, n_keys):
            cells = torch.zeros_like(values[head, rows])
            bias.add(cells, head, rows, keys)
            known = readable[_own(readable, head), rows]
            if not bool(((cells == values[head, rows]) | ~known).all()):
                return False
    return True


def _own(values: torch.Tensor, head: int) -> int:
    return min(head, len(values) - 1)

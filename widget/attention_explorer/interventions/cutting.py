"""Rows of attention without some of their keys, from the queries and keys of the running pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ..attention.biases import row_blocks
from ..attention.head import exactly
from ..attention.states import LayerStates, scores_of_heads, softmax_
from ..tracing import check
from ..tracing.capture import Record
from ..tracing.families import CannotRebuildError, Masks, layer_states
from .meant import Cut

# Numbers of keys and values that are copied at once, for heads that share them.
BLOCK_NUMBERS = 1 << 24


class NothingLeftError(ValueError):
    """A query would read nothing any more."""


class Rows(NamedTuple):
    """What some rows give once their edges are cut.

    Attributes
    ----------
    positions, heads : tensor of int64, shape (rows,)
        Where they are in the record's output.
    output : tensor, shape (rows, d)
        In the dtype of the record's output.
    n_cut : int
        How many edges that the model reads were cut.
    """

    positions: torch.Tensor
    heads: torch.Tensor
    output: torch.Tensor
    n_cut: int


@dataclass(frozen=True)
class Cutting:
    """Cuts edges of one example in one call of an attention.

    The weights are worked out from the call's own queries, keys, masks and addends, with minus
    infinity in the place of each score that is cut, and multiply its values. Each time a sample of
    the same rows is worked out uncut, too, and held to what the model's own backend gave: what
    isn't rebuilt rightly is refused.

    Attributes
    ----------
    record : Record
        The call.
    example : int
        Which of the batch.
    queries, keys : tensor of int64
        The positions without padding.
    masks : dict
        As for `layer_states`.
    """

    record: Record
    example: int
    queries: torch.Tensor
    keys: torch.Tensor
    masks: Masks

    def rows(self, cuts: Sequence[Cut]) -> Iterator[Rows]:
        """Yield the rows that are changed, in blocks; cuts of one head apply together.

        Raises
        ------
        NothingLeftError
            A query would read nothing: no softmax is defined of that, but where a learned sink
            takes all of it.
        CannotRebuildError
            The rows can't be worked out, or miss the model's own.
        """
        device = self.record.query.device
        with exactly(device):
            states = layer_states(self.record, self.example, self.queries, self.keys, self.masks)
        heads = _union([cut.heads for cut in cuts], device)
        rows = _union([cut.queries for cut in cuts], device)
        n_keys, size = states.key.shape[1:]
        for some in torch.split(heads, max(1, BLOCK_NUMBERS // (n_keys * size))):
            with exactly(device):
                values = self._values(states, some)
            for block in row_blocks(len(rows), len(some) * n_keys):
                # Never over a yield: the modes would be those of whoever goes on.
                with exactly(device):
                    found = self._cut(states, some, rows[block], cuts, values)
                yield found

    def _values(self, states: LayerStates, heads: torch.Tensor) -> torch.Tensor:
        """Return what heads multiply their weights with, shape (heads, keys, d)."""
        value = self.record.value[self.example]
        n_heads = len(states.query)
        if n_heads % len(value):
            raise CannotRebuildError(f"{self.record.name} has {len(value)} value heads")
        own = value.index_select(0, (heads * len(value) // n_heads).to(value.device))
        return own.index_select(1, self.keys.to(value.device)).to(states.dtype)

    def _cut(
        self,
        states: LayerStates,
        heads: torch.Tensor,
        rows: torch.Tensor,
        cuts: Sequence[Cut],
        values: torch.Tensor,
    ) -> Rows:
        scores = scores_of_heads(states, heads, rows)
        sinks = None if states.sinks is None else states.sinks[heads]
        self._verify(scores, sinks, heads, rows, values)
        # What a mask hides isn't read: cutting it changes nothing, not even by rounding.
        is_cut = _cells(cuts, heads, rows, scores.shape[-1]).logical_and_(scores > -torch.inf)
        scores.masked_fill_(is_cut, -torch.inf)
        is_empty = scores.amax(-1) == -torch.inf
        if sinks is None and bool(is_empty.any()):
            head, row = is_empty.nonzero()[0].tolist()
            raise NothingLeftError(
                f"query {int(rows[row])} would have nothing left to read in head "
                f"{int(heads[head])}, as it reads none but the keys that are cut: leave it one, or "
                "ablate the head"
            )
        weights = softmax_(scores, sinks).masked_fill_(is_empty[..., None], 0)
        head, row = is_cut.any(-1).nonzero(as_tuple=True)
        return Rows(
            self.queries.to(rows.device)[rows[row]],
            heads[head],
            (weights @ values)[head, row].to(self.record.output),
            int(is_cut.sum()),
        )

    def _verify(
        self,
        scores: torch.Tensor,
        sinks: torch.Tensor | None,
        heads: torch.Tensor,
        rows: torch.Tensor,
        values: torch.Tensor,
    ) -> None:
        """Hold uncut rows to the model's own, as `check.output_difference` does."""
        record = self.record
        picks = check.sample(rows, check.ROWS).to(rows.device)
        positions = self.queries.to(rows.device)[rows[picks]]
        own = record.output[self.example][positions[:, None], heads].transpose(0, 1)
        if own.shape[-1] != values.shape[-1]:
            raise CannotRebuildError(check.misses(record.name, float("inf")))
        rebuilt = softmax_(scores[:, picks].clone(), sinks) @ values
        difference = float((rebuilt - own.to(rebuilt)).abs().max())
        relative = difference / max(float(values.abs().max()), 1e-30)
        if not relative <= check.tolerance(record.query.dtype, record.output.dtype):
            raise CannotRebuildError(check.misses(record.name, relative))


def _union(numbers: Sequence[Sequence[int]], device: torch.device) -> torch.Tensor:
    return torch.tensor(sorted({i for some in numbers for i in some}), device=device)


def _cells(
    cuts: Sequence[Cut], heads: torch.Tensor, rows: torch.Tensor, n_keys: int
) -> torch.Tensor:
    """Return which scores are cut, shape (heads, rows, keys)."""
    cells = torch.zeros(len(heads), len(rows), n_keys, dtype=torch.bool, device=rows.device)
    keys = torch.arange(n_keys, device=rows.device)
    for cut in cuts:
        of_head, of_row, of_key = (
            torch.isin(there, torch.tensor(those, device=rows.device))
            for there, those in ((heads, cut.heads), (rows, cut.queries), (keys, cut.keys))
        )
        cells |= of_head[:, None, None] & of_row[:, None] & of_key
    return cells

"""What edits do to the outputs of attention while a model runs."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..tracing.capture import Record
from ..tracing.families import CannotRebuildError, Masks
from ..tracing.live import Live, Place
from .cutting import Cutting, NothingLeftError
from .edits import By
from .meant import Meant


class Altering:
    """Is called with each attention that is computed, and changes some of its outputs.

    Parameters
    ----------
    live : Live
        What is run.
    copies : sequence of Meant
        What is done in each copy of the example.
    skip_empty : bool
        Leave queries as they are that would have nothing left to read, and note the copies in
        `emptied`; else that is refused.

    Attributes
    ----------
    n_cut : list of int
        How many edges that the model reads were cut in each copy.
    emptied : set of int
        Copies of which something was left out.
    """

    def __init__(self, live: Live, copies: Sequence[Meant], skip_empty: bool = False) -> None:
        self.n_cut = [0] * len(copies)
        self.emptied: set[int] = set()
        self._live, self._copies, self._skip_empty = live, copies, skip_empty
        # Masks are known by the tensors of one pass.
        self._masks: dict[str, Masks] = {}

    def __call__(self, place: Place, record: Record) -> torch.Tensor | None:
        """Return other outputs for a place where something is done."""
        touched = [(i, done) for i, done in enumerate(self._copies) if done.touches(place)]
        if not touched:
            return None
        try:
            queries, keys = self._positions(place, record)
            output = record.output.clone()
            for copy, done in touched:
                if place in done.cuts:
                    masks = self._masks.setdefault(place.kind, {})
                    cutting = Cutting(record, copy, queries, keys, masks)
                    self._cut(place, cutting, done, copy, output[copy])
                for head, by in done.ablations.get(place, {}).items():
                    _ablate(output[copy], head, by, queries)
        except CannotRebuildError as error:
            raise ValueError(
                f"layer {place.layer} of the {place.kind} attention can't be changed: {error}"
            ) from None
        return output

    def _cut(
        self, place: Place, cutting: Cutting, done: Meant, copy: int, output: torch.Tensor
    ) -> None:
        try:
            for rows in cutting.rows(done.cuts[place]):
                output[rows.positions, rows.heads] = rows.output
                self.n_cut[copy] += rows.n_cut
        except NothingLeftError as error:
            if not self._skip_empty:
                raise NothingLeftError(
                    f"layer {place.layer} of the {place.kind} attention: {error}"
                ) from None
            self.emptied.add(copy)

    def _positions(self, place: Place, record: Record) -> tuple[torch.Tensor, torch.Tensor]:
        shape, n_copies = record.output.shape, len(self._copies)
        if len(shape) != 4 or shape[0] != n_copies or shape[1] != record.query.shape[2]:
            raise CannotRebuildError(
                f"{record.name} gives outputs of shape {tuple(shape)}, which aren't those of "
                f"{n_copies} example{'s' * (n_copies > 1)} by query and head"
            )
        return self._live.positions(place.kind, (record.query.shape[2], record.key.shape[2]))


def _ablate(output: torch.Tensor, head: int, by: By, queries: torch.Tensor) -> None:
    """Set a head's outputs (queries, heads, d) to zero, or to their mean without padding."""
    own = output[:, head]
    if by == "zero":
        own.zero_()
        return
    wide = torch.promote_types(own.dtype, torch.float32)
    own.copy_(own[queries.to(own.device)].to(wide).mean(0).to(own.dtype))

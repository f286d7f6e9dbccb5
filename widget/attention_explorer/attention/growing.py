"""The mask of a sequence that grows: what each pass's queries may read, put together."""

from __future__ import annotations

import torch

from .biases import Bias, KeyBias, OffsetBias, row_blocks
from .masks import BiasedMask, DenseMask, KeyIntervals, Mask


class GrowingMask:
    """Takes the mask of each pass, in order, and returns one for all queries.

    In O(queries) memory: of addends only the last query's are kept, as those of the others have to
    be the same by key (ALiBi) or by distance (T5).
    """

    def __init__(self) -> None:
        self._start: list[torch.Tensor] = []
        self._stop: list[torch.Tensor] = []
        self._addends: torch.Tensor | None = None
        self._forms: set[type[Bias]] = {KeyBias, OffsetBias}
        self._is_open = True

    def add(self, mask: Mask | None, n_queries: int, keys: slice, device: torch.device) -> None:
        """Take what the next queries may read.

        Parameters
        ----------
        mask : Mask or None
            Of the pass, whose first key is key ``keys.start``.
        n_queries : int
            How many.
        keys : slice
            Those that the pass knew.
        device : torch.device
            Of the queries.

        Raises
        ------
        ValueError
            The mask can't be put together with those before.
        """
        pattern = mask.pattern if isinstance(mask, BiasedMask) else mask
        if isinstance(pattern, DenseMask):
            raise ValueError("its mask hides keys between others")
        self._is_open = self._is_open and pattern is None
        if pattern is None:
            nothing = torch.zeros(n_queries, dtype=torch.long, device=device)
            pattern = KeyIntervals(nothing, nothing + (keys.stop - keys.start))
        self._start.append(pattern.start + keys.start)
        self._stop.append(pattern.stop + keys.start)
        biases = mask.biases if isinstance(mask, BiasedMask) else ()
        if biases or self._addends is not None:
            self._add_biases(biases, pattern, keys)

    def whole(self, n_queries: int, n_keys: int) -> Mask | None:
        """Return what the first queries may read of the first keys."""
        start = torch.cat(self._start)[:n_queries]
        stop = torch.cat(self._stop)[:n_queries]
        pattern = KeyIntervals(start, stop)
        if self._addends is None or not bool(self._addends.any()):
            every = self._is_open and bool((start == 0).all() and (stop == n_keys).all())
            return None if every else pattern
        if KeyBias in self._forms:
            return BiasedMask((KeyBias(self._addends[:, :n_keys].clone()),), pattern)
        # The last query reads every distance.
        ahead = self._addends.new_zeros(len(self._addends), n_queries - 1)
        by_offset = torch.cat([self._addends[:, -n_keys:], ahead], 1)
        return BiasedMask((OffsetBias(by_offset, n_queries),), pattern)

    def _add_biases(self, biases: tuple[Bias, ...], pattern: KeyIntervals, keys: slice) -> None:
        if keys.start:
            raise ValueError("it adds to the scores and its cache forgets keys")
        if self._addends is None and len(self._start) > 1:
            # None was noted as long as all were 0.
            known = max(int(stop.max()) for stop in self._stop[:-1])
            self._addends = biases[0].values.new_zeros(len(biases[0].values), known)
        n_queries, n_keys = len(pattern.start), keys.stop
        addends = self._addends
        heads = [len(bias.values) for bias in biases] + ([] if addends is None else [len(addends)])
        last = _rows(biases, max(heads), slice(n_queries - 1, n_queries), n_keys, pattern)[:, 0]
        if addends is not None:
            before = addends.to(last).expand(len(last), -1)
            if not torch.equal(last[:, : before.shape[1]], before):
                self._forms.discard(KeyBias)
            if not torch.equal(last[:, n_keys - before.shape[1] :], before):
                self._forms.discard(OffsetBias)
        self._check_rows(biases, last, pattern, n_keys)
        self._addends = last
        if not self._forms:
            raise ValueError("what it adds to the scores goes neither by key nor by distance")

    def _check_rows(
        self, biases: tuple[Bias, ...], last: torch.Tensor, pattern: KeyIntervals, n_keys: int
    ) -> None:
        """Hold all queries of a pass to its last one."""
        n_queries = len(pattern.start)
        positions = torch.arange(n_keys, device=last.device)
        for rows in row_blocks(n_queries - 1, n_keys * len(last)):
            own = _rows(biases, len(last), rows, n_keys, pattern)
            is_read = (positions >= pattern.start[rows, None]) & (
                positions < pattern.stop[rows, None]
            )
            if bool(((own != last[:, None]) & is_read).any()):
                self._forms.discard(KeyBias)
            queries = torch.arange(rows.start, rows.stop, device=last.device)[:, None]
            shifted = positions - queries + (n_queries - 1)
            by_offset = last[:, shifted.clamp(max=n_keys - 1)]
            is_unknown = shifted >= n_keys
            if bool((is_read & (is_unknown | (own != by_offset))).any()):
                self._forms.discard(OffsetBias)


def _rows(
    biases: tuple[Bias, ...], n_heads: int, rows: slice, n_keys: int, pattern: KeyIntervals
) -> torch.Tensor:
    """Return what is added for some queries, shape (heads, queries, keys)."""
    dtype = biases[0].values.dtype if biases else torch.float32
    cells = torch.zeros(n_heads, rows.stop - rows.start, n_keys, dtype=dtype)
    cells = cells.to(pattern.start.device)
    keys = torch.arange(n_keys, device=cells.device)
    for head in range(n_heads):
        for bias in biases:
            bias.add(cells[head], head, rows, keys)
    return cells

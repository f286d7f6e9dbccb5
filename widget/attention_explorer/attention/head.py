"""One head of one layer: weights of some rows at a time, by normalisers that are kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .base import Float, Reduction
from .biases import Index
from .blocks import cell_sizes
from .scan import Sums, by_bin, new_space, scan
from .states import LayerStates, RowScores, exp_
from .terms import Terms


class Head:
    """Computes weights of so few rows that their scores fit in memory.

    Parameters
    ----------
    states : LayerStates
        Of the layer.
    head : int
        Which head.
    normalisers : tensor, shape (2, queries)
        Peak and sum of exp(score - peak) of each row, NaN where they aren't known yet: the rows
        that are read fill them in.
    """

    def __init__(self, states: LayerStates, head: int, normalisers: torch.Tensor) -> None:
        self._states, self._head, self._normalisers = states, head, normalisers
        self._every_key = slice(0, states.key.shape[1])
        self._known_bound: float | None = None
        self._space = new_space(normalisers)

    def whole_rows(self, queries: Index) -> torch.Tensor:
        """Return the weights of all keys, shape (queries, keys)."""
        with exactly(self._normalisers.device):
            rows = self._rows(queries)
            return rows.softmax(rows.against(self._every_key))

    def weights(self, queries: slice, keys: Index) -> torch.Tensor:
        """Return weights of rows that are learned, shape (queries, keys)."""
        with exactly(self._normalisers.device):
            peak, total = self._normalisers[:, queries]
            scores = self._rows(queries).against(keys)
            return exp_(scores.sub_(peak[:, None])).div_(total[:, None])

    def learn(self, queries: Index) -> None:
        """Find the normalisers of rows, where they aren't known."""
        if self._are_new(queries):
            self.pooled_keys(queries, self._every_key, self._every_key.stop, "max")

    def pooled_keys(
        self, queries: Index, keys: slice, factor: int, reduction: Reduction
    ) -> torch.Tensor:
        """Return weights pooled along the keys, shape (bins of `factor` keys, queries).

        Rows are learned from all keys on the way, from a part of the keys beforehand.
        """
        if keys != self._every_key:
            self.learn(queries)
        with exactly(self._normalisers.device):
            rows, are_new = self._rows(queries), self._are_new(queries)
            sums: Sums = "bins" if reduction == "mean" else "row" if are_new else "none"
            bound = math.inf if sums == "none" else self._bound()
            bins = scan(rows, keys, factor, sums, bound, self._space)
            if are_new:
                total = bins.sums.sum(0).mul_(exp_(bins.level - bins.peak))
                total = rows.with_sink(bins.peak, total)
                self._normalisers[:, queries] = torch.stack([bins.peak, total])
            peak, total = self._normalisers[:, queries]
            n_bins = -(-(keys.stop - keys.start) // factor)
            pooled: torch.Tensor = total.new_zeros(n_bins, len(rows))
            if reduction == "max":
                torch.div(exp_(bins.highest.sub_(peak)), total, out=pooled[bins.where])
            else:
                sizes = _sizes(keys.stop - keys.start, factor, total)[bins.where, None]
                shares = bins.sums.mul_(exp_(bins.level - peak) / total)
                torch.div(shares, sizes, out=pooled[bins.where])
            return pooled

    def terms(self, query: int, keys: torch.Tensor) -> Terms:
        """Return what the scores of one row against some keys are made of."""
        row, states, head = slice(query, query + 1), self._states, self._head
        self.learn(row)
        with exactly(self._normalisers.device):
            own, every = states.query[head, query].to(states.dtype), states.keys_of(head)
            key = every[keys].to(states.dtype)
            score = self._rows(row).against(keys)[0]
            bias = states.biases(head, row, keys)
            reach = every.abs().amax(0).to(states.dtype)
            peak, total = self._normalisers[:, query].tolist()
            return Terms(
                query=to_numpy(own),
                key=to_numpy(key),
                product=to_numpy(key.double() @ own.double()),
                scaling=states.scaling,
                softcap=states.softcap,
                bias=None if bias is None else to_numpy(bias[0].where(score.isfinite(), 0)),
                score=to_numpy(score),
                log_sum=peak + math.log(total),
                sink=None if states.sinks is None else float(states.sinks[head]),
                largest=(float(reach.amax()), float((reach * own.abs()).amax())),
            )

    def _rows(self, queries: Index) -> RowScores:
        return RowScores(self._states, self._head, queries)

    def _bound(self) -> float:
        if self._known_bound is None:
            self._known_bound = self._states.bound(self._head)
        return self._known_bound

    def _are_new(self, queries: Index) -> bool:
        return bool(self._normalisers[0, queries].isnan().any())


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Keep the caller's modes out: autocast would round, and what inference mode made is frozen."""
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),
    ):
        yield


def pooled_queries(lines: torch.Tensor, factor: int, reduction: Reduction) -> torch.Tensor:
    """Pool what `Head.pooled_keys` returned along the queries."""
    if reduction == "max":
        return by_bin(torch.amax, lines, factor, axis=1)
    return by_bin(torch.sum, lines, factor, axis=1).div_(_sizes(lines.shape[1], factor, lines))


def _sizes(length: int, factor: int, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(cell_sizes(length, factor)).to(like)


def to_numpy(tensor: torch.Tensor) -> Float:
    """Return numbers as they are handed out: float32, by rows."""
    array: Float = tensor.to("cpu", torch.float32).contiguous().numpy()
    return array

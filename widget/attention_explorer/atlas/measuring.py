"""Numbers of every head of a batch, from a layer's weights at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..analysis.distances import KEPT, SPREAD
from ..analysis.patterns import FIXED, RELATIVE
from ..analysis.sums import LEAST_LEFT, MEASURES, Numbers
from .layout import Layout
from .names import BESIDE, MEASURED, TYPES

# Below it a weight has no logarithm in float32.
_LEAST = torch.finfo(torch.float32).tiny
# So many cells of pairs of heads are worked on at once.
_CELLS = 1 << 20


def rows_of(weights: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return the rows that are measured, shape (texts, heads, rows, keys), float32."""
    if layout.rows is not None:
        # Whole rows are copied at once, which a gather of each weight by itself isn't.
        pairs = zip(weights, layout.rows, strict=True)
        weights = torch.stack([own.index_select(1, rows) for own, rows in pairs])
    return weights.float()


def looked_at(weights: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return the rows by which heads are compared, shape (texts, heads, LOOKED, keys)."""
    return torch.take_along_dim(weights, layout.looked[:, None, :, None], 2).float()


def entropies(rows: torch.Tensor) -> torch.Tensor:
    """Return each row's entropy in nats, shape (...); a row may hold zeros."""
    return rows.clamp(min=_LEAST).log_().mul_(rows).sum(-1).neg_()


class Shapes(NamedTuple):
    """What each row has by itself, tensors of shape (texts, heads, rows).

    Attributes
    ----------
    entropy : tensor
        In nats.
    peak : tensor
        The largest weight.
    distance : tensor
        How far from the query a weight is on average, in tokens.
    """

    entropy: torch.Tensor
    peak: torch.Tensor
    distance: torch.Tensor

    def of(self, texts: Sequence[int]) -> Shapes:
        """Return those of some texts."""
        return Shapes(*(of_rows[list(texts)] for of_rows in self))


def shapes_of(rows: torch.Tensor, layout: Layout) -> Shapes:
    """Return what each row has by itself, of rows as `rows_of` returns them."""
    # A product of matrices would be quicker, and in float32 off by 1e-4 over so many cells.
    distance = (rows * layout.distances[:, None]).sum(-1)
    return Shapes(entropies(rows), rows.amax(-1), distance)


def layer_sums(rows: torch.Tensor, shapes: Shapes, layout: Layout) -> torch.Tensor:
    """Sum up what is measured of one layer.

    Parameters
    ----------
    rows : tensor of float32, shape (texts, heads, rows, keys)
        0 at keys that are padding; whatever in rows that are.
    shapes : Shapes
        Of these rows.
    layout : Layout
        On the same device.

    Returns
    -------
    tensor of float64, shape (texts, len(MEASURED) + len(ALSO_BESIDE), heads)
        Sums over each text's rows; after `MEASURED`, what is left beside sinks in the rows that
        have each of `ALSO_BESIDE`.
    """
    n_texts, n_heads, n_rows, n_keys = rows.shape
    is_row, breadth = layout.per_row.unbind(-1)
    of_shapes = torch.stack([*shapes, shapes.entropy])
    per_row = torch.stack([is_row, is_row, is_row, breadth])
    of_shapes = (of_shapes * per_row[:, :, None]).sum(-1)
    by_key = rows.reshape(n_texts, n_heads * n_rows, n_keys) @ layout.keys
    by_key = by_key.reshape(n_texts, n_heads, n_rows, -1)
    ways = torch.cat([is_row[..., None], layout.has_beside], -1).mT[:, None]
    by_way = ways @ by_key
    fixed = by_way[:, :, 0].permute(2, 0, 1)
    lefts = by_way[:, :, 1:, len(FIXED) + 2 :].sum(-1).permute(2, 0, 1)
    text, row, key, which = layout.cells
    on_cells = rows[text, :, row, key].double()
    # Whether the key is a sink counts on with the pattern: each cell is added once.
    by_cell = on_cells.new_zeros(n_texts * len(RELATIVE) * 2, n_heads)
    by_cell.index_add_(0, 2 * which + layout.besides, on_cells)
    by_cell = by_cell.reshape(n_texts, len(RELATIVE), 2, n_heads).swapaxes(0, 1)
    types = fixed[len(FIXED) :]
    sums = [
        of_shapes,
        fixed[: len(FIXED)],
        by_cell.sum(2),
        types[TYPES.index("punctuation")][None],
        by_cell[:, :, 1],
        types,
        lefts,
    ]
    return torch.cat([part.double() for part in sums]).swapaxes(0, 1)


def means(sums: Numbers, layout: Layout) -> Numbers:
    """Return the mean over rows of each measure, NaN where a text has none of it.

    Parameters
    ----------
    sums : array, shape (texts, len(MEASURED) + len(ALSO_BESIDE), layers, heads)
        As `layer_sums` gives them.
    layout : Layout
        Of the batch.

    Returns
    -------
    array of float64, shape (texts, len(MEASURED), layers, heads)
        Beside sinks it is the share of what is left; NaN too where that is less than 1 % of what
        uniform attention leaves.
    """
    measured, left = sums[:, : len(MEASURED)], sums[:, len(MEASURED) :]
    counts = np.broadcast_to(layout.counts[..., None, None], measured.shape).copy()
    beside = slice(len(MEASURES), len(MEASURES) + len(BESIDE))
    enough = left > LEAST_LEFT * counts[:, beside]
    counts[:, beside] = np.where(enough, left, 0)
    found: Numbers = np.full_like(measured, np.nan)
    np.divide(measured, counts, out=found, where=counts > 0)
    return found


def divergences(looked: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Return how far every two heads are from each other, as `analysis.head_distances` does.

    Parameters
    ----------
    looked : tensor of float32, shape (texts, heads of all layers, LOOKED, keys)
        What some rows read in each head.
    layout : Layout
        On the same device.

    Returns
    -------
    tensor of float64, shape (heads, heads)
        The sum over texts of each one's mean over its rows; only above the diagonal.
    """
    n_heads = looked.shape[1]
    lines = (looked * float(KEPT) + float(SPREAD) * layout.may_read[:, None]).swapaxes(0, 1)
    # Rows that a text doesn't have count for nothing, whatever stands there.
    own = entropies(lines)
    found = own.new_zeros((n_heads, n_heads), dtype=torch.float64)
    at_once = max(1, _CELLS // max(1, lines[0].numel()))
    for head in range(n_heads):
        for first in range(head + 1, n_heads, at_once):
            others = slice(first, min(first + at_once, n_heads))
            middle = (lines[head] + lines[others]) / 2
            apart = entropies(middle) - (own[head] + own[others]) / 2
            found[head, others] = (apart * layout.looked_share).sum((1, 2), dtype=torch.float64)
    return found

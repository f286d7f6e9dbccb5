"""Where in a text a head does most of what is measured: one query and one key for each measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from ..analysis.patterns import FIXED, RELATIVE
from .layout import Layout
from .measuring import Shapes

Positions = npt.NDArray[np.int32]


class Places(NamedTuple):
    """A query and a key of every name of `names.PLACED`, and the weight between them.

    Of a pattern they are the two with the largest weight, of all pairs that it has; of a relative
    pattern those are left out whose key is a sink. Of a shape (entropy, peak, distance, broad) the
    query is the one that has most of it, and the key what it reads most. The last is the strongest
    pair of the text, without sinks on either side.

    Attributes
    ----------
    query, key : array of int32, shape (texts, len(PLACED), layers, heads)
        -1 where the text has no such pair.
    weight : array of float32, same shape
        NaN there.
    """

    query: Positions
    key: Positions
    weight: npt.NDArray[np.float32]


def layer_places(
    rows: torch.Tensor, shapes: Shapes, layout: Layout, chosen: Sequence[int]
) -> Places:
    """Find the places in some texts of a batch, of one layer: shapes without the layers.

    Parameters
    ----------
    rows : tensor of float32, shape (texts, heads, rows, keys)
        As `measuring.layer_sums` takes them.
    shapes : Shapes
        Of these rows.
    layout : Layout
        Of the batch.
    chosen : sequence of int
        Which texts.
    """
    own = rows if len(chosen) == len(rows) else rows[list(chosen)]
    per_row = layout.per_row[list(chosen)]
    parts = [
        _of_shapes(own, shapes.of(chosen), per_row),
        _of_fixed(own, layout, chosen, per_row),
        _of_relative(own, layout, chosen),
        _of_text(own, layout, chosen),
    ]
    row, key, weight = (np.concatenate(columns, 1) for columns in zip(*parts, strict=True))
    queries = np.zeros((len(own), row.max(initial=0) + 1), np.int32)
    for number, text in enumerate(chosen):
        its = layout.texts[text].queries[: queries.shape[1]]
        queries[number, : len(its)] = its
    query = np.take_along_axis(queries, np.maximum(row, 0).reshape(len(own), -1), 1)
    there = key >= 0
    return Places(
        np.where(there, query.reshape(row.shape), -1).astype(np.int32),
        key.astype(np.int32),
        np.where(there, weight, np.nan).astype(np.float32),
    )


def _of_shapes(own: torch.Tensor, shapes: Shapes, per_row: torch.Tensor) -> Places:
    is_row, breadth = per_row[:, None].unbind(-1)
    most = torch.stack([*shapes, shapes.entropy * breadth], 2)
    row = torch.where(is_row[:, :, None] > 0, most, -1).argmax(-1)
    weight, key = torch.take_along_dim(own, row[..., None], 2).max(-1)
    return Places(*(_numpy(found.swapaxes(1, 2)) for found in (row, key, weight)))


def _of_fixed(
    own: torch.Tensor, layout: Layout, chosen: Sequence[int], per_row: torch.Tensor
) -> Places:
    return _strongest(
        own, per_row[:, None, :, 0] > 0, layout.keys[list(chosen), :, : len(FIXED)] > 0
    )


def _of_text(own: torch.Tensor, layout: Layout, chosen: Sequence[int]) -> Places:
    is_text = layout.keys[list(chosen), :, len(FIXED) + 2 :].sum(-1, keepdim=True) > 0
    return _strongest(own, layout.is_text[list(chosen)][:, None], is_text)


def _strongest(own: torch.Tensor, is_row: torch.Tensor, is_key: torch.Tensor) -> Places:
    """Return the strongest of some rows' pairs with each set of keys, (texts, keys, sets)."""
    # No weight is below 0: other rows have no part in the largest.
    most = (own * is_row[..., None]).amax(2)
    weight, key = torch.where(is_key.mT[:, :, None], most[:, None], -1).max(-1)
    # Where the largest is, is looked for in the columns of these keys alone.
    columns = torch.take_along_dim(own, key.swapaxes(1, 2)[:, :, None], 3)
    row = torch.where(is_row[..., None], columns, -1).argmax(2).swapaxes(1, 2)
    key = torch.where((weight >= 0) & is_row.any(2)[:, None], key, -1)
    return Places(_numpy(row), _numpy(key), _numpy(weight))


def _of_relative(own: torch.Tensor, layout: Layout, chosen: Sequence[int]) -> Places:
    text, row, key, which = (its.cpu().numpy() for its in layout.cells)
    number_of = np.full(len(layout.texts), -1)
    number_of[list(chosen)] = np.arange(len(chosen))
    ours = (number_of[text] >= 0) & layout.besides.cpu().numpy()
    text, row, key = number_of[text[ours]], row[ours], key[ours]
    which = text * len(RELATIVE) + which[ours] % len(RELATIVE)
    shape = len(chosen) * len(RELATIVE), own.shape[1]
    found = [np.full(shape, -1, np.int64), np.full(shape, -1, np.int64), np.full(shape, np.nan)]
    if len(which):
        # Cells come text by text and pattern by pattern; the first of several that are alike.
        starts = np.flatnonzero(np.diff(which, prepend=-1))
        values = _numpy(own)[text, :, row, key]
        most = np.maximum.reduceat(values, starts, 0)
        is_most = values == np.repeat(most, np.diff(starts, append=len(which)), 0)
        at = np.where(is_most, np.arange(len(which))[:, None], len(which))
        at = np.minimum.reduceat(at, starts, 0)
        for whole, its in zip(found, (row[at], key[at], most), strict=True):
            whole[which[starts]] = its
    return Places(*(its.reshape(len(chosen), len(RELATIVE), -1) for its in found))


def _numpy(tensor: torch.Tensor) -> Any:
    return tensor.cpu().numpy()


def stacked(layers: Sequence[Places]) -> Places:
    """Return the places of all layers."""
    return Places(*(np.stack(columns, 2) for columns in zip(*layers, strict=True)))

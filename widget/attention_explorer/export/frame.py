"""One head's exact weights as a data frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..attention.blocks import clip
from ..tracing import Tokens
from .needed import need

if TYPE_CHECKING:
    from pandas import DataFrame, MultiIndex

    from ..exported import ExportedView

# 64 MB of weights; labels cost as little as a row and a column of them.
MOST_WEIGHTS = 4096**2


def to_frame(
    explorer: ExportedView,
    layer: int | None = None,
    head: int | None = None,
    *,
    queries: slice | None = None,
    keys: slice | None = None,
) -> DataFrame:
    """Return one head's exact weights, a row a query and a column a key.

    Parameters
    ----------
    explorer : AttentionExplorer
        What is shown.
    layer, head : int, optional
        Indices; the chosen layer and the first of the chosen heads by default.
    queries, keys : slice, optional
        A part of the head, by position; all of it by default.

    Returns
    -------
    DataFrame of float32
        Its labels are pairs (position, token), so that they are unique whatever the text repeats;
        their levels are named ``"query"`` and ``"key"``, each with ``"token"``. `attrs` says what
        the weights are: model, layer (the model's own number), head, kind, source and notes.

    Raises
    ------
    ValueError
        A layer, a head or a part that isn't there; more than 4096 x 4096 weights.
    ModuleNotFoundError
        pandas isn't installed.
    """
    need("pandas", "to_frame")
    from pandas import DataFrame

    attention = explorer.attention
    layer, head = explorer._one_head(layer, head)
    rows = _part("queries", queries, attention.n_queries)
    columns = _part("keys", keys, attention.n_keys)
    n_rows, n_columns = rows.stop - rows.start, columns.stop - columns.start
    if n_rows * n_columns > MOST_WEIGHTS:
        raise ValueError(
            f"{n_rows} queries x {n_columns} keys are too many for a data frame, whose limit is "
            f"{MOST_WEIGHTS} weights: take a part, e.g. to_frame(queries=slice(0, 1000), "
            "keys=slice(0, 1000))"
        )
    with explorer._lock:
        weights = attention.tile(layer, head, rows, columns)
    frame = DataFrame(
        weights,
        index=_labels("query", explorer.tokens, rows),
        columns=_labels("key", explorer.key_tokens, columns),
    )
    frame.attrs = {
        "model": explorer._description["model"],
        "layer": attention.layer_numbers[layer],
        "head": head,
        "kind": explorer.kind,
        "source": attention.source,
        "notes": list(attention.notes),
    }
    return frame


def _part(name: str, part: slice | None, length: int) -> slice:
    if part is None:
        return slice(0, length)
    if not isinstance(part, slice):
        raise ValueError(
            f"{name}={part!r}: expected a slice of positions, e.g. {name}=slice(0, {length})"
        )
    return clip(part, length)


def _labels(side: str, tokens: Tokens, part: slice) -> MultiIndex:
    from pandas import MultiIndex

    positions = range(part.start, part.stop)
    return MultiIndex.from_arrays([positions, tokens.text[part]], names=[side, "token"])

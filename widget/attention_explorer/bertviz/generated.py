"""What a generation returned, one pass a step, put together to one attention a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from ..attention.base import Float
from ..attention.dense import to_numpy

Steps = Sequence[Sequence[Any]]

_INSTEAD = (
    ": trace.generate(model, tokenizer, prompt, max_new_tokens=...) lets the model write and keeps "
    "what it attended to"
)


def is_generated(attention: object) -> TypeGuard[Steps]:
    """Tell whether this is one tuple of layers a step, as ``generate`` returns it."""
    if not isinstance(attention, (tuple, list)) or not attention:
        return False
    first = attention[0]
    return isinstance(first, (tuple, list)) and bool(first) and hasattr(first[0], "shape")


def check_read(n_tokens: int, n_read: int) -> None:
    """Refuse the tokens of a generation with the last one, which it chose and didn't read."""
    if n_tokens == n_read + 1:
        raise ValueError(
            f"{n_tokens} tokens, of which the generation read {n_read}: it ends with the choice of "
            f"the last one, so give tokens[:-1]; or{_INSTEAD[1:]}, for the last one too"
        )


def put_together(steps: Steps, *, keys_grow: bool) -> list[Float]:
    """Return what every token read, of the steps of a generation.

    Parameters
    ----------
    steps : sequence of sequences of arrays
        A pass each, of arrays (1, heads, queries, keys), one a layer. The first pass is of all that
        was there before; each later one of one token more, by itself where there is a cache.
    keys_grow : bool
        Whether a token reads those before it; if not, the same keys are read by all.

    Returns
    -------
    list of ndarray of float32, shape (heads, queries, keys)
        One a layer. What stands after a token isn't read by it: 0.

    Raises
    ------
    ValueError
        Several sequences at once, as beams are; passes of other than one token more.
    """
    return [_layer([step[number] for step in steps], keys_grow) for number in range(len(steps[0]))]


def _layer(passes: Sequence[Any], keys_grow: bool) -> Float:
    read = [to_numpy(one) for one in passes]
    if any(one.ndim != 4 or len(one) != 1 for one in read):
        raise ValueError(
            "these are the passes of a generation of several sequences, as beams and batches are "
            f"(shape {read[0].shape} at first): each needs its own{_INSTEAD}"
        )
    heads, first = read[0].shape[1:3]
    n_queries, n_keys = first + len(read) - 1, read[-1].shape[3]
    whole = np.zeros((heads, n_queries, n_keys), np.float32)
    start = 0
    for stop, one in enumerate(read, first):
        keys = stop if keys_grow else n_keys
        if one.shape[2] not in (stop - start, stop) or one.shape[3] != keys:
            raise ValueError(
                f"the pass for token {stop - 1} has shape {one.shape}, which is not of one token "
                f"more than before, as with drafts or a cache of a fixed size{_INSTEAD}"
            )
        # Without a cache all are read again.
        whole[:, start:stop, :keys] = one[0, :, start - stop :]
        start = stop
    return whole

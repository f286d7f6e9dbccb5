"""Passes of a trace's model with edits, several at once as copies of its example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .altering import Altering
from .meant import Meant
from .outcome import Outcome
from .reading import Reading
from .replacing import replaced

# Tokens that go through the model at once: between batches, progress is told and a stop heard.
BATCH_TOKENS = 2048
# Logits of a batch at most, 256 MB in float32.
BATCH_LOGITS = 1 << 26

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Changed:
    """What came of one copy.

    Attributes
    ----------
    outcome : Outcome
    n_cut : int
        How many edges that the model reads were cut.
    is_empty : bool
        Whether a query would have had nothing left to read: it was left as it is.
    """

    outcome: Outcome
    n_cut: int
    is_empty: bool


def unchanged(reading: Reading) -> Outcome:
    """Return what the model says as it is; it is run once for a token as long as it stays the same.

    Told by its parameters' places and versions, which training steps and `load_state_dict` change.
    """
    live = reading.live
    key = "outcome", reading.trace.kind, reading.at
    state = _state_of(live.model)
    if live.kept.get(key, (None, None))[0] != state:
        (outcome,) = reading.outcomes(live.run(inputs={**live.inputs, **reading.inputs}))
        live.kept[key] = state, outcome
    known: Outcome = live.kept[key][1]
    return known


def changed(
    reading: Reading, copies: Sequence[Meant], skip_empty: bool = False
) -> Iterator[Changed]:
    """Run the model once on copies of the example, each with edits of its own.

    Parameters
    ----------
    reading : Reading
        Of the trace.
    copies : sequence of Meant
        One or more; all with the same replaced tokens.
    skip_empty : bool
        As for `Altering`.
    """
    live = reading.live
    alter = Altering(live, copies, skip_empty)
    inputs = {**replaced(reading.trace, copies[0].replacements), **reading.inputs}
    is_altered = any(done.cuts or done.ablations for done in copies)
    output = live.run(alter if is_altered else None, inputs=inputs, copies=len(copies))
    for i, outcome in enumerate(reading.outcomes(output)):
        yield Changed(outcome, alter.n_cut[i], i in alter.emptied)


def changed_each(
    reading: Reading, every: Sequence[Meant], batch: int | None, progress: Progress | None
) -> Iterator[Changed]:
    """Run the model on many edits, each by itself, as many at once as memory allows.

    Parameters
    ----------
    reading : Reading
        Of the trace.
    every : sequence of Meant
        What is done by itself.
    batch : int, optional
        How many copies a pass has.
    progress : callable, optional
        Called with the share that is done, 0 to 1, after each batch. What it raises ends it; the
        model is left as it was found in any case.
    """
    size = copies_at_once(reading) if batch is None else batch
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"batch has to be a whole number from 1 on, got {batch!r:.60}")
    for first in range(0, len(every), size):
        some = every[first : first + size]
        yield from changed(reading, some, skip_empty=True)
        if progress is not None:
            progress((first + len(some)) / len(every))


def copies_at_once(reading: Reading) -> int:
    """Return how many copies of an example go through the model at once."""
    model = reading.live.model
    if "SequenceClassification" in type(model).__name__ and model.config.pad_token_id is None:
        return 1  # it takes the last token, and refuses a batch in which it can't tell which
    kinds = reading.trace.kinds
    n_tokens = sum(kind.attention.n_queries for name, kind in kinds.items() if name != "cross")
    size = max(1, BATCH_TOKENS // n_tokens)
    n_logits = 0 if reading.inputs else n_tokens * _n_words(model)
    return max(1, min(size, BATCH_LOGITS // max(n_logits, 1)))


def _n_words(model: Any) -> int:
    """Return how many logits a token has; 0 where there are few."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    return 0 if head is None else len(head.weight)


def _state_of(model: torch.nn.Module) -> int:
    return hash(
        tuple(
            (id(tensor), tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version)
            for tensor in (*model.parameters(), *model.buffers())
        )
    )

"""The model's side of question answering: its head, and the logits that it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import torch

from ..tracing.examples import first_device
from ..tracing.forward import evaluating
from ..tracing.limits import name_of
from .spans import Logits

# Tokens that go through the model at once: between batches, progress is told and a stop heard.
BATCH_TOKENS = 2048


def reader_named(name: str) -> Any:
    """Load a model by its name, if its checkpoint has a question answering head.

    Raises
    ------
    ValueError
        The checkpoint has none: the library would make one up.
    """
    from transformers import AutoModelForQuestionAnswering

    model, info = AutoModelForQuestionAnswering.from_pretrained(name, output_loading_info=True)
    body = f"{model.base_model_prefix}."
    missing = sorted(key for key in info["missing_keys"] if not key.startswith(body))
    if missing:
        raise ValueError(
            f"{name} has no question answering head (no {missing[0]}): name a checkpoint that was "
            "trained for it, one that AutoModelForQuestionAnswering loads as a whole"
        )
    return model


def check_head(model: Any) -> None:
    """Raise TypeError for the library's models of other tasks; `read` tells all others."""
    is_known = type(model).__module__.startswith("transformers.")
    if is_known and "QuestionAnswering" not in type(model).__name__:
        raise _no_head(model)


def read(
    model: torch.nn.Module,
    windows: Sequence[Mapping[str, list[int]]],
    progress: Callable[[float], None] | None,
) -> list[Logits]:
    """Run a model over windows, in batches of equal lengths, so that none needs padding.

    Parameters
    ----------
    model : torch.nn.Module
        In any mode; it is left as it was found.
    windows : sequence of mapping of str to list of int
        What it reads of each.
    progress : callable, optional
        Called with the share that is done after each batch.

    Returns
    -------
    list of array of float64, shape (2, tokens)
        Start and end logits, of each window.

    Raises
    ------
    TypeError
        The model gives none.
    ValueError
        They aren't numbers.
    """
    device = first_device(model)
    found: list[Logits] = []
    with evaluating(model):
        for batch in _batches(windows):
            output = model(
                **{
                    name: torch.tensor([window[name] for window in batch], device=device)
                    for name in batch[0]
                }
            )
            if not (hasattr(output, "start_logits") and hasattr(output, "end_logits")):
                raise _no_head(model)
            both = torch.stack([output.start_logits, output.end_logits], 1)
            found.extend(both.cpu().double().numpy())
            if progress is not None:
                progress(len(found) / len(windows))
    if not all(bool((abs(logits) < float("inf")).all()) for logits in found):
        raise ValueError(
            f"{name_of(model)} gives logits that are no numbers (nan or inf): its weights are "
            "damaged, or its number format overflows; load it with dtype=torch.float32"
        )
    return found


def _batches(
    windows: Sequence[Mapping[str, list[int]]],
) -> list[list[Mapping[str, list[int]]]]:
    batches = []
    for length, equal in groupby(windows, key=lambda window: len(window["input_ids"])):
        alike = list(equal)
        size = max(1, BATCH_TOKENS // length)
        batches += [alike[i : i + size] for i in range(0, len(alike), size)]
    return batches


def _no_head(model: torch.nn.Module) -> TypeError:
    return TypeError(
        f"{type(model).__name__} has no question answering head, which gives start_logits and "
        "end_logits: load a checkpoint that was trained for it with "
        "AutoModelForQuestionAnswering.from_pretrained(name)"
    )

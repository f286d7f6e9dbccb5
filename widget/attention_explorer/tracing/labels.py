"""What a classifier says of a text: how probable each of its labels is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .trace import Trace


@contextmanager
def noting_logits(model: Any) -> Iterator[list[Any]]:
    """Note what a classifier of whole texts or images gives for a batch, of its first pass."""
    noted: list[Any] = []

    def note(_model: Any, _inputs: Any, output: Any) -> None:
        logits = getattr(output, "logits", None)
        if not noted and logits is not None and logits.ndim == 2:
            noted.append(logits.detach().double().cpu())

    if "Classification" not in type(model).__name__:
        yield noted
        return
    handle = model.register_forward_hook(note)
    try:
        yield noted
    finally:
        handle.remove()


def with_labels(traces: list[Trace], model: Any, noted: list[Any]) -> list[Trace]:
    """Return the traces of a batch with the labels that its logits give.

    Probabilities are the softmax over all labels; of a single label, and where several may be true
    (``problem_type="multi_label_classification"``), the sigmoid of each. A regression's scores are
    as the model gives them.
    """
    if not noted or not bool(noted[0].isfinite().all()):
        return traces
    (logits,) = noted
    problem = getattr(model.config, "problem_type", None)
    if problem == "regression":
        by, values = "score", logits
    elif problem == "multi_label_classification" or logits.shape[1] == 1:
        by, values = "sigmoid", logits.sigmoid()
    else:
        by, values = "softmax", logits.softmax(1)
    known = getattr(model.config, "id2label", None) or {}
    names = [str(known.get(i, i)) for i in range(logits.shape[1])]
    labelled = []
    for traced, own in zip(traces, values.tolist(), strict=True):
        labels = tuple(sorted(zip(names, own, strict=True), key=lambda label: -label[1]))
        kinds = {
            name: replace(kind, labels=labels, labels_by=by) for name, kind in traced.kinds.items()
        }
        labelled.append(replace(traced, kinds=kinds))
    return labelled

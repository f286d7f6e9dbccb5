"""What a classifier says of a text: how probable each of its labels is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from .trace import Trace

LabelsBy = Literal["softmax", "sigmoid", "score"]


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
    by, names = label_names(model.config, logits.shape[1])
    values = {"score": logits, "sigmoid": logits.sigmoid(), "softmax": logits.softmax(1)}[by]
    labelled = []
    for traced, own in zip(traces, values.tolist(), strict=True):
        labels = tuple(sorted(zip(names, own, strict=True), key=lambda label: -label[1]))
        kinds = {
            name: replace(kind, labels=labels, labels_by=by) for name, kind in traced.kinds.items()
        }
        labelled.append(replace(traced, kinds=kinds))
    return labelled


def label_names(config: Any, n_labels: int) -> tuple[LabelsBy, list[str]]:
    """Return what a classifier's logits are to become, as `Kind.labels_by` has it, and its labels.

    Parameters
    ----------
    config
        Of the model.
    n_labels : int
        How many logits it gives.
    """
    problem = getattr(config, "problem_type", None)
    known = getattr(config, "id2label", None) or {}
    names = [str(known.get(i, i)) for i in range(n_labels)]
    if problem == "regression":
        return "score", names
    several = problem == "multi_label_classification" or n_labels == 1
    return ("sigmoid" if several else "softmax"), names

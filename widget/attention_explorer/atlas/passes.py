"""A model's passes over batches: each layer's weights are given away and kept by nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..tracing import Trace, trace
from ..tracing.capture import Record, capture
from ..tracing.check import tolerance
from ..tracing.examples import first_device, takes_target
from ..tracing.forward import eager_backend, evaluating, uncompiled
from .anatomy import Anatomy
from .corpus import Entry

# A layer's number in order, and its weights (texts, heads, queries, keys), of padding whatever.
Receive = Callable[[int, torch.Tensor], None]

# The backend is a setting of the model: threads that share it take turns.
_TURN = threading.Lock()


class Passes:
    """Runs a model over batches and gives each layer's weights away.

    They are those of the model's own eager backend, if on the first text they are the ones that
    `trace` rebuilds and checks; else each text is traced.

    Parameters
    ----------
    model, tokenizer
        Of transformers.
    first : Entry
        A text to compare both on.
    max_length : int
        Texts are cut to so many tokens.
    """

    def __init__(self, model: Any, tokenizer: Any, first: Entry, max_length: int) -> None:
        if takes_target(model):
            raise ValueError(
                f"{type(model).__name__} has an encoder and a decoder, and a corpus is one text a "
                "row: profile its encoder, model.get_encoder()"
            )
        self._model, self._tokenizer, self._max_length = model, tokenizer, max_length
        self.device = first_device(model)
        with _TURN:
            self._is_eager, self.anatomy = self._look(first)

    def run(
        self, entries: Sequence[Entry], inputs: dict[str, torch.Tensor], receive: Receive
    ) -> None:
        """Give away the weights of one batch, layer by layer."""
        with _TURN:
            if self._is_eager:
                self._run_eager(inputs, receive)
                return
            traces = [self._traced(entry) for entry in entries]
        for layer in range(self.anatomy.n_layers):
            receive(layer, _padded([_rows(traced, layer) for traced in traces]))

    def _traced(self, entry: Entry) -> Trace:
        return trace(
            self._model, self._tokenizer, entry.text, entry.pair, max_length=self._max_length
        )

    def _run_eager(self, inputs: dict[str, torch.Tensor], receive: Receive) -> None:
        count = 0

        def note(record: Record) -> None:
            nonlocal count
            if record.weights is None:
                raise _NoWeightsError(f"{record.name} returns no weights")
            receive(count, record.weights)
            count += 1

        model = self._model
        on_device = {name: value.to(self.device) for name, value in inputs.items()}
        with evaluating(model), uncompiled(model), eager_backend(model), capture(model, note):
            model(**on_device)
        if not count:
            raise _NoWeightsError("the model doesn't take its attention from the library")

    def _look(self, first: Entry) -> tuple[bool, Anatomy]:
        """Tell whether the eager backend gives what `trace` checks, and what the model has."""
        traced = self._traced(first)
        if len(traced.kinds) > 1 or traced.key_tokens is not None:
            raise ValueError(
                f"{traced.model_name} has {len(traced.kinds)} kinds of attention, and an atlas is "
                "of one: profile the part that reads the text, e.g. model.text_model"
            )
        attention = traced.attention
        if attention.signed:
            raise ValueError("some weights are below 0: they are no softmax, and have no scores")
        reason = self._differs(first, traced)
        source = (
            "the model's own eager backend, which was held to queries and keys of a checked pass"
            if reason is None
            else f"{attention.source}; text by text, as {reason}"
        )
        return reason is None, Anatomy(
            attention.n_layers,
            attention.n_heads,
            attention.layer_numbers,
            traced.kind,
            attention.causal,
            source,
            attention.notes,
        )

    def _differs(self, first: Entry, traced: Trace) -> str | None:
        """Return why a text has to be traced; None where the eager backend gives the same."""
        encoding = self._tokenizer(
            first.text,
            first.pair,
            truncation=True,
            max_length=self._max_length,
            return_tensors="pt",
        )
        seen = list[float]()

        def compare(layer: int, weights: torch.Tensor) -> None:
            rows = _rows(traced, layer)
            if weights.shape[1:] != rows.shape:
                raise _NoWeightsError(f"its layer {layer} has the shape {tuple(weights.shape)}")
            seen.append(float((weights[0].float().cpu() - rows).abs().max()))

        try:
            self._run_eager(dict(encoding), compare)
        except _NoWeightsError as error:
            return str(error)
        if len(seen) != traced.attention.n_layers:
            return f"the eager backend tells of {len(seen)} layers"
        dtype = next(self._model.parameters()).dtype
        if not max(seen) <= tolerance(dtype):
            return f"the eager backend's weights are off by {max(seen):.2g}"
        return None


class _NoWeightsError(Exception):
    """The eager backend doesn't give what is needed; the message is the reason."""


def _rows(traced: Trace, layer: int) -> torch.Tensor:
    """Return a layer's weights, shape (heads, queries, keys)."""
    attention = traced.attention
    rows = attention.rows(layer, range(attention.n_heads), range(attention.n_queries))
    return torch.from_numpy(rows)


def _padded(rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the weights of several texts, those of padding 0."""
    n = max(its.shape[-1] for its in rows)
    whole = rows[0].new_zeros(len(rows), len(rows[0]), n, n)
    for own, its in zip(whole, rows, strict=True):
        own[:, : its.shape[1], : its.shape[2]] = its
    return whole

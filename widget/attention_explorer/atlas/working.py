"""One unit of a corpus, worked on: texts to batches, batches to numbers, numbers to a tally."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..analysis.patterns import Indices
from ..analysis.sums import Numbers
from ..tracing import Tokens
from ..tracing.examples import padded
from ..tracing.limits import check_limits, longest_input
from .corpus import Entry, Unit
from .exemplars import Exemplars, Written
from .layout import Layout, Measured
from .measuring import divergences, layer_sums, looked_at, means, rows_of, shapes_of
from .names import MEASURED
from .naming import stands_out
from .passes import Passes
from .places import Places, layer_places, stacked
from .tally import Moments, Tally

# Where neither the model nor its tokenizer says how much it reads.
LONGEST = 1024
# Tokens of a batch: on a processor small ones stay in its caches, an accelerator wants more.
_BATCH_TOKENS = {"cpu": 1024}
_BATCH_TOKENS_ELSEWHERE = 8192


@dataclass(frozen=True)
class Encoded:
    """A text as the model reads it."""

    place: int
    entry: Entry
    encoding: dict[str, list[int]]
    tokens: Tokens
    is_cut: bool

    def __len__(self) -> int:
        return len(self.tokens)


class Worker:
    """Works on units with one model.

    Parameters
    ----------
    model, tokenizer
        Of transformers.
    first : Entry
        Any text of the corpus.
    max_length, batch_tokens : int, optional
        By default what the model reads, and what suits its device.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        first: Entry,
        max_length: int | None = None,
        batch_tokens: int | None = None,
    ) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._max_length = longest_text(model, tokenizer, max_length)
        self._passes = Passes(model, tokenizer, first, self._max_length)
        kind = self._passes.device.type
        self._batch_tokens = batch_tokens or _BATCH_TOKENS.get(kind, _BATCH_TOKENS_ELSEWHERE)
        self.anatomy = self._passes.anatomy

    def tally(self, unit: Unit, below: int | None, exemplars: int) -> Tally:
        """Work on a unit.

        Parameters
        ----------
        unit : Unit
            Some texts of the corpus.
        below : int, optional
            Only texts with a smaller key can still be exemplars.
        exemplars : int
            How many at most.
        """
        encoded = self.encoded(unit.entries)
        keys = np.array([entry.key for entry in unit.entries], np.int64)
        # Of a text that is there often one takes a place.
        _, wanted = np.unique(keys, return_index=True)
        is_wanted = np.isin(np.arange(len(keys)), wanted[:exemplars])
        if below is not None:
            is_wanted &= keys < below
        heads = self.anatomy.n_layers, self.anatomy.n_heads
        values = np.full((len(encoded), len(MEASURED), *heads), np.nan)
        baselines = np.full((len(encoded), len(MEASURED)), np.nan)
        apart = np.zeros((np.prod(heads), np.prod(heads)))
        places = dict[int, Places]()
        for batch in self.batches(encoded):
            chosen = [number for number, it in enumerate(batch) if is_wanted[it.place]]
            found = self._measure(batch, chosen)
            at = [it.place for it in batch]
            values[at], baselines[at] = found.values, found.baselines
            apart += found.apart
            if found.places is not None:
                for number, which in enumerate(chosen):
                    its = Places(*(column[number] for column in found.places))
                    places[batch[which].place] = its
        return Tally(
            n_units=1,
            n_texts=len(encoded),
            n_tokens=sum(map(len, encoded)),
            n_cut=sum(it.is_cut for it in encoded),
            n_empty=unit.n_empty,
            digest=unit.digest,
            scores=Moments.of(values),
            baselines=Moments.of(baselines),
            holds=stands_out(values, baselines).sum(0),
            apart=apart,
            exemplars=_exemplars(unit, encoded, values, places, keys),
        )

    def encoded(self, entries: Sequence[Entry]) -> list[Encoded]:
        """Tokenize texts, singles and pairs each in one go."""
        found = list[Encoded]()
        for is_pair in (False, True):
            own = [(i, it) for i, it in enumerate(entries) if (it.pair is not None) is is_pair]
            if own:
                columns = zip(*(entry for _, entry in own), strict=True)
                given = [list(column) for column in columns][: 1 + is_pair]
                encoding = self._tokenizer(*given, verbose=False)
                found += [self._one(encoding, n, i, it) for n, (i, it) in enumerate(own)]
        return sorted(found, key=lambda it: it.place)

    def batches(self, encoded: Sequence[Encoded]) -> Iterator[list[Encoded]]:
        """Cut texts up by length: so many tokens with their padding, or a single text."""
        batch = list[Encoded]()
        for it in sorted(encoded, key=len):
            if batch and (len(batch) + 1) * len(it) > self._batch_tokens:
                yield batch
                batch = []
            batch.append(it)
        if batch:
            yield batch

    def _one(self, encoding: Any, number: int, place: int, entry: Entry) -> Encoded:
        is_cut = len(encoding["input_ids"][number]) > self._max_length
        if is_cut:
            parts = [[part] for part in entry if part is not None]
            encoding = self._tokenizer(
                *parts, truncation=True, max_length=self._max_length, verbose=False
            )
            number = 0
        texts = [part for part in entry if part is not None]
        return Encoded(
            place,
            entry,
            {name: column[number] for name, column in encoding.items()},
            Tokens.from_encoding(self._tokenizer, encoding, texts, number),
            is_cut,
        )

    def _measure(self, batch: Sequence[Encoded], chosen: Sequence[int]) -> _Measures:
        padding = getattr(self._tokenizer, "pad_token_id", None) or 0
        inputs, _ = padded([it.encoding for it in batch], padding)
        check_limits(self._model, inputs, has_target=False)
        causal = self.anatomy.causal
        layout = Layout.of(
            [Measured.of(it.tokens, causal, it.entry.key % (1 << 32)) for it in batch]
        )
        on_device = dict[torch.device, Layout]()
        sums, looked, places = list[torch.Tensor](), list[torch.Tensor](), list[Places]()

        def receive(layer: int, weights: torch.Tensor) -> None:
            device = weights.device
            if device not in on_device:
                on_device[device] = layout.to(device)
            here = on_device[device]
            rows = rows_of(weights, here)
            shapes = shapes_of(rows, here)
            sums.append(layer_sums(rows, shapes, here))
            looked.append(looked_at(weights, here))
            if chosen:
                places.append(layer_places(rows, shapes, here, chosen))

        self._passes.run([it.entry for it in batch], inputs, receive)
        last = looked[-1].device
        lines = torch.cat([its.to(last) for its in looked], 1)
        apart = divergences(lines, on_device[last])
        of_layers: Numbers = torch.stack([its.cpu() for its in sums], 2).numpy()
        return _Measures(
            means(of_layers, layout),
            layout.baselines,
            apart.cpu().numpy(),
            stacked(places) if places else None,
        )


@dataclass(frozen=True)
class _Measures:
    """Of a batch: see `Tally`, by text."""

    values: Numbers
    baselines: Numbers
    apart: Numbers
    places: Places | None


def longest_text(model: Any, tokenizer: Any, max_length: int | None) -> int:
    """Return to how many tokens texts are cut.

    Raises
    ------
    ValueError
        More than the model can read, or none.
    """
    sides = [longest_input(model, side, has_target=False) for side in ("source", "text")]
    limit = min((side for side in sides if side is not None), default=None)
    if max_length is None:
        known = [limit, getattr(tokenizer, "model_max_length", None), LONGEST * (limit is None)]
        return min(int(it) for it in known if it)
    if max_length < 1 or (limit is not None and max_length > limit):
        raise ValueError(
            f"max_length={max_length}: expected 1 or more tokens"
            + (f", and at most {limit}, which is what the model reads" if limit else "")
        )
    return max_length


def _written(tokens: Tokens) -> Written:
    return Written(tokens.text, tokens.gap, tokens.special)


def _exemplars(
    unit: Unit,
    encoded: Sequence[Encoded],
    values: Numbers,
    places: dict[int, Places],
    keys: Indices,
) -> Exemplars:
    chosen = np.array(sorted(places), np.int64)
    if not len(chosen):
        return Exemplars.none(*values.shape[2:])
    where = [places[int(i)] for i in chosen]
    found = Exemplars(
        keys[chosen],
        unit.first + chosen,
        tuple(unit.entries[i] for i in chosen),
        tuple(_written(encoded[i].tokens) for i in chosen),
        values[chosen].astype(np.float32),
        np.stack([its.query for its in where]),
        np.stack([its.key for its in where]),
        np.stack([its.weight for its in where]),
    )
    return Exemplars.none(*values.shape[2:]).with_others(found, len(found))

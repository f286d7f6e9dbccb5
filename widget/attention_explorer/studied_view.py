"""A view of a trace that can be studied: which heads read what, what edits change, other texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .attention.base import Float
from .protocol import EditInfo, Measure, PairStudied, PairStudy, Studied, SweepStudy
from .requests import Wish
from .runs import Progress, progress_bar
from .shown_view import CLOSED, ShownView
from .state import check_index
from .studies import Desk, Look
from .studies.looks import Looks
from .tracing import Trace
from .variants import in_units

if TYPE_CHECKING:
    from pandas import DataFrame

    from .analysis.picks import Pick
    from .interventions import Edit, Edits, Effect

T = TypeVar("T")

# What is divided by is more than 0.
_LEAST = 1e-30
_NO_MODEL = (
    "these weights came without a model: only what AttentionExplorer.from_model or trace(model, "
    "tokenizer, text) made can be run again"
)
_OF_WEIGHTS = "Shown are numbers that aren't weights: choose weights to see what one carries."


class StudiedView(ShownView):
    """Shows a trace, and studies it: in Python by its methods, in the browser by what is asked."""

    _trace: Trace | None = None
    # A model that nobody else may keep.
    _model: object = None
    # Set before anything can fail: an object that never came to be is closed too.
    _desk: Desk | None = None
    _looks: tuple[str, Looks] | None = None

    @property
    def trace(self) -> Trace | None:
        """The trace that is shown, if there is one; as it was given, or as it was read last."""
        return self._trace

    def find_heads(
        self, queries: Pick, keys: Pick, against: Pick | None = None, **options: Any
    ) -> DataFrame:
        """Rank the heads by what some tokens read of others; see `analysis.find_heads`."""
        from .analysis.finder import find_heads

        return find_heads(self, queries, keys, against, **options)

    def intervene(
        self,
        edits: Edits | Edit | Iterable[Edit] | None = None,
        *,
        at: int | str | None = None,
        target: str | int | None = None,
    ) -> Effect:
        """Measure what edits change in what the model says; see `interventions.measure`.

        Parameters
        ----------
        edits : Edits, Edit or iterable of Edit, optional
            Those of the trait `edits` by default, as they are switched in the widget.
        at, target
            As `interventions.measure` takes them; in tokens.
        """
        from .interventions import measure
        from .studies.effects import edits_of

        given = edits_of(self.edits) if edits is None else edits
        return measure(self._needed_trace, given, at=at, target=target)

    def retrace(self, text: str, text_pair: str | None = None) -> Trace:
        """Let the model read another text, and show what it attends to there.

        What was chosen stays as far as it is there; edits that name tokens of the old text go.

        Parameters
        ----------
        text, text_pair : str
            As `trace` takes them; an encoder with a decoder goes on to write what it wrote.

        Returns
        -------
        Trace
            The new one, which `trace` is from now on.

        Raises
        ------
        ValueError
            There is no model any more, or none of texts; a text that can't be traced. What was
            shown stays.
        """
        if self._desk is not None:
            self._desk.stop()
        with progress_bar("reading") as progress:
            traced = self._read(text, text_pair, progress)
        self._show_trace(traced)
        return traced

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights."""
        if self._desk is not None:
            self._desk.stop()
        super().close()
        self._trace = self._model = self._looks = None

    @property
    def _needed_trace(self) -> Trace:
        if not self._variants:
            raise RuntimeError(CLOSED)
        if self.trace is None:
            raise ValueError(_NO_MODEL)
        return self.trace[self.kind]

    def _read(self, text: str, text_pair: str | None, progress: Progress) -> Trace:
        from .tracing import trace

        before = self._needed_trace
        if before.text is None:
            raise ValueError("what was traced isn't a text: trace(...) another, in Python")
        live = before.live
        progress(0.0)
        return trace(live.model, live.tokenizer, text, text_pair, target=before.target)

    def _show_trace(self, traced: Trace) -> None:
        was = self._trace
        self._trace = traced
        try:
            with self.hold_sync():
                self._show_instead(traced)
                self.edits = [edit for edit in self.edits if edit["do"] == "ablate"]
        except BaseException:
            self._trace = was
            raise

    def _study(self, wish: Wish) -> tuple[float, Studied | None]:
        if self._desk is None:
            self._desk = Desk(self._lock)
        study = wish.study
        match study["of"]:
            case "head":
                return self._desk.look(wish, lambda: self._looks_at(wish).head(study))
            case "reads":
                return self._desk.look(wish, lambda: self._looks_at(wish).reads(study))
            case "pair":
                return self._desk.look(wish, lambda: self._pair(wish, study))
            case "effect":
                at = self._in_tokens(study["at"])
                return self._desk.run(wish, lambda _: self._effect(study["edits"], at))
            case "sweep":
                return self._desk.run(wish, lambda progress: self._sweep(study, progress))
            case "text":
                read = partial(self._read, study["text"], study["text_pair"])
                return self._changing(wish, read, self._show_trace)
        raise ValueError(f"there is no study of {study['of']!r:.80}")

    def _changing(
        self, wish: Wish, work: Callable[[Progress], T], show: Callable[[T], None]
    ) -> tuple[float, Studied | None]:
        """Go on with what changes what is shown: traits are set here, not where it is done."""
        assert self._desk is not None
        share, found = self._desk.run(wish, work)
        if found is None:
            return share, None
        show(found)
        return share, {"of": "shown"}

    def _looks_at(self, wish: Wish) -> Looks:
        """Return what is known of what the browser shows, which may be shown no more here."""
        if self._looks is None or self._looks[0] != wish.shown:
            self._looks = wish.shown, Looks(self._variants[wish.shown])
        return self._looks[1]

    def _pair(self, wish: Wish, study: PairStudy) -> Look:
        looks = self._looks_at(wish)
        study = looks.checked(study)
        return looks.pair(study, self._carried(wish, study, looks.name_of(study["query"])))

    def _carried(self, wish: Wish, study: PairStudy, query: str) -> PairStudied:
        """Return what a weight carries: its share of |Af|, what it adds to a logit."""
        norms, norm_why = self._row_of("norms", wish, study)
        logits, _ = self._row_of("logits", wish, study)
        key = study["key"]
        return {
            "of": "pair",
            "percentile": None,
            "cells": 0,
            "norm": None if norms is None else float(norms[key] / max(norms.sum(), _LEAST)),
            "norm_why": norm_why,
            "logit": None if logits is None else float(logits[key]),
            "logit_of": f"what the model predicts after “{query}”",
        }

    def _row_of(self, measure: Measure, wish: Wish, study: PairStudy) -> tuple[Float | None, str]:
        """Return a row of what a measure has in place of the weights that are shown, or why not."""
        variants, variant = self._variants, self._variant
        if variant.measure != "weights" or wish.shown != variants.name_of(variant):
            return None, _OF_WEIGHTS
        try:
            variants.measures.of(variant.kind, measure)
        except ValueError as error:
            return None, str(error)
        attention = variants.show(variant._replace(measure=measure)).attention
        with self._lock:
            return attention.row(study["layer"], study["head"], study["query"]), ""

    def _effect(self, edits: Sequence[EditInfo], at: int | None) -> Studied:
        from .interventions import measure
        from .studies.effects import edits_of, effect_info

        return effect_info(measure(self._needed_trace, edits_of(edits), at=at), at)

    def _sweep(self, study: SweepStudy, progress: Progress) -> Studied:
        from .studies.effects import sweep_study

        if study["over"] == "keys" and self._variant.unit != "token":
            raise ValueError("keys are cut token by token: choose Tokens instead of words")
        query, key, at = (self._in_tokens(study[name]) for name in ("query", "key", "at"))
        return sweep_study(self._needed_trace, {**study, "query": query, "key": key}, at, progress)

    def _in_tokens(self, position: int | None) -> int | None:
        """Return the last token of a word or segment, for which it speaks; a token as it is."""
        if position is None or self._variant.unit == "token":
            return position
        _, of = in_units(self._variants.kinds[self.kind].tokens, self._variant.unit)
        position = check_index(position, of[-1] + 1, f"{self._variant.unit}s")
        return max(token for token, unit in enumerate(of) if unit == position)

"""An explorer as a file keeps it: what it shows, and what else there is to choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast, get_args

from ..channel import tokens_reply
from ..comparing import ComparingExplorer
from ..opening import describe
from ..protocol import (
    Description,
    QaInfo,
    RecordedExplorer,
    RecordedRows,
    RecordedVariant,
    SpanKey,
    Unit,
    ViewState,
)
from ..runs import Progress
from ..tracing import Kind, Tokens
from ..variants import Variant, Variants, in_units, key_tokens_of
from .budget import Budget
from .offered import choices_in, offer, status_of
from .recorded_parts import Looked, record_looked, record_part
from .recorded_rows import record_rows
from .recorded_studies import record_studies, why_no_more
from .recorded_terms import record_terms, terms_held
from .recorded_weights import Keys, Weights, record_whole

if TYPE_CHECKING:
    from ..exported import ExportedView

_UNITS: tuple[Unit, ...] = get_args(Unit)
# What only some explorers have.
_ABSENT = {"answer": 0, "_compared": None, "_qa": None}
# What is said of all that was recorded is known when it is.
_SAID_BYTES = 6_000


class Recorder:
    """Records one explorer as it is now.

    Parameters
    ----------
    explorer : ExportedView
        Of any class.
    budget : Budget
        What the file has room for. What can't be left out is counted too: it is below 0 then.
    """

    def __init__(self, explorer: ExportedView, budget: Budget) -> None:
        self._explorer = explorer
        self._budget = budget
        # Variants of our own: those of a view that is open are kept for it.
        self._variants = Variants(explorer._variants.kinds)
        self._variants.measures = explorer._variants.measures

    def record(self, module: str, progress: Progress) -> RecordedExplorer:
        """Return what a page needs to show the explorer, and more while there is room."""
        budget = self._budget
        budget.left -= _SAID_BYTES
        shown, *others = self._candidates()
        first = self._without_weights(shown)
        budget.spend(first)
        budget.spend(self._state(first["description"]))
        self._fill(first, shown, progress)
        recorded = [first]
        # Where not even what is shown had room, nothing else has.
        for number, variant in enumerate(others if first["description"]["whole"] else [], 1):
            progress(number / (1 + len(others)))
            found = self._more(variant)
            recorded += [] if found is None else [found]
        self._fill_up(first, shown)
        offer(recorded)
        return {
            "module": module,
            "state": self._state(first["description"]),
            "variants": recorded,
            "choices": choices_in(recorded),
        }

    def _fill(self, recorded: RecordedVariant, variant: Variant, progress: Progress) -> None:
        """Record the weights of what is shown, and what its views ask besides."""
        explorer, budget = self._explorer, self._budget
        kind, about = self._variants.show(variant), recorded["description"]
        looked = self._looked(about, recorded["qa"])
        with explorer._lock:
            weights = record_whole(kind, _beside(kind, about), budget)
            if weights is None:
                weights = record_part(kind, looked, budget, progress)
            elif not weights.exact:
                exact = record_looked(kind, looked, budget)
                weights = weights._replace(replies=[*weights.replies, *exact])
            recorded["terms"], why = record_terms(kind.attention, looked.at, budget)
            recorded["no_terms"] = why
        _keep(recorded, weights)
        recorded["rows"] = self._rows(kind, about, [looked.layer])
        recorded["studies"] = record_studies(explorer, budget)
        recorded["no_study"] = why_no_more(explorer)

    def _fill_up(self, recorded: RecordedVariant, variant: Variant) -> None:
        """Record more of what is shown, where other variants have left room."""
        layer, chosen = self._explorer.layer, self._explorer.heads
        kind, about = self._variants.show(variant), recorded["description"]
        layers = range(len(about["layers"]))
        recorded["rows"] += self._rows(kind, about, [it for it in layers if it != layer])
        if len(recorded["terms"]) == len(chosen):
            others = [(layer, head) for head in range(about["heads"]) if head not in chosen]
            with self._explorer._lock:
                more, _ = record_terms(kind.attention, others, self._budget)
            recorded["terms"] += more
        recorded["no_terms"] = recorded["no_terms"] or terms_held(
            recorded["terms"], about["layers"]
        )

    def _more(self, variant: Variant) -> RecordedVariant | None:
        """Record what else may be chosen, where it can be had and there is room for all of it."""
        budget = self._budget
        before = budget.left
        try:
            recorded = self._without_weights(variant)
        except ValueError:
            return None
        if budget.take(recorded):
            kind, about = self._variants.show(variant), recorded["description"]
            with self._explorer._lock:
                weights = record_whole(kind, _beside(kind, about), budget)
            if weights is not None:
                _keep(recorded, weights)
                chosen = self._looked(about, None).at
                with self._explorer._lock:
                    terms, why = record_terms(kind.attention, chosen, budget)
                recorded["terms"] = terms
                recorded["no_terms"] = why or terms_held(terms, about["layers"])
                recorded["rows"] = self._rows(kind, about, range(len(about["layers"])))
                recorded["no_study"] = "This page holds studies of what it opened with alone."
                return recorded
        budget.left = before
        return None

    def _rows(self, kind: Kind, about: Description, layers: Iterable[int]) -> list[RecordedRows]:
        """Record both sides' rows, where a difference is shown by token."""
        explorer = self._explorer
        if not about["against"] or not isinstance(explorer, ComparingExplorer):
            return []
        difference, hidden = explorer._differs_in(kind.attention)
        if kind.attention.n_queries != difference.n_queries:
            return []
        with explorer._lock:
            return record_rows(difference, hidden, layers, self._budget)

    def _without_weights(self, variant: Variant) -> RecordedVariant:
        explorer, variants = self._explorer, self._variants
        description = describe(variants, variant, explorer._description["model"])
        beside = explorer._beside(variants, variant)
        return {
            "kind": variant.kind,
            "measure": variant.measure,
            "unit": variant.unit,
            "hide": [*variant.hide],
            "hide_tokens": [*variant.hide_tokens],
            "renormalise": variant.renormalise,
            # What takes a kernel isn't offered.
            "description": {**description, "texts": [], "samples": False},
            "qa": cast("QaInfo | None", beside.get("_qa")),
            "tokens": tokens_reply(variants.show(variant)),
            "weights": [],
            "terms": [],
            "no_terms": "",
            "rows": [],
            "studies": [],
            "no_study": "",
        }

    def _looked(self, about: Description, qa: QaInfo | None) -> Looked:
        explorer = self._explorer
        layer = min(explorer.layer, len(about["layers"]) - 1)
        heads = [head for head in explorer.heads if head < about["heads"]]
        pins = [pin for pin in (explorer.selected, *explorer.also) if pin is not None]
        queries, keys = (dict.fromkeys(pin[role] for pin in pins) for role in (0, 1))
        return Looked(
            layer,
            tuple(heads or [about["heads"] - 1]),
            tuple(query for query in queries if query is not None),
            tuple(key for key in keys if key is not None),
            bool(about["hides"]),
            bool(about["scores"]),
            () if qa is None else tuple(dict.fromkeys(_spans_of(qa))),
        )

    def _state(self, description: Description) -> ViewState:
        names = ViewState.__annotations__
        state = {name: getattr(self._explorer, name, _ABSENT.get(name)) for name in names}
        nothing_saved = {"header": None, "buffer": None}
        state |= {"hovered": None, "_description": description, "_snapshot": nothing_saved}
        # A page has one data model for each explorer, whatever its name.
        state["_source"] = ""
        return cast(ViewState, state)

    def _candidates(self) -> Iterator[Variant]:
        """Yield what is shown, and then what a person is likeliest to choose."""
        shown = self._explorer._variant
        tokens = self._variants.kinds[shown.kind].tokens
        yield shown
        for kind in self._variants.kinds:
            if kind != shown.kind:
                yield Variant(kind, unit=shown.unit)
        for unit in _UNITS:
            if unit != shown.unit and _has(tokens, unit):
                yield shown._replace(unit=unit)
        if shown.hide:
            yield shown._replace(hide=())
        elif any(key_tokens_of(self._variants.kinds[shown.kind]).special):
            yield shown._replace(hide=("special",))
        measures = self._variants.measures.available(shown.kind)
        for measure, why in measures.items():
            if measure != shown.measure and not why:
                yield shown._replace(measure=measure)


def _has(tokens: Tokens, unit: Unit) -> bool:
    """Tell whether a unit is offered: words of one token each are tokens, one segment is all."""
    if unit == "segment":
        return len({number for number in tokens.segment if number >= 0}) > 1
    return unit == "token" or len(in_units(tokens, unit)[0]) < len(tokens)


def _beside(kind: Kind, about: Description) -> Keys:
    """Return what of all heads is small: what is hidden of their rows, and their scores."""
    layers, heads = range(kind.attention.n_layers), range(kind.attention.n_heads)
    masses = tuple((layer, head) for layer in layers for head in heads) if about["hides"] else ()
    return Keys(masses=masses, scores=bool(about["scores"]))


def _keep(recorded: RecordedVariant, weights: Weights) -> None:
    """Keep the weights, and say on screen how far they are all."""
    about = recorded["description"]
    recorded["weights"] = weights.replies
    about["whole"], about["samples"] = weights.whole, weights.sampled
    about["held"] = status_of(weights)
    about["notes"] = [*about["notes"], *weights.notes]


def _spans_of(qa: QaInfo) -> Iterator[SpanKey]:
    """Yield what the question reads of each answer; of none, the first token."""
    for answer in qa["answers"]:
        first, last = (0, 0) if answer["text"] == "" else answer["tokens"] or (0, -1)
        if last >= first:
            yield (*qa["question_tokens"], first, last + 1)

"""An explorer as a file keeps it: what it shows, and what else there is to choose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from ..channel import tokens_reply
from ..opening import describe
from ..protocol import Description, QaInfo, RecordedExplorer, RecordedVariant, Unit, ViewState
from ..tracing import Tokens
from ..variants import Variant, Variants, in_units
from .budget import Budget
from .recorded_weights import Weights, record_whole

if TYPE_CHECKING:
    from ..exported import ExportedView

_UNITS: tuple[Unit, ...] = ("token", "word", "segment")
# What only some explorers have.
_ABSENT = {"answer": 0, "_compared": None, "_qa": None}
# What is said of all that was recorded is known when it is.
_SAID_BYTES = 4_000
_NOT_HELD = "this file doesn't hold it: open it in a notebook"


class Recorder:
    """Records one explorer.

    Parameters
    ----------
    explorer : ExportedView
        As it is now.
    """

    def __init__(self, explorer: ExportedView) -> None:
        self._explorer = explorer
        # Variants of our own: those of a view that is open are kept for it.
        self._variants = Variants(explorer._variants.kinds)
        self._variants.measures = explorer._variants.measures

    def record(self, module: str, budget: Budget) -> RecordedExplorer:
        """Return what a page needs to show the explorer, and more while there is room.

        What can't be left out is counted too: `budget.left` is below 0 where it had no room.
        """
        shown, *others = self._candidates()
        first = self._first(shown, budget)
        budget.left -= _SAID_BYTES
        budget.spend(self._state(first["description"]))
        recorded = [first, *(it for one in others if (it := self._more(one, budget)) is not None)]
        _offer(recorded)
        return {
            "module": module,
            "state": self._state(first["description"]),
            "variants": recorded,
            "choices": _choices(recorded),
        }

    def _first(self, variant: Variant, budget: Budget) -> RecordedVariant:
        """Record what is shown."""
        recorded = self._without_weights(variant)
        budget.spend(recorded)
        with self._explorer._lock:
            weights = record_whole(self._variants.show(variant), recorded["description"], budget)
        return _with(recorded, weights)

    def _more(self, variant: Variant, budget: Budget) -> RecordedVariant | None:
        """Record what else may be chosen, where it can be had and there is room for all of it."""
        before = budget.left
        try:
            recorded = self._without_weights(variant)
        except ValueError:
            return None
        if budget.take(recorded):
            with self._explorer._lock:
                kind = self._variants.show(variant)
                weights = record_whole(kind, recorded["description"], budget)
            if weights is not None:
                return _with(recorded, weights)
        budget.left = before
        return None

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
            "rows": [],
            "studies": [],
        }

    def _state(self, description: Description) -> ViewState:
        names = ViewState.__annotations__
        state = {name: getattr(self._explorer, name, _ABSENT.get(name)) for name in names}
        nothing_saved = {"header": None, "buffer": None}
        state |= {"hovered": None, "_description": description, "_snapshot": nothing_saved}
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
        yield shown._replace(hide=() if shown.hide else ("special",))
        measures = self._variants.measures.available(shown.kind)
        for measure, why in measures.items():
            if measure != shown.measure and not why:
                yield shown._replace(measure=measure)


def _has(tokens: Tokens, unit: Unit) -> bool:
    """Tell whether a unit is offered: words of one token each are tokens."""
    return unit == "token" or len(in_units(tokens, unit)[0]) < len(tokens)


def _with(recorded: RecordedVariant, weights: Weights | None) -> RecordedVariant:
    """Return a variant with its weights, and say on screen how far they are all."""
    held = "this file, in part"
    if weights is not None and weights.whole:
        held = f"this file, {'exact' if weights.exact else 'rounded'}"
    return {
        **recorded,
        "weights": [] if weights is None else weights.replies,
        "description": {
            **recorded["description"],
            "whole": weights is not None and weights.whole,
            "held": held,
        },
    }


def _offer(recorded: list[RecordedVariant]) -> None:
    """Let nothing be chosen but what was recorded, as far as lists of choices say."""
    kinds = list(dict.fromkeys(variant["kind"] for variant in recorded))
    for variant in recorded:
        there: list[str] = [it["measure"] for it in recorded if it["kind"] == variant["kind"]]
        about = variant["description"]
        about["kinds"] = kinds
        about["measures"] = [
            f"{', '.join(dict.fromkeys(there))}: ",
            *(_only(line, there) for line in about["measures"]),
        ]


def _only(line: str, there: list[str]) -> str:
    """Return why what wasn't recorded can't be had."""
    names, why = line.split(": ", 1)
    others = [name for name in names.split(", ") if name not in there]
    return f"{', '.join(others)}: {why or _NOT_HELD}"


def _choices(recorded: list[RecordedVariant]) -> str:
    """Return what there is to choose, in a sentence."""
    return (
        f"This page holds {'; '.join(map(_in_words, recorded))}. "
        "For anything else open it in a notebook."
    )


def _in_words(variant: RecordedVariant) -> str:
    kind = f"{variant['kind']}: " if variant["kind"] else ""
    hidden = [*variant["hide"], *variant["description"]["hidden_tokens"]]
    without = f" without {', '.join(hidden)}" if hidden else ""
    raised = " (the rest raised)" if hidden and variant["renormalise"] else ""
    return f"{kind}{variant['measure']} by {variant['unit']}{without}{raised}"

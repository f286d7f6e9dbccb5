"""What there is to choose on a page: no more than was recorded."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol import RecordedVariant
from .recorded_weights import Weights

_NOT_HELD = "this file doesn't hold it: open it in a notebook"


def status_of(weights: Weights) -> str:
    """Return what stands where a notebook says that its numbers are live."""
    how = "exact" if weights.exact else "rounded"
    return f"this file, {how if weights.whole else 'in part'}"


def offer(recorded: list[RecordedVariant]) -> None:
    """Let nothing be chosen but what was recorded, as far as lists of choices say."""
    kinds = list(dict.fromkeys(variant["kind"] for variant in recorded))
    for variant in recorded:
        there = [it["measure"] for it in recorded if it["kind"] == variant["kind"]]
        about = variant["description"]
        about["kinds"] = kinds
        about["measures"] = _reasons(about["measures"], list(dict.fromkeys(there)))


def _reasons(lines: list[str], there: Sequence[str]) -> list[str]:
    """Return the lines of measures with those that are there, and why each other one isn't."""
    found = [f"{', '.join(there)}: "]
    for line in lines:
        names, why = line.split(": ", 1)
        others = [name for name in names.split(", ") if name not in there]
        found += [f"{', '.join(others)}: {why or _NOT_HELD}"] if others else []
    return found


def choices_in(recorded: list[RecordedVariant]) -> str:
    """Return what there is to choose, in a sentence."""
    several = len({variant["kind"] for variant in recorded}) > 1
    named = "; ".join(_in_words(variant, several) for variant in recorded)
    return f"This page holds {named}. For anything else open it in a notebook."


def _in_words(variant: RecordedVariant, several: bool) -> str:
    kind = f"{variant['kind']}: " if several else ""
    hidden = [*variant["hide"], *variant["description"]["hidden_tokens"]]
    without = f" without {', '.join(hidden)}" if hidden else ""
    raised = " (the rest raised)" if hidden and variant["renormalise"] else ""
    return f"{kind}{variant['measure']} by {variant['unit']}{without}{raised}"

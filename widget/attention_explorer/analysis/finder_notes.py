"""What a person must know to read the numbers of `find_heads` rightly, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..attention.mixed import named_layers
from .masses import Masses, Plan

# With fewer places no p is below 0.05.
_FEWEST_PLACES = 21

_SHORT = (
    "this text is too short for a test at 0.05, whatever its heads do. Ask the same of more "
    "sentences."
)
_MANY = "each takes as many rows as there are queries. Ask for fewer of them to have more places."
_FEW_ASKED = "raise permutations to have more."


def notes(plan: Plan, masses: Masses, has_shares: bool) -> Iterator[str]:
    """Yield how many places each number stands on, and what it doesn't say."""
    n_rotations = masses.rotated.shape[-1]
    n_places = n_rotations if plan.shifts is None else len(plan.shifts)
    yield _on_p(plan, n_rotations)
    yield _on_places(plan, n_places)
    if len(plan.sets) > 1:
        if plan.per_token != (1, 1):
            n_keys, n_against = plan.per_token
            yield (
                f"difference is per token, as {n_keys} keys are compared with {n_against}; the "
                "masses are sums."
            )
        if n_places < _FEWEST_PLACES:
            is_all = n_places >= plan.n_shifts
            yield _too_few("p_difference", n_places, _SHORT if is_all else _MANY)
    if plan.special[plan.picked].any():
        yield "Special tokens were picked: p compares them with ordinary ones."
    if not masses.is_whole.all():
        numbers = [plan.attention.layer_numbers[n] for n in np.flatnonzero(~masses.is_whole)]
        yield (
            f"In {named_layers(numbers)} not every query can read all of these keys: what it can't "
            "read counts as 0."
        )
    if not has_shares:
        yield "Weights are no shares of 1: heads are ranked by value, and there is no lift."


def _on_p(plan: Plan, n_rotations: int) -> str:
    if n_rotations < _FEWEST_PLACES:
        is_all = len(plan.rotations) == len(plan.circle)
        return _too_few("p", n_rotations, _SHORT if is_all else _FEW_ASKED)
    n_all = len(plan.circle)
    of_all = "" if len(plan.rotations) == n_all else f", at random of {n_all}"
    return (
        f"p is of {n_rotations} places of the keys{of_all}, and corrected for "
        f"{plan.attention.n_layers * plan.attention.n_heads} heads by max-T: neither can be below "
        f"{1 / n_rotations:.2g}."
    )


def _on_places(plan: Plan, n_places: int) -> str:
    if plan.shifts is None:
        return (
            "Keys are other tokens than queries, so there are no distances: percentile and "
            f"elsewhere are of {n_places} places of the keys, read by the same queries."
        )
    if n_places < 2:
        return (
            "These tokens fit nowhere else in the text at the same distances: percentile is among "
            "the heads at this one place, and elsewhere isn't known."
        )
    drawn = f", drawn at random of {plan.n_shifts}" if n_places < plan.n_shifts else ""
    return (
        f"percentile and elsewhere are of {n_places} places with the same distances{drawn}, this "
        "one among them; special tokens are set apart."
    )


def _too_few(name: str, n_places: int, why: str) -> str:
    if n_places < 2:
        return f"{name} isn't known: this text has no other place to compare with."
    return f"{name} is of {n_places} places only and can't be below {1 / n_places:.2g}: {why}"

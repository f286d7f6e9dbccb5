"""What every head reads of some tokens from some others, here and at other places of the text."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..attention import Attention
from . import moved
from .moved import Indices, Marks, Numbers


class Plan(NamedTuple):
    """What is looked at.

    Attributes
    ----------
    attention : Attention
    queries : list of int
        Ascending.
    sets : list of list of int
        The keys, and those against them if there are any; each ascending.
    special : array of bool, shape (n_keys,)
        Which keys the tokenizer added.
    circle, rotations : array of int
        The keys that might have been picked, and by how much those that were are moved among them.
    shifts : array of int or None
        By how much all are moved along the text; None where the keys are other tokens.
    n_shifts : int
        By how many they could be.
    """

    attention: Attention
    queries: list[int]
    sets: list[list[int]]
    special: Marks
    circle: Indices
    rotations: Indices
    shifts: Indices | None
    n_shifts: int

    @classmethod
    def of(
        cls,
        attention: Attention,
        queries: Sequence[int],
        sets: Sequence[Sequence[int]],
        special: Marks,
        same_tokens: bool,
        permutations: int,
        seed: int,
    ) -> Plan:
        """Choose the places; see `moved`."""
        picked = [key for keys in sets for key in keys]
        circle = moved.circle_of(picked, queries, special, same_tokens, attention.causal)
        shifts, n_shifts = None, 0
        if same_tokens:
            every = moved.shifts(special, [*queries, *picked])
            shifts, n_shifts = moved.few(every, len(special), len(queries), seed), len(every)
        return cls(
            attention=attention,
            queries=sorted(queries),
            sets=[sorted(keys) for keys in sets],
            special=special,
            circle=circle,
            rotations=moved.rotations(circle, permutations, seed),
            shifts=shifts,
            n_shifts=n_shifts,
        )

    @property
    def picked(self) -> list[int]:
        """All keys that were picked."""
        return [key for keys in self.sets for key in keys]

    @property
    def per_token(self) -> tuple[int, int]:
        """What the masses of both sets of keys are divided by to be compared."""
        n_keys, n_against = map(len, self.sets)
        return (1, 1) if n_keys == n_against else (n_keys, n_against)


class Masses(NamedTuple):
    """What is read of all heads.

    Attributes
    ----------
    uniform : array, shape (n_layers,)
        The mass if every query read all that it can alike.
    is_whole : array of bool, shape (n_layers,)
        Whether every query can read all that was picked.
    rotated : array of float32, shape (sets, n_layers, n_heads, rotations)
        Masses with the keys rotated, where all queries can read what they can here; this place
        first.
    shifted : array of float32, shape (sets, n_layers, n_heads, shifts)
        Masses with all tokens shifted, this place first.
    """

    uniform: Numbers
    is_whole: Marks
    rotated: npt.NDArray[np.float32]
    shifted: npt.NDArray[np.float32]


def mass_steps(plan: Plan) -> Generator[float, None, Masses]:
    """Read all masses of a plan, some rows a step; yields the share that is done.

    A key that no head of a layer reads at all is taken for hidden from the query by its mask.
    """
    shape = len(plan.sets), plan.attention.n_layers, plan.attention.n_heads
    n_shifts = 0 if plan.shifts is None else len(plan.shifts)
    found = Masses(
        uniform=np.zeros(shape[1]),
        is_whole=np.zeros(shape[1], bool),
        rotated=np.zeros((*shape, len(plan.rotations)), np.float32),
        shifted=np.zeros((*shape, n_shifts), np.float32),
    )
    is_open = np.ones(len(plan.rotations), bool)
    for layer in range(shape[1]):
        for share in _read_keys(plan, found, is_open, layer):
            yield (layer + share / 2) / shape[1]
        for share in _read_shifted(plan, found, layer):
            yield (layer + (1 + share) / 2) / shape[1]
    return found._replace(rotated=found.rotated[..., is_open])


def _read_keys(plan: Plan, found: Masses, is_open: Marks, layer: int) -> Iterator[float]:
    """Read what the queries read of any key, and what a mask lets them."""
    attention, queries = plan.attention, plan.queries
    n_heads, n_keys = attention.n_heads, attention.n_keys
    profile, is_read = np.zeros((n_heads, n_keys)), np.ones(n_keys, bool)
    at_once = max(1, moved.CELLS // (n_heads * n_keys))
    for first in range(0, len(queries), at_once):
        rows = attention.rows(layer, range(n_heads), queries[first : first + at_once])
        profile += rows.sum(1, dtype=np.float64)
        can_read = (rows != 0).any(0)
        is_read &= can_read.all(0)
        n_read = np.maximum(can_read.sum(1), 1)
        found.uniform[layer] += (can_read[:, plan.sets[0]].sum(1) / n_read).sum() / len(queries)
        yield min(1.0, (first + at_once) / len(queries))
    for number, keys in enumerate(plan.sets):
        sums = moved.rotated(profile, plan.circle, keys, plan.rotations)
        found.rotated[number, layer] = sums / len(queries)
    found.is_whole[layer] = is_read[plan.picked].all()
    if found.is_whole[layer]:
        n_read = moved.rotated(is_read * 1.0, plan.circle, plan.picked, plan.rotations)
        is_open &= n_read == len(plan.picked)


def _read_shifted(plan: Plan, found: Masses, layer: int) -> Iterator[float]:
    """Read the masses at other places, head by head."""
    if plan.shifts is None:
        return
    n_heads = plan.attention.n_heads
    for head in range(n_heads):
        of_head = plan.attention, layer, head
        for part in moved.shifted(*of_head, plan.queries, plan.sets, plan.shifts):
            found.shifted[:, layer, head] += part
            yield head / n_heads
    yield 1.0

"""Which heads read some tokens from some others, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..attention import Attention
from ..attention.derived import is_softmax
from ..tracing import Tokens
from .chance import p_values, percentile
from .finder_notes import notes
from .masses import Masses, Plan, mass_steps
from .moved import Marks, Numbers
from .patterns import Source
from .picks import Pick, pick_tokens
from .steps import finish

if TYPE_CHECKING:
    from pandas import DataFrame

# Of what a head reads most: weights that differ by less are the same but for rounding.
_ROUNDING = 1e-6


class Found(NamedTuple):
    """What every head reads of some keys from some queries; see `find_heads` for the numbers.

    Attributes
    ----------
    mass, lift, elsewhere, percentile, p, p_corrected : ndarray, shape (n_layers, n_heads)
    mass_against, difference, difference_elsewhere, p_difference, p_difference_corrected
        As many, of the other keys; NaN where there are none.
    n_rotations, n_places : int
        Of how many places of the keys p is, and of how many the numbers of other places are.
    notes : tuple of str
        What a person must know to read the numbers rightly.
    """

    mass: Numbers
    lift: Numbers
    elsewhere: Numbers
    percentile: Numbers
    p: Numbers
    p_corrected: Numbers
    mass_against: Numbers
    difference: Numbers
    difference_elsewhere: Numbers
    p_difference: Numbers
    p_difference_corrected: Numbers
    n_rotations: int
    n_places: int
    notes: tuple[str, ...]


_OF_KEYS, _OF_BOTH = Found._fields[:6], Found._fields[6:11]


def find_heads(
    trace: Source | Attention,
    queries: Pick,
    keys: Pick,
    against: Pick | None = None,
    *,
    permutations: int = 2000,
    seed: int = 0,
) -> DataFrame:
    """Rank all heads by how much some tokens read of some others.

    Parameters
    ----------
    trace : Trace, Kind, AttentionExplorer or Attention
        Anything with `attention`, `tokens` and `key_tokens`. Of a bare `Attention` tokens are named
        by position, none is special, and keys are the queries' tokens where there are as many.
    queries, keys : int, range, slice, str, or a list of these
        Tokens that read and that are read, see `pick_tokens`: ``find_heads(t, "it", "cat")``.
    against : the same, optional
        Other keys: is it rather these that are read?
    permutations : int
        Other places of the keys that p looks at, at most.
    seed : int
        Of the samples in long texts.

    Returns
    -------
    DataFrame
        A row a head, by (layer, head), both indices. The largest mass comes first; with `against`
        what `p_difference` tests.

        mass
            Mean over the queries of the sum over the keys: the segment mass of `span_mass`.
        lift
            Mass over what it would be if every query read all that it can alike. What no head of a
            layer reads at all is taken for hidden by its mask. NaN where weights are no softmax.
        elsewhere
            The head's mean mass at the other places of the text: queries and keys moved together,
            so that all distances stay. Special tokens are set apart: they are only where they were.
            A head that reads the token before has as much elsewhere as here.
        percentile
            Of the mass among those of all heads at all these places, its own with them; equals by
            midranks, so that uniform attention has 50.
        p
            The share of all places of the keys alone, their own with them, where the head reads at
            least as much from the same queries. The keys are moved around a circle of those that
            might have been picked: all but special ones, the queries themselves (unless one was
            picked) and what a mask hides. So the pieces of a word stay together, and p is exact if
            what is read is as likely at any place of the circle. It tells these keys from others,
            not words from distances: hold it beside `elsewhere`.
        p_corrected
            The share of these places where any head reads at least as much: corrected for the
            number of heads, see `chance.p_values`.
        mass_against, difference
            Of the other keys, and mass less theirs; per token if they aren't as many.
        difference_elsewhere
            The head's mean difference at the other places with the same distances: far from 0 in
            a head that reads the nearer of two keys, whatever they are.
        p_difference, p_difference_corrected
            Of two keys one is nearer, so they can't be exchanged; queries and both keys are moved
            together instead. Tested is the part of the difference that isn't the head's habit: the
            smaller of `difference` and its distance from `difference_elsewhere`, 0 if these point
            to other sides. p is the share of places, their own with them, where this is at least as
            large, either way; corrected, where it is in any head. Exact if what is read at these
            distances is as likely at any place.

        Where keys are other tokens than queries there are no distances: `elsewhere`, `percentile`
        and `p_difference` are of the same queries, with the keys moved as for p. In long texts
        places are drawn at random. ``attrs`` has the tokens as (position, text), the source, the
        model's own layer numbers, on how many places p (``"n_rotations"``) and the others
        (``"n_places"``) stand, and ``"notes"`` in words: where they are too few for a test.

    Raises
    ------
    ValueError
        Tokens that aren't there, or text that occurs twice; a token in `keys` and in `against`.
    TypeError
        Something that has no attention.
    ModuleNotFoundError
        pandas isn't installed.
    """
    from ..export.needed import need

    need("pandas", "find_heads")
    from pandas import DataFrame, MultiIndex

    attention, own, other = _sides(trace)
    picked = {"queries": pick_tokens(own, queries), "keys": pick_tokens(other, keys)}
    if against is not None:
        picked["against"] = pick_tokens(other, against)
    special = np.array(other.special if isinstance(other, Tokens) else [False] * other)
    steps = find_steps(
        attention,
        **picked,
        special=special,
        same_tokens=own is other if isinstance(own, Tokens) else own == other,
        permutations=permutations,
        seed=seed,
    )
    found = finish(steps, trace)
    names = _OF_KEYS if against is None else (*_OF_KEYS, *_OF_BOTH)
    frame = DataFrame(
        {name: getattr(found, name).ravel() for name in names},
        index=MultiIndex.from_tuples(np.ndindex(found.mass.shape), names=["layer", "head"]),
    )
    evidence = found.mass
    if against is not None:
        evidence = _beyond_habit(found.difference, found.difference_elsewhere)
    frame = frame.iloc[np.argsort(-evidence.ravel(), kind="stable")]
    for name, positions in picked.items():
        tokens = own if name == "queries" else other
        text = tokens.text if isinstance(tokens, Tokens) else [""] * tokens
        frame.attrs[name] = [(position, text[position]) for position in positions]
    frame.attrs["source"] = attention.source
    frame.attrs["layer_numbers"] = list(attention.layer_numbers)
    frame.attrs["n_rotations"], frame.attrs["n_places"] = found.n_rotations, found.n_places
    frame.attrs["notes"] = [*attention.notes, *found.notes]
    return frame


def find_steps(
    attention: Attention,
    queries: Sequence[int],
    keys: Sequence[int],
    against: Sequence[int] = (),
    *,
    special: Marks | None = None,
    same_tokens: bool = True,
    permutations: int = 2000,
    seed: int = 0,
) -> Generator[float, None, Found]:
    """Work out what `find_heads` shows, some rows a step; yields the share that is done.

    Parameters
    ----------
    attention : Attention
        Of any kind; signed weights are ranked by value.
    queries, keys, against : sequence of int
        Positions, each once.
    special : array of bool, shape (n_keys,), optional
        Which keys the tokenizer added.
    same_tokens : bool
        Whether the keys are the queries' tokens, so that there are distances.
    permutations, seed : int
        As for `find_heads`.

    Raises
    ------
    ValueError
        Keys that are in `against`, too; no query or no key; fewer than 1 permutation.
    """
    _check(queries, keys, against, permutations)
    if special is None:
        special = np.zeros(attention.n_keys, bool)
    sets = [keys, against] if len(against) else [keys]
    plan = Plan.of(attention, queries, sets, special, same_tokens, permutations, seed)
    masses = yield from mass_steps(plan)
    return _judge(plan, masses)


def _judge(plan: Plan, masses: Masses) -> Found:
    rotated = masses.rotated.astype(np.float64)
    placed = rotated if plan.shifts is None else masses.shifted.astype(np.float64)
    mass = rotated[0, ..., 0]
    p, p_corrected = p_values(rotated[0], _ROUNDING * np.abs(rotated[0]).max(-1))
    lift = np.full(mass.shape, np.nan)
    has_shares = all(is_softmax(plan.attention, n) for n in range(plan.attention.n_layers))
    if has_shares:
        uniform = masses.uniform[:, None]
        np.divide(mass, uniform, out=lift, where=uniform > 0)
    return Found(
        mass,
        lift,
        elsewhere=_means_of_others(placed[0])[..., 0],
        percentile=percentile(placed[0, ..., 0], placed[0]),
        p=p,
        p_corrected=p_corrected,
        **_compare(plan, rotated, placed),
        n_rotations=rotated.shape[-1],
        n_places=placed.shape[-1],
        notes=tuple(notes(plan, masses, has_shares)),
    )


def _compare(plan: Plan, rotated: Numbers, placed: Numbers) -> dict[str, Numbers]:
    """Return what is said of the keys against the others; NaN where there are none."""
    if len(plan.sets) == 1:
        return {name: np.full(rotated.shape[1:3], np.nan) for name in _OF_BOTH}
    n_keys, n_against = plan.per_token
    differences = placed[0] / n_keys - placed[1] / n_against
    habits = _means_of_others(differences)
    rounding = _ROUNDING * np.abs(placed).max((0, -1))
    p, p_corrected = p_values(_beyond_habit(differences, habits), rounding)
    numbers = (rotated[1, ..., 0], differences[..., 0], habits[..., 0], p, p_corrected)
    return dict(zip(_OF_BOTH, numbers, strict=True))


def _beyond_habit(differences: Numbers, habits: Numbers) -> Numbers:
    """Return how much of a difference isn't what the head does at other places."""
    beyond = differences - habits
    smaller = np.minimum(np.abs(differences), np.abs(beyond))
    own: Numbers = np.where(differences * beyond > 0, smaller, 0.0)
    return np.where(np.isnan(habits), np.abs(differences), own)


def _means_of_others(places: Numbers) -> Numbers:
    """Return for each place, along the last axis, the mean over all others; NaN of a single one."""
    n_others = places.shape[-1] - 1
    if not n_others:
        return np.full_like(places, np.nan)
    means: Numbers = (places.sum(-1, keepdims=True) - places) / n_others
    return means


def _sides(trace: Source | Attention) -> tuple[Attention, Tokens | int, Tokens | int]:
    """Return an attention with the tokens of its queries and keys, or how many there are."""
    if isinstance(trace, Attention):
        return trace, trace.n_queries, trace.n_keys
    try:
        attention, own, other = trace.attention, trace.tokens, trace.key_tokens
    except AttributeError:
        raise TypeError(
            f"{type(trace).__name__} has no attention and tokens: give a trace, an explorer, or an "
            "Attention (arrays by attention_explorer.attention.dense_attention)"
        ) from None
    return attention, own, own if other is None else other


def _check(
    queries: Sequence[int], keys: Sequence[int], against: Sequence[int], permutations: int
) -> None:
    if not len(queries) or not len(keys):
        raise ValueError("give at least one query and one key")
    if permutations < 1:
        raise ValueError(f"permutations has to be 1 or more, got {permutations}")
    shared = sorted(set(keys) & set(against))
    if shared:
        raise ValueError(
            f"token {shared[0]} is in keys and in against: what is compared can't share a token"
        )

"""What can be measured of an answer to the exercise: a head that reads one word from another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attention_explorer import Trace, trace
from attention_explorer.analysis import find_heads, percentile_at_distance, pick_tokens
from attention_explorer.interventions import CutEdges, measure, random_band

READER = "with"
# Texts in which the other word is the only sensible one, by the word that was pinned.
TURNED = {
    "saw": "I saw the man with the beard.",
    "man": "I saw the man with my eyes.",
}


@dataclass(frozen=True)
class Evidence:
    """What a head's reading of one word stands on, beside the other word.

    Attributes
    ----------
    layer, head : int
        Counted from 0.
    key, other : str
        The word that was pinned, and the one that it stands against.
    weight, other_weight : float
        What `READER` reads of each in this head.
    percentile : float
        Of the weight among those of its distance in all heads, 0 to 100.
    n_cells : int
        How many weights that are.
    rank, n_heads : int
        Place among all heads by how much more they read `key` than `other`, from 1.
    elsewhere : float
        What the head reads at the same distance, at the sentence's other places; the mean.
    p_corrected, p_floor : float
        As `find_heads` has it for the key, and the least that it can be in so short a text.
    cut : float
        What cutting the edge changes in the output of `READER`.
    unit : str
        Which number of `interventions.Change` that is.
    keys_below, n_keys : int
        How many cuts of other keys in the head change it less, and how many were made.
    heads_below, n_other_heads : int
        The same of the layer's other heads, with this edge.
    whole, other_whole : float
        What cutting each word in every head changes.
    turned : str
        A text in which `other` is meant.
    turned_weight, turned_other : float
        What the head reads of `key` and `other` there.
    """

    layer: int
    head: int
    key: str
    other: str
    weight: float
    other_weight: float
    percentile: float
    n_cells: int
    rank: int
    n_heads: int
    elsewhere: float
    p_corrected: float
    p_floor: float
    cut: float
    unit: str
    keys_below: int
    n_keys: int
    heads_below: int
    n_other_heads: int
    whole: float
    other_whole: float
    turned: str
    turned_weight: float
    turned_other: float

    @property
    def stands_out(self) -> bool:
        """Whether this cut changes more than every cut that it was compared with."""
        return self.keys_below == self.n_keys and self.heads_below == self.n_other_heads

    @property
    def turns(self) -> bool:
        """Whether the head reads the other word more where that one is meant."""
        return self.turned_other > self.turned_weight


def gather(traced: Trace, layer: int, head: int, key: str, other: str) -> Evidence:
    """Measure what one head's reading of `key` from `READER` stands on; runs the model."""
    found = find_heads(traced, READER, key, against=other)
    own = found.to_dict("index")[layer, head]
    query, at, _ = _places(traced, key, other)
    special = np.array(traced.tokens.special)
    standing = percentile_at_distance(traced.attention, layer, head, query, at, special)

    edge = CutEdges(READER, key, layer, head)
    change = measure(traced, edge, at=READER).change
    keys_below, n_keys = random_band(traced, edge, at=READER, like="keys").n_below(change)
    others = [number for number in range(traced.attention.n_heads) if number != head]
    elsewhere = [_cut(traced, key, layer, number) for number in others]

    live = traced.live
    turned = trace(live.model, live.tokenizer, TURNED[key])
    row = _row(turned, layer, head, key, other)
    return Evidence(
        layer,
        head,
        key,
        other,
        weight=float(own["mass"]),
        other_weight=float(own["mass_against"]),
        percentile=standing.percentile,
        n_cells=standing.n_cells,
        rank=int((found["difference"] > own["difference"]).sum()) + 1,
        n_heads=len(found),
        elsewhere=float(own["elsewhere"]),
        p_corrected=float(own["p_corrected"]),
        p_floor=1 / found.attrs["n_rotations"],
        cut=change.size,
        unit=change.main,
        keys_below=keys_below,
        n_keys=n_keys,
        heads_below=sum(size < change.size for size in elsewhere),
        n_other_heads=len(others),
        whole=_cut(traced, key),
        other_whole=_cut(traced, other),
        turned=TURNED[key],
        turned_weight=row[0],
        turned_other=row[1],
    )


def _cut(traced: Trace, key: str, layer: int | None = None, head: int | None = None) -> float:
    """Return what cutting an edge from `READER` changes in its own output."""
    return measure(traced, CutEdges(READER, key, layer, head), at=READER).change.size


def _row(traced: Trace, layer: int, head: int, key: str, other: str) -> tuple[float, float]:
    query, *keys = _places(traced, key, other)
    row = traced.attention.row(layer, head, query)
    return float(row[keys[0]]), float(row[keys[1]])


def _places(traced: Trace, key: str, other: str) -> list[int]:
    """Return where the reader and both words stand; each is one token of these texts."""
    return [pick_tokens(traced.tokens, word)[0] for word in (READER, key, other)]

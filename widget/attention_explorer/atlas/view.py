"""An atlas as it crosses to the browser: what it is of, its numbers, its exemplars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.labels import NAMES
from ..analysis.scores import SCORES
from ..encoding import compress, encode
from .corpus import Entry
from .exemplars import Written
from .intervals import CONFIDENCE, half_width
from .names import BESIDE, MASSES, MEASURED, SHOWN
from .naming import AtlasLabel
from .protocol import (
    AtlasInfo,
    ExemplarInfo,
    GroupInfo,
    HeadKey,
    LabelInfo,
    Method,
    ScoreInfo,
    TextInfo,
)
from .search import Found
from .table import known_means

if TYPE_CHECKING:
    from ..explorer import AttentionExplorer
    from .atlas import HeadAtlas

# Of each of three tenths of the texts so many are shown.
_EACH = 3
_MEASURE_OF = {label: measure for measure, label in NAMES.items()}
_MEANINGS = {
    **{score.name: score.meaning for score in SCORES},
    **dict.fromkeys(BESIDE, "of what it reads beside the first and added tokens"),
    "to first": "mean weight on the first token",
    "to special": "mean weight on other added tokens",
    "to punctuation": "mean weight on other tokens that are marks",
    "to piece": "mean weight on pieces that go on with a word",
    "to word": "mean weight on all other tokens, which begin words",
}
assert set(MASSES) <= set(_MEANINGS)


class AtlasView:
    """What the browser has, or asks for, of an atlas.

    Parameters
    ----------
    atlas : HeadAtlas
    """

    def __init__(self, atlas: HeadAtlas) -> None:
        self.atlas = atlas
        exemplars = atlas._contents.tally.exemplars
        places = exemplars.index.tolist()
        self._entries = dict(zip(places, exemplars.entries, strict=True))
        self._written = dict(zip(places, exemplars.written, strict=True))
        # No text is kept twice.
        self._place_of = {entry: place for place, entry in self._entries.items()}

    @property
    def texts(self) -> Mapping[int, int]:
        """How many tokens each text that is kept has, by its place in the corpus."""
        return {place: len(written.tokens) for place, written in self._written.items()}

    def entry(self, text: int) -> tuple[Entry, Written]:
        """Return a text that is kept."""
        return self._entries[text], self._written[text]

    def info(self, closed: str) -> AtlasInfo:
        """Return what the atlas is of; `closed` says why no text can be opened."""
        atlas, notes = self.atlas, self.atlas._contents.anatomy.notes
        labels = [[_label(it) for it in its] for _, its in sorted(atlas.labels.items())]
        had = {label["name"] for its in labels for label in its}
        known = dict.fromkeys([*NAMES.values(), *sorted(had)])
        return {
            "model": atlas.model_name,
            "layers": list(atlas._contents.anatomy.layer_numbers),
            "heads": atlas.shape[1],
            "texts": atlas.n_texts,
            "kept": len(self._entries),
            "tokens": atlas.n_tokens,
            "scores": self._scores(),
            "names": [name for name in known if name in had],
            "labels": labels,
            "confidence": CONFIDENCE,
            "notes": [*_notes(atlas), *notes],
            "closed": closed,
        }

    def numbers(self) -> bytes:
        """Return `AtlasState._numbers`."""
        contents = self.atlas._contents
        scores = contents.tally.scores
        half = half_width(scores.standard_error, scores.count)
        shown = [MEASURED.index(name) for name in SHOWN]
        planes = (known_means(contents), half, scores.count.astype(np.float64))
        return compress([encode(plane[shown], "float32") for plane in planes])

    def positions(self, method: Method) -> bytes:
        """Return where heads lie, as a `PositionsReply` has it."""
        points = self.atlas.positions(method).reshape(-1, 2)
        return compress([encode(points.T, "float32")])

    def exemplars(self, head: HeadKey, score: str) -> list[GroupInfo]:
        """Return texts of the highest tenth by a score, of one in the middle and of the lowest."""
        found = self.atlas.search(*head, score, top=len(self._entries))
        if not found:
            return []
        deciles = [it.decile for it in found if it.decile is not None]
        middle = min(set(deciles), key=lambda decile: (abs(decile - 4.5), decile))
        chosen = {
            "highest tenth": (deciles[0], slice(_EACH)),
            "in the middle": (middle, slice(_EACH)),
            "lowest tenth": (deciles[-1], slice(-_EACH, None)),
        }
        groups, seen = list[GroupInfo](), set[int]()
        for name, (decile, which) in chosen.items():
            if decile not in seen:
                its = [it for it in found if it.decile == decile][which]
                groups.append({"name": name, "exemplars": [self._exemplar(it) for it in its]})
            seen.add(decile)
        return groups

    def like(self, explorer: AttentionExplorer) -> tuple[str, list[GroupInfo]]:
        """Return where else a head does what is looked at, and that in words."""
        found = self.atlas.like(explorer)
        named = _selected(explorer)
        group: GroupInfo = {
            "name": f"like {named}",
            "exemplars": [self._exemplar(it) for it in found],
        }
        return named, [group]

    def texts_of(self, groups: Iterable[GroupInfo]) -> dict[str, TextInfo]:
        """Return the texts that exemplars are of, by their place."""
        places = {it["text"] for group in groups for it in group["exemplars"]}
        return {
            str(place): {
                "tokens": list(its.tokens),
                "gaps": list(its.gaps),
                "special": list(its.special),
            }
            for place in sorted(places)
            for its in [self._written[place]]
        }

    def _scores(self) -> list[ScoreInfo]:
        baselines = self.atlas._contents.tally.baselines
        return [
            {
                "name": name,
                "says": _MEANINGS[name],
                "baseline": _number(baselines.mean[at]) if baselines.count[at] else None,
            }
            for name in SHOWN
            for at in [MEASURED.index(name)]
        ]

    def _exemplar(self, found: Found) -> ExemplarInfo:
        return {
            "text": self._place_of[Entry(found.text, found.pair)],
            "query": found.query,
            "key": found.key,
            "weight": _number(found.weight),
            "score": _number(found.score),
        }


def _label(label: AtlasLabel) -> LabelInfo:
    measure = _MEASURE_OF.get(label.name, "")
    beside = f"{measure} beside sinks"
    if label.name == "delimiter" and label.aside:
        measure = "to special"
    return {
        "name": label.name,
        "measure": beside if label.aside and beside in BESIDE else measure,
        "score": label.score,
        "baseline": label.baseline,
        "support": label.support,
        "holds": label.holds,
        "aside": list(label.aside),
    }


def _notes(atlas: HeadAtlas) -> Sequence[str]:
    notes = []
    if not atlas.is_complete:
        notes.append("stopped before the end of the corpus: the atlas is of what was read")
    if atlas.n_cut:
        notes.append(f"{atlas.n_cut:,} texts were longer than the model reads, and cut")
    return notes


def _selected(explorer: AttentionExplorer) -> str:
    """Say what is looked at: the reader, what it reads, and in which head."""
    query, key = explorer.selected or (None, None)
    sides = ((explorer.tokens, query), (explorer.key_tokens, key))
    read = " → ".join(f"“{side.text[at]}”" for side, at in sides if at is not None)
    return f"{read} in {explorer.layer}.{explorer.heads[0]}"


def _number(value: float) -> float | None:
    """Return a number as JSON has it: no NaN."""
    return None if math.isnan(value) else float(np.float32(value))

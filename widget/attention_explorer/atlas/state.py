"""The state of an atlas's view that Python and the browser share, as checked traits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

import traitlets

from ..channel import SavedWidget
from ..protocol import Theme
from ..state import Checked, check_index, one_of
from .protocol import UNNAMED, HeadKey, Place, Plot


@dataclass(frozen=True)
class AtlasLimits:
    """What may be chosen.

    Attributes
    ----------
    layers, heads : int
    scores, labels : tuple of str
        Those that there are.
    texts : mapping of int to int
        How many tokens each of the texts that are kept has, by its place in the corpus.
    """

    layers: int
    heads: int
    scores: tuple[str, ...]
    labels: tuple[str, ...]
    texts: Mapping[int, int]


def check_score(value: object, limits: Any) -> str:
    """Accept the name of a score."""
    if not isinstance(value, str) or value not in limits.scores:
        raise ValueError(f"expected the name of a score: {', '.join(limits.scores)}")
    return value


def check_head(value: object, limits: Any) -> HeadKey:
    """Accept (layer, head)."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError("expected (layer, head), or None")
    layer, head = value
    return check_index(layer, limits.layers, "layers"), check_index(head, limits.heads, "heads")


def check_layers(value: object, limits: Any) -> list[int]:
    """Accept layers; return them in order, each once."""
    if not isinstance(value, Iterable):
        raise ValueError("expected a list of layers, [] for all")
    return sorted({check_index(layer, limits.layers, "layers") for layer in value})


def check_labels(value: object, limits: Any) -> list[str]:
    """Accept labels that heads have; return them in their order, each once."""
    known = (*limits.labels, UNNAMED)
    given = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    if not all(name in known for name in given):
        raise ValueError(f"expected a list of {', '.join(map(repr, known))}; [] for all")
    return [name for name in known if name in given]


def check_bound(value: object, limits: Any) -> float:
    """Accept a number that scores are held to."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(cast(float, value)):
        raise ValueError("expected a number that the score is held to, or None")
    return float(cast(float, value))


def check_place(value: object, limits: Any) -> Place:
    """Accept (text, query, key): one of the texts that are kept, and two of its tokens or None."""
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise ValueError("expected (text, query, key), as an exemplar has them, or None")
    text, *pair = value
    if type(text) is not int or text not in limits.texts:
        raise ValueError(
            f"no text {text!r:.40} is kept: of the corpus these are, counted from 0: "
            f"{_some(limits.texts)}"
        )
    tokens = limits.texts[text]
    query, key = (None if at is None else check_index(at, tokens, "tokens") for at in pair)
    return text, query, key


def _some(texts: Iterable[int], most: int = 10) -> str:
    named = sorted(texts)
    more = f" and {len(named) - most} others" if len(named) > most else ""
    return ", ".join(map(str, named[:most])) + more


class AtlasState(SavedWidget):
    """The synced traits of an atlas's view: each can be set, observed and linked.

    Attributes
    ----------
    plot : {"scores", "mds", "umap", "grid"}
        How heads lie: by `x` and `y`; near each other where they read alike; or layer by head,
        coloured by `score`.
    x, y : str
        Scores.
    score : str
        By which exemplars are chosen, the table is sorted and `least` and `most` filter.
    head : (layer, head) or None
        The chosen one, both counted from 0. With it `exemplar` is let go.
    layers : list of int
        Heads of these are shown; [] for all.
    labels : list of str
        Heads that have one of these; ``"no label"`` for those that nothing names; [] for all.
    least, most : float or None
        Heads whose score is at least, and at most, this.
    exemplar : (text, query, key) or None
        The text that is opened, by its place in the corpus, and the tokens that are pinned there,
        either None. It has to be one that the atlas keeps.
    theme : {"auto", "light", "dark"}
        ``"auto"`` follows the page.
    """

    plot = Checked(one_of(*get_args(Plot)), "scores").tag(sync=True)
    x = Checked(check_score, "distance").tag(sync=True)
    y = Checked(check_score, "entropy").tag(sync=True)
    score = Checked(check_score, "peak").tag(sync=True)
    head = Checked[HeadKey](check_head, cast(Any, None), allow_none=True).tag(sync=True)
    layers = Checked[list[int]](check_layers, []).tag(sync=True)
    labels = Checked[list[str]](check_labels, []).tag(sync=True)
    least = Checked[float](check_bound, cast(Any, None), allow_none=True).tag(sync=True)
    most = Checked[float](check_bound, cast(Any, None), allow_none=True).tag(sync=True)
    exemplar = Checked[Place](check_place, cast(Any, None), allow_none=True).tag(sync=True)
    theme = Checked(one_of(*get_args(Theme)), "auto").tag(sync=True)

    # Set by the owner before any trait is.
    _limits: AtlasLimits

    @classmethod
    def names(cls) -> list[str]:
        """Return the traits that say what is chosen."""
        return [name for name, it in cls.class_traits().items() if isinstance(it, Checked)]

    @classmethod
    def check_names(cls, given: Mapping[str, object]) -> None:
        """Raise TypeError where something is named that the view doesn't have."""
        known = cls.names()
        for name in given:
            if name not in known:
                raise TypeError(f"an atlas has no option {name!r}: known are {', '.join(known)}")

    def set_state(self, sync_data: dict[str, object]) -> None:
        """Take over the browser's state; what isn't valid is put right there too."""
        try:
            super().set_state(sync_data)
        except traitlets.TraitError:
            self.send_state([name for name in sync_data if name in self.keys])
            raise

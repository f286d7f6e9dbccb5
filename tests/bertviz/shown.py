"""What a view shows, whoever made it: read from bertviz's page, or from our explorer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np
import numpy.typing as npt

from attention_explorer import AttentionExplorer
from attention_explorer.tracing import Kind

# bertviz's names of its filters, as our segments read each other.
FILTERS = {
    "Sentence A -> Sentence A": (0, 0),
    "Sentence B -> Sentence B": (1, 1),
    "Sentence A -> Sentence B": (0, 1),
    "Sentence B -> Sentence A": (1, 0),
}
_NEURON_FILTERS = {
    "all": "",
    "aa": "Sentence A -> Sentence A",
    "bb": "Sentence B -> Sentence B",
    "ab": "Sentence A -> Sentence B",
    "ba": "Sentence B -> Sentence A",
}
_PARAMETERS = re.compile(r"(?:const params|window\.bertviz_params) = ")


@dataclass(frozen=True)
class Part:
    """One choice of what is shown: a kind of attention, or a filter.

    ``weights`` has shape (layers, heads, queries, keys), its layers and heads by these numbers.
    """

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    layers: tuple[int, ...]
    heads: tuple[int, ...]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """All that can be chosen, by name, and what it opens with; without a mode as the page is."""

    parts: Mapping[str, Part]
    opens: str
    layer: int
    heads: tuple[int, ...]
    mode: str = ""


class BrokenPageError(Exception):
    """A browser can't read the page."""


class _Scripts(HTMLParser):
    """Reads a page's scripts as a browser does: they end at the first ``</script>``."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "script":
            self._inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def read_theirs(page: str) -> Shown:
    """Return what a page of bertviz shows.

    Raises
    ------
    BrokenPageError
        The script with its data ends within the data.
    """
    reader = _Scripts()
    reader.feed(page)
    reader.close()
    (script, start) = next(
        (script, found.end())
        for script in reader.scripts
        if (found := _PARAMETERS.search(script)) is not None
    )
    try:
        params, _ = json.JSONDecoder().raw_decode(script, start)
    except json.JSONDecodeError:
        raise BrokenPageError from None
    return _of_neurons(params) if isinstance(params["attention"], dict) else _of_views(params)


def _of_views(params: dict[str, Any]) -> Shown:
    layers = tuple(params["include_layers"])
    parts = {}
    for choice in params["attention"]:
        name = (choice["name"] or "All").replace("All", "").lower()
        name = choice["name"] if choice["name"] in FILTERS else name
        weights = np.array(choice["attn"])
        heads = tuple(params.get("include_heads", range(weights.shape[1])))
        sides = tuple(choice["left_text"]), tuple(choice["right_text"])
        parts[name] = Part(*sides, layers, heads, weights)
    opens = next(iter(parts))
    layer = layers[0] if params.get("layer") is None else params["layer"]
    return Shown(parts, opens, layer, _chosen(params, parts[opens]), params.get("display_mode", ""))


def _chosen(params: dict[str, Any], part: Part) -> tuple[int, ...]:
    """Return the heads that are told from the others, if any are."""
    if "heads" in params:  # the head view, whose heads are all chosen by default
        return part.heads if params["heads"] is None else tuple(params["heads"])
    return part.heads if len(part.heads) < params["total_heads"] else ()


def _of_neurons(params: dict[str, Any]) -> Shown:
    parts = {}
    for short, choice in params["attention"].items():
        weights = np.array(choice["attn"])
        layers, heads = map(tuple, map(range, weights.shape[:2]))
        sides = tuple(choice["left_text"]), tuple(choice["right_text"])
        parts[_NEURON_FILTERS[short]] = Part(*sides, layers, heads, weights)
    return Shown(parts, "", params["layer"] or 0, (params["head"] or 0,), params["display_mode"])


def read_ours(explorer: AttentionExplorer) -> Shown:
    """Return what an explorer shows: the kind of a model of one stack has no name in bertviz."""
    kinds: Mapping[str, Kind] = explorer._variants.kinds
    names = {name: "" if explorer.trace and explorer.trace.has_model else name for name in kinds}
    parts = {names[name]: _whole(kind) for name, kind in kinds.items()}
    if "" in parts:
        (kind,) = kinds.values()
        if set(kind.tokens.segment) >= {0, 1}:
            parts |= {name: _filtered(parts[""], kind, *pair) for name, pair in FILTERS.items()}
    layer = explorer.attention.layer_numbers[explorer.layer]
    mode = explorer.theme.replace("auto", "")
    return Shown(parts, names[explorer.kind], layer, tuple(explorer.heads), mode)


def _whole(kind: Kind) -> Part:
    attention = kind.attention
    weights = [
        [attention.matrix(layer, head) for head in range(attention.n_heads)]
        for layer in range(attention.n_layers)
    ]
    keys = kind.tokens if kind.key_tokens is None else kind.key_tokens
    heads = tuple(range(attention.n_heads))
    return Part(kind.tokens.text, keys.text, attention.layer_numbers, heads, np.array(weights))


def _filtered(part: Part, kind: Kind, reads: int, is_read: int) -> Part:
    """Return what the filter between two segments leaves."""
    queries = [i for i, segment in enumerate(kind.tokens.segment) if segment == reads]
    keys = [i for i, segment in enumerate(kind.tokens.segment) if segment == is_read]
    return Part(
        tuple(part.queries[i] for i in queries),
        tuple(part.keys[i] for i in keys),
        part.layers,
        part.heads,
        part.weights[:, :, queries][..., keys],
    )


def has_all_of(ours: Shown, theirs: Shown, tolerance: float) -> bool:
    """Tell whether each weight that bertviz shows is here, by the same names and numbers."""
    for name, part in theirs.parts.items():
        own = ours.parts.get(name)
        if own is None or own.weights.shape[2:] != part.weights.shape[2:]:
            return False
        if not set(part.layers) <= set(own.layers) or not set(part.heads) <= set(own.heads):
            return False
        same = own.weights[_places(own.layers, part.layers)][:, _places(own.heads, part.heads)]
        if not np.allclose(same, part.weights, rtol=0, atol=tolerance):
            return False
    return True


def _places(all_of_them: Sequence[int], some: Sequence[int]) -> list[int]:
    return [all_of_them.index(one) for one in some]

"""Studies for a file, where nothing can be asked any more: of all heads, and of what is pinned."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..protocol import CutInfo, EditInfo, Pointer, RecordedStudy, Studied, Study
from ..requests import Wish
from ..tracing import Kind
from ..variants import in_units, key_tokens_of
from .budget import Budget

if TYPE_CHECKING:
    from ..exported import ExportedView


class Pinned(NamedTuple):
    """What is pinned, by its role: who reads, what is read, and rather than what."""

    queries: list[int]
    keys: list[int]
    against: list[int]


def record_studies(explorer: ExportedView, budget: Budget) -> list[RecordedStudy]:
    """Record what the browser would ask about what is shown, as far as there is room."""
    found: list[RecordedStudy] = []
    for study in _studies(explorer):
        try:
            recorded: RecordedStudy = {"study": study, "studied": _studied(explorer, study)}
        except ValueError:
            continue  # it can't be had of this model or text: a page can't, either
        if not budget.take(recorded):
            break
        found.append(recorded)
    return found


def why_no_more(explorer: ExportedView) -> str:
    """Return why a study isn't there, and which are."""
    queries, keys, _ = pinned_in(explorer)
    of = "of each head"
    if queries and keys:
        who, what = explorer.tokens.text[queries[0]], explorer.key_tokens.text[keys[0]]
        of += f" and of “{who.strip()}” reading “{what.strip()}”"
    return f"This page holds what was studied {of}, and can’t run the model: ask in a notebook."


def pinned_in(explorer: ExportedView) -> Pinned:
    """Return the roles of pinned tokens, as `slotsOfPins` of the renderer has them."""
    pins: list[Pointer | None] = [explorer.selected, *explorer.also]
    found = Pinned([], [], [])
    for pin in pins:
        if pin is not None:
            _put(found, *pin, same_tokens=explorer._limits.same_tokens)
    return found


def _put(found: Pinned, query: int | None, key: int | None, same_tokens: bool) -> None:
    is_token = same_tokens and key in (query, None)
    if query is not None and not found.queries:
        found.queries.append(query)
        if is_token:
            return
    read = key
    if key is None and is_token and query not in found.queries:
        read = query
    if read is None:
        return
    if not found.keys:
        found.keys.append(read)
    elif not found.against and read not in found.keys:
        found.against.append(read)


def _studies(explorer: ExportedView) -> Iterator[Study]:
    """Yield what is asked, the likeliest first."""
    description = explorer._description
    layer, head = explorer.layer, explorer.heads[0]
    if description["against"] and explorer.unit == "token":
        yield {"of": "sides"}
        yield {"of": "differ"}
    pinned = pinned_in(explorer)
    every = [(i, j) for i in range(len(description["layers"])) for j in range(description["heads"])]
    every.sort(key=lambda at: at != (layer, head))
    if pinned.queries and pinned.keys:
        query, key = pinned.queries[0], pinned.keys[0]
        queries, keys, against = pinned
        yield {"of": "reads", "queries": queries, "keys": keys, "against": against}
        for at in every:
            yield {"of": "pair", "layer": at[0], "head": at[1], "query": query, "key": key}
        for cut in _cuts(explorer, query, key):
            yield {"of": "effect", "edits": [cut], "at": None}
    edits = [edit for edit in explorer.edits if edit["on"]]
    if edits:
        yield {"of": "effect", "edits": edits, "at": None}
    for at in every:
        yield {"of": "head", "layer": at[0], "head": at[1]}


def _cuts(explorer: ExportedView, query: int, key: int) -> Iterator[EditInfo]:
    """Yield the cuts of an edge that the browser offers: in a head, a layer and everywhere."""
    if explorer.unit == "segment" or explorer.measure != "weights":
        return
    kind = explorer._variants.kinds[explorer.kind]
    cut: CutInfo = {
        "do": "cut",
        "on": True,
        "kind": explorer.kind,
        "queries": _in_tokens(kind, explorer, query),
        "keys": _in_tokens(kind, explorer, key, of_keys=True),
        "layers": [explorer.layer],
        "heads": [explorer.heads[0]],
    }
    yield cut
    yield {**cut, "heads": None}
    yield {**cut, "heads": None, "layers": None}


def _in_tokens(
    kind: Kind, explorer: ExportedView, position: int, of_keys: bool = False
) -> list[int]:
    tokens = key_tokens_of(kind) if of_keys else kind.tokens
    units: Sequence[int] = in_units(tokens, explorer._variant.unit)[1]
    return [token for token, unit in enumerate(units) if unit == position]


def _studied(explorer: ExportedView, study: Study) -> Studied:
    """Return what came of a study, as the browser asks for it."""
    wish = Wish(uuid.uuid4().hex, explorer._description["shown"], study)
    studied = None
    while studied is None:
        _, studied = explorer._study(wish)
    return studied

"""An atlas as one HTML file: heads, filters, maps and exemplars, without a kernel or a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, get_args

from ..export.budget import Budget
from ..export.files import in_folder
from ..export.page import PageFrame, plain, read_bytes, too_little
from ..unseen import Unseen
from .explorer import AtlasExplorer
from .protocol import GroupInfo, HeadKey, HeldData, Method
from .state import AtlasState
from .view import AtlasView

if TYPE_CHECKING:
    import os

_CLOSED = "A file holds no model: to open a text show the atlas in a notebook."
# What a trait of Python's alone says in a file.
_NOBODY = {"_source": "", "_explorer": None, "_open": None, "exemplar": None}


class UnseenAtlas(Unseen, AtlasExplorer):
    """A view that is made for its file alone."""


def to_html(
    explorer: AtlasExplorer,
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    max_mb: float = 10.0,
) -> str | None:
    """Write an atlas's view as one HTML file; see `HeadAtlas.to_html`."""
    file = None if path is None else in_folder(path)
    page = _page_of(explorer, title, read_bytes(max_mb))
    if file is None:
        return page
    file.write_text(page, encoding="utf-8", newline="\n")
    return None


def _page_of(explorer: AtlasExplorer, title: str | None, most: int) -> str:
    view = AtlasView(explorer.atlas)
    name = f"Heads of {explorer.atlas.model_name}" if title is None else title
    around = f'<section><p class="plain">{plain(repr(explorer.atlas))}</p></section>'
    frame = PageFrame(name, around, "atlas_page")
    held: HeldData = {"groups": {}, "texts": {}, "positions": {}, "said": ""}
    state = {**_state_of(explorer, view), "_held": held}
    page = {"module": str(explorer._esm), "state": state}
    left = most - len(frame.around(page).encode())
    if left < 0:
        raise too_little(most, left, "its code and the heads' scores")
    state["_held"] = _hold(explorer, view, Budget(left))
    return frame.around(page)


def _state_of(explorer: AtlasExplorer, view: AtlasView) -> dict[str, Any]:
    names = AtlasState.names()
    chosen = {name: getattr(explorer, name) for name in names}
    return {
        **chosen,
        **_NOBODY,
        "_info": view.info(_CLOSED),
        "_numbers": explorer._numbers,
        "_uuid": explorer._uuid,
    }


def _hold(explorer: AtlasExplorer, view: AtlasView, budget: Budget) -> HeldData:
    """Return what there is room for: maps, then exemplars, those of the chosen score first."""
    held: HeldData = {"groups": {}, "texts": {}, "positions": {}, "said": ""}
    missing = list[str]()
    budget.take("x" * 200)
    for method in get_args(Method):
        try:
            packed = view.positions(method)
        except ModuleNotFoundError:
            missing.append(f"{method.upper()} (umap-learn isn't installed)")
            continue
        if budget.take([method, packed]):
            held["positions"][method] = packed
        else:
            missing.append(method.upper())
    wanted = list(_wanted(explorer))
    for head, score in wanted:
        groups = view.exemplars(head, score)
        texts = {
            place: text
            for place, text in view.texts_of(groups).items()
            if place not in held["texts"]
        }
        name = f"{head[0]}.{head[1]} {score}"
        if not budget.take([name, _short(groups), texts]):
            left = len(wanted) - len(held["groups"])
            missing.append(f"exemplars of {left:,} heads and scores")
            break
        held["groups"][name] = _short(groups)
        held["texts"] |= texts
    if missing:
        held["said"] = f"Not in this file: {', '.join(missing)}."
    return held


def _wanted(explorer: AtlasExplorer) -> Iterator[tuple[HeadKey, str]]:
    """Yield heads and scores: every head's chosen score, then what each is named for, then all."""
    layers, heads = explorer.atlas.shape
    every = [(layer, head) for layer in range(layers) for head in range(heads)]
    info = explorer._info
    named = {
        (head, label["measure"])
        for head, its in zip(every, info["labels"], strict=True)
        for label in its
        if label["measure"]
    }
    ranked = [explorer.score, *(score["name"] for score in info["scores"])]
    pairs = [(head, explorer.score) for head in every]
    pairs += sorted(named)
    pairs += [(head, score) for score in ranked for head in every]
    yield from dict.fromkeys(pairs)


def _short(groups: list[GroupInfo]) -> list[GroupInfo]:
    """Return exemplars whose numbers are as long as they are shown."""
    return [
        {
            "name": group["name"],
            "exemplars": [
                {**it, "weight": _rounded(it["weight"]), "score": _rounded(it["score"])}
                for it in group["exemplars"]
            ],
        }
        for group in groups
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")

"""An atlas taken away: as one file, and as a still for pages without widgets."""

from __future__ import annotations

import base64
import json
import re
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from attention_explorer.atlas import profile_heads
from attention_explorer.atlas.still import _COLOURS, _QUIET, still_of
from attention_explorer.opening import STILL_BYTES

from .conftest import Made

MARKS = Path(__file__).resolve().parents[2] / "js" / "src" / "atlas" / "marks.ts"


def state_of(page: str) -> dict[str, Any]:
    """Return what a file holds, read as its script does."""
    held = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)
    assert held is not None
    state: dict[str, Any] = json.loads(held[1])["state"]
    return state


def test_a_file_holds_every_heads_exemplars(made: Made) -> None:
    """Catches exemplars under another head's name, and texts that aren't there."""
    state = state_of(made.atlas.explore(head=(1, 0), score="previous").to_html() or "")
    held = state["_held"]
    assert state["head"] == [1, 0]
    assert len(held["groups"]) == 2 * 3 * len(made.atlas.scores)
    first = held["groups"]["1.2 entropy"][0]["exemplars"][0]
    assert first["score"] == pytest.approx(made.atlas.search(1, 2, "entropy")[0].score, rel=1e-3)
    places = {it["text"] for its in held["groups"].values() for g in its for it in g["exemplars"]}
    assert {str(place) for place in places} <= set(held["texts"])
    assert "mds" in held["positions"]


def test_a_small_file_holds_the_chosen_score_and_says_what_it_lacks(made: Made) -> None:
    """Catches a file above its limit, and one that leaves out the very score that is shown."""
    view = made.atlas.explore(score="previous")
    least = len((made.atlas.to_html(max_mb=10) or "").encode())
    most = 0.9 * least / 1e6
    page = view.to_html(max_mb=most) or ""
    assert len(page.encode()) <= most * 1e6
    held = state_of(page)["_held"]
    assert re.search(r"exemplars of \d+ heads and scores", held["said"])
    assert all(f"{layer}.{head} previous" in held["groups"] for layer in (0, 1) for head in (0, 2))
    with pytest.raises(ValueError, match="its code and the heads' scores, takes 0"):
        view.to_html(max_mb=0.01)


def test_a_file_leaves_nothing_open(made: Made) -> None:
    """Catches a view that nobody sees, and that a notebook saves with each file once more."""
    before = set(_instances)
    page = made.atlas.to_html() or ""
    assert state_of(page)["_info"]["kept"] == 20
    assert _instances.keys() == before


@pytest.mark.parametrize("dark", [False, True])
def test_a_stills_colours_are_the_views(dark: bool) -> None:
    """Catches a label that has one colour in the view and another in the picture beside it."""
    colours = re.findall(
        r"(?:const |\")?([\w ]+)\"?: (?:Mark = )?{ form: .*light: \[(.*)], dark: \[(.*)] }",
        MARKS.read_text(encoding="utf-8"),
    )
    theirs = {name: its[dark].split(", ") for name, *its in colours}
    ours = {name: its[dark] for name, its in {**_COLOURS, "UNMARKED": _QUIET}.items()}
    assert ours == {name: f"#{bytes(map(int, rgb)).hex()}" for name, rgb in theirs.items()}


def test_a_still_has_a_dot_for_every_head(made: Made) -> None:
    """Catches a still that leaves heads out, and one that a saved notebook can't afford."""
    bundle = made.atlas._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    html = bundle["text/html"]
    assert len(html) <= STILL_BYTES
    data = re.search(r"base64,([^']+)'", html)
    assert data is not None
    svg = ET.fromstring(base64.b64decode(data[1]))
    paths = [path.get("d", "") for path in svg.iter("{http://www.w3.org/2000/svg}path")]
    assert "".join(paths).count("M") == 6


def test_a_score_that_no_text_has_is_no_warning(made: Made) -> None:
    """Catches a cell that ends in numpy's warnings, where nothing is repeated."""
    atlas = profile_heads(made.model, made.tokenizer, ["a b c", "b d e f"], progress=False)
    assert np.isnan(atlas.score("induction")).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        still = still_of(atlas, "induction", "entropy", dark=False)
    assert still.startswith("<img")

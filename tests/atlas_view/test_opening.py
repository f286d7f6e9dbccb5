"""A text of an atlas in an explorer: read once it is opened, at the head and tokens chosen."""

from __future__ import annotations

import gc
import json
import weakref
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attention_explorer.atlas.explorer import AtlasExplorer
from tests.atlas.conftest import make_encoder

from .conftest import Made

if TYPE_CHECKING:
    from tests.explorer.conftest import Wire


@pytest.fixture
def opened(made: Made, wires: dict[str, Wire]) -> tuple[AtlasExplorer, Wire]:
    view = made.atlas.explore(made.model, made.tokenizer, theme="dark")
    view.get_state()
    assert view._source is not None
    return view, wires[view._source.model_id]


def open_text(wire: Wire, head: tuple[int, int], place: tuple[int, Any, Any], run: str) -> None:
    """Ask as a browser does: until it is shown."""
    for _ in range(1000):
        request = {"id": "r", "kind": "open", "run": run, "head": head, "place": place}
        reply, _ = wire.request(request)
        assert reply["kind"] == "open", reply
        if reply["progress"] == 1:
            return
    raise AssertionError("it is never shown")


def test_a_text_opens_with_the_exemplars_own_weight(
    made: Made, opened: tuple[AtlasExplorer, Wire]
) -> None:
    """Catches a text that is traced otherwise than it was profiled, or another layer's head."""
    view, wire = opened
    assert view.opened is None
    for number, found in enumerate(made.atlas.search(1, 2, "peak", top=3)):
        place = (made.texts.index(found.text), found.query, found.key)
        open_text(wire, (1, 2), place, f"run {number}")
        explorer = view.opened
        assert explorer is not None
        assert (explorer.layer, explorer.heads, explorer.theme) == (1, [2], "dark")
        assert explorer.selected == (found.query, found.key)
        weight = explorer.weights()[found.query, found.key]
        np.testing.assert_allclose(weight, found.weight, atol=1e-6)
        assert view._open == ((1, 2), place)
        assert view._explorer is explorer


def test_what_a_notebook_saves_is_of_the_head_that_was_chosen(
    made: Made, opened: tuple[AtlasExplorer, Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a text that is blank once its kernel is gone: of layer 0 head 0, at another head."""
    monkeypatch.setattr("attention_explorer.opening.SNAPSHOT_BYTES", 500)  # as if it were long
    view, wire = opened
    open_text(wire, (1, 2), (next(iter(view._limits.texts)), 1, 0), "a")
    assert view.opened is not None
    saved = json.loads(zlib.decompress(view.opened._snapshot["header"]))
    assert [tile[:2] for tile in saved["weights"]["tiles"]] == [[1, 2]]


def test_another_place_of_the_same_text_needs_no_pass(
    made: Made, opened: tuple[AtlasExplorer, Wire]
) -> None:
    """Catches a model that runs again for what is shown already."""
    view, wire = opened
    text = next(iter(view._limits.texts))
    open_text(wire, (0, 0), (text, 1, 0), "a")
    assert view.opened is not None
    traced = view.opened.trace
    passes = []
    hook = made.model.register_forward_hook(lambda *_: passes.append(1))
    open_text(wire, (1, 1), (text, None, None), "b")
    hook.remove()
    assert view.opened.trace is traced
    assert not passes
    assert (view.opened.layer, view.opened.heads, view.opened.selected) == (1, [1], None)


def test_where_else_is_of_what_is_looked_at_now(
    made: Made, opened: tuple[AtlasExplorer, Wire]
) -> None:
    """Catches exemplars like what was pinned when the text was opened."""
    view, wire = opened
    text = next(iter(view._limits.texts))
    open_text(wire, (0, 0), (text, 1, 0), "a")
    assert view.opened is not None
    view.opened.selected, view.opened.heads = (1, 1), [2]
    reply, _ = wire.request({"id": "r", "kind": "like"})
    expected = made.atlas.like(view.opened)
    (group,) = reply["groups"]
    assert [it["weight"] for it in group["exemplars"]] == pytest.approx(
        [it.weight for it in expected]
    )
    assert reply["said"].endswith("in 0.2")


def test_another_model_is_refused_at_once(made: Made) -> None:
    """Catches weights beside exemplars that aren't of their model."""
    with pytest.raises(ValueError, match="isn't the model"):
        made.atlas.explore(make_encoder(seed=1), made.tokenizer)


def test_a_closed_view_lets_go_of_the_model(made: Made, wires: dict[str, Wire]) -> None:
    """Catches a model of gigabytes that a closed view keeps."""
    model = make_encoder()
    view = made.atlas.explore(model, made.tokenizer)
    view.get_state()
    assert view._source is not None
    wire = wires[view._source.model_id]
    open_text(wire, (0, 0), (next(iter(view._limits.texts)), 1, 0), "a")
    gone = weakref.ref(model)
    view.close()
    del model
    gc.collect()
    assert gone() is None

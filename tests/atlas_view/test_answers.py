"""What an atlas's data model answers: the numbers and texts that Python finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attention_explorer.atlas.explorer import AtlasExplorer
from attention_explorer.atlas.names import SHOWN

from .conftest import Made

if TYPE_CHECKING:
    from tests.explorer.conftest import Wire


def open_view(made: Made, wires: dict[str, Wire], **options: Any) -> tuple[AtlasExplorer, Wire]:
    view = made.atlas.explore(**options)
    view.get_state()
    assert view._source is not None
    return view, wires[view._source.model_id]


def test_all_numbers_are_those_of_the_table(made: Made) -> None:
    """Catches planes that are swapped, and scores in another order than their names."""
    import zlib

    view = made.atlas.explore()
    planes = np.frombuffer(zlib.decompress(view._numbers), "<f4").reshape(3, len(SHOWN), 2, 3)
    frame = made.atlas.to_frame(by="score")
    half = (frame["high"] - frame["low"]) / 2
    names = [score["name"] for score in view._info["scores"]]
    for place, name in enumerate(names):
        for at in np.ndindex(2, 3):
            row = (*at, name)
            expected = [frame["mean"][row], half[row], frame["texts"][row]]
            np.testing.assert_allclose(planes[(slice(None), place, *at)], expected, rtol=1e-5)


def test_exemplars_are_the_highest_then_the_lowest(made: Made, wires: dict[str, Wire]) -> None:
    """Catches an order that is turned round, and the pair of another head."""
    _, wire = open_view(made, wires)
    request = {"id": "r1", "kind": "exemplars", "head": [1, 2], "score": "entropy"}
    reply, _ = wire.request(request)
    found = made.atlas.search(1, 2, "entropy", top=20)
    groups = {group["name"]: group["exemplars"] for group in reply["groups"]}
    assert list(groups) == ["highest tenth", "in the middle", "lowest tenth"]
    assert groups["highest tenth"][0]["score"] == pytest.approx(found[0].score)
    assert groups["lowest tenth"][-1]["score"] == pytest.approx(found[-1].score)
    for exemplar in [it for its in groups.values() for it in its]:
        text = reply["texts"][str(exemplar["text"])]
        own = next(it for it in found if it.text == made.texts[exemplar["text"]])
        assert tuple(text["tokens"]) == own.tokens
        assert (exemplar["query"], exemplar["key"]) == (own.query, own.key)
        assert exemplar["weight"] == pytest.approx(own.weight)


def test_positions_are_columns(made: Made, wires: dict[str, Wire]) -> None:
    """Catches pairs that are sent where two rows are read."""
    _, wire = open_view(made, wires)
    _, (data,) = wire.request({"id": "r1", "kind": "positions", "method": "mds"})
    expected = made.atlas.positions("mds").reshape(6, 2).T
    np.testing.assert_allclose(np.frombuffer(data, "<f4").reshape(2, 6), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"kind": "sing"}, "unknown kind of request 'sing'"),
        ({"kind": "exemplars", "head": [2, 0], "score": "entropy"}, "2 layers"),
        ({"kind": "exemplars", "head": [0, 0], "score": "loud"}, "name of a score"),
        ({"kind": "positions", "method": "pca"}, "mds, umap"),
        ({"kind": "like"}, "open a text"),
        ({"kind": "open", "run": 1, "head": [0, 0], "place": [0, 0, 0]}, "needs run"),
        ({"kind": "open", "run": "a", "head": [0, 0], "place": [999, 0, 0]}, "is kept"),
    ],
)
def test_what_cant_be_answered_is_an_error_with_its_id(
    made: Made, wires: dict[str, Wire], request_: dict[str, object], said: str
) -> None:
    """Catches an exception in the comm, after which a browser would wait for ever."""
    _, wire = open_view(made, wires)
    reply, _ = wire.request({"id": "r7", **request_})
    assert (reply["id"], reply["kind"]) == ("r7", "error")
    assert said in reply["message"]


def test_without_a_model_opening_says_what_it_needs(made: Made, wires: dict[str, Wire]) -> None:
    view, wire = open_view(made, wires)
    text = next(iter(view._limits.texts))
    place = {"head": [0, 0], "place": [text, 0, 0]}
    reply, _ = wire.request({"id": "r1", "kind": "open", "run": "a", **place})
    assert "atlas.explore(model, tokenizer)" in reply["message"]
    assert "atlas.explore(model, tokenizer)" in view._info["closed"]

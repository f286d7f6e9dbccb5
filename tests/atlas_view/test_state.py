"""What may be chosen of an atlas, from Python and from a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import traitlets

from .conftest import Made

if TYPE_CHECKING:
    from tests.explorer.conftest import Wire


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("x", "loudness", "expected the name of a score: entropy"),
        ("plot", "cloud", "'grid'"),
        ("head", (2, 0), "0 to 1, as there are 2 layers"),
        ("head", (0, 3), "0 to 2, as there are 3 heads"),
        ("head", 5, r"\(layer, head\)"),
        ("layers", [0, 2], "2 layers"),
        ("labels", ["loud"], "'no label'"),
        ("least", "much", "a number"),
        ("most", float("nan"), "a number"),
        ("exemplar", (10_000, 0, 0), "no text 10000 is kept"),
        ("exemplar", 3, r"\(text, query, key\)"),
        ("theme", "blue", "'dark'"),
    ],
)
def test_what_isnt_there_is_refused_in_a_sentence(
    made: Made, name: str, value: object, said: str
) -> None:
    """Catches layers and heads that are swapped in a check, and a value that is taken unread."""
    view = made.atlas.explore()
    before = getattr(view, name)
    with pytest.raises(traitlets.TraitError, match=said):
        setattr(view, name, value)
    assert getattr(view, name) == before


def test_what_is_chosen_is_kept_in_one_form(made: Made) -> None:
    view = made.atlas.explore(
        head=[1, 2], layers=[1, 0, 1], labels="no label", least=1, x="previous"
    )
    assert (view.head, view.layers, view.labels) == ((1, 2), [0, 1], ["no label"])
    assert (view.least, view.x, view.y) == (1.0, "previous", "entropy")


def test_an_unknown_option_is_named(made: Made) -> None:
    """Catches an option that is dropped in silence, as anywidgets do."""
    with pytest.raises(TypeError, match="no option 'heads': known are exemplar, head, labels"):
        made.atlas.explore(heads=(0, 1))


def test_another_head_lets_the_exemplar_go(made: Made) -> None:
    """Catches a place of one head that is opened at another."""
    text = int(made.atlas._contents.tally.exemplars.index[0])
    view = made.atlas.explore(head=(0, 1), exemplar=(text, 1, 0))
    assert view.exemplar == (text, 1, 0)
    view.head = (1, 1)
    assert view.exemplar is None


def test_a_browsers_mistake_is_put_right_there(made: Made, wires: dict[str, Wire]) -> None:
    """Catches a browser that goes on with a head which Python refused."""
    view = made.atlas.explore(head=(0, 1))
    wire = wires[view.model_id]
    assert wire.set_state(head=[9, 9]) == [{"head": (0, 1)}]
    assert view.head == (0, 1)
    wire.set_state(head=[1, 2])
    assert view.head == (1, 2)

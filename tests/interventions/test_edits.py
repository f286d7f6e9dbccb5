"""Edits as a person lists, switches and keeps them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from attention_explorer import trace
from attention_explorer.interventions import (
    AblateHead,
    CutEdges,
    Edit,
    Edits,
    ReplaceToken,
    measure,
)

from .models import headed

TEXT = "the cat sat on the mat ."
ABLATE = AblateHead(2, 1, "mean")
CUT = CutEdges([5, 3], "cat", range(1, 3), 0)
REPLACE = ReplaceToken(6, "cat")


def test_positions_are_read_however_they_are_given() -> None:
    """Two ways of naming the same have to be one edit, also for a list that is compared."""
    expected = CutEdges([2, 3, 4], [1], [0, 1], [2])
    for queries in (range(2, 5), slice(2, 5), (2, 3, 4), np.arange(2, 5), [range(2, 4), 4]):
        assert CutEdges(queries, 1, range(2), np.int64(2)) == expected  # type: ignore[arg-type]
    assert CutEdges([2, 3, 4], slice(1, 2), {1, 0}, (2,)) == expected


# Of what a type checker would have said.
ablate: Any = AblateHead
cut: Any = CutEdges
replace: Any = ReplaceToken
edits_of: Any = Edits


@pytest.mark.parametrize(
    ("made", "error", "message"),
    [
        (lambda: ablate(-1, 0), ValueError, "layer counts from 0, got -1"),
        (lambda: ablate(0, 1.5), TypeError, r"head has to be a whole number, got 1.5 \(float"),
        (lambda: ablate(0, True), TypeError, "head has to be a whole number, got True"),
        (lambda: ablate(0, 0, "median"), ValueError, "by 'zero' or 'mean', got by='median'"),
        (lambda: ablate(0, 0, kind=3), TypeError, "kind is the name of a kind of attention"),
        (lambda: cut([], 1), ValueError, "queries name no token"),
        (lambda: cut(1, slice(2, None)), ValueError, "keys end nowhere"),
        (lambda: cut(1, [2, None]), TypeError, "each of keys has to be a whole number"),
        (lambda: cut(-1, 1), ValueError, "each of queries counts from 0"),
        (lambda: cut(1, 1, layers=[]), ValueError, "layers is empty"),
        (lambda: cut(1, 1, heads="all"), TypeError, "each of heads has to be a whole number"),
        (lambda: replace(1, ""), ValueError, "an empty string is no token"),
        (lambda: replace(1, 2.0), TypeError, "token has to be a whole number"),
        (lambda: replace(1, "a", "left"), ValueError, "in the 'source' or in the 'target'"),
        (lambda: edits_of(["head 3"]), TypeError, "edits are AblateHead"),
        (lambda: edits_of([ABLATE], [True, False]), ValueError, "1 edits need 1 switches, got 2"),
        (lambda: Edits().without(0), ValueError, "there is no edit 0: there is none"),
        (lambda: Edits(CUT).switch(1), ValueError, "no edit 1: they are counted 0 to 0"),
    ],
)
def test_what_cannot_be_meant_is_said(made: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        made()


def test_every_change_makes_new_edits_and_can_be_undone() -> None:
    """A panel that kept the old list must not see it change."""
    first = Edits().with_(ABLATE)
    second = first.with_(CUT)
    third = second.switch(0)
    fourth = third.replaced(1, REPLACE)
    fifth = fourth.without(0)
    assert list(first) == [ABLATE]
    assert first.active == (ABLATE,)
    assert second == Edits([ABLATE, CUT])
    assert third.on == (False, True)
    assert third.active == (CUT,)
    assert third.switch(0).on == third.switch(0, True).on == (True, True)
    assert third.switch(0, False).on == (False, True)
    assert fourth == Edits([ABLATE, REPLACE], [False, True])
    assert fifth == Edits(REPLACE)
    assert fifth.undone() is fourth
    assert fifth.undone().undone().undone() is second
    assert Edits().undone() == Edits()
    assert len(fourth) == 2
    assert fourth[1] is REPLACE


@pytest.mark.parametrize(
    "edits",
    [
        Edits(),
        Edits([ABLATE, CUT, REPLACE], [True, False, True]),
        Edits([AblateHead(0, 3), CutEdges(2, 0, kind="cross"), ReplaceToken("cat", 4, "target")]),
    ],
)
def test_json_and_python_are_the_same_edits(edits: Edits) -> None:
    assert Edits.from_json(json.loads(json.dumps(edits.to_json()))) == edits
    source = edits.as_python("shown", at="it's")
    made: dict[str, Any] = {}
    exec(source.split("effect = ")[0], made)
    assert made["edits"] == edits
    assert source.splitlines()[-2:] == [
        'effect = measure(shown, edits, at="it\'s")',
        "print(effect.said)",
    ]


def test_json_is_small() -> None:
    """What is as by default needn't cross the wire."""
    assert Edits([AblateHead(3, 5), CUT], [True, False]).to_json() == [
        {"edit": "ablate", "layer": 3, "head": 5},
        {
            "edit": "cut",
            "queries": [5, 3],
            "keys": ["cat"],
            "layers": [1, 2],
            "heads": [0],
            "on": False,
        },
    ]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"edit": "cut"}, TypeError, "edits are a list of objects, got dict"),
        (["cut"], TypeError, "edit 0 has to be an object, got str"),
        ([{"layer": 1}], ValueError, "edit 0 is None, and has to be one of 'ablate', 'cut'"),
        ([{"edit": "ablate", "layer": 1}], ValueError, r"edit 0 \(ablate\) has no 'head'"),
        (
            [{"edit": "replace", "position": 1, "token": 3, "to": 4}],
            ValueError,
            r"edit 0 \(replace\) has 'to', which isn't known",
        ),
        (
            [{"edit": "ablate", "layer": -1, "head": 0}],
            ValueError,
            r"edit 0 \(ablate\): layer counts from 0",
        ),
        (
            [{"edit": "ablate", "layer": 1, "head": 0, "on": "no"}],
            TypeError,
            "edit 0: on is true or false",
        ),
    ],
)
def test_json_of_something_else_is_refused(
    given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Edits.from_json(given)


def test_the_python_measures_the_same(tokenizer: Any, capsys: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    edits = Edits([ABLATE, CutEdges([5, 6], ["cat", 0], range(3)), REPLACE], [True, True, False])
    effect = measure(traced, edits, at=6)
    done: dict[str, Any] = {"traced": traced}
    exec(edits.as_python(at=6), done)
    assert done["effect"] == effect
    assert capsys.readouterr().out == f"{effect.said}\n"


def test_switched_off_is_not_done(tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    edits: list[Edit] = [AblateHead(1, 2), CutEdges(6, 2)]
    alone = measure(traced, edits[1], at=6)
    switched = measure(traced, Edits(edits, [False, True]), at=6)
    assert switched.change == alone.change
    assert switched.said == alone.said
    assert switched.notes == alone.notes
    assert measure(traced, edits, at=6).change != alone.change
    with pytest.raises(ValueError, match="no edit is switched on"):
        measure(traced, Edits(edits, [False, False]))


def test_edits_are_made_without_torch() -> None:
    """A page that lists edits must not wait for torch to load."""
    script = (
        "import sys; from attention_explorer.interventions import Edits, measure; "
        "assert not {'torch', 'transformers', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

"""The table of both answers is what both answer."""

from __future__ import annotations

import inspect
from typing import Any

import bertviz.neuron_view
import pytest

import bertviz
from attention_explorer import bertviz as ours

from . import parity
from .cases import BEYOND, CASES, REFUSED, Case


def test_the_table_is_what_both_answer() -> None:
    """Catches an answer that changed, here or in bertviz: renew it and read the difference."""
    written = parity.TABLE.read_text(encoding="utf-8")
    assert written == parity.render(), "python -m tests.bertviz.parity --write"


@pytest.mark.parametrize("case", [*CASES, *REFUSED, *BEYOND], ids=lambda case: case.call)
def test_an_answer_stands_to_bertvizs_as_the_case_says(case: Case) -> None:
    """Catches weights of another head, layer or side; a filter or a number lost; a lax argument."""
    parity.check(case, case.theirs(), case.ours())


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (ours.head_view, bertviz.head_view),
        (ours.model_view, bertviz.model_view),
        (ours.neuron_view, bertviz.neuron_view.show),
    ],
)
def test_parameters_are_bertvizs_in_name_order_and_default(own: Any, theirs: Any) -> None:
    """Catches a call by position that lands elsewhere, as notebooks make them."""
    found, expected = (inspect.signature(one).parameters.values() for one in (own, theirs))
    shared = [(p.name, p.default) for p in found if p.kind is not p.KEYWORD_ONLY]
    assert shared == [(p.name, p.default) for p in expected]

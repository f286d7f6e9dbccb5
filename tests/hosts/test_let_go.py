"""What was closed is let go of: explorers, their weights, and the threads that work for them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import comm
import pytest

from attention_explorer import AttentionExplorer, demo_model, trace

TEXT = "The cat sat on the mat because it was tired."
MANY = 20

Use = Callable[[AttentionExplorer], None]


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    return demo_model()


def show(_: AttentionExplorer) -> None:
    """Open it, and no more."""


def ask(explorer: AttentionExplorer) -> None:
    """Ask for a tile, rows and scores, and go before the answer is fetched."""
    lines = {"strips": [], "rows": [[0, 1, 3]], "columns": [], "masses": [], "spans": []}
    tiles = [[layer, 2, 0, 0, 0, "max"] for layer in range(6)]
    request(explorer, kind="weights", tiles=tiles, scores=True, **lines)


def look(explorer: AttentionExplorer) -> None:
    """Study what is known, and show something else than weights."""
    request(explorer, kind="study", run="a look", study={"of": "head", "layer": 5, "head": 11})
    explorer.measure = "norms"


def sweep(explorer: AttentionExplorer) -> None:
    """Have the model run once for each head, and go before it has."""
    study = {"of": "sweep", "over": "heads", "layer": 0, "head": 0, "at": None}
    request(explorer, kind="study", run="a sweep", study={**study, "query": None, "key": None})


def request(explorer: AttentionExplorer, **fields: object) -> None:
    """Ask as the browser does."""
    assert explorer._data is not None
    explorer._data._on_request(None, {"id": "1", "shown": "encoder", **fields}, [])


def open_and_close(model: tuple[Any, Any], use: Use) -> list[weakref.ref[Any]]:
    traced = trace(*model, TEXT)
    explorer = AttentionExplorer(traced)
    use(explorer)
    explorer.close()
    return [weakref.ref(each) for each in (explorer, explorer._data, traced, traced.attention)]


def alive(refs: list[weakref.ref[Any]]) -> list[str]:
    gc.collect()
    return [type(ref()).__name__ for ref in refs if ref() is not None]


@pytest.mark.parametrize("use", [show, ask, look, sweep])
def test_a_closed_explorer_leaves_nothing(model: tuple[Any, Any], use: Use) -> None:
    """Catches a registry, a callback or a thread that holds on to the weights."""
    before = set(threading.enumerate())
    refs = open_and_close(model, use)
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("run ", "attention-")):
            thread.join(30)
            assert not thread.is_alive(), f"{thread.name} works on for nobody"
    assert alive(refs) == []


def test_a_cell_that_closes_what_it_showed_before_can_run_for_ever(model: tuple[Any, Any]) -> None:
    """Catches a little that stays of each: anywidget keeps all whose module is a file."""
    refs = [ref for _ in range(MANY) for ref in open_and_close(model, show)]
    assert alive(refs) == []


def test_what_the_host_closed_goes_when_the_next_explorer_opens(model: tuple[Any, Any]) -> None:
    """Catches the traces of all runs of a marimo cell, which nobody can reach any more."""
    explorer = AttentionExplorer(trace(*model, TEXT))
    refs: list[weakref.ref[Any]] = [weakref.ref(explorer), weakref.ref(explorer.attention)]
    message = {"content": {"comm_id": explorer.model_id}}
    del explorer
    assert alive(refs) == ["AttentionExplorer", "QKAttention"], "a browser may show it"
    manager: Any = comm.get_comm_manager()
    manager.comm_close(None, "", message)
    AttentionExplorer.demo()
    assert alive(refs) == []

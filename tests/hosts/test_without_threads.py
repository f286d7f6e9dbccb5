"""Python in a browser, as in JupyterLite: threads can be imported and not started."""

from __future__ import annotations

import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest

from attention_explorer import AttentionExplorer

MANY = 500
NOTHING: dict[str, Any] = {"strips": [], "columns": [], "masses": [], "spans": []}
# What Pyodide's Python says, and what starts something when it is imported.
IMPORT = """
import sys, threading

def start(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = start
import attention_explorer
attention_explorer.AttentionExplorer, attention_explorer.Trace
ours = [module for name, module in sys.modules.items() if name.startswith("attention_explorer")]
used = {name for module in ours for name in vars(module)}
print(*sorted(used & {"IPython", "multiprocessing", "socket", "subprocess"}))
"""


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", start)


def request(explorer: AttentionExplorer, **fields: object) -> tuple[Any, list[bytes]]:
    """Ask as the browser does."""
    assert explorer._data is not None
    return explorer._data._answer("1", fields)


@pytest.mark.usefixtures("no_threads")
def test_what_is_too_large_to_come_at_once_is_computed_all_the_same() -> None:
    """Catches a long text whose every weight is an error: no thread can be started for it."""
    weights = np.random.default_rng(0).dirichlet(np.ones(600), (2, 3, 600)).astype("float32")
    explorer = AttentionExplorer(weights, [f"w{i}" for i in range(600)])
    rows, tiles, scores = [(1, 2, 77)], [(1, 2, 2, 0, 0, "max"), (0, 1, 0, 2, 2, "max")], True
    got = None
    for _ in range(MANY):
        asked = {"rows": rows, "tiles": tiles, "scores": scores}
        reply, (_, lines) = request(explorer, kind="weights", shown="", **asked, **NOTHING)
        if reply["rows"]:
            got = np.frombuffer(zlib.decompress(lines), "<f4", 600)
        rows = [key for key in rows if key not in reply["rows"]]
        tiles = [key for key in tiles if key not in reply["tiles"]]
        scores = scores and not reply["scores"]
        if not (rows or tiles or scores):
            break
    assert (rows, tiles, scores) == ([], [], False), "the browser asks on and on"
    np.testing.assert_array_equal(got, weights[1, 2, 77])


@pytest.mark.usefixtures("no_threads")
def test_a_head_is_studied_when_it_is_asked_for() -> None:
    """Catches a study that nobody ever works on."""
    study = {"of": "head", "layer": 5, "head": 11}
    reply, _ = request(AttentionExplorer.demo(), kind="study", shown="encoder", run="", study=study)
    assert (reply["progress"], reply["studied"]["of"]) == (1.0, "head")


def test_importing_it_starts_and_asks_nothing() -> None:
    """Catches a thread that an import starts, and modules that a browser's Python hasn't."""
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("", 0), done.stderr

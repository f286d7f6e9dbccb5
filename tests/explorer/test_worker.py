"""What takes long gives way, and what is no longer wanted is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from attention_explorer.worker import Steps, Worker

LONG = 30.0


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(threading.Lock())
    yield worker
    worker.close()


def counting(seen: list[str], name: str, steps: int, gate: threading.Event | None = None) -> Steps:
    """Do so many steps, each noted in `seen`; after the first wait for `gate`."""
    for step in range(steps):
        seen.append(name)
        yield (step + 1) / steps
        if gate is not None:
            assert gate.wait(LONG)
    return np.full(2, steps, dtype=np.float32)


def test_what_is_quick_is_finished_in_one_go(worker: Worker) -> None:
    seen: list[str] = []
    jobs = {name: counting(seen, name, 2) for name in "ab"}
    results, share = worker.finish(jobs, LONG)
    assert {name: result.tolist() for name, result in results.items()} == {"a": [2, 2], "b": [2, 2]}
    assert share is None
    assert seen == ["a", "a", "b", "b"], "in the order that they were asked for"


def test_what_takes_long_says_how_far_it_is_and_goes_on_when_asked_again(worker: Worker) -> None:
    seen: list[str] = []
    gate = threading.Event()
    results, share = worker.finish({"slow": counting(seen, "first", 4, gate)}, 0.05)
    assert results == {}
    assert share is not None
    assert 0 <= share <= 0.5
    gate.set()
    results, share = worker.finish({"slow": counting(seen, "again", 4)}, LONG)
    assert list(results) == ["slow"]
    assert share is None
    assert set(seen) == {"first"}, "work that was begun isn't begun anew"


def test_what_is_not_asked_for_again_is_left(worker: Worker) -> None:
    """A fast zoom would else wait for every picture on its way."""
    seen: list[str] = []
    gate = threading.Event()
    worker.finish({"old": counting(seen, "old", 1000, gate)}, 0.02)
    gate.set()
    results, _ = worker.finish({"new": counting(seen, "new", 3)}, LONG)
    assert list(results) == ["new"]
    after = seen.count("old")
    worker.finish({"newer": counting(seen, "newer", 50)}, LONG)
    assert seen.count("old") == after < 1000


def test_an_error_reaches_who_asked_and_the_next_job_is_done(worker: Worker) -> None:
    def failing() -> Steps:
        yield 0.5
        raise RuntimeError("device gone")

    with pytest.raises(RuntimeError, match="device gone"):
        worker.finish({"bad": failing()}, LONG)
    results, _ = worker.finish({"good": counting([], "good", 2)}, LONG)
    assert list(results) == ["good"]


def test_a_step_waits_for_whoever_holds_the_lock() -> None:
    lock = threading.Lock()
    worker = Worker(lock)
    seen: list[str] = []
    with lock:
        results, share = worker.finish({"a": counting(seen, "a", 2)}, 0.05)
        assert (results, share, seen) == ({}, 0.0, [])
    results, _ = worker.finish({"a": counting(seen, "a", 2)}, LONG)
    assert list(results) == ["a"]
    worker.close()


def test_torch_has_one_thread_in_the_worker_and_as_many_as_before_elsewhere(worker: Worker) -> None:
    """Two threads that wait for each other beside a busy machine took 30 times as long."""
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()

    def threads() -> Steps:
        yield 0.0
        return np.full(1, torch.get_num_threads(), dtype=np.float32)

    torch.set_num_threads(2)
    try:
        results, _ = worker.finish({"here": threads()}, LONG)
        assert results["here"].tolist() == [1]
        elsewhere: list[int] = []
        other = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
        other.start()
        other.join()
        assert (torch.get_num_threads(), elsewhere) == (2, [2])
    finally:
        torch.set_num_threads(before)

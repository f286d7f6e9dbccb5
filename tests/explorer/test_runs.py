from __future__ import annotations

import threading

import pytest

from attention_explorer.runs import Progress, Runs, StoppedError

PATIENT = 30.0


class Work:
    """A run that goes on step by step, when it is let."""

    def __init__(self, result: str) -> None:
        self.result = result
        self.go = threading.Semaphore(0)
        self.stepped = threading.Semaphore(0)
        self.was_stopped = threading.Event()

    def __call__(self, progress: Progress) -> str:
        try:
            for step in (1, 2):
                progress(step / 3)
                self.stepped.release()
                self.go.acquire()
            progress(1.0)
        except StoppedError:
            self.was_stopped.set()
            raise
        return self.result


def test_a_run_tells_how_far_it_is_and_gives_its_result_once() -> None:
    runs, work = Runs[str](), Work("done")
    assert runs.finish("a", work, 0.0)[1] is None
    work.stepped.acquire()
    assert runs.finish("a", work, 0.0) == (1 / 3, None)
    work.go.release(2)
    assert runs.finish("a", work, PATIENT) == (1.0, "done")
    with pytest.raises(StoppedError, match="another question"):
        runs.finish("a", work, PATIENT)


def test_a_newer_run_stops_the_older_one_which_is_never_started_again() -> None:
    """Two tabs that ask in turn would else each start their own anew, for ever."""
    runs, older, newer = Runs[str](), Work("older"), Work("newer")
    runs.finish("a", older, 0.0)
    older.stepped.acquire()
    runs.finish("b", newer, 0.0)
    older.go.release(2)
    assert older.was_stopped.wait(PATIENT)
    with pytest.raises(StoppedError, match="another question was asked"):
        runs.finish("a", older, PATIENT)
    newer.go.release(2)
    assert runs.finish("b", newer, PATIENT)[1] == "newer"


def test_what_nobody_asks_about_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed tab leaves nothing running."""
    runs, work = Runs[str](), Work("done")
    runs.finish("a", work, 0.0)
    work.stepped.acquire()
    monkeypatch.setattr("attention_explorer.runs._FORGOTTEN_S", 0.0)
    work.go.release(2)
    assert work.was_stopped.wait(PATIENT)


def test_an_error_reaches_whoever_asks_and_the_next_run_starts() -> None:
    runs = Runs[str]()

    def fail(progress: Progress) -> str:
        raise MemoryError("too long")

    with pytest.raises(MemoryError, match="too long"):
        runs.finish("a", fail, PATIENT)
    assert runs.finish("b", lambda progress: "fine", PATIENT) == (1.0, "fine")

"""Work that is done in steps, and done at once."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

T = TypeVar("T")


def finish(steps: Generator[float, None, T], source: object = None) -> T:
    """Do all steps and return what they lead to.

    An explorer's numbers are read in other threads, too: each step holds its lock.
    """
    lock: AbstractContextManager[Any] = getattr(source, "_lock", nullcontext())
    with _on_one_core():
        while True:
            with lock:
                try:
                    next(steps)
                except StopIteration as stop:
                    found: T = stop.value
                    return found


def within(
    steps: Generator[float, None, T], start: float, stop: float
) -> Generator[float, None, T]:
    """Do steps as a part of others: the share that is done goes from `start` to `stop`."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
        yield start + share * (stop - start)


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Have torch compute on this thread alone, where it is loaded.

    Steps are too short for its pool, whose threads wait actively for each other: beside other work
    on the machine they would take many times as long.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

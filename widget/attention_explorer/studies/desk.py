"""Who works on which study: of each kind the newest; of those that run the model one at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ..protocol import Studied
from ..requests import Wish
from ..runs import Progress, Runs

T = TypeVar("T")

# Yields the share that is done; between two steps anything else may be asked.
Look = Generator[float, None, Studied]

# Seconds that the browser waits before it hears how far a study is.
_WITHIN = 0.1
_RUNS_MODEL = ("effect", "sweep", "text")


class Desk:
    """Keeps studies going while the browser asks about them.

    Parameters
    ----------
    lock : context manager
        Held while a look reads attention.
    """

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        self._lock = lock
        self._lanes: dict[str, Runs[Any]] = {}

    def look(self, wish: Wish, begin: Callable[[], Look]) -> tuple[float, Studied | None]:
        """Go on with a study of what is known, step by step."""
        return self._go_on(wish, lambda progress: self._stepwise(begin, progress))

    def run(self, wish: Wish, work: Callable[[Progress], T]) -> tuple[float, T | None]:
        """Go on with a study that runs the model; it is told how far it is, and stopped so."""
        return self._go_on(wish, work)

    def stop(self) -> None:
        """Give up all of them."""
        for lane in self._lanes.values():
            lane.stop()

    def _go_on(self, wish: Wish, work: Callable[[Progress], T]) -> tuple[float, T | None]:
        of = wish.study["of"]
        lane = self._lanes.setdefault("run" if of in _RUNS_MODEL else of, Runs())
        return lane.finish(wish.run, work, _WITHIN)

    def _stepwise(self, begin: Callable[[], Look], progress: Progress) -> Studied:
        steps = begin()
        while True:
            with self._lock:
                try:
                    share = next(steps)
                except StopIteration as stop:
                    studied: Studied = stop.value
                    return studied
            progress(share)

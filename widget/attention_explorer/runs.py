"""Runs of a model that the browser asks for: one at a time, the newest wins, no thread waits."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Result = TypeVar("Result")
Progress = Callable[[float], None]

# A browser that still wants it asks again within some tenths of a second.
_FORGOTTEN_S = 5.0
# Who still asks about a run that was given up must not start it again.
_REMEMBERED = 64


def silent(share: float) -> None:
    """Tell nobody how far something is."""


def part_of(progress: Progress, number: int, count: int) -> Progress:
    """Return whom to tell how far one of several parts is, which follow each other."""
    return lambda share: progress((number + share) / count)


@contextmanager
def progress_bar(doing: str) -> Iterator[Progress]:
    """Show in the cell how far something is, where it takes longer than a second.

    Without tqdm, which comes with transformers, it goes without.
    """
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        yield silent
        return
    with tqdm(desc=doing, total=100, unit="%", delay=1.0, leave=False) as bar:
        yield lambda share: bar.update(round(100 * share) - bar.n)


class StoppedError(ValueError):
    """Raised inside a run that nobody waits for any more."""


class _Run(Generic[Result]):
    """One run in a thread of its own; where there are no threads, done when it is asked for."""

    def __init__(self, name: str, work: Callable[[Progress], Result]) -> None:
        self.name = name
        self.share = 0.0
        self.asked = time.monotonic()
        self.stopped = False
        self.ended = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None
        self._work = work
        try:
            threading.Thread(target=self._go, name=f"run {name}", daemon=True).start()
        except RuntimeError:  # in a browser's Python
            self.asked = math.inf
            self._go()

    def _go(self) -> None:
        try:
            self.result = self._work(self._progress)
        except BaseException as error:  # whoever asks gets it
            self.error = error
        self.ended.set()

    def _progress(self, share: float) -> None:
        if self.stopped or time.monotonic() - self.asked > _FORGOTTEN_S:
            raise StoppedError
        self.share = share


class Runs(Generic[Result]):
    """Keeps at most one run going."""

    def __init__(self) -> None:
        self._run: _Run[Result] | None = None
        self._given_up: deque[str] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    def finish(
        self, name: str, work: Callable[[Progress], Result], within: float
    ) -> tuple[float, Result | None]:
        """Start a run, or go on with the one of this name, and wait for it for some seconds.

        Parameters
        ----------
        name : str
            Of the run. A run of another name is stopped at its next step, whatever it has done.
        work : callable
            What is to be run; it calls what it is given with the share that is done, and that
            raises where the run isn't wanted any more.
        within : float
            In seconds.

        Returns
        -------
        share : float
            How much is done.
        result
            What `work` returned, once; None before.

        Raises
        ------
        Exception
            What `work` raised, once.
        """
        with self._lock:
            if name in self._given_up:
                raise StoppedError("another question was asked meanwhile")
            run = self._run
            if run is None or run.name != name:
                self._stop()
                run = self._run = _Run(name, work)
        run.asked = time.monotonic()
        if not run.ended.wait(within):
            return run.share, None
        with self._lock:
            if self._run is not run:
                raise StoppedError("another question was asked meanwhile")
            self._stop()
        if run.error is not None:
            raise run.error
        return 1.0, run.result

    def stop(self) -> None:
        """Give up what is running."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._run is not None:
            self._run.stopped = True
            self._given_up.append(self._run.name)
            self._run = None

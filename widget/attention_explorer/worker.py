"""Computes what the browser wants, in small steps in a thread of its own, newest wish first."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator, Hashable, Mapping
from typing import TypeVar

from .attention.base import Float

# Work that takes its time: yields the share that is done, returns the numbers.
Steps = Generator[float, None, Float]
Key = TypeVar("Key", bound=Hashable)

# A browser that still wants something asks again within some hundredths of a second.
_FORGOTTEN_S = 2.0
_IDLE_S = 10.0
# Finished numbers that nobody came for yet.
_KEPT_BYTES = 1 << 26


class Worker:
    """Runs jobs step by step, giving way between two steps to whoever holds `lock`.

    What the newest request does not name is left: a fast zoom never queues old work.

    Parameters
    ----------
    lock : Lock
        Held during each step, since a job reads what other threads read too.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._changed = threading.Condition()
        self._wanted: dict[Hashable, Steps] = {}
        self._done: dict[Hashable, Float | BaseException] = {}
        self._share = 0.0
        self._asked = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def finish(
        self, jobs: Mapping[Key, Steps], within: float
    ) -> tuple[dict[Key, Float], float | None]:
        """Return what is finished within some seconds, and the share that is done of what is next.

        Raises what a job raised. Jobs of an earlier request go on if they are named again (then the
        new generator is not used), and are dropped if not.
        """
        with self._changed:
            self._asked = time.monotonic()
            self._wanted = {
                key: self._wanted.get(key, steps)
                for key, steps in jobs.items()
                if key not in self._done
            }
            if self._ensure_thread():
                self._changed.notify_all()
                self._changed.wait_for(lambda: not self._wanted, within)
            else:
                self._work_here(within)
            finished = {key: self._done.pop(key) for key in jobs if key in self._done}
            share = self._share if self._wanted else None
        results: dict[Key, Float] = {}
        for key, result in finished.items():
            if isinstance(result, BaseException):
                raise result
            results[key] = result
        return results, share

    def close(self) -> None:
        """Drop all work; the thread ends after its step."""
        with self._changed:
            self._closed = True
            self._wanted = {}
            self._done = {}
            self._changed.notify_all()

    def _ensure_thread(self) -> bool:
        """Tell whether a thread works on what is wanted; in a browser's Python there is none."""
        if self._wanted and self._thread is None:
            thread = threading.Thread(target=self._run, name="attention-tiles", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _work_here(self, within: float) -> None:
        """Work until the time is up; whoever still wants the rest asks again."""
        until = time.monotonic() + within
        while self._wanted and time.monotonic() < until:
            self._step(*next(iter(self._wanted.items())))

    def _run(self) -> None:
        _use_one_core()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._closed, _IDLE_S)
                if self._closed or not self._wanted:
                    self._thread = None
                    return
                if time.monotonic() - self._asked > _FORGOTTEN_S:
                    self._wanted = {}
                    continue
                key, steps = next(iter(self._wanted.items()))
            self._step(key, steps)

    def _step(self, key: Hashable, steps: Steps) -> None:
        result: Float | BaseException
        try:
            with self._lock:
                share = next(steps)
        except StopIteration as stop:
            result = stop.value
        except BaseException as error:  # whoever asks gets it; a dead thread would never answer
            result = error
        else:
            self._share = share
            return
        with self._changed:
            if self._wanted.get(key) is not steps:
                return
            del self._wanted[key]
            self._share = 0.0
            self._done[key] = result
            while sum(map(_bytes_of, self._done.values())) > _KEPT_BYTES:
                del self._done[next(iter(self._done))]
            self._changed.notify_all()


def _bytes_of(result: Float | BaseException) -> int:
    return 0 if isinstance(result, BaseException) else result.nbytes


def _use_one_core() -> None:
    """Make torch compute on this thread alone, where it is loaded.

    Its pool of threads waits actively for each other: beside other work on the machine, steps of
    some ms take up to 30 times as long with two threads as with one.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return
    elsewhere = torch.get_num_threads()
    torch.set_num_threads(1)
    # The number is this thread's own from here on, but also the default of threads to come.
    restore = threading.Thread(target=torch.set_num_threads, args=(elsewhere,))
    restore.start()
    restore.join()

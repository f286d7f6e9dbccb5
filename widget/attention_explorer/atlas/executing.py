"""Units handed to whoever works on them, and their tallies taken back in the corpus's order."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from .corpus import Entry, Unit
from .tally import Tally

if TYPE_CHECKING:
    from .anatomy import Anatomy
    from .working import Worker

# Units that are under way for each worker, so that none waits for this process.
_AHEAD = 2
# Workers of an executor that doesn't say how many it has.
_WORKERS = 8
# How often a unit is handed out again whose worker died.
_TRIES = 3


@dataclass(frozen=True)
class Job:
    """What every worker has to know; small, as it goes with each unit.

    Attributes
    ----------
    key : str
        Of the run: a worker loads a model once.
    model, tokenizer
        Objects, names, or a function that loads them.
    file : str or None
        Where both lie instead, for another process.
    first : Entry
        A text to look at the model with.
    max_length, batch_tokens : int or None
    threads : int or None
        For torch, at most; None: as they are.
    """

    key: str
    model: Any
    tokenizer: Any
    file: str | None
    first: Entry
    max_length: int | None
    batch_tokens: int | None
    threads: int | None = None


class Looked(NamedTuple):
    """What a worker finds in a model."""

    anatomy: Anatomy
    identity: dict[str, str]


_held: dict[str, tuple[Worker, Looked]] = {}
_lock = threading.Lock()


def look(job: Job) -> Looked:
    """Load the job's model, if that is still to be done, and tell what it is."""
    return _worker_of(job)[1]


def work(job: Job, unit: Unit, below: int | None, exemplars: int) -> Tally:
    """Work on a unit; done twice, it is the same."""
    return _worker_of(job)[0].tally(unit, below, exemplars)


def _worker_of(job: Job) -> tuple[Worker, Looked]:
    with _lock:
        if job.key not in _held:
            _held.clear()
            _held[job.key] = _begin(job)
        return _held[job.key]


def forget(job: Job) -> None:
    """Let go of a job's model in this process."""
    with _lock:
        _held.pop(job.key, None)


def _begin(job: Job) -> tuple[Worker, Looked]:
    import torch

    from .identity import identity_of
    from .working import Worker

    if job.threads is not None:
        torch.set_num_threads(min(job.threads, torch.get_num_threads()))
    model, tokenizer = _loaded(job)
    worker = Worker(model, tokenizer, job.first, job.max_length, job.batch_tokens)
    return worker, Looked(worker.anatomy, identity_of(model, tokenizer))


def _loaded(job: Job) -> tuple[Any, Any]:
    from ..tracing.tracer import load

    model, tokenizer = job.model, job.tokenizer
    if job.file is not None:
        import torch

        if not Path(job.file).exists():
            raise FileNotFoundError(
                f"this worker doesn't see {job.file}, where the model lies: on other machines give "
                "the model by its name, by a folder that they have, or by a function that loads it"
            )
        model, tokenizer = torch.load(job.file, weights_only=False)
    elif isinstance(model, os.PathLike):
        model = os.fspath(model)
    elif callable(model) and not hasattr(model, "named_modules"):
        model = model()
        if isinstance(model, tuple):
            model, tokenizer = model
    model, tokenizer = load(model, tokenizer)
    if tokenizer is None:
        raise ValueError("the tokenizer is missing: profile_heads(model, tokenizer, texts)")
    return model, tokenizer


@contextmanager
def job_for(
    executor: Executor | None,
    model: Any,
    tokenizer: Any,
    first: Entry,
    max_length: int | None,
    batch_tokens: int | None,
) -> Iterator[Job]:
    """Make a job whose model can be had wherever it is worked on."""
    job = Job(uuid4().hex, model, tokenizer, None, first, max_length, batch_tokens)
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        try:
            yield job
        finally:
            forget(job)
        return
    workers = getattr(executor, "_max_workers", None)
    if workers is not None:
        job = replace(job, threads=max(1, (os.cpu_count() or 1) // workers))
    if not hasattr(model, "named_modules"):
        yield job
        return
    import torch

    with tempfile.TemporaryDirectory(prefix="attention-explorer-") as folder:
        file = Path(folder) / "model.pt"
        torch.save((model, tokenizer), file)
        yield replace(job, model=None, tokenizer=None, file=str(file))


class Crew:
    """Whoever works on units: this process, or an executor's workers."""

    def __init__(self, executor: Executor | None, job: Job) -> None:
        self._executor, self._job = executor, job

    def look(self) -> Looked:
        """Return what one of them finds in the model."""
        if self._executor is None:
            return look(self._job)
        found: Looked = self._result(lambda executor: executor.submit(look, self._job))
        return found

    def tallies(
        self, units: Iterator[Unit], below: Callable[[], int | None], exemplars: int
    ) -> Generator[Tally, None, None]:
        """Yield each unit's tally, in the order of the units.

        Parameters
        ----------
        units : iterator of Unit
            Read only as far ahead as workers are kept busy by.
        below : callable
            Returns the key that exemplars have to be below by now.
        exemplars : int
            How many are kept at most.
        """
        if self._executor is None:
            for unit in units:
                yield work(self._job, unit, below(), exemplars)
            return
        waiting: deque[tuple[Callable[[Executor], Future[Tally]], Future[Tally]]] = deque()
        try:
            for unit in units:
                submit = self._submission(unit, below(), exemplars)
                waiting.append((submit, submit(self._executor)))
                if len(waiting) >= _AHEAD * _slots(self._executor):
                    yield self._result(*waiting.popleft())
            while waiting:
                yield self._result(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _submission(
        self, unit: Unit, below: int | None, exemplars: int
    ) -> Callable[[Executor], Future[Tally]]:
        return lambda executor: executor.submit(work, self._job, unit, below, exemplars)

    def _result(
        self, submit: Callable[[Executor], Future[Any]], future: Future[Any] | None = None
    ) -> Any:
        """Wait for a result; hand out again what was lost with a worker, where others live on."""
        assert self._executor is not None
        for left in reversed(range(_TRIES)):
            try:
                return (future or submit(self._executor)).result()
            except (CancelledError, ConnectionError, OSError) as error:
                if not left or isinstance(error, FileNotFoundError):
                    raise
            except Exception as error:
                # Dask's, of a unit whose workers died again and again.
                if not left or type(error).__name__ != "KilledWorker":
                    raise
            future = None
        raise AssertionError


def _slots(executor: Executor) -> int:
    """Return how many units an executor works on at once."""
    workers = getattr(executor, "_max_workers", None)
    client = getattr(executor, "_client", None)
    if workers is None and client is not None:
        workers = sum(client.ncores().values())
    return max(1, workers or _WORKERS)

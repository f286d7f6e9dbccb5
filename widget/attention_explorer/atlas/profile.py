"""Every head of a model, measured over a corpus."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from ..export.files import in_folder
from .atlas import HeadAtlas
from .checkpoint import Checkpoint
from .contents import Contents
from .corpus import UNIT_LETTERS, UNIT_TEXTS, Column, Unit, count_of, read_corpus, units_of
from .executing import Crew, Looked, job_for
from .exemplars import Exemplars
from .names import MEASURED
from .progress import texts_bar
from .tally import Moments, Tally

EXEMPLARS = 512


def profile_heads(
    model: Any,
    tokenizer: Any,
    texts: Iterable[Any] | str | os.PathLike[str],
    *,
    column: Column = None,
    max_length: int | None = None,
    batch_tokens: int | None = None,
    exemplars: int = EXEMPLARS,
    executor: Executor | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    every: float = 30.0,
    progress: bool = True,
) -> HeadAtlas:
    """Measure every head of a model over a corpus.

    Each text is scored as `analysis.head_scores` scores one; a text is what varies, so a head's
    mean is that of its scores over the texts that have one, and its interval says how far that
    would vary with other texts of the kind. Memory doesn't grow with the corpus.

    Results are the same whatever the order in which texts are worked on: they are added up in
    units of up to 256 texts, in the order of the corpus. Another batch size changes a model's own
    weights by some 1e-6, in float32. Ctrl+C ends the run with an atlas of what is counted.

    Parameters
    ----------
    model : transformers model, str, path or callable
        One that reads texts, an encoder or a decoder; or its name or folder; or a function that
        returns it, or a pair of it and its tokenizer. It is left as it was found.
    tokenizer : transformers tokenizer or str, optional
        None where the model's name or function brings it.
    texts : iterable or path
        Strings or pairs of them; mappings, as a Hugging Face data set has, in memory or streamed;
        or a file of lines, by path or opened. It is read once. Rows without text are counted and
        left out.
    column : str or (str, str), optional
        Of mappings: where the text is, or the text and its pair; ``"text"`` by default.
    max_length : int, optional
        Longer texts are cut to so many tokens, and counted. By default what the model reads, or
        1024 where it doesn't say.
    batch_tokens : int, optional
        Padding included. A layer's weights of so many tokens are held at once: tokens x the longest
        text x heads. By default 1024 on a processor and 8192 elsewhere.
    exemplars : int
        How many texts are kept, with each head's scores and strongest pair of tokens.
    executor : concurrent.futures.Executor, optional
        Who works: a ``ProcessPoolExecutor`` (with ``mp_context=get_context("spawn")``), Dask's
        ``client.get_executor()``. Without, this process. A model that is given as an object reaches
        other processes of this machine by a file; for other machines give a name or a function.
    checkpoint : path, optional
        A file that keeps what is counted. Called again with it, the run goes on from there.
    every : float
        Seconds between two writings of it, at least.
    progress : bool
        Whether a bar shows how far it is.

    Returns
    -------
    HeadAtlas

    Raises
    ------
    ValueError
        No texts; a model with several kinds of attention; a checkpoint of another run, with what
        differs.
    TypeError, FileNotFoundError
        Texts that can't be read; a checkpoint in a folder that isn't there.
    RuntimeError
        A pool whose process died; what is counted is in the checkpoint.
    """
    if exemplars < 1:
        raise ValueError(f"exemplars has to be 1 or more, got {exemplars}")
    units = units_of(read_corpus(texts, column))
    head, units = _peek(units)
    options: dict[str, object] = {
        "max_length": max_length,
        "exemplars": exemplars,
        "column": list(column) if isinstance(column, tuple) else column,
        "unit": [UNIT_TEXTS, UNIT_LETTERS],
    }
    with job_for(executor, model, tokenizer, head.entries[0], max_length, batch_tokens) as job:
        crew = Crew(executor, job)
        begun = _begun(crew.look(), options)
        kept = None if checkpoint is None else Checkpoint(in_folder(checkpoint), every)
        if kept is not None and (before := kept.read()) is not None:
            kept.check(before, begun)
            begun = before
            units = _after(units, kept, before)
        return HeadAtlas(_count(crew, units, begun, kept, exemplars, count_of(texts), progress))


def _peek(units: Iterator[Unit]) -> tuple[Unit, Iterator[Unit]]:
    """Return a unit that has texts, and all units."""
    seen = list[Unit]()
    for unit in units:
        seen.append(unit)
        if unit.entries:
            return unit, chain(seen, units)
    raise ValueError("there are no texts: give an iterable of strings that aren't empty")


def _begun(looked: Looked, options: dict[str, object]) -> Contents:
    """Return what is there before anything is counted."""
    anatomy = looked.anatomy
    heads = anatomy.n_layers, anatomy.n_heads
    n_heads = anatomy.n_layers * anatomy.n_heads
    nothing = Tally(
        *(0, 0, 0, 0, 0),
        digest="",
        scores=Moments.of(np.zeros((0, len(MEASURED), *heads))),
        baselines=Moments.of(np.zeros((0, len(MEASURED)))),
        holds=np.zeros((len(MEASURED), *heads), np.int64),
        apart=np.zeros((n_heads, n_heads)),
        exemplars=Exemplars.none(*heads),
    )
    return Contents(anatomy, looked.identity, options, nothing, is_complete=False)


def _after(units: Iterator[Unit], kept: Checkpoint, before: Contents) -> Iterator[Unit]:
    """Leave out the units that are counted, after a look at whether they are the same texts."""
    digest = None
    for _ in range(before.tally.n_units):
        unit = next(units, None)
        digest = None if unit is None else unit.digest
    kept.check_corpus(before, digest if before.tally.n_units else "")
    return units


def _count(
    crew: Crew,
    units: Iterator[Unit],
    begun: Contents,
    kept: Checkpoint | None,
    exemplars: int,
    total: int | None,
    progress: bool,
) -> Contents:
    """Add up all units; what is counted is kept however it ends."""
    done = begun

    def below() -> int | None:
        return done.tally.exemplars.last_key(exemplars)

    rows = done.tally.n_texts + done.tally.n_empty
    try:
        with (
            texts_bar(total, rows, progress) as bar,
            closing(crew.tallies(units, below, exemplars)) as tallies,
        ):
            for tally in tallies:
                done = replace(done, tally=done.tally.followed_by(tally, exemplars))
                bar(tally.n_texts + tally.n_empty)
                if kept is not None:
                    kept.offer(done)
        done = replace(done, is_complete=True)
    except KeyboardInterrupt:
        if not done.tally.n_texts:
            raise
        warnings.warn(
            f"stopped after {done.tally.n_texts:,} texts: the atlas is of these", stacklevel=3
        )
    except BrokenExecutor as error:
        where = "nowhere: give checkpoint= to keep it" if kept is None else f"in {kept.path}"
        raise RuntimeError(
            f"a worker process died ({error}); the {done.tally.n_texts:,} texts that were counted "
            f"before are {where}. It may have run out of memory: use fewer workers or a smaller "
            "batch_tokens, make a new executor, and call again with the same checkpoint"
        ) from error
    finally:
        if kept is not None and done.tally.n_units:
            kept.write(done)
    return done

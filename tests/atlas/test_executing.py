"""Whoever works on units, the atlas is the same; a worker that dies is no text twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from attention_explorer.atlas import HeadAtlas, profile_heads

from .conftest import make_encoder, make_tokenizer, random_texts
from .same import assert_same

COUNT = 1400


def profile(texts: Any, executor: Executor | None = None, **options: Any) -> HeadAtlas:
    options = {"model": make_encoder(), "tokenizer": make_tokenizer(), "exemplars": 30, **options}
    return profile_heads(texts=texts, executor=executor, progress=False, **options)


def load() -> tuple[Any, Any]:
    """Load a model where it is worked on."""
    return make_encoder(), make_tokenizer()


@pytest.fixture(scope="module")
def alone() -> HeadAtlas:
    """Return the atlas that this process makes."""
    return profile(random_texts(COUNT))


def pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def test_processes_of_this_machine_give_the_same(alone: HeadAtlas) -> None:
    """Catches units that are added in the order in which they come back, and a model lost."""
    with pool() as executor:
        assert_same(alone, profile(random_texts(COUNT), executor))
        by_function = profile(random_texts(COUNT), executor, model=load, tokenizer=None)
        assert_same(alone, by_function)


def test_threads_that_share_a_model_give_the_same(alone: HeadAtlas) -> None:
    """Catches one thread that switches the backend back while another runs."""
    with ThreadPoolExecutor(3) as executor:
        assert_same(alone, profile(random_texts(COUNT), executor))


def test_a_process_that_dies_leaves_a_checkpoint_to_go_on_from(
    alone: HeadAtlas, tmp_path: Path
) -> None:
    """Catches a bare BrokenProcessPool, and a unit that is counted by both runs."""
    path = tmp_path / "run.npz"
    with pool() as executor:

        def deadly() -> Iterator[str]:
            # The last unit is handed out when the first has come back.
            for number, text in enumerate(random_texts(COUNT)):
                if number == 1380:
                    os.kill(next(iter(executor._processes)), signal.SIGKILL)
                yield text

        with pytest.raises(RuntimeError, match=r"a worker process died .* call again with"):
            profile(deadly(), executor, checkpoint=path)
    with pool() as executor:
        assert_same(alone, profile(random_texts(COUNT), executor, checkpoint=path))


def test_an_error_of_a_worker_is_this_processs(tmp_path: Path) -> None:
    """Catches a run that waits for ever, and an error that says nothing of its cause."""
    with pool() as executor, pytest.raises(OSError, match="nowhere"):
        profile(random_texts(20), executor, model=str(tmp_path / "nowhere"), tokenizer=None)


def test_a_dask_cluster_one_of_whose_workers_is_killed(alone: HeadAtlas) -> None:
    """Catches a unit that is lost with its worker, or counted by two."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        killed = list[int]()

        def deadly() -> Iterator[str]:
            for number, text in enumerate(random_texts(COUNT)):
                if number == 1380:
                    killed.append(next(iter(client.run(os.getpid).values())))
                    os.kill(killed[0], signal.SIGKILL)
                yield text

        found = profile(deadly(), client.get_executor())
        assert killed
        assert_same(alone, found)

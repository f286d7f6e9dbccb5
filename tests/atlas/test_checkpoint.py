"""Runs that end before their time, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from attention_explorer.atlas import HeadAtlas, profile_heads

from .conftest import make_encoder, random_texts
from .crashing import COUNT, EXEMPLARS
from .same import assert_same

ROOT = Path(__file__).resolve().parents[2]


def profile(model: Any, tokenizer: Any, texts: Any, **options: Any) -> HeadAtlas:
    return profile_heads(model, tokenizer, texts, progress=False, exemplars=EXEMPLARS, **options)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a process that was killed after two of three units."""
    path = tmp_path_factory.mktemp("killed") / "run.npz"
    command = [sys.executable, "-m", "tests.atlas.crashing", str(path), "650"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    return path


def test_a_killed_run_goes_on_to_the_same_atlas(
    killed: Path, tmp_path: Path, encoder: Any, tokenizer: Any
) -> None:
    """Catches a text that is counted twice or never, and sums that begin anew."""
    path = tmp_path / "run.npz"
    path.write_bytes(killed.read_bytes())
    seen = list[str]()

    def watched() -> Iterator[str]:
        for text in random_texts(COUNT):
            seen.append(text)
            yield text

    whole = profile(encoder, tokenizer, random_texts(COUNT))
    resumed = profile(encoder, tokenizer, watched(), checkpoint=path)
    assert len(seen) == COUNT
    assert resumed.is_complete
    assert_same(whole, resumed)
    assert_same(whole, profile(encoder, tokenizer, random_texts(COUNT), checkpoint=path))


def test_another_run_is_refused_with_what_differs(
    killed: Path, encoder: Any, tokenizer: Any
) -> None:
    """Catches sums of two models, two settings or two corpora in one."""
    before = killed.read_bytes()
    texts = random_texts(COUNT)
    with pytest.raises(ValueError, match=r"weights was '.*' and is '.*'\. Go on"):
        profile(make_encoder(seed=1), tokenizer, texts, checkpoint=killed)
    with pytest.raises(ValueError, match="max_length was None and is 20"):
        profile(encoder, tokenizer, texts, checkpoint=killed, max_length=20)
    for other in ([*texts[:300], "z", *texts[301:]], texts[:300]):
        with pytest.raises(ValueError, match="has counted 512 texts, and the corpus doesn't begin"):
            profile(encoder, tokenizer, other, checkpoint=killed)
    assert killed.read_bytes() == before


@pytest.mark.parametrize("content", [b"not ours", b"", b"\x93NUMPY"])
def test_a_file_that_is_no_checkpoint_is_left_alone(
    tmp_path: Path, encoder: Any, tokenizer: Any, content: bytes
) -> None:
    """Catches a file that is written over, and numpy's own words for an empty one."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no checkpoint"):
        profile(encoder, tokenizer, ["a"], checkpoint=path)
    assert path.read_bytes() == content


def test_a_checkpoint_has_to_have_a_place(tmp_path: Path, encoder: Any, tokenizer: Any) -> None:
    """Catches a run that is lost when its first checkpoint is to be written."""
    with pytest.raises(FileNotFoundError, match="make it first"):
        profile(encoder, tokenizer, ["a"], checkpoint=tmp_path / "not there" / "run.npz")


def test_ctrl_c_leaves_an_atlas_of_what_is_counted(
    tmp_path: Path, encoder: Any, tokenizer: Any
) -> None:
    """Catches hours of work that are lost with an interrupt, and a half unit that counts."""
    texts = random_texts(COUNT)

    def interrupted() -> Iterator[str]:
        yield from texts[:600]
        os.kill(os.getpid(), signal.SIGINT)
        yield from texts[600:]

    path = tmp_path / "run.npz"
    with pytest.warns(UserWarning, match="stopped after 512 texts"):
        part = profile(encoder, tokenizer, interrupted(), checkpoint=path, every=1000)
    assert not part.is_complete
    assert "stopped before the end" in repr(part)
    assert_same(
        profile(encoder, tokenizer, texts), profile(encoder, tokenizer, texts, checkpoint=path)
    )


def test_an_interrupt_before_anything_is_counted_is_one(encoder: Any, tokenizer: Any) -> None:
    def interrupted() -> Iterator[str]:
        yield from random_texts(256)
        raise KeyboardInterrupt

    # The first unit is counted only when the second is asked for.
    with pytest.warns(UserWarning, match="stopped after 256 texts"):
        profile(encoder, tokenizer, interrupted())
    with pytest.raises(KeyboardInterrupt):
        profile(encoder, tokenizer, (_ for _ in _interrupt()))


def _interrupt() -> Iterator[str]:
    yield "a"
    raise KeyboardInterrupt

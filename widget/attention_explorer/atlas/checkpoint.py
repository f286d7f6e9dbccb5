"""A run's file on the way: written whole or not at all, read to go on."""

from __future__ import annotations

import json
import os
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .contents import Contents
from .identity import differences


@dataclass
class Checkpoint:
    """Where a run keeps what is counted.

    Attributes
    ----------
    path : Path
    every : float
        Seconds between two writings, at least.
    """

    path: Path
    every: float
    _written: float = field(default_factory=time.monotonic)

    def read(self) -> Contents | None:
        """Return what was written last; None where nothing was."""
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files if name != "rest"}
                rest = json.loads(bytes(file["rest"]).decode())
        # numpy reads other files as well, each wrong one with an error of its own.
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, OSError) as error:
            raise ValueError(
                f"{self.path} is no checkpoint of profile_heads ({error}): name another file, or "
                "delete this one to begin anew"
            ) from error
        return Contents.of(arrays, rest, str(self.path))

    def offer(self, contents: Contents) -> None:
        """Write, if it is time to."""
        if time.monotonic() - self._written >= self.every:
            self.write(contents)

    def write(self, contents: Contents) -> None:
        """Put a file in the place of the one before: a crash leaves one of them whole."""
        arrays, rest = contents.parts()
        unfinished = self.path.with_name(f"{self.path.name}.unfinished")
        with unfinished.open("wb") as file:
            letters = np.frombuffer(json.dumps(rest).encode(), np.uint8)
            np.savez(file, allow_pickle=False, rest=letters, **arrays)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path)
        self._written = time.monotonic()

    def check(self, before: Contents, now: Contents) -> None:
        """Raise ValueError where what was counted is of another run."""
        said = [
            differences(before.identity, now.identity),
            differences(before.options, now.options),
        ]
        if text := "; ".join(filter(None, said)):
            raise ValueError(
                f"{self.path} was counted with something else: {text}. Go on with what it was "
                "begun with, or name another checkpoint"
            )

    def check_corpus(self, before: Contents, digest: str | None) -> None:
        """Raise ValueError where the texts that were counted are others than come now."""
        if digest != before.tally.digest:
            raise ValueError(
                f"{self.path} has counted {before.tally.n_texts:,} texts, and the corpus doesn't "
                "begin with these: give the same texts in the same order, or name another "
                "checkpoint"
            )

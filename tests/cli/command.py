"""The command as a person runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def run(
    *arguments: str | Path, folder: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m attention_explorer`` in a folder to its end."""
    return subprocess.run(
        [sys.executable, "-m", "attention_explorer", *map(str, arguments)],
        cwd=folder,
        env={**_ENVIRONMENT, **environment},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
    )

"""Distributions of this checkout, built as an installer builds them: without Node."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from runpy import run_path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILD = run_path(str(ROOT / "hatch_build.py"))

# A build that starts Node by any way but the wheel in this interpreter finds none.
WITHOUT_NODE = {**os.environ, "PATH": ""}


def bundle(root: Path) -> Any:
    return BUILD["Bundle"](root)


def hatchling(root: Path, target: str, into: Path) -> Path:
    """Build without isolation and return what was built."""
    assert bundle(root).is_current(), "the bundle is stale: run `python hatch_build.py`"
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=root, env=WITHOUT_NODE, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


def unpack(archive: Path, into: Path) -> Path:
    """Return the tree that a source distribution unpacks to."""
    with tarfile.open(archive) as tar:
        # Of patch releases before 3.10.12 and 3.11.4 without a filter; the archive is our own.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(into, filter="data")
        else:
            tar.extractall(into)
    (root,) = into.iterdir()
    return root


def built_wheel(folder: Path) -> Path:
    """Return a wheel built from a source distribution, as an index has them."""
    for name in ("sdist", "unpacked", "wheel"):
        (folder / name).mkdir()
    archive = hatchling(ROOT, "sdist", folder / "sdist")
    return hatchling(unpack(archive, folder / "unpacked"), "wheel", folder / "wheel")

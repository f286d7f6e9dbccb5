"""Where what is taken away is written."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path


def file_named(path: str | PathLike[str], suffix: str, purpose: str) -> Path:
    """Accept a path in a folder that is there, with the suffix of what is to be written.

    Raises
    ------
    ValueError
        Another suffix.
    FileNotFoundError
        There is no such folder.
    """
    file = Path(fspath(path))
    if file.suffix.lower() != suffix:
        raise ValueError(
            f"{purpose} writes {suffix} files; got {str(file)!r}: name it "
            f"{file.with_suffix(suffix).name if file.name else f'view{suffix}'!r}"
        )
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(file.parent)!r}: make it first")
    return file

"""Where what is taken away is written."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path


def in_folder(path: str | PathLike[str]) -> Path:
    """Accept the path of a file in a folder that is there.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    IsADirectoryError
        The path is that of a folder.
    """
    file = Path(fspath(path))
    if not file.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(file.parent)!r}: make it first")
    if file.is_dir():
        raise IsADirectoryError(f"{str(file)!r} is a folder: name a file in it")
    return file


def file_named(path: str | PathLike[str], suffix: str, purpose: str) -> Path:
    """Accept a path in a folder that is there, with the suffix of what is to be written.

    Raises
    ------
    ValueError
        Another suffix.
    FileNotFoundError
        There is no such folder.
    IsADirectoryError
        The path is that of a folder.
    """
    file = Path(fspath(path))
    if file.suffix.lower() != suffix:
        raise ValueError(
            f"{purpose} writes {suffix} files; got {str(file)!r}: name it "
            f"{file.with_suffix(suffix).name if file.name else f'view{suffix}'!r}"
        )
    return in_folder(file)

"""Texts from anywhere, cut into units of work that don't depend on how they are worked on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

# A unit ends at whichever comes first: results are added up unit by unit, in order, so these
# numbers decide of the last digit. 64 thousand letters are some 30 texts of 512 tokens.
UNIT_TEXTS = 256
UNIT_LETTERS = 1 << 16

Column: TypeAlias = "str | tuple[str, str] | None"


class Entry(NamedTuple):
    """A text, or a pair of them."""

    text: str
    pair: str | None = None

    @property
    def key(self) -> int:
        """A number of 63 bits, even over texts, that only the text decides of."""
        written = self.text if self.pair is None else f"{self.text}\x00{self.pair}"
        digest = hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True)
class Unit:
    """Texts that are worked on, and counted, together or not at all.

    Attributes
    ----------
    number : int
        Which unit of the corpus.
    first : int
        How many texts come before it.
    entries : tuple of Entry
    n_empty : int
        How many rows without a text lay between them, and aren't counted.
    digest : str
        Of all texts of the corpus up to the end of this unit.
    """

    number: int
    first: int
    entries: tuple[Entry, ...]
    n_empty: int
    digest: str


def read_corpus(texts: Any, column: Column = None) -> Iterator[Entry | None]:
    """Yield the texts of a corpus in order; None for a row that has nothing in it.

    Parameters
    ----------
    texts : iterable, or path
        Strings; pairs of them; rows that are mappings, as those of a Hugging Face data set; or a
        file of lines, by its path or opened.
    column : str or (str, str), optional
        Of rows that are mappings: where the text is, or the text and its pair; ``"text"`` by
        default.

    Raises
    ------
    FileNotFoundError
        A path that isn't there.
    TypeError
        A row that is something else.
    ValueError
        A row without that column.
    """
    if isinstance(texts, (str, os.PathLike)):
        path = Path(texts)
        if not path.is_file():
            raise FileNotFoundError(
                f"texts={str(texts)!r:.80} is read as the path of a file of lines, which isn't "
                "there: give a list of texts, even for one"
            )
        with path.open(encoding="utf-8") as lines:
            yield from (_entry(number, line, column) for number, line in enumerate(lines))
        return
    if not isinstance(texts, Iterable):
        raise TypeError(
            f"texts is {type(texts).__name__}: expected an iterable of texts, e.g. a list, a file "
            "or a data set"
        )
    yield from (_entry(number, row, column) for number, row in enumerate(texts))


def _entry(number: int, row: object, column: Column) -> Entry | None:
    if isinstance(row, Mapping):
        row = _of_columns(number, row, column)
    parts = [row] if isinstance(row, str) else row
    if not isinstance(parts, (list, tuple)) or not 0 < len(parts) <= 2:
        raise _not_a_text(number, row)
    for part in parts:
        if not isinstance(part, str):
            raise _not_a_text(number, part)
    text, *pair = (part.rstrip("\r\n") for part in parts)
    if not text.strip() or any(not part.strip() for part in pair):
        return None
    return Entry(text, *pair)


def _of_columns(number: int, row: Mapping[Any, Any], column: Column) -> object:
    wanted = column or "text"
    names = (wanted,) if isinstance(wanted, str) else wanted
    for name in names:
        if name not in row:
            raise ValueError(
                f"row {number} has no column {name!r}, only {', '.join(map(repr, row))}: say which "
                "one holds the text, column='...', or a pair's two, column=('...', '...')"
            )
    found = tuple(row[name] for name in names)
    return found[0] if len(found) == 1 else found


def _not_a_text(number: int, row: object) -> TypeError:
    return TypeError(
        f"row {number} of texts is {row!r:.60} ({type(row).__name__}): expected a string, a pair "
        "of strings, or a mapping with column="
    )


def units_of(rows: Iterator[Entry | None]) -> Iterator[Unit]:
    """Cut a corpus into units, by its texts alone."""
    digest = hashlib.blake2b(digest_size=16)
    entries, letters, n_empty, first, number = list[Entry](), 0, 0, 0, 0
    for row in chain(rows, [_END]):
        if row is None:
            n_empty += 1
            continue
        if row is not _END:
            entries.append(row)
            letters += len(row.text) + len(row.pair or "")
            digest.update(row.key.to_bytes(8, "big"))
        is_full = len(entries) == UNIT_TEXTS or letters >= UNIT_LETTERS
        if is_full or (row is _END and (entries or n_empty)):
            yield Unit(number, first, tuple(entries), n_empty, digest.hexdigest())
            number, first = number + 1, first + len(entries)
            entries, letters, n_empty = [], 0, 0


_END = Entry("")


def count_of(texts: Any) -> int | None:
    """Return how many rows a corpus has, where it can say so."""
    is_path = isinstance(texts, (str, os.PathLike))
    return len(texts) if isinstance(texts, Sized) and not is_path else None

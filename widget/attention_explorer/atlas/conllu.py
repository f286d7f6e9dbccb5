"""Annotated text from CoNLL-U files, a sentence at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Word:
    """A word: its characters, the number of its head counted from 1 or 0, and its relation.

    Names are Stanza's, so that `annotations.read_annotations` reads a sentence as a document.
    """

    start_char: int
    end_char: int
    head: int
    deprel: str


@dataclass(frozen=True)
class Sentence:
    """A sentence as its words write it, and its tree."""

    text: str
    words: tuple[Word, ...]

    @property
    def sentences(self) -> tuple[Sentence]:
        """Itself: a document of one."""
        return (self,)


def read_conllu(path: str | os.PathLike[str]) -> Iterator[Sentence]:
    """Yield the sentences of a file, https://universaldependencies.org/format.html.

    The words of a contraction ("don't" of "do", "n't") have its characters, all of them. Empty
    nodes are left out.

    Raises
    ------
    ValueError
        A line that isn't of the format, with its number.
    """
    building = _Building()
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                if not line.startswith("#"):
                    building.add(line.rstrip("\n").split("\t"), f"{path}, line {number}")
            elif building.words:
                yield building.sentence()
                building = _Building()
    if building.words:
        yield building.sentence()


@dataclass
class _Building:
    """A sentence of which some lines are read."""

    text: str = ""
    words: list[Word] = field(default_factory=list)
    gap: str = ""
    # Of a contraction, the last of its words and its characters.
    last: int = 0
    span: tuple[int, int] = (0, 0)

    def add(self, columns: Sequence[str], where: str) -> None:
        if len(columns) != 10:
            raise ValueError(f"{where} has {len(columns)} columns: expected 10, parted by tabs")
        number, form, head, relation, misc = (columns[i] for i in (0, 1, 6, 7, 9))
        if "." in number:
            return
        try:
            if "-" in number:
                self.last = int(number.split("-")[1])
                self._write(form, misc)
                return
            if int(number) > self.last:
                self._write(form, misc)
            self.words.append(Word(*self.span, int(head), relation))
        except ValueError:
            raise ValueError(
                f"{where}: a word's number is {number!r} and its head {head!r}; expected integers"
            ) from None

    def _write(self, form: str, misc: str) -> None:
        start = len(self.text) + len(self.gap)
        self.text += self.gap + form
        self.span = start, len(self.text)
        self.gap = "" if "SpaceAfter=No" in misc.split("|") else " "

    def sentence(self) -> Sentence:
        return Sentence(self.text, tuple(self.words))

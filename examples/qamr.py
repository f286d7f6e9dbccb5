"""QAMR as training examples: crowd questions, each in a paragraph built around its sentence."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

Span = tuple[int, int]  # first character and the one past the last

BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
QUOTES = {"``": '"', "''": '"'}
GLUED_BEFORE = re.compile(r"[,.;:?!)\]}%]|\.\.+|''|'|n't|'(s|m|d|ll|re|ve)", re.IGNORECASE)
GLUED_AFTER = {"(", "[", "{", "$", "£", "€", "``"}
LONGEST_ANSWER = 12  # in tokens
SHORTEST_QUESTION = 4  # in words
RARE = 100  # a word in at most so many sentences tells them apart
TRIES = 20  # sentences drawn to fill a paragraph


class Sentence(NamedTuple):
    """A sentence as one writes it, and where its tokens are."""

    document: str
    text: str
    tokens: Sequence[Span]


class Asked(NamedTuple):
    """A question, the id of its sentence, and the answer as each annotator saw it."""

    question: str
    sentence: str
    spans: Sequence[Span]


class Example(NamedTuple):
    """A question in a context; the spans are characters of the context."""

    question: str
    context: str
    spans: Sequence[Span]


class Paragraphs:
    """Paragraphs around a question's sentence, built of other sentences.

    Parameters
    ----------
    sentences
        By id. The others are of the same document, or share a word with the question, or are any.
    """

    def __init__(self, sentences: Mapping[str, Sentence]) -> None:
        self._sentences = sentences
        self._ids = list(sentences)
        self._of_document: dict[str, list[str]] = defaultdict(list)
        self._of_stem: dict[str, list[str]] = defaultdict(list)
        for key, sentence in sentences.items():
            self._of_document[sentence.document].append(key)
            for stem in stems(sentence.text):
                self._of_stem[stem].append(key)

    def tells(self, asked: Asked) -> bool:
        """Say whether the question is clear in a paragraph: long enough, and with a rare word."""
        if len(asked.question.split()) < SHORTEST_QUESTION:
            return False
        shared = stems(asked.question) & stems(self._sentences[asked.sentence].text)
        return any(len(self._of_stem[stem]) <= RARE for stem in shared)

    def around(self, asked: Asked, length: int, rng: random.Random) -> Example:
        """Return the question in a paragraph of about `length` characters."""
        own = self._sentences[asked.sentence]
        chosen = [asked.sentence]
        pools = (
            self._of_document[own.document],
            [key for s in sorted(stems(asked.question)) for key in self._of_stem[s][:RARE]],
            self._ids,
        )
        room = length - len(own.text)
        for _ in range(TRIES):
            key = rng.choice(rng.choice([pool for pool in pools if pool]))
            if key not in chosen and len(self._sentences[key].text) < room:
                chosen.append(key)
                room -= len(self._sentences[key].text) + 1
        rng.shuffle(chosen)
        texts = [self._sentences[key].text for key in chosen]
        place = chosen.index(asked.sentence)
        shift = sum(len(text) + 1 for text in texts[:place])
        spans = [(first + shift, stop + shift) for first, stop in asked.spans]
        return Example(asked.question, " ".join(texts), spans)


def read_sentences(folder: Path) -> dict[str, Sentence]:
    """Return the sentences of ``wiki-sentences.tsv`` by id."""
    rows = (line.split("\t") for line in _lines(folder / "wiki-sentences.tsv"))
    return {key: written(key.rsplit(":", 2)[0], tokens.split(" ")) for key, tokens in rows}


def read_questions(folder: Path, sentences: Mapping[str, Sentence]) -> list[Asked]:
    """Return the questions of all other files whose annotators agree on where the answer is."""
    paths = sorted(path for path in folder.glob("*.tsv") if path.name != "wiki-sentences.tsv")
    rows = (line.split("\t") for path in paths for line in _lines(path))
    found = (_asked(row, sentences) for row in rows if row[0] in sentences)
    return [asked for asked in found if asked]


def written(document: str, tokens: Sequence[str]) -> Sentence:
    """Return treebank tokens as one writes them: brackets, quotes and spaces as usual."""
    text, spans, glued = "", [], True
    for token in tokens:
        shown = BRACKETS.get(token, QUOTES.get(token, token.replace("\\/", "/")))
        if not glued and not GLUED_BEFORE.fullmatch(shown if token in BRACKETS else token):
            text += " "
        spans.append((len(text), len(text) + len(shown)))
        text += shown
        glued = shown in GLUED_AFTER or token == "``"
    return Sentence(document, text, spans)


def stems(text: str) -> set[str]:
    """Return what the words of a text begin with, so that `architect` finds `architecture`."""
    return {word[:6] for word in re.findall(r"\w+", text.lower()) if len(word) > 2}


def _asked(row: Sequence[str], sentences: Mapping[str, Sentence]) -> Asked | None:
    key, question, *judged = row[0], row[5], row[6], row[7], row[8]
    tokens = sentences[key].tokens
    picked = [sorted(map(int, j.rpartition(":")[2].split())) for j in judged if j[-1:].isdigit()]
    runs = [(p[0], p[-1]) for p in picked if p[-1] - p[0] < LONGEST_ANSWER and _one_run(p)]
    # The asker's own answer has to meet another's.
    if len(runs) < 2 or not any(a <= runs[0][1] and runs[0][0] <= b for a, b in runs[1:]):
        return None
    met = [(a, b) for a, b in runs if a <= runs[0][1] and runs[0][0] <= b]
    return Asked(question, key, [(tokens[a][0], tokens[b][1]) for a, b in met])


def _one_run(indices: Sequence[int]) -> bool:
    return indices[-1] - indices[0] - len(indices) < 1  # at most one token is left out


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()

"""How often heads read what annotations say: who depends on whom, who stands for whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..attention import Attention
from ..attention.base import Float
from ..attention.words import WordAttention
from .annotations import Annotations
from .patterns import Flags
from .sums import CELLS, Numbers

SYNTACTIC = "syntactic"
REVERSED = "syntactic reversed"
COREFERENCE = "coreference"
ASKED_OF_ALL = (SYNTACTIC, REVERSED, COREFERENCE)


class Case(NamedTuple):
    """Tokens whose reading is judged, the words that would be right, and those to choose from."""

    reader: tuple[int, ...]
    right: tuple[int, ...]
    candidates: Flags


class Agreement(NamedTuple):
    """How often each head reads what is right.

    Attributes
    ----------
    name : str
        What is asked: `SYNTACTIC`, `REVERSED`, `COREFERENCE`, or a relation one way.
    score : array of float64, shape (n_layers, n_heads)
        The share of the cases in which the most read candidate is right.
    baseline : float
        The share that the best fixed offset has, in words, of all offsets on these cases.
    support : int
        How many cases.
    """

    name: str
    score: Numbers
    baseline: float
    support: int


def cases_of(attention: Attention, annotated: Annotations) -> dict[str, list[Case]]:
    """Return what is asked, by name; cases whose answer can't be read are left out.

    Of dependencies the candidates are all other words, of antecedents all words before the mention
    that are no marks; special tokens are none.
    """
    words = np.array(annotated.words)
    first = np.flatnonzero(np.diff(words, prepend=-1))
    every = annotated.is_text

    def case(reader: tuple[int, ...], right: tuple[int, ...], candidates: Flags) -> Case:
        candidates = candidates.copy()
        candidates[words[list(reader)]] = False
        if attention.causal:
            candidates &= first <= reader[-1]
        return Case(reader, tuple(np.unique(words[list(right)]).tolist()), candidates)

    found: dict[str, list[Case]] = {}
    for dependent, head, relation in annotated.arcs:
        to_head, to_dependent = case(dependent, head, every), case(head, dependent, every)
        found.setdefault(SYNTACTIC, []).append(to_head)
        found.setdefault(REVERSED, []).append(to_dependent)
        if relation:
            found.setdefault(f"{relation}: reads its head", []).append(to_head)
            found.setdefault(f"{relation}: reads its dependent", []).append(to_dependent)
    for mention, antecedents in annotated.mentions:
        earlier = every & ~annotated.is_mark & (first < mention[0])
        found.setdefault(COREFERENCE, []).append(case(mention, antecedents, earlier))
    return {
        name: [it for it in cases if it.candidates[list(it.right)].any()]
        for name, cases in found.items()
    }


def agreement_steps(
    attention: Attention, annotated: Annotations
) -> Generator[float, None, list[Agreement]]:
    """Work out how often every head reads what is right, some rows a step.

    Source: Clark et al. 2019, sections 5.1 and 5.2, which ask for the most read other word, too.
    """
    asked = cases_of(attention, annotated)
    # A case of a relation is one of all relations, too.
    cases = list({id(case): case for its in asked.values() for case in its}.values())
    place = {id(case): number for number, case in enumerate(cases)}
    hits = yield from hit_steps(attention, annotated.words, cases)
    return [
        Agreement(
            name,
            _mean(hits[[place[id(case)] for case in its]]),
            best_offset(its, annotated.words),
            len(its),
        )
        for name, its in asked.items()
    ]


def read_words(
    by_word: WordAttention, layer: int, heads: Sequence[int], cases: Sequence[Case]
) -> Float:
    """Return what each case's reader reads of every word, shape (heads, cases, words).

    The sum to a word's tokens, the mean from those of the reader.
    """
    sizes = np.array([len(case.reader) for case in cases])
    tokens = [token for case in cases for token in case.reader]
    rows = by_word.rows(layer, heads, tokens)
    found: Float = np.add.reduceat(rows, np.cumsum(sizes) - sizes, 1)
    found /= sizes[:, None].astype(np.float32)
    return found


def words_read(attention: Attention, words: Sequence[int]) -> WordAttention:
    """Return the attention from tokens to words."""
    return WordAttention(attention, tuple(range(attention.n_queries)), tuple(words))


def hit_steps(
    attention: Attention, words: Sequence[int], cases: Sequence[Case]
) -> Generator[float, None, Flags]:
    """Tell of each case in which heads the most read candidate is right: (cases, layers, heads)."""
    hits = np.zeros((len(cases), attention.n_layers, attention.n_heads), bool)
    by_word, heads = words_read(attention, words), range(attention.n_heads)
    for some in _blocks(cases, CELLS // (attention.n_heads * attention.n_keys)):
        own = cases[some]
        right = np.zeros((len(own), by_word.n_keys), bool)
        for number, case in enumerate(own):
            right[number, list(case.right)] = True
        candidates = np.stack([case.candidates for case in own])
        for layer in range(attention.n_layers):
            rows = np.where(candidates, read_words(by_word, layer, heads, own), 0)
            most = rows.argmax(-1)
            # Where no candidate is read, none is read most.
            hits[some, layer] = (right[np.arange(len(own)), most] & (rows.max(-1) > 0)).T
            share = some.start + (layer + 1) / attention.n_layers * len(own)
            yield share / len(cases)
    return hits


def _blocks(cases: Sequence[Case], tokens: int) -> Iterator[slice]:
    """Cut cases up, each block with at most so many tokens that read, or a single case."""
    first = count = 0
    for number, case in enumerate(cases):
        if number > first and count + len(case.reader) > tokens:
            yield slice(first, number)
            first, count = number, 0
        count += len(case.reader)
    if cases:
        yield slice(first, len(cases))


def _mean(hits: Flags) -> Numbers:
    nothing: Numbers = np.full(hits.shape[1:], np.nan)
    return hits.mean(0) if len(hits) else nothing


def best_offset(cases: Sequence[Case], words: Sequence[int]) -> float:
    """Return the share of the cases in which the best fixed offset, in words, is right."""
    if not cases:
        return float("nan")
    return max(offsets(cases, words).values()) / len(cases)


def offsets(cases: Sequence[Case], words: Sequence[int]) -> Counter[int]:
    """Return in how many cases what is right lies at each offset, in words."""
    return Counter(right - words[case.reader[0]] for case in cases for right in case.right)

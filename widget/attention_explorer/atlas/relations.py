"""Which heads read dependency relations, over a treebank."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.agreement import cases_of, hit_steps, offsets
from ..analysis.annotations import read_annotations
from ..analysis.patterns import Indices
from ..analysis.steps import finish
from ..export.needed import need
from .conllu import Sentence, read_conllu
from .progress import texts_bar

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..tracing import Trace

# Sentences that are traced together.
_TOGETHER = 16
LEAST_CASES = 20


@dataclass
class _Asked:
    """What is counted of one relation, one way."""

    hits: Indices
    cases: int = 0
    offsets: Counter[int] = field(default_factory=Counter)


def relation_table(
    model: Any,
    tokenizer: Any,
    treebank: str | os.PathLike[str] | Iterable[Sentence],
    *,
    least: int = LEAST_CASES,
    progress: bool = True,
) -> DataFrame:
    """Return the best head of each dependency relation, beside the best fixed offset.

    A case is a word with the relation to another: the head is right if of all other words the one
    reads the other most; special tokens are no words. A word's weights are the mean from its
    tokens and the sum to them; of a contraction ("can't") the first word has all tokens, and what
    its others are part of is left out. Clark et al. 2019, table 1. The best of many heads is
    somewhat too good on the cases by which it was chosen.

    Parameters
    ----------
    model, tokenizer
        Of transformers: any encoder or decoder of texts. The tokenizer has to be a fast one.
    treebank : path or iterable of Sentence
        A file in CoNLL-U.
    least : int
        Relations with fewer cases are left out.
    progress : bool
        Whether a bar shows how far it is.

    Returns
    -------
    DataFrame
        A row a relation and way, e.g. ``"obj: reads its head"``, the most frequent first; and
        ``"syntactic"``, of all relations. ``layer``, ``head``, ``score`` (the share of its cases),
        ``offset`` (the best, in words), ``baseline`` (its share) and ``cases``.

    Raises
    ------
    ValueError
        No sentence, a line that isn't CoNLL-U, a tokenizer that doesn't know characters.
    ModuleNotFoundError
        pandas isn't installed.
    """
    need("pandas", "relation_table")
    if isinstance(treebank, (str, os.PathLike)):
        treebank = read_conllu(treebank)
    asked: dict[str, _Asked] = {}
    n_sentences = n_left_out = 0
    with texts_bar(None, 0, progress) as bar:
        for some in _parts(iter(treebank)):
            for traced, sentence in zip(_traced(model, tokenizer, some), some, strict=True):
                n_left_out += not _add(asked, traced, sentence)
            n_sentences += len(some)
            bar(len(some))
    if not n_sentences:
        raise ValueError("the treebank has no sentence: expected a file in CoNLL-U")
    frame = _table(asked, least)
    frame.attrs = {"sentences": n_sentences, "without relations": n_left_out}
    return frame


def _parts(sentences: Iterator[Sentence]) -> Iterator[list[Sentence]]:
    while some := list(islice(sentences, _TOGETHER)):
        yield some


def _traced(model: Any, tokenizer: Any, sentences: list[Sentence]) -> list[Trace]:
    from ..tracing import trace
    from .working import longest_text

    longest = longest_text(model, tokenizer, None)
    return trace(model, tokenizer, [it.text for it in sentences], max_length=longest)


def _add(asked: dict[str, _Asked], traced: Trace, sentence: Sentence) -> bool:
    """Count one sentence; return whether it has cases."""
    annotated = read_annotations(traced, doc=sentence)
    if annotated is None or not annotated.arcs:
        return False
    attention = traced.attention
    by_name = cases_of(attention, annotated)
    cases = list({id(case): case for its in by_name.values() for case in its}.values())
    place = {id(case): number for number, case in enumerate(cases)}
    hits = finish(hit_steps(attention, annotated.words, cases))
    for name, its in by_name.items():
        if name not in asked:
            asked[name] = _Asked(np.zeros((attention.n_layers, attention.n_heads), np.int64))
        asked[name].hits += hits[[place[id(case)] for case in its]].sum(0)
        asked[name].cases += len(its)
        asked[name].offsets += offsets(its, annotated.words)
    return bool(cases)


def _table(asked: dict[str, _Asked], least: int) -> DataFrame:
    from pandas import DataFrame, Index

    kept = {name: its for name, its in asked.items() if its.cases >= least}
    order = sorted(kept, key=lambda name: (-kept[name].cases, name))
    rows = []
    for name in order:
        its = kept[name]
        layer, head = np.unravel_index(its.hits.argmax(), its.hits.shape)
        offset, right = min(its.offsets.items(), key=lambda it: (-it[1], abs(it[0]), it[0]))
        rows.append(
            {
                "layer": int(layer),
                "head": int(head),
                "score": its.hits.max() / its.cases,
                "offset": offset,
                "baseline": right / its.cases,
                "cases": its.cases,
            }
        )
    columns = ["layer", "head", "score", "offset", "baseline", "cases"]
    return DataFrame(rows, columns=columns, index=Index(order, name="relation"))

"""Where a head doesn't do what it is named for."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import NamedTuple

import numpy as np

from ..attention import Attention
from ..attention.base import Float
from ..state import check_index
from .agreement import Case, cases_of, read_words, words_read
from .annotations import Annotations, Antecedent, Edge, read_annotations
from .labels import MOST, NAMES, SINKS, Label, pattern_steps
from .patterns import Flags, Indices, Source, Text
from .steps import finish, within
from .sums import LEAST_LEFT, ROWS, Part, blocks, sampled_queries

# Of a longer text a sample of the queries is read.
MOST_ROWS = 4096


class CounterExample(NamedTuple):
    """A query that could have read what a label says, and read something else.

    Attributes
    ----------
    query : int
        The token that reads; of a word the first one.
    expected : tuple of int
        The tokens that it would read.
    weight : float
        The sum of its weights on these, as the model has them.
    instead : int
        The token that it reads most besides; of a word the first one.
    instead_weight : float
        Its weight there.
    aside : float
        Its weight on sinks that were set aside, for which neither is taken.
    """

    query: int
    expected: tuple[int, ...]
    weight: float
    instead: int
    instead_weight: float
    aside: float


def counter_examples(
    source: Source,
    layer: int,
    head: int,
    label: Label | str,
    top: int = 5,
    *,
    edges: Iterable[Edge] | None = None,
    antecedents: Iterable[Antecedent] | None = None,
    doc: object = None,
) -> list[CounterExample]:
    """Return the queries of this text where a head doesn't do what a label says.

    These are rows that have such a key, which they may read, and give it less than half of what
    they read beside the sinks that are set aside; by that share, the least first. Rows with less
    than 1 % left say nothing. Of what is annotated they are the cases whose most read candidate is
    wrong. Of more than 4096 queries a sample is read, one of each equal stretch.

    Parameters
    ----------
    source : Trace, Kind or AttentionExplorer
        What has attention and tokens.
    layer, head : int
        Which head, both counted from 0.
    label : Label or str
        One of `head_labels`, or what it is called, of any head: then the head's own sinks are set
        aside.
    top : int
        How many at most.
    edges, antecedents, doc
        As `head_scores` takes them, for a label of theirs.

    Raises
    ------
    ValueError
        A head, or a label, that isn't there; a label of annotations without these; broad, of which
        no one key is expected; signed attention, which has no labels.
    """
    annotated = read_annotations(source, edges, antecedents, doc)
    steps = counter_example_steps(source, layer, head, label, top, annotated)
    return finish(steps, source)


def counter_example_steps(
    source: Source,
    layer: int,
    head: int,
    label: Label | str,
    top: int = 5,
    annotated: Annotations | None = None,
) -> Generator[float, None, list[CounterExample]]:
    """Find what `counter_examples` returns, step by step; yields the share that is done."""
    attention = source.attention
    layer = check_index(layer, attention.n_layers, "layers")
    head = check_index(head, attention.n_heads, "heads")
    if attention.signed:
        raise ValueError("some weights are below 0: they are no softmax, and no head has a label")
    name = label.name if isinstance(label, Label) else label
    pattern = next((it for it, called in NAMES.items() if called == name), None)
    asked = {} if annotated is None else cases_of(attention, annotated)
    if pattern == "broad":
        raise ValueError("a broad head reads much of the text alike: no one key is expected of it")
    if pattern is None and name not in asked:
        known = ", ".join(map(repr, [it for it in NAMES.values() if it != "broad"] + list(asked)))
        raise ValueError(
            f"{name!r} is no label here: use one of {known}; others take edges=, antecedents= or "
            "doc="
        )
    if pattern is None:
        assert annotated is not None
        found = yield from _of_cases(attention, annotated, layer, head, asked[name])
    else:
        sinks = label.aside if isinstance(label, Label) else None
        if sinks is None:
            sinks = yield from within(_sinks_of(source, layer, head, name), 0, 0.1)
        steps = _of_pattern(source, layer, head, pattern, sinks)
        found = yield from within(steps, 0.1, 1)
    return [example for _, example in sorted(found, key=lambda it: it[0])[:top]]


_Found = list[tuple[float, CounterExample]]


def _sinks_of(
    source: Source, layer: int, head: int, name: str
) -> Generator[float, None, tuple[str, ...]]:
    """Return the sinks that are set aside where a head is named by `name`."""
    labels: dict[tuple[int, int], list[Label]] = {(layer, head): []}
    yield from pattern_steps(source, ROWS, [Part(layer, (head,))], labels)
    sinks = [label.name for label in labels[layer, head] if label.name in SINKS.values()]
    return tuple(sinks[: sinks.index(name)] if name in sinks else sinks)


def _of_pattern(
    source: Source, layer: int, head: int, pattern: str, sinks: tuple[str, ...]
) -> Generator[float, None, _Found]:
    attention, text = source.attention, Text.of(source)
    aside = np.zeros(text.n_keys, bool)
    for sink, name in SINKS.items():
        if name in sinks and sink != pattern:
            aside |= text.fixed(sink)
    queries = sampled_queries(text.n_queries, MOST_ROWS)
    found: _Found = []
    done = 0
    for some in blocks(queries, text.n_keys):
        rows, keys = text.pairs(pattern, some)
        is_meant = text.may_read(some[rows], keys) & ~aside[keys]
        places, starts = np.unique(rows[is_meant], return_index=True)
        lines = attention.rows(layer, [head], some[places].tolist())[0] if len(places) else ()
        expected = np.split(keys[is_meant], starts[1:])
        for query, its, line in zip(some[places].tolist(), expected, lines, strict=False):
            found += _judged(query, its, line, aside)
        done += len(some)
        yield done / len(queries)
    return found


def _judged(query: int, expected: Indices, line: Float, aside: Flags) -> _Found:
    """Return a row with its share on the expected keys, where that is less than half."""
    hidden, weight = float(line[aside].sum()), float(line[expected].sum())
    left = float(line.sum()) - hidden
    if left <= LEAST_LEFT * (left + hidden) or weight >= MOST * left:
        return []
    rest = line.copy()
    rest[aside] = rest[expected] = 0
    instead = int(rest.argmax())
    keys = tuple(expected.tolist())
    example = CounterExample(query, keys, weight, instead, float(rest[instead]), hidden)
    return [(weight / left, example)]


def _of_cases(
    attention: Attention, annotated: Annotations, layer: int, head: int, cases: list[Case]
) -> Generator[float, None, _Found]:
    by_word, words = words_read(attention, annotated.words), np.array(annotated.words)
    found: _Found = []
    for number, case in enumerate(cases):
        line = read_words(by_word, layer, [head], [case])[0, 0]
        right = list(case.right)
        rest = np.where(case.candidates, line, 0)
        rest[right] = 0
        instead = int(rest.argmax())
        if rest[instead] > line[right].max():
            tokens = tuple(np.flatnonzero(np.isin(words, right)).tolist())
            weight, other = float(line[right].sum()), float(rest[instead])
            hidden = float(line[~annotated.is_text].sum())
            first = int(np.flatnonzero(words == instead)[0])
            example = CounterExample(case.reader[0], tokens, weight, first, other, hidden)
            found.append((weight, example))
        yield (number + 1) / len(cases)
    return found

"""What heads are named for: patterns that stand out of uniform attention on a text."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import NamedTuple

from .agreement import Agreement, agreement_steps
from .annotations import Annotations, Antecedent, Edge, read_annotations
from .patterns import Source, Text
from .steps import finish, within
from .sums import MEASURES, ROWS, Part, Sums, every_head, sampled_queries, sum_steps

# The weight on the first token from which Gu et al. 2024 call a head a sink; of added tokens, which
# BERT reads instead, the same.
SINK = 0.3
# More than half of what a head reads: no two patterns that share no key can both have it.
MOST = 0.5
# Of the entropy that uniform attention has: of 500 keys as even as 270 of them would be.
BROAD = 0.9
# How many times the baseline a score has to be. In a text of some tokens uniform attention reads a
# third of each row within two tokens: there local says nothing of a head.
LIFT = 2.0
# How much more often than the best fixed offset a head has to be right.
GAIN = 0.1
# Of fewer rows, or edges, one alone decides.
LEAST_SUPPORT = 5

SINKS = {"first": "first token", "special": "delimiter"}
# By the pattern that is measured, in the order in which a head's labels stand.
NAMES = {
    **SINKS,
    "previous": "previous token",
    "next": "next token",
    "self": "self",
    "local": "local",
    "punctuation": "punctuation",
    "duplicate": "duplicate token",
    "induction": "induction",
    "broad": "broad",
}
# What is local by one offset is named for that one.
OFFSETS = {"previous", "next", "self"}


class Label(NamedTuple):
    """What a head is named for, and how well that is supported.

    Attributes
    ----------
    name : str
        One of `NAMES`; ``"coreference"``, ``"syntactic"``, ``"syntactic reversed"``, or a relation
        one way, e.g. ``"nsubj: reads its head"``.
    score : float
        The head's, as `head_scores` defines it, over what is left of its rows.
    baseline : float
        What it has to beat: uniform attention's score for the pattern on the same rows, by closed
        form from the mask (for broad that is 1, the most there can be); of annotations the share
        that the best fixed offset has.
    support : int
        How many rows of the text, or cases of what is annotated, the score is a mean of.
    aside : tuple of str
        The labels before it whose keys were set aside.
    """

    name: str
    score: float
    baseline: float
    support: int
    aside: tuple[str, ...] = ()


# A layer and a head, both counted from 0.
Head = tuple[int, int]
Labels = Mapping[Head, tuple[Label, ...]]


def head_labels(
    source: Source,
    *,
    edges: Iterable[Edge] | None = None,
    antecedents: Iterable[Antecedent] | None = None,
    doc: object = None,
    rows: int = ROWS,
) -> Labels:
    """Name every head for the patterns that it follows on this text: for several, one or none.

    Sinks come first. A head that gives the first token more than `SINK`, and twice what uniform
    attention would, is named for it; so is one that gives it to other tokens which the tokenizer
    added. Their keys are then set aside: the other weights of each row are raised to its sum, and
    rows that have less than 1 % left are left out. Of what is left a pattern names a head that
    gives it more than `MOST`, and at least `LIFT` times what uniform attention would give it; broad
    names one whose entropy is above `BROAD` of uniform attention's; and annotations one that is
    right in more than `MOST` of the cases, by `GAIN` more than the best fixed offset. What stands
    on fewer than `LEAST_SUPPORT` rows names none.

    One text suggests a name and doesn't prove it: of some hundred heads a few follow any pattern by
    chance. Look at `counter_examples`, and at other texts.

    Sources: Clark et al. 2019 and, for sinks, Gu et al. 2024 (alpha_0 > 0.3 at 64 tokens).

    Parameters
    ----------
    source : Trace, Kind or AttentionExplorer
        What has attention and tokens. An explorer's are as it shows them.
    edges, antecedents, doc
        As `head_scores` takes them.
    rows : int
        How many queries are read at most, as by `head_scores`.

    Returns
    -------
    dict of (layer, head) to tuple of Label
        Every head, both counted from 0; empty tuples for those that nothing names, and for all of
        signed attention, which is no softmax.

    Raises
    ------
    ValueError, TypeError
        Annotations that can't be meant.
    """
    annotated = read_annotations(source, edges, antecedents, doc)
    return finish(label_steps(source, annotated, rows), source)


def label_steps(
    source: Source, annotated: Annotations | None = None, rows: int = ROWS
) -> Generator[float, None, Labels]:
    """Name every head as `head_labels` does, step by step; yields the share that is done."""
    attention = source.attention
    labels = {
        (layer, head): list[Label]()
        for layer in range(attention.n_layers)
        for head in range(attention.n_heads)
    }
    if attention.signed:
        return dict.fromkeys(labels, ())
    patterns = 1.0 if annotated is None else 0.5
    steps = pattern_steps(source, rows, every_head(attention), labels)
    yield from within(steps, 0, patterns)
    if annotated is not None:
        asked = yield from within(agreement_steps(attention, annotated), patterns, 1)
        for at, its in labels.items():
            its += [label for agreement in asked if (label := _of_agreement(agreement, at))]
    return {at: tuple(its) for at, its in labels.items()}


def pattern_steps(
    source: Source, rows: int, parts: Sequence[Part], labels: Mapping[Head, list[Label]]
) -> Generator[float, None, None]:
    """Name heads for patterns; those that have a sink are read again without it."""
    attention, text = source.attention, Text.of(source)
    queries = sampled_queries(attention.n_queries, rows)
    n_rounds = len(SINKS) + 1
    for number in range(n_rounds):
        steps = sum_steps(attention, text, parts, queries)
        sums = yield from within(steps, number / n_rounds, (number + 1) / n_rounds)
        again: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for layer, heads, aside in parts:
            for head in heads:
                at = (layer, head)
                sink = next((it for it in SINKS if it not in aside and _is_sink(it, sums, at)), "")
                if sink:
                    labels[at].append(_label(sink, sums, at, aside))
                    again.setdefault((layer, (*aside, sink)), []).append(head)
                else:
                    labels[at] += _patterns_of(sums, at, aside)
        parts = [Part(layer, tuple(heads), aside) for (layer, aside), heads in again.items()]


def _is_sink(pattern: str, sums: Sums, at: Head) -> bool:
    """Tell whether a head is named for one of the sinks."""
    return _stands_out(_label(pattern, sums, at, ()), SINK)


def _stands_out(label: Label, least: float) -> bool:
    return (
        label.support >= LEAST_SUPPORT
        and label.score > least
        and label.score >= LIFT * label.baseline
    )


def _label(pattern: str, sums: Sums, at: Head, aside: tuple[str, ...]) -> Label:
    measure = (MEASURES.index(pattern), *at)
    return Label(
        NAMES[pattern],
        float(sums.score[measure]),
        float(sums.baseline[measure]),
        int(sums.support[measure]),
        tuple(SINKS[sink] for sink in aside),
    )


def _patterns_of(sums: Sums, at: Head, aside: tuple[str, ...]) -> list[Label]:
    """Return the labels of a head that has no sink, or none any more."""
    every = {pattern: _label(pattern, sums, at, aside) for pattern in NAMES if pattern not in SINKS}
    broad = every.pop("broad")
    found = {pattern: label for pattern, label in every.items() if _stands_out(label, MOST)}
    if OFFSETS & set(found):
        found.pop("local", None)
    is_broad = broad.support >= LEAST_SUPPORT and broad.score > BROAD
    return [*found.values(), *([broad] if is_broad else [])]


def _of_agreement(agreement: Agreement, at: Head) -> Label | None:
    score, baseline = float(agreement.score[at]), agreement.baseline
    if agreement.support < LEAST_SUPPORT or not (score > MOST and score - baseline >= GAIN):
        return None
    return Label(agreement.name, score, baseline, agreement.support)

"""Scores of heads: what each head's rows have in common, by definitions from the literature."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..attention.base import Float
from ..export.needed import need
from .agreement import ASKED_OF_ALL, agreement_steps
from .annotations import Antecedent, Edge, read_annotations
from .patterns import LOCAL, Source, Text
from .steps import finish
from .sums import MEASURES, ROWS, Numbers, every_head, sampled_queries, sum_steps

if TYPE_CHECKING:
    from pandas import DataFrame


class Score(NamedTuple):
    """A score's name, and what it means in a sentence."""

    name: str
    meaning: str


SCORES = (
    Score("entropy", "of a row, in nats; mean"),
    Score("peak", "a row's largest weight; mean"),
    Score("distance", "to what is read, in tokens; mean"),
    Score("self", "mean weight on itself"),
    Score("previous", "mean weight on the token before"),
    Score("next", "mean weight on the token after"),
    Score("first", "mean weight on the first token"),
    Score("special", "mean weight on added tokens"),
    Score("punctuation", "mean weight on marks"),
    Score("duplicate", "mean weight on earlier copies"),
    Score("induction", "mean weight on what followed earlier copies"),
    Score("local", f"mean weight on tokens at most {LOCAL} away"),
    Score("broad", "entropy as a share of the largest there can be; mean"),
)
_ORDER = [MEASURES.index(score.name) for score in SCORES]


def score_steps(source: Source) -> Generator[float, None, Float]:
    """Score every head as `head_scores` does, step by step.

    Yields
    ------
    float
        The share that is done.

    Returns
    -------
    array of float32, shape (len(SCORES), n_layers, n_heads)
        In the order of `SCORES`.
    """
    found = yield from _steps(source, ROWS)
    return found.astype(np.float32)


def _steps(source: Source, rows: int) -> Generator[float, None, Numbers]:
    attention = source.attention
    if attention.signed:
        return np.full((len(SCORES), attention.n_layers, attention.n_heads), np.nan)
    queries = sampled_queries(attention.n_queries, rows)
    sums = yield from sum_steps(attention, Text.of(source), every_head(attention), queries)
    found: Numbers = sums.score[_ORDER]
    return found


def head_scores(
    source: Source,
    *,
    edges: Iterable[Edge] | None = None,
    antecedents: Iterable[Antecedent] | None = None,
    doc: object = None,
    rows: int = ROWS,
) -> DataFrame:
    """Score every head of what is shown of a trace, a kind of it or an explorer.

    Means are over the rows that are read; of the weight on some keys over those rows that have such
    a key, so that a perfect head has 1.

    Parameters
    ----------
    source : Trace, Kind or AttentionExplorer
        What has attention and tokens. An explorer's are as it shows them.
    edges : iterable of (dependent, head) or (dependent, head, relation), optional
        Dependency edges between words; see `annotations.read_annotations` for how words are named.
    antecedents : iterable of (mention, antecedent), optional
        What a pronoun or a name stands for; a mention may have several.
    doc : spaCy Doc or Stanza Document, optional
        The same text, parsed: its edges.
    rows : int
        Of more queries than that one at random is read of each of so many equal stretches: an
        estimate, but the same each time, and the one that the explorer shows. What is annotated is
        read whole.

    Returns
    -------
    DataFrame of float64
        A row a head, by (layer, head), where layer is an index into ``attention.layer_numbers``; a
        column a score, NaN where there is none: by position where the keys are other tokens than
        the queries, and all of signed numbers, which are no softmax.

        entropy
            -sum(A log A) of a row, in nats [1]_. Uniform attention has ln n; where it is causal the
            mean is ln(n!) / n.
        peak
            The largest weight of a row.
        distance
            sum(A |i - j|) of a row, in tokens [2]_.
        self, previous, next
            The weight on the key at offset 0, -1, 1 [1]_.
        first, special, punctuation
            The sum of the weights on the first key, on those that the tokenizer added, and on
            tokens that are nothing but marks [1]_; over all rows.
        duplicate
            The sum of the weights on earlier copies of the query's token [3]_.
        induction
            The sum of the weights on the tokens after these copies [4]_, the query itself left out.
            Special tokens have no part in either.
        local
            The sum of the weights on keys at most `patterns.LOCAL` tokens away, itself included.
        broad
            Entropy as a share of that of uniform attention, ln n, where causal ln(i + 1) for query
            i; over the rows that may read two keys or more.
        syntactic, syntactic reversed
            The share of the edges whose dependent reads its head most of all other words, and of
            those whose head reads its dependent most [1]_. Each beside the share that the best
            fixed offset has on these edges: ``"syntactic baseline"``. Special tokens aren't among
            the words, and edges that a causal mask keeps from being read aren't counted.
        coreference
            The share of the mentions that read one of their antecedents most, of all words before
            them that are no marks [1]_; beside ``"coreference baseline"``.

        `attrs` says how many queries there are, how many of them were read, and the attention's
        source and notes.

    References
    ----------
    .. [1] Clark et al. 2019, "What Does BERT Look At?". It divides by all rows.
    .. [2] Vig and Belinkov 2019, "Analyzing the Structure of Attention in a Transformer".
    .. [3] The head detector of TransformerLens, whose sums are divided by all weights.
    .. [4] Olsson et al. 2022, "In-context Learning and Induction Heads".

    Raises
    ------
    ValueError, TypeError
        Annotations that can't be meant; see `annotations.read_annotations`.
    ModuleNotFoundError
        pandas isn't installed.
    """
    need("pandas", "head_scores")
    from pandas import DataFrame, MultiIndex

    attention = source.attention
    annotated = read_annotations(source, edges, antecedents, doc)
    names = [score.name for score in SCORES]
    columns = dict(zip(names, finish(_steps(source, rows), source), strict=True))
    if annotated is not None:
        for name, score, baseline, _ in finish(agreement_steps(attention, annotated), source):
            if name in ASKED_OF_ALL:
                columns |= {name: score, f"{name} baseline": np.full_like(score, baseline)}
    shape = range(attention.n_layers), range(attention.n_heads)
    frame = DataFrame(
        {name: numbers.ravel() for name, numbers in columns.items()},
        index=MultiIndex.from_product(shape, names=["layer", "head"]),
    )
    frame.attrs = {
        "queries": attention.n_queries,
        "read": min(rows, attention.n_queries),
        "source": attention.source,
        "notes": list(attention.notes),
    }
    return frame

"""From a head to the sentences in which it does something."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..analysis.labels import NAMES
from ..state import check_index
from .contents import Contents
from .corpus import Entry, read_corpus
from .identity import loaded_as
from .names import BESIDE, MASSES, MEASURED, PLACED, SHOWN
from .naming import labels_of

if TYPE_CHECKING:
    from ..explorer import AttentionExplorer
    from ..tracing import Trace

Pattern: TypeAlias = "str | tuple[str, str]"

ANY = "*"
_DECILES = 10


class Found(NamedTuple):
    """A text in which a head does something, and where.

    Attributes
    ----------
    text, pair : str, str or None
        As the corpus has them.
    tokens, gaps : tuple of str
        As they are shown, and what stands before each.
    query, key : int or None
        The token that reads, and what it reads; of a word the first. None where the score has no
        pair of tokens.
    weight : float
        Between them; NaN where there is no pair.
    score : float
        Of the text, where it was looked up by one; else NaN.
    decile : int or None
        Which tenth of the exemplars' scores that is in, 9 the highest.
    """

    text: str
    pair: str | None
    tokens: tuple[str, ...]
    gaps: tuple[str, ...]
    query: int | None
    key: int | None
    weight: float
    score: float = math.nan
    decile: int | None = None

    @property
    def said(self) -> str:
        """Who reads whom, and the text, in a line."""
        if self.query is None or self.key is None:
            return self.text
        reads = f"{self.tokens[self.query]!r} reads {self.tokens[self.key]!r}"
        return f"{reads} {self.weight:.2f}: {self.text}"


def search(
    contents: Contents,
    layer: int,
    head: int,
    pattern: Pattern,
    *,
    decile: int | None,
    top: int,
    model: Any,
    tokenizer: Any,
    texts: Any,
    least: float,
) -> list[Found]:
    """Find texts; see `HeadAtlas.search`."""
    layer, head = _check_head(contents, layer, head)
    if isinstance(pattern, str):
        if texts is not None:
            raise ValueError(
                "texts= are searched for tokens, e.g. ('it', 'cat'); for a score profile them"
            )
        return _by_score(contents, layer, head, pattern, decile, top)
    if model is None:
        raise ValueError(
            "for which token reads which the model runs again: give model= and tokenizer=, those "
            f"of the atlas ({contents.identity['model']})"
        )
    entries: Iterable[Entry | None] = contents.tally.exemplars.entries
    if texts is not None:
        entries = read_corpus(texts, _column(contents))
    found = _by_tokens(contents, layer, head, pattern, entries, model, tokenizer, least)
    if texts is not None:
        return list(islice(found, top))
    return sorted(found, key=lambda it: -it.weight)[:top]


def alike(
    contents: Contents,
    explorer: AttentionExplorer,
    top: int,
    model: Any,
    tokenizer: Any,
    least: float,
) -> list[Found]:
    """Find what is like a selection; see `HeadAtlas.like`."""
    layer, head = _check_head(contents, explorer.layer, explorer.heads[0])
    query, chosen = explorer.selected or (None, None)
    if query is None:
        raise ValueError("no token that reads is selected: click one, or set explorer.selected = 8")
    if model is not None:
        words, of_token = explorer.tokens.words()
        pattern = (words.text[of_token[query]], ANY)
        entries = contents.tally.exemplars.entries
        found = _by_tokens(contents, layer, head, pattern, entries, model, tokenizer, least)
        return sorted(found, key=lambda it: -it.weight)[:top]
    row = explorer.attention.rows(layer, [head], [query])[0, 0]
    key = int(row.argmax()) if chosen is None else chosen
    keys = explorer.key_tokens
    wanted = [explorer.tokens.text[query].casefold(), keys.text[key].casefold()]
    ranked = []
    is_sink = key == 0 or keys.special[key]
    for reader, its_key, pair in _pairs(contents, layer, head, is_sink):
        read = [pair.tokens[at].casefold() for at in (reader, its_key)]
        kinds = (read == wanted, read[0] == wanted[0], its_key - reader == key - query)
        if any(kinds) and pair.weight >= least:
            ranked.append((kinds.index(True), -pair.weight, pair))
    ranked.sort(key=lambda it: it[:2])
    return [pair for _, _, pair in ranked[:top]]


def _check_head(contents: Contents, layer: int, head: int) -> tuple[int, int]:
    anatomy = contents.anatomy
    return (
        check_index(layer, anatomy.n_layers, "layers"),
        check_index(head, anatomy.n_heads, "heads"),
    )


def _column(contents: Contents) -> Any:
    column = contents.options.get("column")
    return tuple(column) if isinstance(column, list) else column


def _by_score(
    contents: Contents, layer: int, head: int, pattern: str, decile: int | None, top: int
) -> list[Found]:
    measure = _measure(contents, layer, head, pattern)
    exemplars = contents.tally.exemplars
    values = exemplars.values[:, MEASURED.index(measure), layer, head]
    # By their key among equals: as they were drawn.
    order = [int(i) for i in np.argsort(values, kind="stable") if not math.isnan(values[i])]
    deciles = [rank * _DECILES // len(order) for rank in range(len(order))]
    ranked = list(zip(order, deciles, strict=True))
    if decile is not None:
        check_index(decile, _DECILES, "deciles")
        ranked = [it for it in ranked if it[1] == decile]
    place = _place(measure)
    found = []
    for text, its in sorted(ranked, key=lambda it: -values[it[0]])[:top]:
        query, key, weight = (
            -1 if place is None else column[text, place, layer, head]
            for column in (exemplars.query, exemplars.key, exemplars.weight)
        )
        found.append(_found(contents, text, query, key, weight, values[text], its))
    return found


def _found(
    contents: Contents,
    text: int,
    query: Any,
    key: Any,
    weight: Any,
    score: Any = math.nan,
    decile: int | None = None,
) -> Found:
    exemplars = contents.tally.exemplars
    is_pair = query >= 0
    return Found(
        *exemplars.entries[text],
        *exemplars.written[text][:2],
        int(query) if is_pair else None,
        int(key) if is_pair else None,
        float(weight) if is_pair else math.nan,
        float(score),
        decile,
    )


def _measure(contents: Contents, layer: int, head: int, pattern: str) -> str:
    """Return the measure that a score's name or a label means in a head."""
    if pattern in MEASURED:
        return pattern
    for name, label in NAMES.items():
        if label == pattern:
            has = next((it for it in labels_of(contents.tally)[layer, head] if it.aside), None)
            beside = f"{name} beside sinks"
            return beside if has is not None and beside in BESIDE else name
    raise ValueError(
        f"{pattern!r} is no score and no label: expected one of {', '.join(SHOWN)}; or of "
        f"{', '.join(NAMES.values())}; or two tokens, ('it', 'cat')"
    )


def _place(measure: str) -> int | None:
    """Return whose pair of tokens stands for a measure."""
    if measure in BESIDE:
        measure = measure.removesuffix(" beside sinks")
    if measure in MASSES:
        measure = measure.removeprefix("to ")
    return PLACED.index(measure) if measure in PLACED else None


def _pairs(
    contents: Contents, layer: int, head: int, is_sink: bool
) -> Iterator[tuple[int, int, Found]]:
    """Yield the pairs that are kept of a head, each once a text: those with a sink, or others."""
    exemplars = contents.tally.exemplars
    for text, (_, _, special) in enumerate(exemplars.written):
        columns = (exemplars.query, exemplars.key, exemplars.weight)
        its = zip(*(column[text, :, layer, head].tolist() for column in columns), strict=True)
        pairs = {
            (query, key): weight
            for query, key, weight in its
            if query >= 0 and is_sink == (key == 0 or special[key])
        }
        for (query, key), weight in pairs.items():
            yield query, key, _found(contents, text, query, key, weight)


def _by_tokens(
    contents: Contents,
    layer: int,
    head: int,
    pattern: tuple[str, str],
    entries: Iterable[Entry | None],
    model: Any,
    tokenizer: Any,
    least: float,
) -> Iterator[Found]:
    """Run the model over texts that have the words, and yield where one reads the other."""
    if len(pattern) != 2 or not all(isinstance(it, str) and it.strip() for it in pattern):
        raise ValueError(f"{pattern!r:.60}: expected the token that reads and the one that is read")
    from ..tracing import trace
    from .working import longest_text

    model, tokenizer = loaded_as(contents.identity, model, tokenizer)
    wanted = [it.strip().casefold() for it in pattern]
    longest = longest_text(model, tokenizer, contents.max_length)
    for entry in entries:
        if entry is None:
            continue
        written = " ".join(part for part in entry if part is not None).casefold()
        if any(it != ANY and it not in written for it in wanted):
            continue
        traced = trace(model, tokenizer, entry.text, entry.pair, max_length=longest)
        yield from _read_in(traced, entry, layer, head, wanted, least)


def _read_in(
    traced: Trace, entry: Entry, layer: int, head: int, wanted: Sequence[str], least: float
) -> Iterator[Found]:
    tokens = traced.tokens
    words, of_token = tokens.words()
    owners = np.array(of_token)
    readers, read = (
        [
            number
            for number, text in enumerate(words.text)
            if not words.special[number] and it in (ANY, text.casefold())
        ]
        for it in wanted
    )
    for reader in readers:
        own = np.flatnonzero(owners == reader)
        row = traced.attention.rows(layer, [head], own.tolist())[0].mean(0)
        by_word = np.bincount(owners, row, len(words))
        keys = [key for key in read if key != reader]
        if wanted[1] == ANY and keys:
            keys = [max(keys, key=lambda key: float(by_word[key]))]
        for key in keys:
            if by_word[key] >= least:
                first = int(np.flatnonzero(owners == key)[0])
                yield Found(
                    *entry, tokens.text, tokens.gap, int(own[0]), first, float(by_word[key])
                )

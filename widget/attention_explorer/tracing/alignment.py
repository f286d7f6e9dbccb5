"""Which tokens of two texts stand opposite each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from .tokens import Tokens

# Up to so many pairs of tokens all are compared, in a tenth of a second. Of more, a match isn't
# looked for where it would begin with a token that occurs often.
_ALL_PAIRS = 1 << 22
_SHOWN = 40


class Pair(NamedTuple):
    """What stands opposite each other: a token each, or a word each of other numbers of tokens.

    Attributes
    ----------
    first, second : range
        The tokens of each side.
    """

    first: range
    second: range


class Alignment(NamedTuple):
    """Which tokens of two texts stand opposite each other.

    Attributes
    ----------
    pairs : tuple of Pair
        In the order of both texts.
    changed : tuple of bool
        Of each pair, whether its texts differ.
    left_out : (tuple of int, tuple of int)
        The tokens of each side that stand opposite none.
    """

    pairs: tuple[Pair, ...]
    changed: tuple[bool, ...]
    left_out: tuple[tuple[int, ...], tuple[int, ...]]


class _Run(NamedTuple):
    """Some tokens of both sides, the same ones or between two runs of these."""

    first: range
    second: range
    is_same: bool


def align(first: Tokens, second: Tokens) -> Alignment:
    """Find out which tokens of two texts stand opposite each other.

    First those that are the same by the tokenizer's own strings, then by their text whatever its
    case, as two models may have other tokenizers. Between these, as many tokens stand opposite each
    other one by one; other numbers of them word by word, where they are as many whole words. The
    rest stands opposite nothing, and what the tokenizer added never opposite a token of the text.

    Where texts begin and end alike that takes no time; where they differ all along, a second or two
    for 30,000 tokens.

    Parameters
    ----------
    first, second : Tokens
        Of the two texts.

    Raises
    ------
    ValueError
        The texts share no token that is of the text itself.
    """
    folded = _folded(first), _folded(second)
    pairs = list[Pair]()
    for run in _runs(first.raw, second.raw, range(len(first)), range(len(second))):
        if run.is_same:
            pairs += _one_by_one(run)
            continue
        for part in _runs(*folded, run.first, run.second):
            pairs += _one_by_one(part) if part.is_same else _opposite(first, second, part)
    pairs = [pair for pair in pairs if first.special[pair[0][0]] == second.special[pair[1][0]]]
    if not any(_is_shared(pair, folded) and not first.special[pair[0][0]] for pair in pairs):
        raise ValueError(
            f"“{_beginning(first)}” and “{_beginning(second)}” have no token in common: compare "
            "texts that differ in some of their tokens, or two models on one text"
        )
    sides = zip((first, second), zip(*pairs, strict=True), strict=True)
    left_out = [_others(len(tokens), runs) for tokens, runs in sides]
    changed = (_written(first, one) != _written(second, other) for one, other in pairs)
    return Alignment(tuple(pairs), tuple(changed), (left_out[0], left_out[1]))


def join(tokens: Tokens, runs: Sequence[range]) -> tuple[Tokens, tuple[int, ...]]:
    """Return tokens with each of some runs as one, and which of these each token belongs to."""
    first_of = list(range(len(tokens)))
    for run in runs:
        first_of[run.start : run.stop] = [run.start] * len(run)
    joined, owners = replace(tokens, word=tuple(first_of)).words()
    firsts = list(dict.fromkeys(first_of))

    def as_was(column: Sequence[str], made: Sequence[str]) -> tuple[str, ...]:
        # White space by itself is no text of a word, but it is that of a token.
        lengths = joined.count or ()
        sides = zip(firsts, made, lengths, strict=True)
        return tuple(column[token] if length == 1 else text for token, text, length in sides)

    text, gap = as_was(tokens.text, joined.text), as_was(tokens.gap, joined.gap)
    words = tuple(tokens.word[token] for token in firsts)
    return replace(joined, text=text, gap=gap, word=words), owners


def _runs(
    first: Sequence[str], second: Sequence[str], of_first: range, of_second: range
) -> Iterator[_Run]:
    """Yield runs that are the same, and what lies between them, in order."""
    one, other = (
        [side[i] for i in some] for side, some in ((first, of_first), (second, of_second))
    )
    # Texts that are compared mostly begin and end alike, and what is left to compare is short.
    before = _alike(one, other)
    after = _alike(one[before:][::-1], other[before:][::-1])
    stops = len(one) - after, len(other) - after
    middle = one[before : stops[0]], other[before : stops[1]]
    is_long = len(middle[0]) * len(middle[1]) > _ALL_PAIRS
    matcher = SequenceMatcher(None, *middle, autojunk=is_long)
    ops = [
        (tag, before + i, before + i_stop, before + j, before + j_stop)
        for tag, i, i_stop, j, j_stop in matcher.get_opcodes()
    ]
    ops.insert(0, ("equal", 0, before, 0, before))
    ops.append(("equal", stops[0], len(one), stops[1], len(other)))
    for tag, i, i_stop, j, j_stop in ops:
        if i_stop > i or j_stop > j:
            yield _Run(of_first[i:i_stop], of_second[j:j_stop], tag == "equal")


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many entries two sequences begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


def _one_by_one(run: _Run) -> list[Pair]:
    return [
        Pair(range(i, i + 1), range(j, j + 1)) for i, j in zip(run.first, run.second, strict=True)
    ]


def _opposite(first: Tokens, second: Tokens, run: _Run) -> list[Pair]:
    """Return what stands opposite each other in runs that share nothing."""
    if len(run.first) == len(run.second):
        return _one_by_one(run)
    words = _whole_words(first, run.first), _whole_words(second, run.second)
    if len(words[0]) != len(words[1]):
        return []
    return [Pair(*pair) for pair in zip(*words, strict=True)]


def _whole_words(tokens: Tokens, run: range) -> list[range]:
    """Return the words of a run; none where it begins or ends within one."""
    begins = [t for t in run if _begins_word(tokens, t)]
    if not run or run.start not in begins or not _begins_word(tokens, run.stop):
        return []
    return [range(*ends) for ends in pairwise([*begins, run.stop])]


def _begins_word(tokens: Tokens, position: int) -> bool:
    if not 0 < position < len(tokens):
        return True
    word = tokens.word[position]
    return word < 0 or word != tokens.word[position - 1]


def _is_shared(pair: Pair, folded: tuple[Sequence[str], Sequence[str]]) -> bool:
    one, other = ([side[i] for i in run] for side, run in zip(folded, pair, strict=True))
    return one == other


def _others(length: int, runs: Sequence[range]) -> tuple[int, ...]:
    used = {token for run in runs for token in run}
    return tuple(token for token in range(length) if token not in used)


def _folded(tokens: Tokens) -> list[str]:
    return [text.strip().casefold() for text in tokens.text]


def _written(tokens: Tokens, run: range) -> str:
    rest = (tokens.gap[i] + tokens.text[i] for i in run[1:])
    return "".join([tokens.text[run.start], *rest])


def _beginning(tokens: Tokens) -> str:
    own = [i for i, special in enumerate(tokens.special) if not special]
    text = "".join(tokens.gap[i] + tokens.text[i] for i in own).strip()
    return text if len(text) <= _SHOWN else text[:_SHOWN].rstrip() + "…"

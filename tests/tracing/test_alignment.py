"""Which tokens of two texts stand opposite each other: in order, none twice, none lost."""

from __future__ import annotations

import random

import pytest

from attention_explorer.tracing import Tokens
from attention_explorer.tracing.alignment import Alignment, align, join

Span = tuple[int, int]


def tokens(text: str) -> Tokens:
    return Tokens.from_strings(text.split())


def spans(alignment: Alignment) -> list[tuple[Span, Span]]:
    return [((a.start, a.stop), (b.start, b.stop)) for a, b in alignment.pairs]


def one(*pairs: tuple[int, int]) -> list[tuple[Span, Span]]:
    return [((i, i + 1), (j, j + 1)) for i, j in pairs]


CASES = {
    "a changed token stands opposite the other": (
        "[CLS] the cat sat [SEP]",
        "[CLS] the dog sat [SEP]",
        one((0, 0), (1, 1), (2, 2), (3, 3), (4, 4)),
        [2],
        ((), ()),
    ),
    "what is inserted and what is deleted stands opposite nothing": (
        "[CLS] the big old cat sat [SEP]",
        "[CLS] the cat sat there again [SEP]",
        one((0, 0), (1, 1), (4, 2), (5, 3), (6, 6)),
        [],
        ((2, 3), (4, 5)),
    ),
    "repeated words stay in order": (
        "the the cat the cat",
        "the cat the the cat",
        one((0, 0), (1, 2), (3, 3), (4, 4)),
        [],
        ((2,), (1,)),
    ),
    "a word of other length stands opposite as one": (
        "[CLS] the cat sat ##s [SEP]",
        "[CLS] the hip ##po ##s sat ##s [SEP]",
        [*one((0, 0), (1, 1)), ((2, 3), (2, 5)), *one((3, 5), (4, 6), (5, 7))],
        [2],
        ((), ()),
    ),
    "pieces that aren't whole words stand opposite nothing": (
        "play ##ing cats",
        "play ##ed ##s cats",
        one((0, 0), (2, 3)),
        [],
        ((1,), (1, 2)),
    ),
    "as many words as there are stand opposite each other": (
        "she saw Es ##per ##anza smile there",
        "she met Mary laugh there",
        [*one((0, 0), (1, 1)), ((2, 5), (2, 3)), *one((5, 3), (6, 4))],
        [1, 2, 3],
        ((), ()),
    ),
    "case, and how a tokenizer marks words, is no difference": (
        "<s> ĠThe Ġcat Ġsat </s>",
        "[CLS] the cat sat [SEP]",
        one((0, 0), (1, 1), (2, 2), (3, 3), (4, 4)),
        [0, 1, 4],
        ((), ()),
    ),
    "what a tokenizer adds is no word of the text": (
        "[CLS] cats sleep well",
        "dogs cats sleep well",
        one((1, 1), (2, 2), (3, 3)),
        [],
        ((0,), (0,)),
    ),
    "signs without spaces": (
        "我 爱 我 的 猫 。",
        "我 很 爱 我 的 狗 。",
        one((0, 0), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)),
        [4],
        ((), (1,)),
    ),
    "a single token": ("cat", "cat", one((0, 0)), [], ((), ())),
}


@pytest.mark.parametrize("name", CASES)
def test_what_stands_opposite_what(name: str) -> None:
    first, second, pairs, changed, left_out = CASES[name]
    found = align(tokens(first), tokens(second))
    assert spans(found) == pairs
    assert [place for place, new in enumerate(found.changed) if new] == changed
    assert found.left_out == left_out


@pytest.mark.parametrize("name", CASES)
def test_turned_round_what_is_left_out_changes_places(name: str) -> None:
    first, second, *_ = CASES[name]
    here, there = align(tokens(first), tokens(second)), align(tokens(second), tokens(first))
    assert len(here.pairs) == len(there.pairs)
    assert [len(side) for side in here.left_out] == [len(side) for side in there.left_out[::-1]]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("vocabulary", [3, 40])
def test_every_token_has_one_place_in_order(seed: int, vocabulary: int) -> None:
    """Of random edits: a token in two pairs, or in none and not left out, would be drawn twice."""
    draw = random.Random(seed)
    words = [f"w{draw.randrange(vocabulary)}" for _ in range(60)]
    edited = []
    for word in words:
        kind = draw.random()
        edited += [] if kind < 0.1 else [word, "new"] if kind < 0.2 else [word]
    sides = Tokens.from_strings(words), Tokens.from_strings(edited)
    found = align(*sides)
    for side, (text, left) in enumerate(zip(sides, found.left_out, strict=True)):
        placed = [token for pair in found.pairs for token in pair[side]]
        assert placed == sorted(placed)
        assert sorted([*placed, *left]) == list(range(len(text)))
    for (a, b), changed in zip(found.pairs, found.changed, strict=True):
        assert changed == ([sides[0].text[i] for i in a] != [sides[1].text[j] for j in b])
    if vocabulary == 40:
        # So many words are the same that a matching which loses its way would show.
        assert sum(not changed for changed in found.changed) > 40


@pytest.mark.parametrize("second", ["[CLS] wholly other words [SEP]", "[CLS] dog [SEP]", "x y z"])
def test_texts_that_share_nothing_are_refused_in_a_sentence(second: str) -> None:
    with pytest.raises(ValueError, match=r"“the cat sat” and “.+” have no token in common"):
        align(tokens("[CLS] the cat sat [SEP]"), tokens(second))


def test_long_texts_are_matched_between_what_they_begin_and_end_with() -> None:
    """Tokens that occur often aren't begun with: what lies around them still is matched."""
    draw = random.Random(0)
    words = [f"w{draw.randrange(900)}" if draw.random() < 0.7 else "the" for _ in range(5000)]
    edited = words.copy()
    edited[300], edited[4800:4801] = "new", ["some", "more", "words"]
    for place in range(400, 4700, 50):
        edited[place] = f"other{place}"
    found = align(Tokens.from_strings(words), Tokens.from_strings(edited))
    changed = [pair.first[0] for pair, new in zip(found.pairs, found.changed, strict=True) if new]
    assert changed == [300, *range(400, 4700, 50)]
    assert found.left_out == ((4800,), (4800, 4801, 4802))


def test_joined_tokens_are_as_written_and_the_others_as_they_were() -> None:
    raw = ["[CLS]", "the", "hip", "##po", "##s", "ran", "\n", "fast", "[SEP]"]
    text = Tokens.from_strings(raw)
    joined, owners = join(text, [range(2, 5)])
    assert joined.text == ("[CLS]", "the", "hippos", "ran", *text.text[6:])
    assert joined.count == (1, 1, 3, 1, 1, 1, 1)
    assert owners == (0, 1, 2, 2, 2, 3, 4, 5, 6)
    assert joined.word == tuple(text.word[i] for i in (0, 1, 2, 5, 6, 7, 8))
    assert joined.gap[3:] == text.gap[5:]

"""Tokens by position or by a piece of the text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_explorer import Tokens
from attention_explorer.analysis.picks import Pick, pick_tokens

#         0        1    2      3      4      5       6       7      8          9    10
RAW = ["[CLS]", "the", "man", "saw", "the", "hu", "##man", "with", "tele", "##scope", "[SEP]"]
TOKENS = Tokens.from_strings(RAW)


@pytest.fixture
def tokenizer() -> Any:
    """A byte-level tokenizer of single bytes."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast: Any = transformers.PreTrainedTokenizerFast
    return fast(tokenizer_object=made)


@pytest.mark.parametrize(
    ("what", "positions"),
    [
        (3, (3,)),
        (np.int64(3), (3,)),
        (range(8, 4, -2), (6, 8)),
        (slice(None, 2), (0, 1)),
        (slice(9, None), (9, 10)),
        (np.array([5, 2]), (2, 5)),
        ("saw", (3,)),
        ("the man", (1, 2)),
        (" with ", (7,)),
        ("telescope", (8, 9)),
        ("scope", (9,)),
        ("saw the human", (3, 4, 5, 6)),
        ("[SEP]", (10,)),
        (["telescope", 9, range(1, 3), "saw"], (1, 2, 3, 8, 9)),
    ],
)
def test_tokens_are_named_by_position_or_text(what: Pick, positions: tuple[int, ...]) -> None:
    """Catches pieces of a word left out, tokens twice or out of order, stops counted in."""
    assert pick_tokens(TOKENS, what) == positions


def test_a_whole_word_comes_before_a_piece_of_another() -> None:
    """Catches a search for letters: "man" is a token of "human" too, and "a" is in "saw"."""
    assert pick_tokens(TOKENS, "man") == (2,)
    assert pick_tokens(Tokens.from_strings(["saw", "a", "man"]), "a") == (1,)


def test_words_and_segments_are_named_as_tokens_are() -> None:
    """Catches positions of tokens where words are asked for."""
    words, _ = TOKENS.words()
    assert pick_tokens(words, "with telescope") == (6, 7)
    runs, _ = replace(
        TOKENS, segment=(-1, *[0] * 3, *[1] * 6, -1), segments=("who", "whom")
    ).by_segment()
    assert pick_tokens(runs, "whom") == (2,)


def test_text_is_as_written_and_a_character_of_several_tokens_is_whole(tokenizer: Any) -> None:
    """Catches looking among the tokenizer's own strings, whose bytes are no letters."""
    text = "Héllo wörld, héllo 🙂"
    tokens = Tokens.from_encoding(tokenizer, tokenizer(text), [text])
    assert len(tokens) > 10
    for piece in ("wörld", "héllo", "🙂", "Héllo", "wörld, héllo 🙂"):
        picked = pick_tokens(tokens, piece)
        ends = (min(tokens.span[i][0] for i in picked), max(tokens.span[i][1] for i in picked))  # type: ignore[index]
        assert text[slice(*ends)].strip() == piece
        spans = enumerate(tokens.span or ())
        inside = [i for i, (a, b) in spans if ends[0] <= a < b <= ends[1]]
        assert list(picked) == inside


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("the", r"'the' occurs 2 times, at tokens 1 and 4: .* 1$"),
        ("tele scope", "isn't in the text, 'the man saw the human with telescope'"),
        ("elescope", "begins or ends within a token"),
        ("Saw", "exactly as written, or a position \\(0 to 10\\)"),
        ("  ", "an empty string names no token"),
        ([], r"\[\] names no token: give one position or more \(0 to 10\)"),
        (range(3, 3), "names no token"),
        (11, "there is no token 11: there are 11, counted from 0 to 10"),
        (-1, "there is no token -1"),
        (range(9, 12), "there is no token 11"),
        (slice(-2, None), "there is no token -2"),
    ],
)
def test_what_names_no_token_is_told_in_a_sentence(what: Pick, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pick_tokens(TOKENS, what)


@pytest.mark.parametrize("what", [1.5, True, None, [["saw"]], {"saw": 1}])
def test_other_things_are_refused(what: Any) -> None:
    """Catches True taken for token 1 and 1.5 cut to it."""
    with pytest.raises(TypeError, match=r"by position .*, by a piece of the text"):
        pick_tokens(TOKENS, what)


def test_places_of_several_tokens_are_told_whole() -> None:
    twice = Tokens.from_strings(["tele", "##scope", "or", "tele", "##scope", "[SEP]", "[SEP]"])
    with pytest.raises(ValueError, match=r"at tokens 0 to 1 and 3 to 4: .* range\(0, 2\)"):
        pick_tokens(twice, "telescope")
    with pytest.raises(ValueError, match="at tokens 5 and 6"):
        pick_tokens(twice, "[SEP]")


def test_without_tokens_there_are_positions_only() -> None:
    assert pick_tokens(5, [slice(1, 3), 4]) == (1, 2, 4)
    with pytest.raises(ValueError, match="there is no token 5"):
        pick_tokens(5, 5)
    with pytest.raises(ValueError, match="the text isn't known here"):
        pick_tokens(5, "saw")

"""Tokens as a person reads them: text as written, gaps, words, segments, specials."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from ..protocol import TokenTable
from . import pieces

# What segments without names are called.
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Tokens, and letters, of a segment that say which one it is.
_BEGINNING = 80


@dataclass(frozen=True)
class Tokens:
    r"""The tokens of one side of an attention, by column; every column has one entry a token.

    Attributes
    ----------
    text : tuple of str
        Each token as shown: its characters as written where offsets are known.
    gap : tuple of str
        What stands in the text between a token and the one before it: ``""``, ``" "``, ``"\n\n"``.
    raw : tuple of str
        The tokenizer's own string (``"##ing"``, ``"Ġcat"``).
    special : tuple of bool
        Whether the tokenizer added it ([CLS], <s>, ...).
    segment : tuple of int
        0, 1, ... for the texts of the input, or for its named parts; -1 for tokens in none, as
        specials are that no part holds.
    word : tuple of int
        Number of the word that a token belongs to, over all segments; -1 for specials.
    span : tuple of (int, int) or None
        Characters of the segment's text, where offsets are known.
    ids : tuple of int or None
        The vocabulary's numbers.
    count : tuple of int or None
        How many of the tokenizer's tokens each stands for; None: one.
    segments : tuple of str
        What the segments are called, by number, where they have names; no column of the tokens.
    """

    text: tuple[str, ...]
    gap: tuple[str, ...]
    raw: tuple[str, ...]
    special: tuple[bool, ...]
    segment: tuple[int, ...]
    word: tuple[int, ...]
    span: tuple[tuple[int, int], ...] | None = None
    ids: tuple[int, ...] | None = None
    count: tuple[int, ...] | None = None
    segments: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.text)

    @classmethod
    def from_strings(cls, tokens: Sequence[str], special: Sequence[bool] | None = None) -> Tokens:
        """Read a tokenizer's strings, or plain words, without the text that they came from.

        Parameters
        ----------
        tokens : sequence of str
            WordPiece, byte-level or SentencePiece strings, told apart by their marks, or any other
            strings, whose text is kept as it is.
        special : sequence of bool, optional
            Which of them the tokenizer added; by default those with a known special name.

        Raises
        ------
        TypeError
            A token that is no string.
        """
        if isinstance(tokens, str):
            raise TypeError(f"tokens have to be a list of strings, got the string {tokens[:40]!r}")
        for position, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(
                    f"token {position} is {token!r:.60} ({type(token).__name__}): tokens have to "
                    "be strings, e.g. tokenizer.convert_ids_to_tokens(input_ids)"
                )
        # A lone surrogate is no Unicode and would break every channel that carries it.
        raw = tuple(re.sub("[\ud800-\udfff]", "\ufffd", token) for token in tokens)
        if special is None:
            special = [pieces.SPECIAL_NAME.fullmatch(token) is not None for token in raw]
        read = pieces.read_pieces(raw, special)
        return cls(
            text=tuple(piece.text for piece in read),
            gap=tuple(piece.gap for piece in read),
            raw=raw,
            special=tuple(special),
            segment=_segments(raw, special),
            word=_number_words([piece.begins_word for piece in read], special),
        )

    @classmethod
    def from_encoding(
        cls,
        tokenizer: Any,
        encoding: Mapping[str, Any],
        texts: Sequence[str] | None,
        batch_index: int = 0,
    ) -> Tokens:
        """Read tokens with the help of the tokenizer that made them.

        Parameters
        ----------
        tokenizer
            The transformers tokenizer.
        encoding : BatchEncoding or mapping
            What the tokenizer returned, with ``input_ids``.
        texts : sequence of str, optional
            The one or two texts of this example. With them, and a fast tokenizer, each token's text
            is as written there; without, it is read from the tokenizer's strings.
        batch_index : int
            Which example of the encoding.
        """
        ids = _row(encoding["input_ids"], batch_index)
        fast = getattr(encoding, "encodings", None)
        if texts is not None and fast and list(fast[batch_index].ids) == ids:
            return _from_offsets(tokenizer, fast[batch_index], texts)
        names = tokenizer.convert_ids_to_tokens(ids)
        raw = [_name(token, i) for token, i in zip(names, ids, strict=True)]
        added = _added_ids(tokenizer)
        tokens = cls.from_strings(raw, special=[i in added for i in ids])
        if "token_type_ids" in encoding:
            types = _row(encoding["token_type_ids"], batch_index)
            if len(set(types)) > 1:
                pairs = zip(tokens.special, types, strict=True)
                tokens = replace(tokens, segment=tuple(-1 if s else t for s, t in pairs))
        return replace(tokens, ids=tuple(ids))

    def keep(self, positions: Sequence[int]) -> Tokens:
        """Return the tokens at `positions`, e.g. without padding."""
        columns = {
            name: tuple(column[i] for i in positions)
            for name, column in vars(self).items()
            if column is not None and name != "segments"
        }
        return replace(self, **columns)

    def words(self) -> tuple[Tokens, tuple[int, ...]]:
        """Return the words as tokens of their own, and which of these each token belongs to.

        Specials, and tokens whose word isn't known, are words by themselves. A word's text is as
        written, each character once; words have no ids.
        """
        members = _runs(self.word)
        read = [pieces.split_leading_gap(self._written(tokens)) for tokens in members]
        gaps = [self.gap[t.start] + lead for t, (lead, _) in zip(members, read, strict=True)]
        words = self._joined(
            members,
            text=tuple(text for _, text in read),
            gap=tuple(gaps),
            raw=tuple("".join(self.raw[i] for i in tokens) for tokens in members),
        )
        return words, _owners(members)

    def by_segment(self) -> tuple[Tokens, tuple[int, ...]]:
        """Return runs of a segment as tokens of their own, and in which of these each token is.

        A run is called by its segment, and its raw text is how it begins; a segment that the text
        comes back to has several. Tokens in no segment are runs by themselves. Runs have no ids.
        """
        members = _runs(self.segment)
        called = [self._segment_name(t.start) for t in members]
        runs = self._joined(
            members,
            text=tuple(name or self.text[t.start] for name, t in zip(called, members, strict=True)),
            gap=("", *(" " for _ in members[1:])),
            raw=tuple(
                self._beginning(t) if name else self.raw[t.start]
                for name, t in zip(called, members, strict=True)
            ),
            special=tuple(
                not name and self.special[t.start] for name, t in zip(called, members, strict=True)
            ),
        )
        return runs, _owners(members)

    def _segment_name(self, position: int) -> str:
        """Return what a token's segment is called; empty where it is in none."""
        number = self.segment[position]
        if 0 <= number < len(self.segments):
            return self.segments[number]
        if number >= len(_LETTERS):
            return str(number + 1)
        return _LETTERS[number] if number >= 0 else ""

    def _beginning(self, tokens: range) -> str:
        written = self._written(tokens[:_BEGINNING])
        is_whole = len(tokens) <= _BEGINNING and len(written) <= _BEGINNING
        return written if is_whole else written[:_BEGINNING] + "…"

    def _joined(self, members: Sequence[range], **columns: Any) -> Tokens:
        """Return runs of tokens as tokens of their own."""
        joined = replace(
            self.keep([tokens.start for tokens in members]),
            **columns,
            ids=None,
            count=tuple(len(tokens) for tokens in members),
        )
        if self.span is None:
            return joined
        spans = [self.span[tokens.start : tokens.stop] for tokens in members]
        return replace(
            joined, span=tuple((span[0][0], max(stop for _, stop in span)) for span in spans)
        )

    def _written(self, tokens: range) -> str:
        """Return the text of a word's tokens, less what stands for characters before it."""
        written = self.text[tokens.start]
        end = self.span[tokens.start][1] if self.span else 0
        for i in tokens[1:]:
            if self.span:
                is_shown = self.span[i][1] <= end and not self.text[i].isspace()
                end = max(end, self.span[i][1])
            else:
                is_shown = _continues_character(written, self.text[i], self.raw[i])
            if not is_shown:
                written += self.gap[i] + self.text[i]
        return written

    def table(self) -> TokenTable:
        """Return the columns that cross to the browser."""
        return {
            "text": list(self.text),
            "gap": list(self.gap),
            "raw": list(self.raw),
            "special": list(self.special),
            "segment": list(self.segment),
            "word": list(self.word),
            "count": list(self.count or ()),
            "segments": list(self.segments),
        }


def _runs(numbers: Sequence[int]) -> list[range]:
    """Return runs of equal numbers; what has none, -1, is a run by itself."""
    starts = [
        position
        for position, number in enumerate(numbers)
        if not position or number < 0 or number != numbers[position - 1]
    ]
    return [range(*ends) for ends in pairwise([*starts, len(numbers)])]


def _owners(members: Sequence[range]) -> tuple[int, ...]:
    """Return which run each token is in."""
    return tuple(number for number, tokens in enumerate(members) for _ in tokens)


def _continues_character(before: str, text: str, raw: str) -> bool:
    """Tell whether a token is but the rest of the bytes of a character that is written already."""
    is_stand_in = raw != text == pieces.show_continuation(raw)
    is_rest = re.fullmatch("⟨[89AB].(?: [89AB].)*⟩", text) is not None
    return is_stand_in and is_rest and not before[-1:].isascii() and before[-1:] != "⟩"


def _from_offsets(tokenizer: Any, encoding: Any, texts: Sequence[str]) -> Tokens:
    """Read a fast tokenizer's offsets: the text exactly as written, whatever the scheme."""
    added = _added_ids(tokenizer)
    special = [
        bool(mask) or i in added
        for mask, i in zip(encoding.special_tokens_mask, encoding.ids, strict=True)
    ]
    segment = [
        -1 if is_special or number is None else number
        for is_special, number in zip(special, encoding.sequence_ids, strict=True)
    ]
    # Each of these is copied whole when it is asked for.
    raw, word_ids = tuple(encoding.tokens), encoding.word_ids
    text, gap, begins = list(raw), [""] * len(segment), [False] * len(segment)
    end, before, words = [0] * len(texts), [""] * len(texts), _informative_words(encoding, segment)
    last_word: tuple[int, int | None] | None = None
    for position, (start, stop) in enumerate(encoding.offsets):
        number = segment[position]
        if number < 0:
            last_word = None
            within = encoding.sequence_ids[position]
            if within is not None and stop > start:
                # It was written in the text, as a chat template does: it is no gap.
                gap[position] = texts[within][end[within] : start] if before[within] else ""
                before[within], end[within] = " ", max(stop, end[within])
            continue
        source, known = texts[number], end[number]
        # Tokens that share one character (an emoji's bytes) all have its span: the first shows it.
        lead, shown = pieces.split_leading_gap(source[max(start, known) : stop])
        if before[number] and shown:
            gap[position] = source[known:start] + lead
        word = (number, word_ids[position])
        if not shown:
            text[position] = pieces.show_continuation(raw[position])
            # Trimmed offsets leave a token that is a space without it.
            is_space = text[position].isspace()
            begins[position] = last_word is None or (
                is_space and number in words and word != last_word
            )
            if is_space and source.startswith(text[position], known):
                end[number] = known = known + len(text[position])
        elif number in words:
            begins[position] = word != last_word or gap[position] != ""
        else:
            begins[position] = pieces.begins_word(before[number], shown, gap[position])
        text[position] = shown or text[position]
        before[number], end[number] = shown or before[number] or " ", max(stop, known)
        last_word = word
    return Tokens(
        text=tuple(text),
        gap=tuple(gap),
        raw=raw,
        special=tuple(special),
        segment=tuple(segment),
        word=_number_words(begins, [number < 0 for number in segment]),
        span=tuple((int(start), int(stop)) for start, stop in encoding.offsets),
        ids=tuple(encoding.ids),
    )


def _informative_words(encoding: Any, segment: Sequence[int]) -> set[int]:
    """Return the segments whose words the tokenizer knows; some take a whole text for a word."""
    words: dict[int, set[int | None]] = {}
    for number, word in zip(segment, encoding.word_ids, strict=True):
        words.setdefault(number, set()).add(word)
    return {number for number, found in words.items() if len(found) > 1}


def _added_ids(tokenizer: Any) -> set[int]:
    """Return the ids of special tokens, less those that stand for a piece of the text."""
    stand_ins = {
        getattr(tokenizer, "unk_token_id", None),
        getattr(tokenizer, "mask_token_id", None),
    }
    return set(getattr(tokenizer, "all_special_ids", ())) - stand_ins


def _segments(raw: Sequence[str], special: Sequence[bool]) -> tuple[int, ...]:
    """Number the texts between separators."""
    segments: list[int] = []
    current, ended = 0, False
    for token, is_special in zip(raw, special, strict=True):
        if is_special:
            ended = ended or (pieces.SEPARATOR_NAME.fullmatch(token) is not None and 0 in segments)
        elif ended:
            current, ended = current + 1, False
        segments.append(-1 if is_special else current)
    return tuple(segments)


def _number_words(begins: Sequence[bool], special: Sequence[bool]) -> tuple[int, ...]:
    words: list[int] = []
    current = -1
    for begin, is_special in zip(begins, special, strict=True):
        current += begin and not is_special
        words.append(-1 if is_special else current)
    return tuple(words)


def _row(column: Any, batch_index: int) -> list[int]:
    rows = column.tolist() if hasattr(column, "tolist") else column
    row = rows[batch_index] if isinstance(rows[0], (list, tuple)) else rows
    return [int(i) for i in row]


def _name(token: object, number: int) -> str:
    return token if isinstance(token, str) else f"⟨{number}⟩"

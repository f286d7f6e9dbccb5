"""A question and its context as a model reads them: in windows, where the context is long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..tracing.tokens import Tokens


@dataclass(frozen=True)
class Pair:
    """A question and a whole context as the tokenizer joins them, however long.

    Attributes
    ----------
    encoding : BatchEncoding
        What the model reads: columns with one entry a token.
    question, context : range
        The positions of their tokens.
    offsets : sequence of (int, int) or None
        Each token's characters of its own text; None: the tokenizer doesn't know them.
    no_answer : int or None
        The position whose logits speak for no answer: the first token, or wherever the tokenizer
        puts its [CLS]; None where there is no such token.
    """

    encoding: Any
    question: range
    context: range
    offsets: Sequence[tuple[int, int]] | None
    no_answer: int | None

    def __len__(self) -> int:
        return len(self.encoding["input_ids"])

    @property
    def n_around(self) -> int:
        """How many tokens of each window aren't of the context."""
        return len(self) - len(self.context)

    def positions(self, window: range) -> list[int]:
        """Return the positions that a window holds, which is counted in the context's tokens."""
        first = self.context.start
        return [
            *range(first),
            *range(first + window.start, first + window.stop),
            *range(self.context.stop, len(self)),
        ]

    def columns(self, window: range) -> dict[str, list[int]]:
        """Return what the model reads of a window."""
        positions = self.positions(window)
        return {name: [column[i] for i in positions] for name, column in self.encoding.items()}

    def place(self, position: int, window: range) -> int:
        """Return where a position outside the context lies in a window."""
        is_before = position < self.context.start
        return position if is_before else position - len(self.context) + len(window)

    def span(self, tokens: range) -> tuple[int, int] | None:
        """Return the characters of some tokens, which are counted in the context's."""
        if self.offsets is None:
            return None
        first = self.context.start
        start, stop = self.offsets[first + tokens.start], self.offsets[first + tokens.stop - 1]
        return int(start[0]), int(stop[1])


def join(tokenizer: Any, question: str, context: str) -> Pair:
    """Let a tokenizer join a question and a context, in the order that its models know.

    The order is the one of transformers' question-answering pipeline: the question is first but
    where the tokenizer pads on the left (XLNet). The parts are told apart by the tokenizer's
    sequence ids, or by their token numbers where it has none.

    Raises
    ------
    ValueError
        The question or the context holds no tokens; or a tokenizer without sequence ids changes
        them where it joins them.
    """
    question_first = getattr(tokenizer, "padding_side", "right") == "right"
    texts = (question, context) if question_first else (context, question)
    encoding = tokenizer(*texts, verbose=False)
    fast = getattr(encoding, "encodings", None)
    if fast:
        parts, offsets = _parts_of(fast[0].sequence_ids), fast[0].offsets
    else:
        parts, offsets = _found_parts(tokenizer, encoding["input_ids"], texts), None
    named = dict(
        zip(("question", "context"), parts if question_first else parts[::-1], strict=True)
    )
    for name, part in named.items():
        if not part:
            raise ValueError(
                f"the {name} holds nothing that this tokenizer knows: write it in other characters"
            )
    around = [i for i in range(len(encoding["input_ids"])) if not any(i in p for p in parts)]
    return Pair(
        encoding, **named, offsets=offsets, no_answer=no_answer_place(tokenizer, encoding, around)
    )


def tokens_of(tokenizer: Any, pair: Pair, texts: tuple[str, str], window: range) -> Tokens:
    """Return a window's tokens as written: segment 0 is the question, 1 the context."""
    is_swapped = pair.context.start < pair.question.start
    written = Tokens.from_encoding(tokenizer, pair.encoding, texts[::-1] if is_swapped else texts)
    segment = [
        -1 if special else 0 if i in pair.question else 1 if i in pair.context else -1
        for i, special in enumerate(written.special)
    ]
    kept = replace(written, segment=tuple(segment)).keep(pair.positions(window))
    gap = list(kept.gap)
    gap[pair.context.start] = ""  # what stood there before the cut isn't in this window
    return replace(kept, gap=tuple(gap), segments=("question", "context"))


@dataclass(frozen=True)
class Cut:
    """How a context is cut into windows.

    Attributes
    ----------
    n_context : int
        Tokens of the context.
    room : int
        How many of them a window holds.
    stride : int
        How many a window shares with the one before it.
    """

    n_context: int
    room: int
    stride: int

    @cached_property
    def windows(self) -> list[range]:
        """The windows, counted in the context's tokens; all but the last are equally long."""
        firsts = range(0, max(self.n_context - self.stride, 1), self.room - self.stride)
        return [range(first, min(first + self.room, self.n_context)) for first in firsts]


def cut(pair: Pair, max_length: int, stride: int | None, limit: int | None) -> Cut:
    """Cut a context as transformers' question-answering pipeline does.

    Parameters
    ----------
    pair : Pair
        Question and context.
    max_length : int
        Tokens of a window, with the question and all else.
    stride : int, optional
        How many tokens of the context a window shares with the one before it; by default 128, or
        half of `max_length` where that is less, or half of the room beside a long question.
    limit : int or None
        How many tokens the model can read at most, where it is known.

    Raises
    ------
    ValueError
        The question leaves no room for the context; or the stride is as wide as that room.
    """
    room = max_length - pair.n_around
    if room < 1:
        n_special = pair.n_around - len(pair.question)
        longer = ""
        if limit is None or limit > max_length:
            longer = ", or give a larger max_length"
            longer += f" (the model reads up to {limit})" if limit else ""
        raise ValueError(
            f"the question has {len(pair.question)} tokens, and a window of {max_length} has room "
            f"for at most {max_length - n_special - 1} beside {n_special} special tokens and one "
            f"of the context: shorten the question{longer}"
        )
    if stride is None:
        stride = min(128, max_length // 2)
        # Else a long question would make each window a step of a few tokens.
        stride = stride if 4 * stride <= 3 * room else room // 2
    elif stride >= room and len(pair.context) > room:
        raise ValueError(
            f"stride={stride} doesn't let the windows move on: beside this question they hold "
            f"{room} tokens of the context, so it has to be at most {room - 1}"
        )
    return Cut(len(pair.context), room, min(stride, room - 1))


def _parts_of(sequence_ids: Sequence[int | None]) -> list[range]:
    parts = []
    for number in (0, 1):
        found = [i for i, sequence in enumerate(sequence_ids) if sequence == number]
        parts.append(range(found[0], found[-1] + 1) if found else range(0))
    return parts


def _found_parts(tokenizer: Any, ids: Sequence[int], texts: Sequence[str]) -> list[range]:
    """Return where two texts lie in their joined tokens, found by these themselves."""
    parts, position = [], 0
    for text in texts:
        own = list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        while list(ids[position : position + len(own)]) != own:
            position += 1
            if position + len(own) > len(ids):
                raise ValueError(
                    f"{type(tokenizer).__name__} knows no offsets, and makes other tokens of the "
                    "texts when it joins them, so the context can't be found among them: load a "
                    "fast tokenizer (AutoTokenizer.from_pretrained(name, use_fast=True))"
                )
        parts.append(range(position, position + len(own)))
        position += len(own)
    return parts


def no_answer_place(
    tokenizer: Any, encoding: Mapping[str, Any], around: Sequence[int]
) -> int | None:
    """Return the position that speaks for no answer, of those in neither text; see `Pair`."""
    cls = getattr(tokenizer, "cls_token_id", None)
    found = (i for i in around if encoding["input_ids"][i] == cls)
    return next(found, 0 if 0 in around else None)

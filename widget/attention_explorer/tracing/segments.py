"""The parts of a text by name: a question, documents, the messages of a chat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from .tokens import Tokens
from .trace import Kind
from .written import as_shown, occurrences

# A piece of the text that occurs once in it, its characters (start, stop), or its tokens.
Part: TypeAlias = "str | tuple[int, int] | range | slice"

OTHER = "other"
TEMPLATE = "template"


def name_segments(
    tokens: Tokens, segments: Mapping[str, Part], texts: Sequence[str] | None = None
) -> Tokens:
    """Return the tokens with segments that are called by name.

    A token is in the part that holds its first character which is no white space. Tokens in no part
    are a segment ``"other"``, whether or not a part is called so too; special tokens in no part are
    in no segment.

    Parameters
    ----------
    tokens : Tokens
        Of one text, or of two.
    segments : mapping of str to str, (int, int), range or slice
        By name, numbered in this order: a piece of the text that occurs once in it; the characters
        (start, stop) of a single text; or token positions.
    texts : sequence of str, optional
        The text, or both. Without them, or where the tokens' characters aren't known, pieces are
        looked for in what the tokens show.

    Raises
    ------
    TypeError
        Segments that are no mapping, names that are no strings, or parts of another type.
    ValueError
        No segment, an empty name, a piece that isn't there or is there twice, positions that
        aren't there, parts that share a token or hold none.
    """
    _check_names(segments)
    where = _Places(tokens, texts)
    segment: list[int | None] = [None] * len(tokens)
    for number, (name, part) in enumerate(segments.items()):
        found = where.tokens_in(name, part)
        if not found:
            raise ValueError(
                f"segment {name!r} holds no token of its own: {part!r:.60} lies within one, or was "
                "cut off by max_length"
            )
        for position in found:
            before = segment[position]
            if before is not None:
                raise ValueError(
                    f"segments {list(segments)[before]!r} and {name!r} share token {position}, "
                    f"{tokens.text[position]!r}: each token can be in one segment only"
                )
            segment[position] = number
    names = list(segments)
    is_left = [own is None and not s for own, s in zip(segment, tokens.special, strict=True)]
    if any(is_left) and OTHER not in names:
        names.append(OTHER)
    return replace(
        tokens,
        segment=tuple(
            names.index(OTHER) if left else -1 if own is None else own
            for own, left in zip(segment, is_left, strict=True)
        ),
        segments=tuple(names),
    )


def name_kinds(
    kinds: Mapping[str, Kind], segments: Mapping[str, Part], texts: Sequence[str] | None
) -> dict[str, Kind]:
    """Return kinds of attention whose text has segments by name; see `name_segments`.

    Of an encoder with a decoder that is the encoder's text, which the decoder reads.

    Raises
    ------
    ValueError
        As for `name_segments`; or there is no text.
    """

    def named(kind: str, it: Kind) -> Kind:
        if kind == "vision" or (kind == "decoder" and len(kinds) > 1):
            return it
        if kind == "cross" and it.key_tokens is not None:
            return replace(it, key_tokens=name_segments(it.key_tokens, segments, texts))
        return replace(it, tokens=name_segments(it.tokens, segments, texts))

    return {name: named(name, kind) for name, kind in kinds.items()}


def read_chat(
    tokenizer: Any, chat: Sequence[Mapping[str, Any]], max_length: int | None = None
) -> tuple[Mapping[str, Any], Tokens, str]:
    """Return what a model reads of a chat, its tokens by message, and the text that both are of.

    The tokenizer's own template renders it, as far as the beginning of an answer where the last
    message isn't the assistant's. Messages are called by their role, with a number from the second
    on (``"user"``, ``"assistant"``, ``"user 2"``); all else is ``"template"``, special tokens too.

    Parameters
    ----------
    tokenizer
        Of transformers, with a chat template.
    chat : sequence of {"role": str, "content": str}
        The messages; empty ones have no part.
    max_length : int, optional
        Cut the text to so many tokens.

    Raises
    ------
    TypeError
        A message of another form.
    ValueError
        No tokenizer, no template, no message, or a template that changes what a message says or
        leaves it out.
    """
    _check_chat(tokenizer, chat)
    rendered = _render(tokenizer, chat)
    parts = _parts_of(tokenizer, chat, rendered)
    encoding = tokenizer(
        rendered,
        add_special_tokens=False,
        truncation=max_length is not None,
        max_length=max_length,
        verbose=False,
    )
    if not getattr(encoding, "encodings", None):
        raise ValueError(
            f"{type(tokenizer).__name__} is a slow tokenizer, which doesn't know the characters of "
            "its tokens: load a fast one, AutoTokenizer.from_pretrained(name, use_fast=True)"
        )
    tokens = name_segments(Tokens.from_encoding(tokenizer, encoding, [rendered]), parts, [rendered])
    segment = tuple(s if 0 <= s < len(parts) else len(parts) for s in tokens.segment)
    return encoding, replace(tokens, segment=segment, segments=(*parts, TEMPLATE)), rendered


class _Places:
    """Finds parts of a text among its tokens."""

    def __init__(self, tokens: Tokens, texts: Sequence[str] | None) -> None:
        self._n_tokens = len(tokens)
        self._is_written = tokens.span is not None and texts is not None
        if tokens.span is not None and texts is not None:
            self._texts = list(texts)
            self._first = list(_first_characters(tokens, self._texts))
        else:
            written, first = as_shown(tokens)
            self._first = [None if at is None else (0, at) for at in first]
            self._texts = [written]

    def tokens_in(self, name: str, part: Part) -> Sequence[int]:
        """Return the tokens of a part, in order."""
        if isinstance(part, (range, slice)):
            return self._by_position(name, part)
        if isinstance(part, str):
            text, start, stop = self._found(name, part)
        else:
            text, start, stop = 0, *self._characters(name, part)
        return [
            i
            for i, first in enumerate(self._first)
            if first is not None and first[0] == text and start <= first[1] < stop
        ]

    def _by_position(self, name: str, part: range | slice) -> range:
        ends = part.start, part.stop
        if isinstance(part, slice):
            ends = (
                0 if part.start is None else part.start,
                self._n_tokens if part.stop is None else part.stop,
            )
        if part.step not in (None, 1) or not 0 <= ends[0] < ends[1] <= self._n_tokens:
            raise ValueError(
                f"segment {name!r} is {part!r}, but there are {self._n_tokens} tokens: give "
                f"positions from 0 on that follow each other, e.g. range(0, {self._n_tokens})"
            )
        return range(*ends)

    def _found(self, name: str, part: str) -> tuple[int, int, int]:
        if not part.strip():
            raise ValueError(f"segment {name!r} is an empty string: give a piece of the text")
        places = [(i, at) for i, text in enumerate(self._texts) for at in occurrences(part, text)]
        if len(places) == 1:
            (text, start) = places[0]
            return text, start, start + len(part)
        told = f"segment {name!r}, {part!r:.60}, "
        if places:
            raise ValueError(
                f"{told}occurs {len(places)} times in the text: give its characters (start, stop), "
                "or its tokens as a range"
            )
        if self._is_written:
            raise ValueError(f"{told}isn't in the text: give a piece of it exactly as written")
        raise ValueError(
            f"{told}isn't in what the tokens show, {self._texts[0]!r:.80}: give its tokens as a "
            f"range, e.g. range(0, {self._n_tokens})"
        )

    def _characters(self, name: str, part: object) -> tuple[int, int]:
        if not (
            isinstance(part, (tuple, list)) and len(part) == 2 and all(type(n) is int for n in part)
        ):
            raise TypeError(
                f"segment {name!r} is {part!r:.60}: give a piece of the text, its characters "
                "(start, stop), or its tokens as a range"
            )
        if not self._is_written or len(self._texts) > 1:
            why = "of two texts" if self._is_written else "where the tokens' own aren't known"
            raise ValueError(
                f"segment {name!r}: characters {part} say nothing {why}: give a piece of the text, "
                "or its tokens as a range"
            )
        start, stop = part
        if not 0 <= start < stop <= len(self._texts[0]):
            raise ValueError(
                f"segment {name!r} is {part}, but the text has {len(self._texts[0])} characters: "
                "give (start, stop), counted from 0"
            )
        return start, stop


def _first_characters(tokens: Tokens, texts: Sequence[str]) -> Iterator[tuple[int, int] | None]:
    """Yield each token's text and its first character there; None of what was added."""
    assert tokens.span is not None
    for i, (start, stop) in enumerate(tokens.span):
        text = 0 if len(texts) == 1 else tokens.segment[i]
        if not 0 <= text < len(texts) or (tokens.special[i] and start == stop):
            yield None
            continue
        written = texts[text][start:stop]
        lead = len(written) - len(written.lstrip()) if written.strip() else 0
        yield text, start + lead


def _check_names(segments: Mapping[str, Part]) -> None:
    if not isinstance(segments, Mapping):
        raise TypeError(
            "segments have to be a mapping of names to parts of the text, e.g. "
            f"{{'question': 'Who ...?'}}, got {type(segments).__name__}"
        )
    if not segments:
        raise ValueError("there are no segments: name at least one part of the text")
    for name in segments:
        if not isinstance(name, str):
            raise TypeError(f"segments are named by strings, got {name!r:.60}")
        if not name.strip():
            raise ValueError("a segment's name is empty: call it something")


def _check_chat(tokenizer: Any, chat: Sequence[Mapping[str, Any]]) -> None:
    if tokenizer is None:
        raise ValueError("a chat needs the model's tokenizer: trace(model, tokenizer, chat=...)")
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError(
            f"{type(tokenizer).__name__} has no chat template: take the tokenizer of a model that "
            "was trained to chat, set tokenizer.chat_template, or give the text with segments="
        )
    if isinstance(chat, (str, Mapping)) or not chat:
        raise ValueError(
            "chat has to be a list of messages, e.g. [{'role': 'user', 'content': 'Who ...?'}]"
        )
    for number, message in enumerate(chat):
        if not isinstance(message, Mapping) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise TypeError(
                f"message {number} of the chat is {message!r:.60}: expected {{'role': ..., "
                "'content': ...}}, both strings"
            )


def _render(tokenizer: Any, chat: Sequence[Mapping[str, Any]]) -> str:
    from jinja2 import TemplateError

    try:
        rendered: str = tokenizer.apply_chat_template(
            [dict(message) for message in chat],
            tokenize=False,
            add_generation_prompt=chat[-1]["role"] != "assistant",
        )
    except TemplateError as error:
        raise ValueError(f"the chat template refuses these messages: {error}") from None
    return rendered


def _parts_of(
    tokenizer: Any, chat: Sequence[Mapping[str, Any]], rendered: str
) -> dict[str, tuple[int, int]]:
    """Return each message's characters: between what the template writes around any content."""
    marks = [f"Message{i}Content" for i in range(len(chat))]
    marked = [{**message, "content": mark} for message, mark in zip(chat, marks, strict=True)]
    around, rest = [], _render(tokenizer, marked)
    for number, mark in enumerate(marks):
        before, found, rest = rest.partition(mark)
        if not found:
            raise ValueError(
                f"the chat template leaves message {number} ({chat[number]['role']}) out, or "
                "changes it: trace the rendered text with segments= instead"
            )
        around.append(before)
    around.append(rest)
    parts: dict[str, tuple[int, int]] = {}
    roles: list[str] = []
    at = len(around[0]) if rendered.startswith(around[0]) else -1
    for number, message in enumerate(chat):
        contents = (message["content"], message["content"].strip())
        after = around[number + 1]
        fits = (len(c) for c in contents if at >= 0 and rendered.startswith(c + after, at))
        length = next(fits, None)
        if length is None:
            raise ValueError(
                f"the chat template changes what message {number} ({message['role']}) says, so "
                "that it can't be found again: trace the rendered text with segments= instead"
            )
        roles.append(message["role"])
        n_before = roles.count(message["role"])
        if length:
            name = message["role"] + (f" {n_before}" if n_before > 1 else "")
            parts[name] = (at, at + length)
        at += length + len(after)
    if at < len(rendered):
        raise ValueError(
            "the chat template writes more at the end of these messages than of others: trace the "
            "rendered text with segments= instead"
        )
    if not parts:
        raise ValueError("the messages of the chat are empty: there is nothing to attend to")
    return parts

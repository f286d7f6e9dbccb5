"""What a tokenizer's own strings mean: "##ing", "Ġcat", "▁cat", "cat</w>", "<0xC3>", specials."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

Scheme = Literal["wordpiece", "byte-level", "sentencepiece", "word ends", "plain"]
WORD_END = "</w>"

# Names that tokenizers really give to the tokens that they add. Markup that a person may have
# written, such as <b> or <script>, is text.
SPECIAL_NAME = re.compile(
    r"\[(?:CLS|SEP|PAD|BOS|EOS)\]"
    r"|</?s>|<(?:bos|eos|pad|cls|sep|BOS|EOS|PAD|CLS|SEP)>"
    r"|<(?:start|end)_of_(?:turn|text)>"
    r"|<\|[A-Za-z0-9_]+\|>"
    r"|<｜[^｜<>]+｜>"
)
SEPARATOR_NAME = re.compile(r"\[(?:SEP|EOS)\]|</s>|<(?:eos|sep|EOS|SEP)>|<\|endoftext\|>")

BYTE_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")
CLOSING = re.compile(r"(?:[.,;:!?%)\]}»”’…]+|n't|['’](?:s|t|re|ve|ll|d|m))", re.IGNORECASE)
OPENING = re.compile(r"[(\[{«“¿¡]+")
UNSPACED_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Piece(NamedTuple):
    """One token as a person reads it."""

    text: str
    gap: str
    begins_word: bool


def read_pieces(raw: Sequence[str], special: Sequence[bool]) -> list[Piece]:
    """Return what each of the tokenizer's strings means; specials keep their name."""
    ordinary = [token for token, is_special in zip(raw, special, strict=True) if not is_special]
    scheme = detect_scheme(ordinary)
    if scheme in ("byte-level", "sentencepiece"):
        chunks = [
            b"" if is_special else _bytes_of(token, scheme)
            for token, is_special in zip(raw, special, strict=True)
        ]
        return _joined(raw, special, share_out(chunks))
    if any(token[:1].isspace() and token.strip() for token in ordinary):
        return _joined(raw, special, raw, split_gap=False)
    return _spaced(raw, special, scheme)


def detect_scheme(ordinary: Sequence[str]) -> Scheme:
    """Tell from the strings alone how a tokenizer marks words."""
    if any(token.startswith("▁") for token in ordinary):
        return "sentencepiece"
    spaced = [decode_bytes(token) for token in ordinary if token[:1] in ("Ġ", "Ċ")]
    if spaced and all(decoded is not None and _is_clean(decoded) for decoded in spaced):
        return "byte-level"
    if any(re.match(r"##[^#\s]", token) for token in ordinary):
        return "wordpiece"
    if any(token.endswith(WORD_END) and token != WORD_END for token in ordinary):
        return "word ends"
    return "plain"


def share_out(chunks: Sequence[bytes]) -> list[str]:
    """Give each chunk of one text's UTF-8 bytes the characters that begin in it.

    A chunk in which none begins, or only white space, is shown by its bytes: ``⟨9F 98⟩``.
    """
    ends = list(accumulate(len(chunk) for chunk in chunks))
    texts, stray = [""] * len(chunks), [b""] * len(chunks)
    position = owner = 0
    for character in b"".join(chunks).decode("utf-8", "surrogateescape"):
        while position >= ends[owner]:
            owner += 1
        encoded = character.encode("utf-8", "surrogateescape")
        if "\udc80" <= character <= "\udcff":
            stray[owner] += encoded
        else:
            texts[owner] += character
        position += len(encoded)
    for index, text in enumerate(texts):
        hidden = stray[index] if text else chunks[index]
        if hidden and not text.strip():
            texts[index] += show_bytes(hidden)
    return texts


def show_bytes(data: bytes) -> str:
    """Return a visible stand-in for bytes that are no character by themselves."""
    return f"⟨{data.hex(' ').upper()}⟩"


def show_continuation(raw: str) -> str:
    """Return what to show for a token in which no character of the text begins."""
    if fallback := BYTE_FALLBACK.fullmatch(raw):
        return f"⟨{fallback[1].upper()}⟩"
    data = decode_bytes(raw)
    if data and all(0x80 <= byte < 0xC0 for byte in data):
        return show_bytes(data)
    if data and data.isspace():
        return data.decode()
    return raw.removeprefix("##").replace("▁", " ")


def decode_bytes(token: str) -> bytes | None:
    """Undo GPT-2's printable alphabet for bytes; None where a character isn't of it."""
    try:
        return bytes(_BYTE_OF[character] for character in token)
    except KeyError:
        return None


def split_leading_gap(text: str) -> tuple[str, str]:
    """Return (white space before the text, the text); text that is all white space stays whole."""
    stripped = text.lstrip()
    if not stripped:
        return "", text
    return text[: len(text) - len(stripped)], stripped


def begins_word(before: str, text: str, gap: str) -> bool:
    """Tell whether `text` begins a word where only the characters say so."""
    if gap or not before or not text:
        return True
    if text[0].isspace() or before[-1].isspace():
        return True
    return text[0].isalnum() != before[-1].isalnum()


def _joined(
    raw: Sequence[str], special: Sequence[bool], texts: Sequence[str], split_gap: bool = True
) -> list[Piece]:
    """Read tokens that carry their own white space."""
    pieces: list[Piece] = []
    before = ""
    for token, is_special, text in zip(raw, special, texts, strict=True):
        if is_special:
            pieces.append(Piece(token, "", False))
            before = ""
            continue
        gap, shown = split_leading_gap(text) if split_gap else ("", text)
        continues = before != "" and gap == "" and shown[:1] == "⟨" and shown[-1] == "⟩"
        new = not continues and begins_word(before, shown, gap)
        pieces.append(Piece(shown, gap if before else "", new))
        before = before if continues else (shown or " ")
    return pieces


def _spaced(raw: Sequence[str], special: Sequence[bool], scheme: Scheme) -> list[Piece]:
    """Read tokens whose white space is lost: it is put back as English spelling has it."""
    pieces: list[Piece] = []
    before, ended = "", True
    for token, is_special in zip(raw, special, strict=True):
        if is_special:
            pieces.append(Piece(token, "", False))
            before, ended = "", True
            continue
        continues, text = not ended, token
        if scheme == "wordpiece":
            continues = token.startswith("##") and len(token) > 2
            text = token[2:] if continues else token
        elif scheme == "word ends":
            text = token.removesuffix(WORD_END) or token
            ended = token.endswith(WORD_END)
        gap = "" if continues or _touch(before, text) else " "
        pieces.append(Piece(text, gap, not continues))
        before = text
    return pieces


def _touch(before: str, text: str) -> bool:
    if not before or not text or before[-1].isspace() or text[0].isspace():
        return True
    if UNSPACED_SCRIPT.match(before[-1]) and UNSPACED_SCRIPT.match(text[0]):
        return True
    return bool(CLOSING.fullmatch(text) or OPENING.fullmatch(before))


def _bytes_of(token: str, scheme: Scheme) -> bytes:
    if scheme == "byte-level":
        data = decode_bytes(token)
        if data is not None:
            return data
    elif fallback := BYTE_FALLBACK.fullmatch(token):
        return bytes.fromhex(fallback[1])
    return token.replace("▁", " ").encode("utf-8", "replace")


def _is_clean(data: bytes) -> bool:
    return not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", data.decode("utf-8", "replace"))


def _printable_bytes() -> dict[str, int]:
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in kept]
    return {chr(byte): byte for byte in kept} | {chr(256 + i): b for i, b in enumerate(moved)}


_BYTE_OF = _printable_bytes()

"""How a person names tokens: by position, or by a piece of the text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import index
from typing import SupportsIndex, TypeAlias

from ..tracing import Tokens
from ..tracing.written import as_shown, occurrences

Part: TypeAlias = "SupportsIndex | range | slice | str"
Pick: TypeAlias = "Part | Sequence[Part]"


def pick_tokens(tokens: Tokens | int, what: Pick) -> tuple[int, ...]:
    """Return the positions of the tokens that are meant, each once, in the order of the text.

    Parameters
    ----------
    tokens : Tokens or int
        Of one side of an attention: tokens, or words or segments of them. Or how many there are,
        where nothing else is known of them.
    what : int, range, slice, str, or a list of these
        Positions, counted from 0; or a piece of the text as it is shown, ``"saw"`` or ``"the
        man"``, which has to occur once. Whole words are looked for first (``"man"`` isn't in
        ``"human"``), and a word of several tokens gives all of them; then pieces that begin and end
        with a token (``"scope"``); then special tokens (``"[CLS]"``).

    Raises
    ------
    TypeError
        Something else.
    ValueError
        Positions that aren't there; a piece that isn't in the text, is there twice, or begins or
        ends within a token; nothing at all.
    """
    given: object = what.tolist() if hasattr(what, "tolist") else what
    parts = given if isinstance(given, (list, tuple, set)) else [given]
    found = {position for part in parts for position in _positions(tokens, part)}
    if not found:
        n_tokens = tokens if isinstance(tokens, int) else len(tokens)
        raise ValueError(
            f"{what!r:.60} names no token: give one position or more (0 to {n_tokens - 1})"
        )
    return tuple(sorted(found))


def _positions(tokens: Tokens | int, what: object) -> Sequence[int]:
    if not isinstance(what, str):
        return _by_position(tokens if isinstance(tokens, int) else len(tokens), what)
    if isinstance(tokens, int):
        raise ValueError(
            f"{what!r:.60} can't be found: the text isn't known here; give positions (0 to "
            f"{tokens - 1}), or a trace, whose tokens are known"
        )
    return _by_text(tokens, what)


def _by_position(n_tokens: int, what: object) -> Sequence[int]:
    if isinstance(what, slice):
        start, step = what.start or 0, 1 if what.step is None else what.step
        what = range(start, n_tokens if what.stop is None else what.stop, step)
    if not isinstance(what, range):
        try:
            if isinstance(what, bool):
                raise TypeError
            what = [index(what)]  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(
                f"tokens are named by position (an int, a range or a slice), by a piece of the "
                f"text, or by a list of these, got {what!r:.60} ({type(what).__name__})"
            ) from None
    for position in what:
        if not 0 <= position < n_tokens:
            raise ValueError(
                f"there is no token {position}: there are {n_tokens}, counted from 0 to "
                f"{n_tokens - 1}"
            )
    return what


def _by_text(tokens: Tokens, what: str) -> Sequence[int]:
    piece = what.strip()
    if not piece:
        raise ValueError("an empty string names no token: give a piece of the text, or a position")
    words, of_token = tokens.words()
    places = [
        [i for i, word in enumerate(of_token) if word in found] for found in _places(words, piece)
    ]
    places = places or _places(tokens, piece) or _specials(tokens, piece)
    if len(places) == 1:
        return places[0]
    if places:
        *most, last = [
            str(place[0]) if len(place) == 1 else f"{place[0]} to {place[-1]}" for place in places
        ]
        raise ValueError(
            f"{what!r:.60} occurs {len(places)} times, at tokens {', '.join(most)} and {last}: "
            f"give the position of the one that is meant, {_as_code(places[0])}"
        )
    written, _ = as_shown(tokens)
    if piece in written:
        raise ValueError(
            f"{what!r:.60} begins or ends within a token: give whole tokens as the text shows "
            "them, or a position"
        )
    raise ValueError(
        f"{what!r:.60} isn't in the text, {written.strip()!r:.80}: give a piece of it exactly as "
        f"written, or a position (0 to {len(tokens) - 1})"
    )


def _places(tokens: Tokens, piece: str) -> list[list[int]]:
    """Return the tokens of each place where a piece begins and ends as tokens do."""
    written, first = as_shown(tokens)
    known = [(at, i) for i, at in enumerate(first) if at is not None]
    begins = [at for at, _ in known]
    places = []
    for start in occurrences(piece, written):
        place = slice(bisect_left(begins, start), bisect_left(begins, start + len(piece)))
        following = begins[place.stop] if place.stop < len(begins) else len(written)
        begins_here = begins[place.start : place.start + 1] == [start]
        if begins_here and not written[start + len(piece) : following].strip():
            places.append([i for _, i in known[place]])
    return places


def _specials(tokens: Tokens, piece: str) -> list[list[int]]:
    pairs = enumerate(zip(tokens.text, tokens.special, strict=True))
    return [[i] for i, (text, special) in pairs if special and text == piece]


def _as_code(place: Sequence[int]) -> str:
    return str(place[0]) if len(place) == 1 else f"range({place[0]}, {place[-1] + 1})"

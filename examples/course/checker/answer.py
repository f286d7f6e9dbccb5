"""From what is chosen in an explorer to a verdict on it, in sentences."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from html import escape
from typing import get_args

from attention_explorer import AttentionExplorer

from .evidence import READER, Evidence, gather
from .pinned import pairs_of, pins_of
from .words import SENTENCES, UNITS, Language

TEXT = "I saw the man with the telescope."
READINGS = "saw", "man"
# Two weights that are nearer than that are as good as the same.
ALIKE = 0.1
_LONGEST = 60


@dataclass(frozen=True)
class Verdict:
    """What the checker says of an answer.

    Attributes
    ----------
    state : str
        Which case it is: a key of `words.SENTENCES`, the same in every language.
    headline : str
        The verdict in a sentence.
    sentences : tuple of str
        What it stands on; none where there was nothing to judge.
    evidence : Evidence or None
        The numbers themselves.
    """

    state: str
    headline: str
    sentences: tuple[str, ...] = ()
    evidence: Evidence | None = None

    def __repr__(self) -> str:
        return "\n".join([self.headline, *(f"- {sentence}" for sentence in self.sentences)])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences)
        return f"<p><strong>{escape(self.headline)}</strong></p>" + (items and f"<ul>{items}</ul>")


def check_answer(explorer: AttentionExplorer, language: Language = "en") -> Verdict:
    """Judge the head and the pair that are chosen in an explorer, by what can be measured of them.

    Parameters
    ----------
    explorer : AttentionExplorer
        Of `TEXT`, with one head chosen and (with, saw) or (with, man) pinned.
    language : {"en", "zh"}
        Of the sentences.

    Returns
    -------
    Verdict

    Raises
    ------
    TypeError
        Something that is no explorer.
    ValueError
        Another language.
    """
    if language not in get_args(Language):
        raise ValueError(f"the checker speaks 'en' and 'zh', got language={language!r:.40}")
    if not isinstance(explorer, AttentionExplorer):
        raise TypeError(
            f"check_answer takes the explorer in which you chose a head and pinned a pair, got "
            f"{type(explorer).__name__}"
        )
    if (not_yet := _of_what_is_shown(explorer) or _of_what_is_pinned(explorer)) is not None:
        state, about = not_yet
        return Verdict(state, SENTENCES[language][state].format(**about))
    ((_, key), *_) = _named_pairs(explorer)
    return _judge(explorer, key, language)


# A key of `SENTENCES`, and what that sentence takes.
NotYet = tuple[str, dict[str, object]]


def _of_what_is_shown(explorer: AttentionExplorer) -> NotYet | None:
    """Return why nothing of what is shown can be judged."""
    traced = explorer.trace
    if traced is None:
        return "no model", {}
    if _letters(traced.text or "") != _letters(TEXT):
        return "another text", {"text": (traced.text or "")[:_LONGEST], "wanted": TEXT}
    if explorer.measure != "weights":
        return "other numbers", {"measure": explorer.measure}
    return ("other units", {}) if explorer.unit == "segment" else None


def _of_what_is_pinned(explorer: AttentionExplorer) -> NotYet | None:
    """Return why what is pinned and chosen is no answer yet."""
    pins, pairs = pins_of(explorer), _named_pairs(explorer)
    if not pins:
        return "nothing pinned", {}
    if not pairs:
        at = next(at for pin in pins for at in pin if at is not None)
        return "one token", {"token": explorer.tokens.text[at]}
    if {(READER, key) for key in READINGS} <= set(pairs):
        return "both readings", {}
    query, key = pairs[0]
    if query != READER or key not in READINGS:
        is_backwards = key == READER and query in READINGS
        return "backwards" if is_backwards else "another token", {"query": query, "key": key}
    n_heads = len(explorer.heads)
    return None if n_heads == 1 else ("several heads", {"n": n_heads})


def _named_pairs(explorer: AttentionExplorer) -> list[tuple[str, str]]:
    words = explorer.tokens.text
    return [(words[query], words[key]) for query, key in pairs_of(pins_of(explorer))]


def _judge(explorer: AttentionExplorer, key: str, language: Language) -> Verdict:
    assert explorer.trace is not None
    (other,) = (word for word in READINGS if word != key)
    (head,) = explorer.heads
    found = gather(explorer.trace, explorer.layer, head, key, other)
    state = _state(found)
    about = asdict(found) | {
        "head": f"{found.layer}.{found.head}",
        "unit": UNITS[language].get(found.unit, found.unit),
    }
    headline, *sentences = (
        SENTENCES[language][name].format(**about) for name in (state, *_grounds(state, found))
    )
    return Verdict(state, headline, tuple(sentences), found)


def _state(found: Evidence) -> str:
    difference = found.weight - found.other_weight
    if abs(difference) < ALIKE:
        return "reads both"
    if difference < 0:
        return "reads the other"
    return "habit" if found.weight - found.elsewhere < ALIKE else "hypothesis"


def _grounds(state: str, found: Evidence) -> list[str]:
    """Return the sentences that a verdict stands on; what isn't read needs no knock-out."""
    if state in ("reads both", "reads the other"):
        return ["weights", "distance", "whole"]
    stands_out = "stands out" if found.stands_out else "does not stand out"
    turns = "turns" if found.turns else "does not turn"
    return ["weights", "distance", "chance", "cut", stands_out, "whole", turns]


def _letters(text: str) -> str:
    """Return the words of a text, whatever stands between them."""
    return " ".join(re.findall(r"\w+", text.lower()))

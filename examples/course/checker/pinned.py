"""What a learner pinned, as pairs: who reads, and what is read."""

from __future__ import annotations

from attention_explorer import AttentionExplorer

Pin = tuple["int | None", "int | None"]


def pins_of(explorer: AttentionExplorer) -> list[Pin]:
    """Return all that is pinned, (query, key) by position, the first one first."""
    return [pin for pin in (explorer.selected, *explorer.also) if pin is not None]


def pairs_of(pins: list[Pin]) -> list[tuple[int, int]]:
    """Return the pairs that are meant: cells; or tokens, of which the first is the one that reads.

    So the evidence view takes them. A token that is pinned by itself makes no pair.
    """
    whole = [(query, key) for query, key in pins if query is not None and key is not None]
    if cells := [(query, key) for query, key in whole if query != key]:
        return cells
    for number, (query, _) in enumerate(pins):
        if query is not None:
            others = pins[:number] + pins[number + 1 :]
            return [(query, key) for _, key in others if key is not None]
    return []

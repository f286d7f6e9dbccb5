"""Question answering as it is written down: one window, one span at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Found:
    """A span of characters, () for no answer; its text, score, window, and its window's tokens."""

    span: tuple[int, ...]
    text: str
    score: float
    window: int
    tokens: tuple[int, ...]
    probability: float


def find(
    model: Any,
    tokenizer: Any,
    question: str,
    context: str,
    *,
    max_length: int,
    stride: int,
    longest: int,
    none: bool = False,
) -> list[Found]:
    """Return all answers, the best first, with windows as the tokenizer itself cuts them."""
    question_first = tokenizer.padding_side == "right"
    encoded = tokenizer(
        *((question, context) if question_first else (context, question)),
        truncation="only_second" if question_first else "only_first",
        max_length=max_length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    best: dict[tuple[int, int], Found] = {}
    lowest: Found | None = None
    passed = 0
    for window, ids in enumerate(encoded["input_ids"]):
        output = _run(model, tokenizer, encoded, window)
        starts, ends = output.start_logits[0].tolist(), output.end_logits[0].tolist()
        part = 1 if question_first else 0
        inside = [i for i, number in enumerate(encoded.sequence_ids(window)) if number == part]
        for first in inside:
            for last in range(first, min(first + longest, inside[-1] + 1)):
                score = starts[first] + ends[last]
                known = (passed + first - inside[0], passed + last - inside[0])
                if known in best and best[known].score >= score:
                    continue
                offsets = encoded["offset_mapping"][window]
                span = _stripped(context, offsets[first][0], offsets[last][1])
                text = context[span[0] : span[1]]
                best[known] = Found(span, text, score, window, (first, last), 0)
        if none:
            cls = ids.index(tokenizer.cls_token_id)
            score = starts[cls] + ends[cls]
            if lowest is None or score < lowest.score:
                lowest = Found((), "", score, window, (), 0)
        passed += len(inside) - stride
    found = sorted([*best.values(), *([lowest] if lowest else [])], key=lambda one: -one.score)
    total = math.fsum(math.exp(one.score - found[0].score) for one in found)
    distinct: dict[tuple[int, ...], Found] = {}
    for one in found:
        if one.text or not one.span:
            share = math.exp(one.score - found[0].score) / total
            distinct.setdefault(one.span, Found(**{**vars(one), "probability": share}))
    return list(distinct.values())


def _run(model: Any, tokenizer: Any, encoded: Any, window: int) -> Any:
    names = [name for name in tokenizer.model_input_names if name in encoded]
    with torch.no_grad():
        return model(**{name: torch.tensor([encoded[name][window]]) for name in names})


def _stripped(text: str, start: int, stop: int) -> tuple[int, int]:
    while start < stop and text[start].isspace():
        start += 1
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    return start, stop

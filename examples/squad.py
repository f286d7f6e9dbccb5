"""Answers of an extractive model, and what they are worth by SQuAD's rules."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from tqdm import tqdm

WINDOW, STRIDE, LONGEST_ANSWER, BATCH = 384, 128, 15, 16


class Question(NamedTuple):
    """A question, the text that answers it, and the answers that people gave."""

    question: str
    context: str
    answers: Sequence[str]


def questions_of(squad: dict[str, Any]) -> list[Question]:
    """Return the questions of a file in SQuAD's format."""
    return [
        Question(asked["question"], paragraph["context"], [a["text"] for a in asked["answers"]])
        for article in squad["data"]
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
    ]


def score(model: Any, tokenizer: Any, questions: Sequence[Question]) -> tuple[float, float]:
    """Return exact match and F1, in percent: for each question the best over its answers."""
    given = answers(model, tokenizer, questions)
    return _mean(exact, given, questions), _mean(f1, given, questions)


def exact(given: str, expected: str) -> float:
    """Return 1 where both are the same words."""
    return float(words(given) == words(expected))


def f1(given: str, expected: str) -> float:
    """Return the harmonic mean of the shares of words that both have."""
    first, second = words(given), words(expected)
    shared = sum((Counter(first) & Counter(second)).values())
    if not first or not second:
        return float(first == second)
    return 2 * shared / (len(first) + len(second))


def words(text: str) -> list[str]:
    """Return the words that count: lower case, no punctuation, no articles."""
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


@torch.no_grad()
def answers(model: Any, tokenizer: Any, questions: Sequence[Question]) -> list[str]:
    """Return the most probable span of each context; long ones are read in windows."""
    model.eval()
    best = [(-float("inf"), "")] * len(questions)
    order = sorted(range(len(questions)), key=lambda i: len(questions[i].context))
    for at in tqdm(range(0, len(order), BATCH), desc="answering", unit="batch", leave=False):
        batch = order[at : at + BATCH]
        inputs = tokenizer(
            [questions[i].question for i in batch],
            [questions[i].context for i in batch],
            max_length=WINDOW,
            truncation="only_second",
            stride=STRIDE,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding=True,
            return_tensors="pt",
        )
        windows = inputs.pop("overflow_to_sample_mapping").tolist()
        offsets = inputs.pop("offset_mapping")
        output = model(**inputs)
        for window, sample in enumerate(windows):
            index = batch[sample]
            inside = torch.tensor([s == 1 for s in inputs.sequence_ids(window)])
            value, start, stop = best_span(
                output.start_logits[window], output.end_logits[window], inside
            )
            first, last = int(offsets[window, start, 0]), int(offsets[window, stop, 1])
            best[index] = max(best[index], (value, questions[index].context[first:last]))
    return [text for _, text in best]


def best_span(start: Any, end: Any, inside: Any) -> tuple[float, int, int]:
    """Return the highest sum of a start's and an end's logit, and where they are.

    Parameters
    ----------
    start, end, inside
        Logits and whether a token is of the context, each of shape (tokens,).
    """
    outside = ~inside
    sums = start.masked_fill(outside, -torch.inf)[:, None] + end.masked_fill(outside, -torch.inf)
    allowed = torch.ones_like(sums, dtype=torch.bool).triu().tril(LONGEST_ANSWER - 1)
    value, index = sums.masked_fill(~allowed, -torch.inf).flatten().max(0)
    return float(value), int(index) // len(start), int(index) % len(start)


def _mean(
    measure: Callable[[str, str], float], given: Sequence[str], questions: Sequence[Question]
) -> float:
    best = (max(measure(g, a) for a in q.answers) for g, q in zip(given, questions, strict=True))
    return 100 * sum(best) / len(questions)

"""How many held-out questions have the answers of the reference, and of transformers' pipeline.

    python -m tests.tasks.agreement --data xquad.en.json

The data is a file in SQuAD's format, e.g. XQuAD's (github.com/google-deepmind/xquad, CC BY-SA 4.0).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import transformers

from attention_explorer.tasks.demo_qa import demo_qa_model
from attention_explorer.tasks.qa import QuestionAnswering

from .reference import find

library: Any = transformers
LONGEST = 15
# One window for most paragraphs, and several for each.
CUTS = [(384, 128), (128, 48)]


def questions(path: Path, number: int) -> list[tuple[str, str]]:
    """Return so many questions with their contexts, evenly spread over the file."""
    paragraphs = [
        paragraph
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]
        for paragraph in article["paragraphs"]
    ]
    pairs = [(asked["question"], p["context"]) for p in paragraphs for asked in p["qas"]]
    return [pairs[i * len(pairs) // number] for i in range(min(number, len(pairs)))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="a file in SQuAD's format")
    parser.add_argument("--model", help="a name or a folder; by default the demo model")
    parser.add_argument("--questions", type=int, default=50)
    given = parser.parse_args()
    pairs = questions(given.data, given.questions)
    named = (given.model,) if given.model else demo_qa_model()
    for max_length, stride in CUTS:
        compare(pairs, named, max_length, stride)


def compare(pairs: list[tuple[str, str]], named: Any, max_length: int, stride: int) -> None:
    """Print in how many questions the best answers have the same characters."""
    answering = QuestionAnswering(
        *named, max_length=max_length, stride=stride, max_answer_tokens=LONGEST, no_answer=False
    )
    model, tokenizer = answering.model, answering.tokenizer
    has_pipeline = "question-answering" in library.pipelines.SUPPORTED_TASKS
    n_windows, n_like_reference, n_like_pipeline = 0, 0, 0
    for question, context in pairs:
        answers = answering.answer(question, context)
        best = answers.answers[0]
        n_windows += len(answers.windows)
        found = find(
            model,
            tokenizer,
            question,
            context,
            max_length=max_length,
            stride=stride,
            longest=LONGEST,
        )
        n_like_reference += best.span == found[0].span
        if has_pipeline:
            wanted = library.pipeline("question-answering", model=model, tokenizer=tokenizer)(
                question=question,
                context=context,
                max_seq_len=max_length,
                doc_stride=stride,
                max_answer_len=LONGEST,
                align_to_words=False,
            )
            n_like_pipeline += best.span == (wanted["start"], wanted["end"])
    print(
        f"{answering.model_name}, windows of {max_length} tokens: {n_windows / len(pairs):.1f} a "
        f"context; of {len(pairs)} questions {n_like_reference} have the reference's answer"
    )
    print(
        f"  {n_like_pipeline} have the answer of transformers' pipeline, which compares windows "
        "that are each normalised by themselves"
        if has_pipeline
        else f"  transformers {library.__version__} has no question-answering pipeline"
    )


if __name__ == "__main__":
    main()

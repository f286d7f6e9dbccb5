"""What it costs to score every head: against the forward pass that the attention is of.

python -m tests.bench.scores
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import BertConfig, BertModel

from attention_explorer import Tokens, trace
from attention_explorer.analysis.labels import head_labels
from attention_explorer.analysis.scores import head_scores

from .attentions import tokens_of

N = 512
ROUNDS = 5


def main() -> None:
    """Print the seconds of each, side by side in one process, and their ratios."""
    torch.manual_seed(0)
    model: Any = BertModel(BertConfig())
    model.eval()
    inputs = {"input_ids": torch.randint(1000, 30000, (1, N))}
    traced = trace(model, inputs=inputs, tokens=Tokens.from_strings(tokens_of(N)))

    def forward() -> None:
        with torch.inference_mode():
            model(**inputs)

    costs = {
        "forward pass": forward,
        "head_scores": lambda: head_scores(traced),
        "head_scores, all rows": lambda: head_scores(traced, rows=N),
        "head_labels": lambda: head_labels(traced),
    }
    seconds = _medians(costs)
    print(f"BERT-base with random weights, {N} tokens, {torch.get_num_threads()} threads:")
    for name, its in seconds.items():
        print(f"  {name:22} {its:6.2f} s  {its / seconds['forward pass']:5.2f} of a forward pass")


def _medians(costs: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median seconds of each; they take turns, so that other load falls on all alike."""
    times: dict[str, list[float]] = {name: [] for name in costs}
    for _ in range(ROUNDS + 1):
        for name, run in costs.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    # What is first run once may have to load something.
    return {name: statistics.median(its[1:]) for name, its in times.items()}


if __name__ == "__main__":
    main()

"""What interventions cost, in single forward passes of the same model on the same text.

python -m tests.bench.interventions [--tokens 128] [--rounds 5] [--threads 1]

Models are random, in the shapes of BERT-base and of GPT-2, 12 layers x 12 heads: what a pass costs
depends on the shape alone. Times are of this process on its cores, so that other work on the
machine counts little. Each intervention is measured in turn with plain passes; the ratio is of the
medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import transformers

from attention_explorer import Trace, trace
from attention_explorer.interventions import (
    AblateHead,
    CutEdges,
    Edit,
    ReplaceToken,
    ablate_all_heads,
    cut_all_keys,
    measure,
)

library: Any = transformers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in ("BERT-base", "GPT-2"):
        model = built(name)
        n = options.tokens
        ids = torch.randint(5, 20_000, (1, n), generator=torch.Generator().manual_seed(0))
        traced = trace(model, inputs={"input_ids": ids})
        print(f"{name}'s shape, {n} tokens, {options.threads} threads; in plain passes", flush=True)
        report_edits(traced, n, options.rounds)
        if name == "BERT-base":
            report_sweeps(traced, n)


def report_edits(traced: Trace, n: int, rounds: int) -> None:
    """Print what each kind of edit costs; the pass that is unchanged is known by then."""
    measure(traced, AblateHead(0, 0))
    last = n - 1
    single: list[tuple[str, Edit]] = [
        ("a head ablated", AblateHead(5, 3)),
        ("an edge cut in one head", CutEdges(last, 7, 5, 3)),
        ("an edge cut in all layers and heads", CutEdges(last, 7)),
        ("16 x 16 edges cut in all", CutEdges(range(64, 80), range(16))),
        ("all tokens cut from one, in all", CutEdges(range(1, n), 0)),
        ("a token replaced", ReplaceToken(4, 17)),
    ]
    for what, edit in single:
        ratio, _ = in_passes(traced, partial(measure, traced, edit), rounds)
        print(f"  {what}: {ratio:.2f}", flush=True)


def report_sweeps(traced: Trace, n: int) -> None:
    """Print what many edits cost, each by itself."""
    of = traced.attention
    n_heads = of.n_layers * of.n_heads
    ratio, seconds = in_passes(traced, partial(ablate_all_heads, traced), 1)
    print(
        f"  each of {n_heads} heads ablated: {ratio:.1f}, {ratio / n_heads:.2f} a head "
        f"({seconds:.1f} s)",
        flush=True,
    )
    ratio, seconds = in_passes(traced, partial(cut_all_keys, traced, n - 1), 1)
    print(f"  each of {n} keys cut in all: {ratio:.1f}, {ratio / n:.2f} a key ({seconds:.1f} s)")


def built(name: str) -> Any:
    """Return a random model of the shape."""
    torch.manual_seed(0)
    if name == "BERT-base":
        return library.BertModel(library.BertConfig(), add_pooling_layer=False).eval()
    return library.GPT2LMHeadModel(library.GPT2Config()).eval()


def in_passes(traced: Trace, work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return what work costs, in plain passes and in seconds."""
    costs, passes = [], [seconds_of(traced.live.run)]
    for _ in range(rounds):
        costs.append(seconds_of(work))
        passes += [seconds_of(traced.live.run) for _ in range(5 if rounds == 1 else 1)]
    return statistics.median(costs) / statistics.median(passes), statistics.median(costs)


def seconds_of(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()

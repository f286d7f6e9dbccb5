"""What it costs to profile heads: against plain passes of the same batches; memory; two processes.

python -m tests.bench.atlas [--texts 512] [--long 10000]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from transformers import BertConfig, BertModel

from attention_explorer import demo_model
from attention_explorer.atlas import profile_heads
from attention_explorer.atlas.corpus import Unit, read_corpus, units_of
from attention_explorer.atlas.working import Worker
from attention_explorer.tracing.examples import padded

ROUNDS = 3


def main() -> None:
    """Print each figure beside what it is compared with, in one process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--long", type=int, default=10_000)
    parser.add_argument("--peak", type=int, help="only print the peak memory after so many texts")
    options = parser.parse_args()
    if options.peak:
        print(peak_of(options.peak))
        return
    model, tokenizer = demo_model()
    torch.set_num_threads(1)
    throughput("the demo model, sentences", model, tokenizer, list(sentences(options.texts)))
    whole("the demo model", model, tokenizer, list(sentences(options.texts * 8)))
    throughput("BERT-base's shape, 512 tokens", bert(), tokenizer, list(long_texts(8)))
    memory(options.long)
    processes(options.texts * 4)


def sentences(count: int) -> Iterator[str]:
    """Yield sentences of some 25 tokens, as many words as there are in no two of them alike."""
    rng = np.random.default_rng(0)
    words = ["the", "cat", "dog", "old", "house", "sees", "that", "it", ",", "near", "when", "they"]
    for number in range(count):
        yield f"Number {number} {' '.join(rng.choice(words, rng.integers(12, 30)))}."


def long_texts(count: int) -> Iterator[str]:
    """Yield texts that fill 512 tokens."""
    for number in range(count):
        yield f"{number} " + " ".join(sentences(30))


def bert() -> Any:
    torch.manual_seed(0)
    return BertModel(BertConfig()).eval()  # type: ignore[no-untyped-call]


def throughput(name: str, model: Any, tokenizer: Any, texts: list[str]) -> None:
    """Compare plain passes over the same batches with all that a profile does."""
    units = list(units_of(read_corpus(texts)))
    worker = Worker(model, tokenizer, units[0].entries[0])
    plain = plain_passes(model, worker, units)
    runs: dict[str, Callable[[], object]] = {
        "plain passes": plain,
        "all texts exemplars": lambda: [worker.tally(unit, None, 512) for unit in units],
        "none an exemplar": lambda: [worker.tally(unit, -1, 512) for unit in units],
    }
    times: dict[str, list[float]] = {run: [] for run in runs}
    for _ in range(ROUNDS + 1):
        for run, work in runs.items():
            start = time.process_time()
            work()
            times[run].append(time.process_time() - start)
    seconds = {run: statistics.median(its[1:]) for run, its in times.items()}
    print(f"{name}, {len(texts)} texts, {torch.get_num_threads()} threads, processor time:")
    for run, its in seconds.items():
        share = seconds["plain passes"] / its
        print(f"  {run:20} {its:6.2f} s  {len(texts) / its:7.1f} texts/s  {share:5.0%} of plain")


def plain_passes(model: Any, worker: Worker, units: list[Unit]) -> Callable[[], None]:
    """Return what runs the model over a corpus, in a profile's own batches, and does no more."""
    batches = [
        padded([it.encoding for it in batch], 0)[0]
        for unit in units
        for batch in worker.batches(worker.encoded(unit.entries))
    ]

    def plain() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(**batch)

    return plain


def whole(name: str, model: Any, tokenizer: Any, texts: list[str]) -> None:
    """Compare plain passes with the whole call, which reads, tokenizes and keeps exemplars too."""
    units = list(units_of(read_corpus(texts)))
    plain = plain_passes(model, Worker(model, tokenizer, units[0].entries[0]), units)
    works = plain, lambda: profile_heads(model, tokenizer, texts, progress=False)
    seconds = [0.0, 0.0]
    # In turns: a machine that gets slower meanwhile is slower for both.
    for turn in range(2 * ROUNDS):
        start = time.process_time()
        works[turn % 2]()
        seconds[turn % 2] += (time.process_time() - start) / ROUNDS
    print(f"{name}, all of profile_heads over {len(texts):,} sentences, processor time:")
    print(f"  {seconds[1]:6.2f} s, plain passes {seconds[0]:6.2f} s: {seconds[0] / seconds[1]:.0%}")


def peak_of(count: int) -> int:
    """Profile so many texts here and return the largest resident memory, in bytes."""
    model, tokenizer = demo_model()
    profile_heads(model, tokenizer, sentences(count), progress=False)
    # What getrusage says begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def memory(most: int) -> None:
    """Print the peak of some texts and of many, each in a process of its own."""
    print("peak memory of a whole process:")
    for count in (most // 10, most):
        command = [sys.executable, "-m", __spec__.name, "--peak", str(count)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"  {count:6,} texts  {int(said) / 1e6:6.0f} MB")


def processes(count: int) -> None:
    """Print how much quicker two processes are than one, each with one thread, once begun."""
    print(f"processes, one thread each, {count:,} sentences:")
    seconds = {}
    for workers in (1, 2):
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one) as pool:
            list(pool.map(time.sleep, [0.5] * workers))
            start = time.perf_counter()
            profile_heads(demo_model, None, sentences(count), executor=pool, progress=False)
            seconds[workers] = time.perf_counter() - start
        print(f"  {workers}  {seconds[workers]:6.1f} s  {count / seconds[workers]:7.1f} texts/s")
    busy = psutil.cpu_percent(interval=1.0)
    print(f"  {seconds[1] / seconds[2]:.2f} times as quick; others use {busy:.0f} % of the machine")


def one() -> None:
    torch.set_num_threads(1)


if __name__ == "__main__":
    main()

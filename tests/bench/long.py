"""What long inputs cost: rows, tiles, overviews, previews, memory, capture.

python -m tests.bench.long [--lengths 2048,4096,8192,16384] [--threads 1] [--write]
    [--no-page]

Queries and keys are random, in the shape of a Llama of 16 layers x 16 heads with 4 key heads and
d = 64: what they cost depends on their shape alone.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from attention_explorer import trace
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import KeyIntervals

from . import long_page

RESULTS = Path(__file__).parent / "LONG.md"
PLOT = RESULTS.with_name("long.svg")
LAYERS, HEADS, KEY_HEADS, SIZE = 16, 16, 4, 64
CELLS = 256
TILE = 512
CAPTURED_LAYERS = 4
PAIRS = 11
# What is plotted; overviews against n x n.
OVERVIEWS = ("first", "max")
LINES = ("row", "column", "tile", "tile first", *OVERVIEWS)


class Line(NamedTuple):
    """A straight line through times in ms; `away` is how far off the worst is, of the largest."""

    power: int
    sizes: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64]
    start: float
    slope: float
    away: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", default="2048,4096,8192,16384")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} and its plot")
    parser.add_argument("--no-page", action="store_true", help="leave the browser out")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lengths = [int(n) for n in options.lengths.split(",")]
    parts: list[str] = []
    figures: list[dict[str, float]] = []
    pages = iter(()) if options.no_page else long_page.report()
    for part in itertools.chain(report(lengths, figures), pages):
        print(part, flush=True)
        parts.append(part)
    if options.write:
        RESULTS.write_text("\n".join(parts) + "\n")
        plot(figures, PLOT)


def report(lengths: list[int], figures: list[dict[str, float]]) -> Iterator[str]:
    """Yield the figures as Markdown, part by part; those of one head are added to `figures`."""
    yield about()
    yield "\n## One head\n"
    yield (
        "| tokens | row ms | column ms, the first | 512 x 512 tile ms, the first "
        "| exact max overview ms, of peak, the first, of peak | exact mean ms "
        "| preview ms | longest step ms |\n|---|---|---|---|---|---|---|---|"
    )
    for n in lengths:
        figures.append(one_head(n))
        yield head_row(figures[-1])
    if len(lengths) > 1:
        yield "\n" + growth(figures)
    yield "\n## All heads\n"
    yield all_heads(lengths[-1])
    yield "\n## Capture\n"
    yield (
        f"A random Llama of {CAPTURED_LAYERS} x {HEADS} heads, whose layers cost alike.\n\n"
        "| tokens | plain forward, core-s | traced | ratio | states kept MB | attentions MB "
        "| ratio | peak MB above plain, traced | with attentions |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for n in (1024, 2048):
        yield captured(n)


def about() -> str:
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    return (
        "# Long inputs\n\n"
        f"Written by `python -m tests.bench.long`: {processor}, {os.cpu_count()} cores of which "
        f"{torch.get_num_threads()} used, Python {platform.python_version()}, torch "
        f"{torch.__version__}. Random causal queries and keys, {LAYERS} layers x {HEADS} heads, "
        f"{KEY_HEADS} key heads, d = {SIZE}, float32. Times are the best of several runs, "
        "those of overviews step by step. "
        f"Overviews are of {CELLS} x {CELLS} cells; their share of the peak counts the products of "
        "readable pairs alone and compares with square products measured between the runs. The "
        "first of a kind finds each row's normaliser too."
    )


def causal(n: int, layers: int = 1) -> QKAttention:
    mask = KeyIntervals.causal(n, n, torch.device("cpu"))
    states = [
        LayerStates(torch.randn(HEADS, n, SIZE), torch.randn(KEY_HEADS, n, SIZE), 0.125, mask)
        for _ in range(layers)
    ]
    return QKAttention(states, layer_numbers=range(layers))


def one_head(n: int) -> dict[str, float]:
    """Measure one head; peak and overviews are measured in turn."""
    attention = causal(n)
    everything, factor = slice(0, n), max(1, n // CELLS)
    part = slice(n - n // 4, n - n // 4 + TILE), slice(n // 8, n // 8 + TILE)

    def overview(known: bool, reduction: Any = "max") -> tuple[float, float]:
        def bands() -> Iterator[object]:
            if not known:
                attention._normalisers.clear()
            return attention.bands(0, 0, everything, everything, factor, reduction)

        return best_steps(bands)

    figures = {"n": float(n)}
    figures["peak"] = peak_rate()
    figures["tile first"] = milliseconds(lambda: attention.tile(0, 1, *part), 7, attention)
    figures["column first"] = milliseconds(lambda: attention.column(0, 1, n // 2), 1, attention)
    figures["mean"], _ = overview(False, "mean")
    figures["first"], figures["pause"] = overview(False)
    figures["max"], _ = overview(True)
    figures["peak"] = max(figures["peak"], peak_rate())
    figures["row"] = milliseconds(lambda: attention.row(0, 0, n - 3), 30)
    figures["column"] = milliseconds(lambda: attention.column(0, 0, n // 2), 20)
    figures["tile"] = milliseconds(lambda: attention.tile(0, 0, *part), 30)
    figures["preview"] = milliseconds(lambda: attention.preview(0, 2, n // 64), 5, attention)
    products = n * n / 2 * 2 * SIZE
    for name in ("first", "max"):
        figures[f"{name} share"] = products / figures[name] * 1e3 / figures["peak"]
    return figures


def head_row(f: dict[str, float]) -> str:
    return (
        f"| {f['n']:.0f} | {f['row']:.2f} | {f['column']:.2f}, {f['column first']:.0f} "
        f"| {f['tile']:.2f}, {f['tile first']:.1f} "
        f"| {f['max']:.0f}, {f['max share']:.0%}, {f['first']:.0f}, {f['first share']:.0%} "
        f"| {f['mean']:.0f} | {f['preview']:.1f} | {f['pause']:.0f} |"
    )


def line_through(figures: list[dict[str, float]], name: str) -> Line:
    """Fit a straight line to time against n, and against n x n for overviews."""
    power = 2 if name in OVERVIEWS else 1
    sizes = np.array([f["n"] / 1e3 for f in figures]) ** power
    times = np.array([f[name] for f in figures])
    slope, start = np.polyfit(sizes, times, 1)
    away = float(np.abs(start + slope * sizes - times).max() / times.max())
    return Line(power, sizes, times, float(start), float(slope), away)


def growth(figures: list[dict[str, float]]) -> str:
    """Say how straight the lines are."""
    fits = []
    for name in LINES:
        line = line_through(figures, name)
        unit = "k" if line.power == 1 else "k²"
        fits.append(f"{name} {line.start:.2f} + {line.slope:.4f} {unit} ({line.away:.0%})")
    rate = max(f["peak"] for f in figures) / 1e9
    return (
        f"Straight lines through these, in ms with k = tokens / 1000, and how far from them the "
        f"worst is, in parts of the largest: {'; '.join(fits)}. Peak of square products: "
        f"{rate:.0f} GFLOP/s.\n\n![Time against length, with the lines]({PLOT.name})"
    )


def plot(figures: list[dict[str, float]], path: Path) -> None:
    """Draw each time against n, or n x n, with the straight line through it."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "long"
    from matplotlib import pyplot

    picture, panes = pyplot.subplots(2, 3, figsize=(10, 5.6), layout="constrained")
    for pane, name in zip(panes.flat, LINES, strict=True):
        line = line_through(figures, name)
        ends = np.array([0, line.sizes.max()])
        pane.plot(ends, line.start + line.slope * ends, color="#999")
        pane.plot(line.sizes, line.times, "o", color="#1f5fbf")
        pane.set_title(f"{name}, worst {line.away:.0%} off the line", fontsize=10)
        tokens = "tokens / 1000" if line.power == 1 else "(tokens / 1000)²"
        pane.set(xlabel=tokens, ylabel="ms", xlim=(0, None), ylim=(0, None))
    picture.savefig(path, metadata={"Date": None})
    pyplot.close(picture)


def all_heads(n: int) -> str:
    attention = causal(n, LAYERS)
    kept = sum(bytes_of(states) for states in attention.layers)
    gc.collect()
    before = resident("VmRSS")
    reset_peak()
    start = time.perf_counter()
    for layer in range(LAYERS):
        for head in range(HEADS):
            attention.preview(layer, head, n // 64)
    previews = time.perf_counter() - start
    start = time.perf_counter()
    attention.thumbnails(0, n // 64)
    exact = (time.perf_counter() - start) * LAYERS
    attention.pooled(1, 0, slice(0, n), slice(0, n), n // CELLS)
    attention.tile(1, 0, slice(0, TILE), slice(0, TILE))
    above = resident("VmHWM") - before
    return (
        f"{n} tokens, {LAYERS * HEADS} heads, {kept / 1e9:.2f} GB of queries and keys: previews of "
        f"64 x 64 cells in {previews:.1f} s; the exact ones that replace them in {exact:.0f} s (16 "
        f"times one layer's). Peak memory above queries and keys: {above / 1e6:.0f} MB."
    )


def captured(n: int) -> str:
    """Compare tracing with a plain forward pass, and with output_attentions=True."""
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        vocab_size=1000,
        hidden_size=HEADS * SIZE,
        intermediate_size=4 * HEADS * SIZE,
        num_hidden_layers=CAPTURED_LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
    )
    model: Any = LlamaModel(config)
    model.eval()
    inputs = {"input_ids": torch.randint(0, 1000, (1, n))}

    def plain() -> None:
        with torch.no_grad():
            model(**inputs)

    def traced() -> Any:
        return trace(model, inputs=inputs)

    def with_attentions() -> Any:
        with torch.no_grad():
            return model(**inputs, output_attentions=True)

    forward, tracing, ratio = compare(plain, traced)
    peaks = [peak_of(plain), peak_of(traced)]
    states = sum(bytes_of(layer) for layer in traced().attention.layers)
    model.set_attn_implementation("eager")
    peaks.append(peak_of(with_attentions))
    attentions = sum(layer.nbytes for layer in with_attentions().attentions)
    return (
        f"| {n} | {forward:.2f} | {tracing:.2f} | {ratio:.3f} "
        f"| {states / 1e6:.0f} | {attentions / 1e6:.0f} | {attentions / states:.0f}x "
        f"| {(peaks[1] - peaks[0]) / 1e6:.0f} | {(peaks[2] - peaks[0]) / 1e6:.0f} |"
    )


def compare(plain: Callable[[], object], other: Callable[[], object]) -> tuple[float, ...]:
    """Return the median core-seconds of both and the median ratio of pairs taken in turn.

    In turn and in either order, so that what else the machine does meets both alike.
    """
    plain()
    other()
    pairs = []
    for i in range(PAIRS):
        order = (plain, other) if i % 2 else (other, plain)
        times = {work: core_seconds(work) for work in order}
        pairs.append((times[plain], times[other]))
    first, second = np.array(pairs).T
    return float(np.median(first)), float(np.median(second)), float(np.median(second / first))


def milliseconds(work: Callable[[], object], runs: int, forget: QKAttention | None = None) -> float:
    """Return the best of some runs, each on an attention that has forgotten what it kept."""
    best = float("inf")
    for _ in range(runs):
        if forget is not None:
            forget._normalisers.clear()
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def best_steps(bands: Callable[[], Iterator[object]], runs: int = 5) -> tuple[float, float]:
    """Return the sum of the steps' best times in ms, and the longest of them.

    Step by step, as a machine that others use is seldom free for as long as a whole overview.
    """
    times = np.array([list(_steps(bands())) for _ in range(runs)]).min(axis=0)
    return 1e3 * float(times.sum()), 1e3 * float(times.max())


def _steps(bands: Iterator[object]) -> Iterator[float]:
    start = time.perf_counter()
    for _ in bands:
        yield time.perf_counter() - start
        start = time.perf_counter()


def peak_rate(side: int = 1024) -> float:
    """Return the machine's best rate of square float32 products, in operations a second."""
    first, second, out = torch.randn(side, side), torch.randn(side, side), torch.empty(side, side)
    return 2 * side**3 / milliseconds(lambda: torch.mm(first, second, out=out), 20) * 1e3


def core_seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def bytes_of(states: LayerStates) -> int:
    return states.query.nbytes + states.key.nbytes


def peak_of(work: Callable[[], object]) -> int:
    """Return by how many bytes the process grew at most."""
    gc.collect()
    before = resident("VmRSS")
    reset_peak()
    result = work()
    peak = resident("VmHWM") - before
    del result
    return peak


def resident(name: str) -> int:
    """Return a figure of the process's resident memory in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(name)


def reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main()

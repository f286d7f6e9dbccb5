"""A trace written to a file is the same trace when it is read, or is refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from attention_explorer import Attention, Tokens, Trace, trace
from attention_explorer.attention import DenseAttention, dense_attention
from attention_explorer.attention.biases import CellBias, KeyBias, OffsetBias
from attention_explorer.attention.from_qk import LayerStates, QKAttention
from attention_explorer.attention.masks import BiasedMask, DenseMask, KeyIntervals
from attention_explorer.attention.mixed import MixedAttention
from attention_explorer.tracing import Kind, saving
from attention_explorer.tracing.trace import Check

HEADS, N, SIZE = 4, 6, 3
CPU = torch.device("cpu")
TOKENS = Tokens(
    text=("The", "cat", "\ufffd", "sat", "on", "🙂"),
    gap=("", " ", "", "\n", " ", " "),
    raw=("The", "Ġcat", "\ufffd", "sat", "Ġon", "🙂"),
    special=(True, False, False, False, False, False),
    segment=(-1, 0, 0, 0, 1, 1),
    word=(-1, 0, 0, 1, 2, 3),
    span=((0, 3), (4, 7), (7, 7), (8, 11), (12, 14), (15, 16)),
    segments=("question", "context"),
)


def layers(dtype: torch.dtype) -> list[LayerStates]:
    """Return a layer with each thing that a layer can have, and one that shares its mask."""
    causal = KeyIntervals.causal(N, N, CPU, 3)
    biases = (
        KeyBias(torch.randn(HEADS, N)),
        OffsetBias(torch.randn(1, 2 * N - 1), N),
        CellBias(torch.randn(1, N, N, dtype=torch.float64)),
    )
    masks = [None, causal, causal, DenseMask(torch.eye(N)[None] > 0), BiasedMask(biases, causal)]
    both = torch.randn(2, 3, HEADS, N, SIZE).to(dtype)
    made = [LayerStates(both[0, 0], both[1, 0, :2], 0.1, mask) for mask in masks]
    transposed = both[0, 1].transpose(0, 1).contiguous().transpose(0, 1)
    made.append(LayerStates(transposed, both[1, 1], 1 / 3, None, 1.7, torch.randn(HEADS)))
    return made


def from_queries_and_keys(dtype: torch.dtype = torch.float32) -> Trace:
    states = layers(dtype)
    attention = QKAttention(
        states, layer_numbers=[2, 3, 5, 7, 11, 13], source="by hand", notes=["A note."]
    )
    check = Check((0.1, 2 / 3, 3e-7, 0.0, 0.0, 1e-9), 1e-4, "rows with outputs")
    decoder = Kind(attention, TOKENS, None, check)
    return Trace({"decoder": decoder}, "decoder", "tiny/llama", "half an emoji: \ud83d")


def dense(dtype: Any = np.float32) -> Trace:
    weights = np.random.default_rng(0).random((2, 3, 6, 5)).astype(dtype)
    attention = dense_attention(weights, layer_numbers=[1, 4], source="a library of mine")
    attention.notes += ("Positions are left out.",)
    keys = Tokens.from_strings(list("abcde"))
    cross = Kind(attention, TOKENS, keys, Check((0.0, 0.5), 1e-4, "whole outputs"))
    encoder = Kind(dense_attention(np.eye(5)[None, None].astype(dtype)), keys)
    return Trace({"encoder": encoder, "cross": cross}, "cross", "mine", "The cat", "sat on", "a b")


def same(first: Any, second: Any) -> bool:
    """Compare everything that a trace holds, to the bit.

    Weights that are rebuilt from it are another matter: products round by where in memory the
    factors lie, so the same queries and keys, read from a file, give them to the last bit or two.
    """
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, np.ndarray):
        return bool(first.dtype == second.dtype and np.array_equal(first, second))
    if isinstance(first, (tuple, list)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, Attention):
        names = ["parts"] if isinstance(first, MixedAttention) else ["layers"]
        names += ["layer_numbers", "source", "notes", "causal", "scale", "signed"]
        names += ["n_heads", "n_queries", "n_keys"]
        return type(first) is type(second) and all(
            same(getattr(first, name), getattr(second, name)) for name in names
        )
    if is_dataclass(first):
        return type(first) is type(second) and all(
            same(getattr(first, field.name), getattr(second, field.name))
            for field in fields(first)
            if field.compare
        )
    return bool(first == second and type(first) is type(second))


TRACES: dict[str, Callable[[], Trace]] = {
    "dense": dense,
    "dense float16": lambda: dense(np.float16),
    "from queries and keys": from_queries_and_keys,
    "from bfloat16": lambda: from_queries_and_keys(torch.bfloat16),
    "from float16": lambda: from_queries_and_keys(torch.float16),
    "from float64": lambda: from_queries_and_keys(torch.float64),
}


@pytest.mark.parametrize("name", TRACES)
def test_what_is_read_is_what_was_written(name: str, tmp_path: Path) -> None:
    """A dtype that widens, a note that doubles, a key head or a mask that gets lost."""
    before = TRACES[name]()
    before.save(tmp_path / "a.trace")
    after = Trace.load(str(tmp_path / "a.trace"))
    assert same(before, after)
    assert repr(before) == repr(after)
    assert os.listdir(tmp_path) == ["a.trace"]
    for layer in range(before.attention.n_layers):
        rows = [traced.attention.rows(layer, [2], [5]) for traced in (before, after)]
        assert np.abs(rows[0] - rows[1]).max() <= 1e-6


@pytest.mark.parametrize("family", ["gpt_oss", "gemma2", "t5", "bloom", "deberta_v2"])
def test_a_traced_model_survives_in_all_its_kinds(
    family: str, tmp_path: Path, tiny_model: Any, inputs_of: Any
) -> None:
    model = tiny_model(family, "eager")
    before = trace(model, inputs=inputs_of(family), batch_index=1)
    before.save(tmp_path / "a")
    after = Trace.load(tmp_path / "a")
    assert same(before, after)
    assert after.check() == before.check()
    with pytest.raises(ValueError, match="only a trace whose model is at hand"):
        after.check(rows=3)


def test_masks_that_layers_share_are_written_once(tmp_path: Path) -> None:
    """A mask of holes or a bias of 32k x 32k, once a layer, would be most of the file."""
    before = from_queries_and_keys()
    before.save(tmp_path / "a")
    names = load_file(tmp_path / "a")
    assert sum(name.endswith(("start", "stop")) for name in names) == 2
    attention: Any = Trace.load(tmp_path / "a").attention
    assert attention.layers[1].mask.start is attention.layers[2].mask.start


def run_without(module: str, code: str, path: Path) -> subprocess.CompletedProcess[str]:
    hidden = f"import sys; sys.modules[{module!r}] = None; path = {str(path)!r}\n"
    return subprocess.run(
        [sys.executable, "-c", hidden + code], capture_output=True, text=True, check=False
    )


def test_a_dense_trace_opens_without_torch_and_transformers(tmp_path: Path) -> None:
    dense().save(tmp_path / "a")
    code = (
        "sys.modules['transformers'] = None\n"
        "from attention_explorer import AttentionExplorer, Trace\n"
        "traced = Trace.load(path)\n"
        "traced.save(path)\n"
        "AttentionExplorer(Trace.load(path))\n"
        "print(traced)"
    )
    done = run_without("torch", code, tmp_path / "a")
    assert done.stdout.strip() == repr(dense()), done.stderr


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("torch", "this trace holds queries and keys, from which torch computes the weights"),
        ("safetensors", "traces are saved and opened with safetensors, which isn't installed"),
    ],
)
def test_what_is_missing_is_named(module: str, message: str, tmp_path: Path) -> None:
    from_queries_and_keys().save(tmp_path / "a")
    code = "from attention_explorer import Trace; Trace.load(path)"
    done = run_without(module, code, tmp_path / "a")
    assert f"ModuleNotFoundError: {message}" in done.stderr


@pytest.mark.parametrize("kept", [0, 5, 8, 20, 500, -1])
def test_a_file_that_was_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    file = tmp_path / "a"
    from_queries_and_keys().save(file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"{file} was cut short"):
        Trace.load(file)


@pytest.mark.parametrize("begins", [b"PK\3\4" * 9, b"\x80\4\x95" * 9, b'{"a": [1, 2, 3, 4]}'])
def test_a_file_of_another_kind_is_refused(begins: bytes, tmp_path: Path) -> None:
    """A checkpoint of torch.save is a zip of pickles: not a byte of it is interpreted."""
    (tmp_path / "a").write_bytes(begins)
    with pytest.raises(ValueError, match="is no trace: it doesn't begin as a safetensors file"):
        Trace.load(tmp_path / "a")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_models_weights_are_refused(metadata: Any, tmp_path: Path) -> None:
    save_file({"weight": np.zeros(3)}, tmp_path / "a", metadata=metadata)
    with pytest.raises(ValueError, match=r"is no trace: it is a safetensors file of something"):
        Trace.load(tmp_path / "a")


def with_header(path: Path, change: Any) -> None:
    """Save a dense trace whose header was changed."""
    written = saving._Writer()
    content = {"version": saving.VERSION, "trace": written.node(dense(), "trace")}
    header = change(content)
    written.write(path, {saving.HEADER: header if isinstance(header, str) else json.dumps(header)})


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with_header(tmp_path / "a", lambda content: {**content, "version": 2})
    with pytest.raises(ValueError, match=r"newer attention-explorer \(format 2, this one reads up"):
        Trace.load(tmp_path / "a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: "{", "is damaged: its header can't be read: JSONDecodeError"),
        (lambda content: {"trace": content["trace"]}, "can't be read: KeyError"),
        (lambda content: [], "can't be read: TypeError"),
        (lambda content: {"version": 1}, "holds no whole trace: KeyError: 'trace'"),
        (
            lambda content: json.dumps(content).replace("cross.attention.layers.1", "other"),
            "holds no whole trace: SafetensorError: .*other",
        ),
        (
            lambda content: json.dumps(content).replace('"Tokens"', '"Popen"'),
            "holds no whole trace: KeyError: 'Popen'",
        ),
        (
            lambda content: json.dumps(content).replace('"gap"', '"hole"'),
            "holds no whole trace: TypeError: .*'hole'",
        ),
    ],
)
def test_a_header_that_was_tampered_with_is_refused(
    change: Any, message: str, tmp_path: Path
) -> None:
    """A file names what is to be made of it: nothing but the parts of a trace may be."""
    with_header(tmp_path / "a", change)
    with pytest.raises(ValueError, match=message):
        Trace.load(tmp_path / "a")


def test_a_file_stays_whole_when_writing_fails(tmp_path: Path) -> None:
    """The trace that took an hour must not be lost to one that can't be written."""

    class Mine(DenseAttention):
        pass

    good = dense()
    good.save(tmp_path / "a")
    kind = Kind(Mine([np.ones((1, 6, 6), np.float32)]), TOKENS)
    bad = replace(good, kinds={"encoder": kind}, kind="encoder")
    with pytest.raises(TypeError, match=r"encoder\.attention is a Mine, which can't be saved"):
        bad.save(tmp_path / "a")
    assert same(Trace.load(tmp_path / "a"), good)
    assert os.listdir(tmp_path) == ["a"]

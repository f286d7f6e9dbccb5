from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer.analysis.scores import SCORES
from attention_explorer.attention import Attention, DenseAttention, dense_attention
from attention_explorer.attention.hidden import HiddenAttention
from attention_explorer.attention.words import WordAttention
from attention_explorer.channel import AttentionSource
from attention_explorer.encoding import decode, encode
from attention_explorer.tracing import Kind, Tokens

if TYPE_CHECKING:
    from tests.explorer.conftest import Softmax, Weights, Wire

    from attention_explorer.attention.from_qk import QKAttention

# For what may take longer than a browser would wait.
PATIENT = 30.0


def letters(count: int) -> Tokens:
    return Tokens.from_strings([f"t{i}" for i in range(count)])


def open_source(attention: Attention, wires: dict[str, Wire]) -> tuple[AttentionSource, Wire]:
    same = attention.n_queries == attention.n_keys
    keys = None if same else letters(attention.n_keys)
    source = AttentionSource({"": Kind(attention, letters(attention.n_queries), keys)})
    return source, wires[source.model_id]


def weights_request(**fields: object) -> dict[str, object]:
    empty = dict.fromkeys(("tiles", "strips", "rows", "columns", "masses", "spans"), ())
    return {"id": "r1", "kind": "weights", "shown": "", **empty, "scores": False, **fields}


def pooled_by_hand(matrix: Weights, factor: int, reduction: str) -> Weights:
    """Pool with nothing of ours: NaN padding, nanmax and nanmean."""
    rows, columns = (math.ceil(n / factor) for n in matrix.shape)
    padded = np.full((rows * factor, columns * factor), np.nan, np.float32)
    padded[: matrix.shape[0], : matrix.shape[1]] = matrix
    reduce = np.nanmax if reduction == "max" else np.nanmean
    pooled: Weights = reduce(padded.reshape(rows, factor, columns, factor), axis=(1, 3))
    return pooled


def split(data: bytes, shapes: Iterable[tuple[int, int]]) -> list[Weights]:
    tiles, at = [], 0
    for rows, columns in shapes:
        tiles.append(decode(data[at : at + rows * columns], "quartic8", (rows, columns)))
        at += rows * columns
    assert at == len(data)
    return tiles


def test_tiles_equal_the_pooled_matrix_with_border_tiles(
    softmax: Softmax, wires: dict[str, Wire]
) -> None:
    """Catches swapped query and key tiles, wrong border sizes, and pooling after cutting."""
    layers = softmax(2, 3, 300, 517)
    _, wire = open_source(dense_attention(layers), wires)
    keys: list[tuple[int, int, int, int, int, str]] = [
        (1, 2, 0, 1, 2, "max"),
        (1, 2, 0, 0, 1, "max"),
        (0, 1, 1, 0, 1, "max"),
        (0, 1, 2, 0, 0, "max"),
        (1, 0, 1, 0, 1, "mean"),
    ]
    reply, buffers = wire.request(weights_request(tiles=keys))
    assert reply["tiles"] == keys
    assert reply["encoding"] == "quartic8"
    assert buffers[1] == b""
    expected = []
    for layer, head, level, query_tile, key_tile, pooling in keys:
        whole = pooled_by_hand(layers[layer][head], 2**level, pooling)
        cut = whole[query_tile * 256 :, key_tile * 256 :][:256, :256]
        expected.append(decode(encode(cut, "quartic8"), "quartic8", cut.shape))
    shapes = [tile.shape for tile in expected]
    assert shapes == [(44, 5), (256, 256), (150, 3), (75, 130), (150, 3)]
    for tile, right in zip(split(buffers[0], [(r, c) for r, c in shapes]), expected, strict=True):
        np.testing.assert_array_equal(tile, right)


def test_rows_then_columns_are_exact_and_in_the_order_of_the_keys(
    softmax: Softmax, wires: dict[str, Wire]
) -> None:
    layers = softmax(3, 2, 5, 7)
    _, wire = open_source(dense_attention(layers), wires)
    reply, buffers = wire.request(
        weights_request(rows=[[2, 1, 4], [0, 0, 0]], columns=[[1, 0, 6], [2, 1, 3]])
    )
    assert (reply["rows"], reply["columns"]) == ([(2, 1, 4), (0, 0, 0)], [(1, 0, 6), (2, 1, 3)])
    assert buffers[0] == b""
    expected = [layers[2][1][4], layers[0][0][0], layers[1][0][:, 6], layers[2][1][:, 3]]
    np.testing.assert_array_equal(np.frombuffer(buffers[1], "<f4"), np.concatenate(expected))


def test_strips_are_pooled_rows_and_columns_after_the_tiles(
    softmax: Softmax, wires: dict[str, Wire]
) -> None:
    """Catches a strip of the wrong axis, and strips before the tiles in the same buffer."""
    layers = softmax(2, 3, 9, 14)
    _, wire = open_source(dense_attention(layers), wires)
    strips = [[1, 2, 8, 2, "max", "row"], [0, 1, 13, 1, "mean", "column"]]
    reply, buffers = wire.request(weights_request(tiles=[[0, 0, 4, 0, 0, "max"]], strips=strips))
    assert reply["strips"] == [tuple(strip) for strip in strips]
    row = pooled_by_hand(layers[1][2][8:9], 4, "max")[0]
    column = pooled_by_hand(layers[0][1][:, 13:14].T, 2, "mean")[0]
    head = layers[0][0].max(keepdims=True)[0]
    expected = np.concatenate([head, row, column]).astype(np.float32)
    assert buffers[0] == encode(expected, "quartic8")


def states(heads: int, tokens: int) -> tuple[QKAttention, npt.NDArray[np.float64]]:
    """Make causal queries and keys of one layer, and their weights by the textbook."""
    torch = pytest.importorskip("torch")
    from attention_explorer.attention.from_qk import LayerStates, QKAttention
    from attention_explorer.attention.masks import KeyIntervals

    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(heads, tokens, 8, generator=generator) for _ in range(2))
    scores = query.double() @ key.double().mT
    readable = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    mask = KeyIntervals.causal(tokens, tokens, torch.device("cpu"))
    attention = QKAttention([LayerStates(query, key, 1.0, mask)], layer_numbers=[0])
    return attention, scores.masked_fill(~readable, -torch.inf).softmax(-1).numpy()


def test_strips_from_queries_and_keys_are_the_pooled_lines_of_the_whole_softmax(
    wires: dict[str, Wire],
) -> None:
    """Catches a column whose rows' normalisers are missing, and one that is pooled as a row."""
    attention, weights = states(3, 150)
    source, wire = open_source(attention, wires)
    source.answer_within = PATIENT
    strips = [
        (0, head, index, level, reduction, axis)
        for head, index, level in ((2, 140, 0), (0, 7, 3), (1, 0, 5), (1, 149, 8))
        for reduction in ("max", "mean")
        for axis in ("column", "row")
    ]
    reply, buffers = wire.request(weights_request(strips=strips))
    assert reply["strips"] == strips
    expected = []
    for _, head, index, level, reduction, axis in strips:
        line = weights[head][:, index] if axis == "column" else weights[head][index]
        pooled = pooled_by_hand(line[None].astype(np.float32), 2**level, reduction)
        expected.append(encode(pooled, "quartic8"))
    assert [len(codes) for codes in expected[::4]] == [150, 19, 5, 1]
    codes = (np.frombuffer(data, np.uint8).astype(int) for data in (buffers[0], b"".join(expected)))
    ours, right = codes
    assert np.abs(ours - right).max() <= 1


def test_samples_are_of_some_queries_and_say_what_is_asked(wires: dict[str, Wire]) -> None:
    """Catches exact work where a sample was asked for, and means taken for the largest."""
    attention, weights = states(2, 600)
    source, wire = open_source(attention, wires)
    source.answer_within = PATIENT
    poolings = ("max", "max sampled", "mean sampled")
    tiles = [(0, 1, 6, 0, 0, pooling) for pooling in poolings]
    _, buffers = wire.request(weights_request(tiles=tiles))
    exact, largest, mean = split(buffers[0], [(10, 10)] * 3)
    whole = pooled_by_hand(weights[1].astype(np.float32), 64, "max")
    near = decode(encode(whole, "quartic8"), "quartic8", whole.shape)
    np.testing.assert_allclose(exact, near, rtol=0.05)
    assert (largest <= exact).all()
    assert (largest < exact).any()
    assert (mean <= largest).all()
    # Whichever queries are read, what each reads sums to 1.
    sizes = np.minimum(600 - np.arange(0, 600, 64), 64)
    np.testing.assert_allclose(mean @ sizes, 1, rtol=0.02)


@pytest.mark.parametrize("pooling", ["max sampled", "mean sampled"])
def test_a_sample_of_a_part_of_a_head_is_refused_in_a_sentence(
    pooling: str, softmax: Softmax, wires: dict[str, Wire]
) -> None:
    """A preview is made of a whole head: cut up, each part would cost as much as all of it."""
    _, wire = open_source(dense_attention(softmax(1, 2, 300, 517)), wires)
    for key in ([0, 1, 0, 0, 0, pooling], [0, 1, 1, 0, 1, pooling]):
        reply, _ = wire.request(weights_request(tiles=[key]))
        assert (reply["kind"], reply["id"]) == ("error", "r1")
        expected = f"'{pooling}' is of a whole head: ask for a level at which it is one tile"
        assert reply["message"] == expected
    reply, _ = wire.request(weights_request(tiles=[[0, 1, 2, 0, 0, pooling]]))
    assert reply["tiles"] == [(0, 1, 2, 0, 0, pooling)]


def test_scores_come_after_the_lines(softmax: Softmax, wires: dict[str, Wire]) -> None:
    layers = softmax(2, 3, 5, 7)
    _, wire = open_source(dense_attention(layers), wires)
    reply, buffers = wire.request(weights_request(rows=[[0, 0, 0]], scores=True))
    names = [score.name for score in SCORES]
    assert reply["scores"]
    numbers = np.frombuffer(buffers[1], "<f4")
    np.testing.assert_array_equal(numbers[:7], layers[0][0][0])
    scores = numbers[7:].reshape(len(names), 2, 3)
    peaks = [layer.max(-1).mean(-1) for layer in layers]
    np.testing.assert_allclose(scores[names.index("peak")], peaks, rtol=1e-6)


@pytest.mark.parametrize("by_word", [False, True])
@pytest.mark.parametrize("renormalise", [False, True])
@pytest.mark.parametrize("cells", [1, 1 << 19], ids=["a row a step", "one step"])
def test_masses_are_what_hidden_keys_had_before(
    by_word: bool,
    renormalise: bool,
    cells: int,
    softmax: Softmax,
    wires: dict[str, Wire],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Catches a mass of what is left, of another head, and one before the columns."""
    monkeypatch.setattr("attention_explorer.tiles._MASS_CELLS", cells)
    layers = softmax(2, 3, 5, 7)
    attention: Attention = HiddenAttention(dense_attention(layers), (0, 5), renormalise)
    mass = [layer[:, :, [0, 5]].sum(-1) for layer in layers]
    if by_word:
        attention = WordAttention(attention, (0, 1, 1, 1, 2), (0, 1, 1, 2, 3, 4, 5))
        mass = [np.stack([m[:, 0], m[:, 1:4].mean(1), m[:, 4]], 1) for m in mass]
    source, wire = open_source(attention, wires)
    source.answer_within = PATIENT
    keys = [(1, 2), (0, 1)]
    reply, buffers = wire.request(weights_request(columns=[[0, 0, 3]], masses=keys, scores=True))
    assert reply["masses"] == keys
    numbers, n = np.frombuffer(buffers[1], "<f4"), attention.n_queries
    np.testing.assert_allclose(numbers[:n], attention.column(0, 0, 3), rtol=1e-6)
    expected = np.concatenate([mass[1][2], mass[0][1]])
    np.testing.assert_allclose(numbers[n : 3 * n], expected, rtol=1e-5)


def test_where_nothing_is_hidden_the_mass_is_nothing(
    attention: DenseAttention, wires: dict[str, Wire]
) -> None:
    _, wire = open_source(attention, wires)
    _, buffers = wire.request(weights_request(masses=[[2, 1]]))
    np.testing.assert_array_equal(np.frombuffer(buffers[1], "<f4"), np.zeros(5))


def test_tokens_of_both_sides(attention: DenseAttention, wires: dict[str, Wire]) -> None:
    _, wire = open_source(attention, wires)
    reply, buffers = wire.request({"id": "a", "kind": "tokens", "shown": ""})
    assert reply["queries"]["text"] == [f"t{i}" for i in range(5)]
    assert reply["keys"]["text"] == [f"t{i}" for i in range(7)]
    assert buffers == []


def test_tokens_of_self_attention_are_sent_once(softmax: Softmax, wires: dict[str, Wire]) -> None:
    _, wire = open_source(dense_attention(softmax(1, 2, 6, 6)), wires)
    assert wire.request({"id": "a", "kind": "tokens", "shown": ""})[0]["keys"] is None


def test_html_in_a_token_crosses_unchanged(softmax: Softmax, wires: dict[str, Wire]) -> None:
    """Escaping is the renderer's: escaped here it would show as &lt;."""
    strings = ["<script>alert(1)</script>", "&amp;", 'שלום"', "🙂\n"]
    kind = Kind(dense_attention(softmax(1, 1, 4, 4)), Tokens.from_strings(strings))
    source = AttentionSource({"": kind})
    reply, _ = wires[source.model_id].request({"id": "a", "kind": "tokens", "shown": ""})
    assert reply["queries"]["raw"] == strings


@pytest.mark.parametrize(
    ("shape", "encoding"),
    [
        ((4, 4, 256, 256), "float32"),
        ((4, 4, 256, 257), "quartic8"),
        ((4, 4, 512, 512), "quartic8"),
    ],
)
def test_everything_is_exact_while_that_is_within_4_mib(
    shape: tuple[int, int, int, int], encoding: str, softmax: Softmax, wires: dict[str, Wire]
) -> None:
    layers = softmax(*shape)
    _, wire = open_source(dense_attention(layers), wires)
    reply, buffers = wire.request({"id": "e", "kind": "everything", "shown": ""})
    assert reply["encoding"] == encoding
    assert buffers[1] == b""
    bytes_a_weight = 4 if encoding == "float32" else 1
    assert len(buffers[0]) == math.prod(shape) * bytes_a_weight <= 4 * 2**20
    last = reply["tiles"][-1]
    assert last[:3] == (3, 3, 0)
    cut = layers[3][3][last[3] * 256 :, last[4] * 256 :]
    tail = buffers[0][-cut.size * bytes_a_weight :]
    np.testing.assert_array_equal(tail, encode(cut, encoding))  # type: ignore[arg-type]


def test_everything_above_the_budget_is_refused(softmax: Softmax, wires: dict[str, Wire]) -> None:
    _, wire = open_source(dense_attention(softmax(4, 4, 512, 513)), wires)
    reply, buffers = wire.request({"id": "e", "kind": "everything", "shown": ""})
    assert (reply["kind"], reply["id"], buffers) == ("error", "e", [])
    assert "4,194,304 bytes" in reply["message"]


def test_signed_weights_say_so_in_their_encoding(wires: dict[str, Wire]) -> None:
    scores = np.linspace(-3, 2, 12, dtype=np.float32).reshape(1, 3, 4)
    _, wire = open_source(dense_attention([scores]), wires)
    reply, buffers = wire.request(weights_request(tiles=[[0, 0, 0, 0, 0, "max"]]))
    assert reply["encoding"] == "signed8"
    assert buffers[0] == encode(scores, "signed8", 3.0)


MALFORMED: list[tuple[object, str, str]] = [
    (None, "", "an object with id and kind"),
    ("weights", "", "an object with id and kind"),
    ([1, 2], "", "an object with id and kind"),
    ({}, "", "needs an id"),
    ({"kind": "tokens"}, "", "needs an id"),
    ({"id": 7, "kind": "tokens"}, "", "needs an id"),
    ({"id": "x"}, "x", "unknown kind of request None"),
    ({"id": "x", "kind": "magic"}, "x", "unknown kind of request 'magic'"),
    ({"id": "x", "kind": ["tokens"]}, "x", "unknown kind"),
    ({"id": "x", "kind": "weights", "shown": ""}, "x", "needs tiles, a list"),
    ({"id": "x", "kind": "tokens"}, "x", "that it is for, shown: ''; got None"),
    ({"id": "x", "kind": "tokens", "shown": "cross"}, "x", "shown: ''; got 'cross'"),
    (weights_request(shown=["decoder"]), "r1", "got ['decoder']"),
    (weights_request(tiles="all"), "r1", "needs tiles, a list"),
    (weights_request(rows=None), "r1", "needs rows, a list"),
    (weights_request(scores=1), "r1", "needs scores, true or false; got 1"),
    (weights_request(tiles=[[0, 0, 0, 0, "max"]]), "r1", "query tile, key tile, pooling]: 5 int"),
    (weights_request(tiles=[[0, 0, 0, 0, 0]]), "r1", "5 integers, 1 words after them"),
    (weights_request(tiles=[3]), "r1", "3 isn't [layer, head"),
    (weights_request(tiles=[[0, 0, 0, 0, 0.0, "max"]]), "r1", "5 integers"),
    (weights_request(tiles=[[True, 0, 0, 0, 0, "max"]]), "r1", "5 integers"),
    (weights_request(tiles=[[0, 0, 0, 0, 0, "median"]]), "r1", "unknown pooling 'median': use"),
    (weights_request(tiles=[[0, 0, 0, 0, 0, 1]]), "r1", "5 integers, 1 words"),
    (weights_request(strips=[[0, 0, 5, 0, "max", "row"]]), "r1", "query 5 is out of range: 0 to 4"),
    (weights_request(strips=[[0, 0, 5, 0, "max", "side"]]), "r1", "unknown axis 'side'"),
    (weights_request(tiles=[[3, 0, 0, 0, 0, "max"]]), "r1", "layer 3 is out of range: 0 to 2"),
    (weights_request(tiles=[[0, -1, 0, 0, 0, "max"]]), "r1", "head -1 is out of range: 0 to 1"),
    (weights_request(tiles=[[0, 0, 4, 0, 0, "max"]]), "r1", "level 4 is out of range: 0 to 3"),
    (weights_request(tiles=[[0, 0, 10**9, 0, 0, "max"]]), "r1", "level 1000000000 is out of range"),
    (weights_request(tiles=[[0, 0, 0, 1, 0, "max"]]), "r1", "level 0 query tile 1 is out of range"),
    (weights_request(tiles=[[0, 0, 0, 0, 1, "max"]]), "r1", "level 0 key tile 1 is out of range"),
    (weights_request(rows=[[0, 0, 5]]), "r1", "query 5 is out of range: 0 to 4"),
    (weights_request(columns=[[0, 0, 7]]), "r1", "key 7 is out of range: 0 to 6"),
    (weights_request(masses=[[3, 0]]), "r1", "layer 3 is out of range: 0 to 2"),
    (weights_request(masses=[[0, 0, 0]]), "r1", "isn't [layer, head]: 2 integers"),
    (weights_request(columns=[{"layer": 0}]), "r1", "isn't [layer, head, key]: 3 integers"),
    ({"id": "x", "kind": "terms", "shown": "", "line": [0, 0, 5]}, "x", "query 5 is out of range"),
    ({"id": "x", "kind": "terms", "shown": "", "line": [0, 0, 4]}, "x", "terms needs keys, a list"),
    (
        {"id": "x", "kind": "terms", "shown": "", "line": [0, 0, 4], "keys": [7]},
        "x",
        "key 7 is out of range: 0 to 6",
    ),
    (
        {"id": "x", "kind": "terms", "shown": "", "line": [0, 0, 4], "keys": ["a"]},
        "x",
        "1 integers, and nothing else",
    ),
]


def test_terms_are_those_of_the_attention(wires: dict[str, Wire]) -> None:
    """Catches vectors and steps that the browser would cut at other places."""
    attention, _ = states(4, 9)
    _, wire = open_source(attention, wires)
    request = {"id": "t", "kind": "terms", "shown": "", "line": [0, 2, 5], "keys": [3, 1, 0]}
    reply, (buffer,) = wire.request(request)
    terms = attention.terms(0, 2, 5, [3, 1, 0])
    assert (reply["line"], reply["keys"], reply["why"]) == ((0, 2, 5), [3, 1, 0], "")
    info = reply["terms"]
    assert (info["size"], info["log_sum"]) == (len(terms.query), terms.log_sum)
    assert info["steps"] == list(terms.steps)
    numbers = np.frombuffer(buffer, "<f4")
    np.testing.assert_array_equal(numbers[: info["size"]], terms.query)
    by_key = numbers[info["size"] :].reshape(3, -1)
    np.testing.assert_array_equal(by_key[:, : info["size"]], terms.key)
    np.testing.assert_allclose(by_key[:, info["size"]], terms.product, rtol=1e-5)
    np.testing.assert_array_equal(by_key[:, -1], terms.score)


def test_weights_without_queries_and_keys_say_so(
    attention: DenseAttention, wires: dict[str, Wire]
) -> None:
    """As an answer, not as an error: the view that asked shows it, and nothing is broken."""
    _, wire = open_source(attention, wires)
    request = {"id": "t", "kind": "terms", "shown": "", "line": [0, 1, 4], "keys": [6]}
    reply, buffers = wire.request(request)
    assert (reply["kind"], reply["terms"], buffers) == ("terms", None, [])
    assert "Queries and keys aren't kept" in reply["why"]


@pytest.mark.parametrize(("request_", "identity", "message"), MALFORMED)
def test_a_malformed_request_is_answered_and_the_next_one_too(
    request_: object,
    identity: str,
    message: str,
    attention: DenseAttention,
    wires: dict[str, Wire],
) -> None:
    """An exception here would leave the browser waiting for ever; a held lock the next request."""
    _, wire = open_source(attention, wires)
    reply, buffers = wire.request(request_)
    assert (reply["kind"], reply["id"], buffers) == ("error", identity, [])
    assert message in reply["message"]
    assert "Traceback" in reply["detail"]
    assert wire.request({"id": "next", "kind": "tokens", "shown": ""})[0]["kind"] == "tokens"


@pytest.mark.parametrize("error", [RuntimeError("device gone"), KeyboardInterrupt()])
def test_a_failing_computation_is_answered_with_its_kind(
    error: BaseException, softmax: Softmax, wires: dict[str, Wire]
) -> None:
    class Failing(DenseAttention):
        def rows(self, *_: Any) -> Weights:
            raise error

    _, wire = open_source(Failing(softmax(1, 1, 3, 3)), wires)
    reply, _ = wire.request(weights_request(rows=[[0, 0, 0]]))
    assert reply["kind"] == "error"
    assert reply["message"].startswith(f"{type(error).__name__} in the kernel")
    assert "in rows" in reply["detail"]


def test_python_only_ever_replies(attention: DenseAttention, wires: dict[str, Wire]) -> None:
    """An unasked message from a cell would move the next request to the busy main thread."""
    source, wire = open_source(attention, wires)
    assert wire.sent == []
    wire.request({"id": "a", "kind": "tokens", "shown": ""})
    assert len(wire.sent) == 1
    source.close()
    assert len(wire.sent) == 1
    assert wire.closed


def test_nothing_is_read_while_another_thread_reads(
    attention: DenseAttention, wires: dict[str, Wire]
) -> None:
    """Jupyter answers comms beside the user's code: caches must not be read by two at once."""
    source, wire = open_source(attention, wires)
    request = weights_request(rows=[[0, 0, 0]])
    with source.lock:
        reply, _ = wire.request(request)
        assert (reply["rows"], reply["progress"]) == ([], 0.0)
    reply, _ = wire.request(request)
    assert (reply["rows"], reply["progress"]) == ([(0, 0, 0)], None)


def test_a_closed_source_holds_no_weights(softmax: Softmax, wires: dict[str, Wire]) -> None:
    attention = dense_attention(softmax(1, 1, 3, 3))
    held = weakref.ref(attention)
    source, _ = open_source(attention, wires)
    source.close()
    del attention
    gc.collect()
    assert held() is None


def test_the_saved_state_keeps_the_module(
    attention: DenseAttention, wires: dict[str, Wire]
) -> None:
    """embed_minimal_html drops defaults, and with them the module of every anywidget."""
    source, _ = open_source(attention, wires)
    state = source._get_embed_state(drop_defaults=True)["state"]
    assert state["_esm"] == "export default {}"

"""The single file: what is in it, what it leaves out, and what it refuses."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attention_explorer import AttentionExplorer, Tokens, to_html
from attention_explorer.encoding import decode
from attention_explorer.export.html import framed

if TYPE_CHECKING:
    from tests.export.conftest import Explore, Weights

LAYERS, HEADS, QUERIES, KEYS = 3, 4, 10, 7


def recorded(page: str) -> dict[str, Any]:
    """What the page's script reads, as a browser finds it."""
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


def shown(page: str, explorer: int = 0) -> dict[str, Any]:
    variant: dict[str, Any] = recorded(page)["explorers"][explorer]["variants"][0]
    return variant


def unpacked(buffer: str) -> bytes:
    return zlib.decompress(b64decode(buffer))


def test_a_small_file_holds_every_weight_as_it_is(
    cross: AttentionExplorer, weights: Weights
) -> None:
    """Catches a transposition, a missing layer, and rounding where there was room."""
    variant = shown(cross.to_html())
    whole = variant["weights"][0]
    assert whole["reply"]["encoding"] == "float32"
    held = decode(unpacked(whole["buffers"][0]), "float32", (LAYERS, HEADS, QUERIES, KEYS))
    np.testing.assert_array_equal(held, weights)
    assert variant["description"]["whole"]
    assert variant["description"]["held"] == "this file, exact"


def test_tokens_from_anywhere_end_no_element(weights: Weights) -> None:
    """Catches text that leaves its script or paragraph, and halves of surrogates in UTF-8."""
    hostile = [
        "</script>",
        "<!--<script>",
        "<b>x</b>",
        "$x",
        "&amp;",
        "\\",
        '"',
        "\0",
        "שלום",
        "\ud800",
    ]
    page = to_html(AttentionExplorer(weights, hostile, ["a"] * KEYS), title="<i>&")
    assert (
        recorded(page)["explorers"][0]["variants"][0]["tokens"]["queries"]["text"][:9]
        == hostile[:9]
    )
    assert "<b>x</b>" not in page
    assert "<!--<script>" not in page
    assert "<title>&lt;i&gt;&amp;</title>" in page
    page.encode("utf-8")


def test_a_page_of_three_holds_the_code_once(explore: Explore) -> None:
    """Catches a file that grows by the bundle with every explorer."""
    three = [explore(5), explore(6), explore(7)]
    page = recorded(to_html(three))
    assert len(page["modules"]) == 1
    assert [len(it["variants"][0]["tokens"]["queries"]["text"]) for it in page["explorers"]] == [
        5,
        6,
        7,
    ]
    assert {it["module"] for it in page["explorers"]} == set(page["modules"])


def test_a_policy_lets_nothing_in_from_outside(explore: Explore) -> None:
    """Catches a page that could ask the network, by whatever comes with its data."""
    page = explore(5).to_html()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none';")
    assert "http" not in policy[1]
    assert not re.search(r"<(link|img|script)[^>]*(src|href)=", page)


def test_the_state_is_the_explorers_and_nothing_is_hovered(explore: Explore) -> None:
    """Catches a page that opens on another head, or as if a pointer were on it."""
    explorer = explore(6, selected=4, view=["text", "matrix"], scale="log")
    explorer.hovered = 2
    state = recorded(explorer.to_html())["explorers"][0]["state"]
    assert state["layer"] == 1
    assert state["heads"] == [2]
    assert state["selected"] == [4, 4]
    assert state["view"] == ["text", "matrix"]
    assert state["scale"] == "log"
    assert state["hovered"] is None


def test_what_may_be_chosen_is_what_was_recorded() -> None:
    """Catches a choice that is offered and can't be shown."""
    special = Tokens.from_strings(["[CLS]", *"abcd", "[SEP]"])
    weights = np.random.default_rng(0).dirichlet(np.ones(6), (2, 3, 6)).astype(np.float32)
    explorer = recorded(AttentionExplorer(weights, special).to_html())["explorers"][0]
    chosen = [(it["measure"], it["unit"], it["hide"]) for it in explorer["variants"]]
    assert chosen == [
        ("weights", "token", []),
        ("weights", "token", ["special"]),
        ("rollout", "token", []),
    ]
    for variant in explorer["variants"]:
        assert variant["description"]["measures"][0] == "weights, rollout: "
        assert not any(line.startswith(":") for line in variant["description"]["measures"])
    assert "rollout by token" in explorer["choices"]


def test_recording_leaves_what_is_shown_as_it_was(explore: Explore) -> None:
    """Catches an explorer that shows the variant which was recorded last."""
    explorer = explore(6)
    before = explorer.state(), explorer._description
    explorer.to_html()
    assert (explorer.state(), explorer._description) == before
    assert explorer._data is not None
    assert explorer._description["shown"] in explorer._data.kinds


@pytest.mark.parametrize("max_mb", [0.45, 0.7, 1.5, 4.0])
def test_a_file_is_never_larger_than_it_may_be(max_mb: float) -> None:
    """Catches pieces that aren't counted, or counted before they are base64."""
    explorer = large(300)
    page = explorer.to_html(max_mb=max_mb)
    assert len(page.encode()) <= max_mb * 1_000_000


def large(tokens: int, **options: Any) -> AttentionExplorer:
    """5 layers x 6 heads: 11 MB as they are, of 300 tokens."""
    weights = np.random.default_rng(0).dirichlet(np.full(tokens, 0.1), (5, 6, tokens))
    names = [f"t{i}" for i in range(tokens)]
    return AttentionExplorer(
        weights.astype(np.float32), names, **{"layer": 3, "heads": [1, 4], "selected": 7, **options}
    )


def test_what_is_rounded_is_exact_where_it_is_looked_at() -> None:
    """Catches rounded numbers of the chosen heads, and of what is pinned, where there is room."""
    explorer = large(300)
    variant = shown(explorer.to_html(max_mb=6))
    assert variant["description"]["whole"]
    assert variant["description"]["held"] == "this file, rounded"
    assert any("rounded to a byte" in note for note in variant["description"]["notes"])
    exact = [it for it in variant["weights"] if it["reply"]["encoding"] == "float32"]
    heads = {tuple(key[:2]) for it in exact for key in it["reply"]["tiles"]}
    assert heads == {(3, 1), (3, 4)}
    rows = {tuple(key) for it in exact for key in it["reply"]["rows"]}
    assert rows == {(layer, head, 7) for layer in range(5) for head in range(6)}


def test_what_is_left_out_is_said() -> None:
    """Catches a file that asks for what it doesn't hold, or that hides it."""
    explorer = large(300)
    variant = shown(explorer.to_html(max_mb=1.5))
    about = variant["description"]
    assert not about["whole"]
    assert about["held"] == "this file, in part"
    (note,) = about["notes"]
    assert "All weights are 11 MB" in note
    assert "an overview of every head" in note
    assert "layer 3 head 1 whole" in note
    assert "max_mb=" in note
    overviews = {
        tuple(key[:2])
        for it in variant["weights"]
        for key in it["reply"]["tiles"]
        if it["reply"]["encoding"] == "quartic8"
    }
    assert overviews == {(layer, head) for layer in range(5) for head in range(6)}
    row = next(it for it in variant["weights"] if it["reply"]["rows"])
    numbers = np.frombuffer(unpacked(row["buffers"][1]), "<f4").reshape(-1, 300)
    at = row["reply"]["rows"].index([2, 5, 7])
    np.testing.assert_array_equal(numbers[at], explorer.weights(2, 5)[7])


def test_overviews_are_pooled_as_the_kernel_pools_them() -> None:
    """Catches tiles under another's name: several are cut from a head that is read once."""
    explorer = large(300)
    reply = shown(explorer.to_html(max_mb=1.5))["weights"][1]
    keys = [tuple(key) for key in reply["reply"]["tiles"]]
    codes = np.frombuffer(unpacked(reply["buffers"][0]), np.uint8)
    at = 0
    for layer, head, level, _, _, pooling in keys:
        side = -(-300 >> level)
        tile = decode(codes[at : at + side * side].tobytes(), "quartic8", (side, side))
        at += side * side
        if (layer, head) != (4, 2):
            continue
        matrix = explorer.weights(layer, head)
        cells = [
            [
                getattr(
                    matrix[i << level : (i + 1) << level, j << level : (j + 1) << level], pooling
                )()
                for j in range(side)
            ]
            for i in range(side)
        ]
        np.testing.assert_allclose(tile, cells, atol=0.02)


def test_a_limit_below_the_least_says_how_much_is_needed() -> None:
    """Catches a file without weights, and a number that then isn't enough."""
    explorer = large(300)
    with pytest.raises(ValueError, match=r"max_mb=0\.05 is too little.* takes [\d.]+ MB") as error:
        explorer.to_html(max_mb=0.05)
    needed = re.search(r"takes ([\d.]+) MB", str(error.value))
    assert needed is not None
    assert explorer.to_html(max_mb=float(needed[1]) + 0.01)


@pytest.mark.parametrize("is_large", [True, False])
def test_a_long_recording_says_how_far_it_is(
    is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Catches a cell that stands still as long as the weights take, and a bar that goes back.

    Where not all of them have room overviews take the time, else one choice follows another.
    """
    shares = list[float]()

    @contextmanager
    def noted(doing: str) -> Iterator[Callable[[float], None]]:
        yield shares.append

    monkeypatch.setattr("attention_explorer.export.html.progress_bar", noted)
    to_html([large(300) if is_large else AttentionExplorer.demo()] * 2, max_mb=3)
    assert shares == sorted(shares)
    assert any(0 < share < 0.5 for share in shares)
    assert any(0.5 < share < 1 for share in shares)


def test_bad_input_is_refused_in_words(explore: Explore) -> None:
    """Catches a page of nothing, and errors from within."""
    closed = explore(5)
    closed.close()
    with pytest.raises(RuntimeError, match="closed"):
        closed.to_html()
    with pytest.raises(ValueError, match="at least one explorer"):
        to_html([])
    with pytest.raises(TypeError, match="got str"):
        to_html("explorer")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got int"):
        to_html([explore(5), 3])  # type: ignore[list-item]
    for wrong in (0, -1, float("nan"), "10"):
        with pytest.raises(ValueError, match="max_mb="):
            explore(5).to_html(max_mb=wrong)  # type: ignore[arg-type]


def test_a_path_is_written_and_nothing_returned(explore: Explore, tmp_path: Path) -> None:
    """Catches a file in the machine's own encoding."""
    path = tmp_path / "page.html"
    explorer = explore(5)
    assert explorer.to_html(path, title="Grüße") is None
    assert path.read_text(encoding="utf-8") == explorer.to_html(title="Grüße")


def test_a_path_that_cant_be_written_is_told_before_anything_is_recorded(
    explore: Explore, tmp_path: Path
) -> None:
    """Catches minutes of work that end in the system's own words."""
    with pytest.raises(FileNotFoundError, match="make it first"):
        explore(5).to_html(tmp_path / "not there" / "page.html", max_mb=0.01)
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        explore(5).to_html(tmp_path, max_mb=0.01)


def test_a_frame_holds_the_page_as_an_attribute(explore: Explore) -> None:
    """Catches a page that leaves its frame, or that may reach what is around it."""
    page = explore(5).to_html()
    html = framed(page, height=300)
    assert html.count("<") == 4
    assert 'sandbox="allow-scripts' in html
    assert "allow-same-origin" not in html
    assert "height:300px" in html

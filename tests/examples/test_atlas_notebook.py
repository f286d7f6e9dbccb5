"""The notebook about every head says only what its own cells measure, on any Python's texts."""

from __future__ import annotations

import os
from typing import Any

import pytest

from attention_explorer import demo_model
from attention_explorer.atlas import relation_table

from ..notebooks import EXAMPLES, executed, stated, stating

FACTS = """
def known(table):
    return table.astype(object).where(table.notna(), None).to_dict("index")

facts = {
    "texts": [len(texts), len(every)],
    "profiled": [part.n_texts, part.is_complete, atlas.n_texts, atlas.is_complete],
    "view": [view.head, view.score],
    "names": known(by_name),
    "without": len(without),
    "sinks": known(by_layer),
    "interval": float(widest),
    "1.8": [n_misses / n_rows, to_cls / n_misses],
    "2.9": known(by_reader),
    "like": [[like.tokens[like.query].lower(), like.tokens[like.key].lower()] for like in alike],
    "2.8": [LABEL.score, neighbours, len(the)],
    "it": [same, asked],
    "agreement": agreement.values.tolist(),
    "in layer": [in_layer, expected],
    "apart": known(apart),
    "sink heads": [called(at) for at in is_sink],
    "changes": known(changes),
    "moved": moved.values.tolist(),
    "tuned": [sinks, renamed],
    "relations": known(relations),
    "again": again.labels == atlas.labels,
    "page": "<script" in (FOLDER / "minilm.html").read_text(encoding="utf-8"),
}
"""


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Return what the notebook comes to, read from its own variables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TREEBANK", raising=False)
        notebook = executed(EXAMPLES / "atlas.ipynb", FACTS, stating("facts"))
    facts: dict[str, Any] = stated(notebook)
    return facts


def test_the_run_that_was_stopped_goes_on(shown: dict[str, Any]) -> None:
    assert shown["texts"][0] == 500 < 1_000 < shown["texts"][1]
    assert shown["profiled"] == [256, False, 500, True]
    assert shown["view"] == [[1, 8], "next beside sinks"]


def test_sinks_come_first_and_with_depth(shown: dict[str, Any]) -> None:
    """Most heads are sinks, none of the first layer, and fewest of the others in the last."""
    names = shown["names"]
    assert next(iter(names)) == "first token"
    assert 45 <= names["first token"]["heads"] <= 58
    assert {"previous token", "next token", "duplicate token", "broad", "local"} <= set(names)
    assert 5 <= shown["without"] <= 20
    first, *others, last = (layer["named"] for layer in shown["sinks"].values())
    assert first == 0
    assert 3 <= last < min(others)
    assert shown["sinks"]["0"]["max"] < 0.27
    assert shown["interval"] < 0.02


def test_the_name_that_holds_everywhere(shown: dict[str, Any]) -> None:
    """Even where 1.8 does it least, and what it reads instead is the sink."""
    share, to_cls = shown["1.8"]
    assert share < 0.33
    assert to_cls > 0.6


def test_copies_of_words_are_read_and_those_of_marks_less(shown: dict[str, Any]) -> None:
    means = {reader: its["mean"] for reader, its in shown["2.9"].items()}
    assert means["other word"] > 0.65
    assert max(means["mark"], means["small word"]) < 0.55
    assert min(its["size"] for its in shown["2.9"].values()) > 50
    assert 0.5 < shown["names"]["duplicate token"]["highest"] < 0.6
    assert 0.4 < shown["names"]["duplicate token"]["weakest"] < 0.8
    assert all(query == key for query, key in shown["like"])
    assert len(shown["like"]) == 6


def test_local_reads_over_what_is_between(shown: dict[str, Any]) -> None:
    score, neighbours, places = shown["2.8"]
    assert score > 0.75
    assert places == 100
    assert 50 < neighbours < 90


def test_it_reads_what_all_read_in_the_last_layer(shown: dict[str, Any]) -> None:
    """If "it" read for itself, or only one head gathered, the page would warn of nothing."""
    same, asked = shown["it"]
    assert asked > 30
    assert same / asked > 0.6
    *before, last = shown["agreement"]
    assert all(0.5 < share < 0.85 for share in last)
    assert sorted(share for layer in before for share in layer)[-2] < 0.62


def test_the_middle_of_the_map_is_sinks(shown: dict[str, Any]) -> None:
    in_layer, expected = shown["in layer"]
    assert in_layer > 2 * expected
    apart = shown["apart"]
    by_plane = sorted(apart, key=lambda head: apart[head]["rank in the plane"])
    assert len(set(by_plane[-36:]) & set(shown["sink heads"])) >= 28
    before = {head for head, its in apart.items() if "previous token" in its["named"]}
    assert len(before) == 4
    assert before <= set(by_plane[:8])


def test_the_map_hides_a_head_that_is_far_from_all(shown: dict[str, Any]) -> None:
    """The page's reason to look distances up."""
    apart = shown["apart"]
    assert [apart[head]["its rank"] for head in ("0.2", "1.8")] == [1, 2]
    assert apart["1.8"]["rank in the plane"] > 8


def test_tuning_moves_more_than_chance(shown: dict[str, Any]) -> None:
    chance, tuned = shown["changes"]["half, half"], shown["changes"]["before, after"]
    assert chance["0 outside the interval"] < 0.2 < 0.8 < tuned["0 outside the interval"]
    assert tuned["first: mean change"] > 8 * chance["first: mean change"]
    by_layer = [after for _, after in shown["moved"]]
    assert by_layer[0] == min(by_layer)
    assert by_layer[-1] == max(by_layer)
    (before, after), (by_chance, renamed) = shown["tuned"]
    assert before > after + 5
    assert renamed > 15 > by_chance


def test_a_small_treebank_finds_other_heads(shown: dict[str, Any]) -> None:
    """Each beats the rule; and for objects and determiners it isn't that of the large one."""
    rows = {name: its for name, its in shown["relations"].items() if name.endswith("its head")}
    assert all(its["score"] > its["baseline"] + 0.1 for its in rows.values())
    assert [rows["obj: reads its head"][name] for name in ("layer", "head")] != [2, 0]
    assert [rows["det: reads its head"][name] for name in ("layer", "head")] != [2, 8]


def test_what_is_kept_is_the_same(shown: dict[str, Any]) -> None:
    assert shown["again"]
    assert shown["page"]


@pytest.mark.skipif("TREEBANK" not in os.environ, reason="needs TREEBANK=en_pud-ud-test.conllu")
def test_the_figures_of_a_treebank() -> None:
    """Those that the page has in a table, of UD English PUD."""
    model, tokenizer = demo_model()
    table: Any = relation_table(model, tokenizer, os.environ["TREEBANK"], progress=False)
    figures = {
        "obj": (2, 0, 77, 40, 877),
        "det": (2, 8, 80, 57, 2043),
        "aux": (2, 8, 79, 59, 406),
        "case": (2, 8, 70, 38, 2422),
        "nsubj": (2, 8, 51, 40, 1390),
        "amod": (2, 8, 83, 78, 1358),
    }
    for name, figure in figures.items():
        row = table.loc[f"{name}: reads its head"]
        percent = (round(100 * row["score"]), round(100 * row["baseline"]))
        assert (row["layer"], row["head"], *percent, row["cases"]) == figure

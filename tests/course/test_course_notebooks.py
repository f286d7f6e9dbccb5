"""Every lesson runs in both languages, and what its text says of the model is so."""

from __future__ import annotations

from typing import Any

import pytest

from .notebooks import LESSONS, executed

# What each lesson's claims rest on: an expression over its own variables.
FACTS = {
    "0_setting_up": """{
        "shape": shape, "tokens": len(tokens), "weight": float(read),
        "rows": [float(weights.sum(1).min()), float(weights.sum(1).max())],
        "specials": [tokens[0], tokens[-1]], "ids": len(inputs["input_ids"][0]),
        "refused": refused, "difference": float(difference),
    }""",
    "1_head_view": """{
        "expected": expected.to_numpy().tolist(), "pairs": [others.size, found],
        "column": column.tolist(), "words": words, "mean": mean, "least": [least, reader],
    }""",
    "2_model_view": """{
        "counts": counts.to_dict(), "hidden": hidden, "by layer": by_layer.to_numpy().tolist(),
        "even": even, "previous": [layer, head, best, second], "fails": fails,
    }""",
    "3_neuron_view": """{
        "weights": [computed, shown], "ratio": [gap, ratio], "after": after,
        "order": table["softmax"].nlargest(2).index.tolist(), "other": other["softmax"].iloc[cat],
        "products": [positive, of_cat.size, share, largest[0] / of_cat.sum()],
    }""",
    "4_question_answering": """{
        "answers": [[it.text, it.probability] for it in explorer.answers],
        "best": list(best.values()),
        "who": of_who.to_dict(), "letter": rows, "against": against,
    }""",
    "5_patterns": """{
        "local": local.to_numpy().tolist(),
        "objects": {at: [label.name, label.score, label.baseline] for at, label in named.items()},
        "missed": sorted(story.tokens.text[it.query] for it in counter_examples(
            story, 2, 0, "obj: reads its head", edges=edges)),
        "it": [*found.index[0], found["p_corrected"].min(), 1 / found.attrs["n_rotations"]],
        "coreference": {f"{at[0]}.{at[1]}": row for at, row in zip(
            coreference.index, coreference.to_numpy().tolist())},
        "turned": turned.to_numpy().tolist(), "related": [*head, mean, wins, len(triples), p],
        "attempts": attempts,
        "orders": [reads(text, *pair, *head) for pair, text in ORDERS.items()],
        "sinks": [len(sinks), len(labels)], "free": free, "marks": [cls, sep],
    }""",
    "6_not_an_explanation": """{
        "strongest": [[*at, *row[:3]] for at, row in zip(
            strongest.index, strongest.to_numpy().tolist())],
        "most": [[*at, *row[:3]] for at, row in zip(most.index, most.to_numpy().tolist())],
        "together": together, "shares": [of_weights.mean(), of_carried.mean(), less],
        "cuts": list(outcomes.values()), "edge": [done.change.size, below, n, largest],
    }""",
    "7_telescope": """{
        "nothing": check_answer(telescope, language="en").state,
        "states": [it.state for it in (for_saw, for_man, trap)],
        "weights": [it.evidence.weight for it in (for_saw, for_man, trap)],
        "stands out": [it.evidence.stands_out for it in (for_saw, for_man)],
        "turns": [it.evidence.turns for it in (for_saw, for_man, trap)],
        "turned": for_saw.evidence.turned_weight, "cut": for_saw.evidence.cut,
        "largest on man": telescope.find_heads("with", "man").index[0],
    }""",
}


def of(lesson: str) -> dict[str, Any]:
    english, _ = executed(lesson, FACTS[lesson])
    return english


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_and_comes_to_the_same_in_both_languages(lesson: str) -> None:
    """Catches a cell that fails, and a text that the model reads in one language only."""
    english, chinese = executed(lesson, FACTS[lesson])
    assert english == chinese
    assert english["n views"] >= 1


def test_setting_up() -> None:
    """What the old way gives today, and that the new one gives the same numbers."""
    facts = of("0_setting_up")
    assert facts["shape"] == [6, 12, 13, 13]
    assert facts["ids"] == facts["tokens"] == 13
    assert facts["specials"] == ["[CLS]", "[SEP]"]
    assert facts["rows"] == pytest.approx([1, 1], abs=1e-5)
    assert facts["weight"] == pytest.approx(0.71, abs=0.005)
    assert "sdpa" in facts["refused"]
    assert "cross_attentions" in facts["refused"]
    assert facts["difference"] < 1e-5


def test_three_expectations_and_what_they_are_worth() -> None:
    facts = of("1_head_view")
    heads, weights, most, _ = zip(*facts["expected"], strict=True)
    assert heads == ("5.11", "5.11", "5.3")
    assert weights == pytest.approx([0.71, 0.32, 0.33], abs=0.01)
    assert most == ("cat", "[CLS]", "[CLS]")
    assert facts["pairs"] == [110, 55]


def test_everything_reads_the_cat() -> None:
    facts = of("1_head_view")
    by_word = dict(zip(facts["words"], facts["column"], strict=True))
    assert by_word["The"] == pytest.approx(0.80, abs=0.005)
    assert min(by_word["The"], by_word["sat"]) > by_word["it"]
    assert facts["mean"] > 0.6
    assert facts["least"] == [pytest.approx(0.32, abs=0.005), "tired"]


def test_the_map_of_all_heads() -> None:
    """Most heads read [CLS], the distances grow a little, and one head is a rule."""
    facts = of("2_model_view")
    assert facts["counts"]["first token"] > 36
    assert facts["counts"]["delimiter"] == 4
    assert facts["hidden"] > 0.5
    first, local, _, distance = zip(*facts["by layer"], strict=True)
    assert max(first[0], first[-1]) < min(first[1:-1])
    assert local[0] > local[-1] > local[0] - 0.15
    assert distance[0] < facts["even"] < distance[-1] < facts["even"] + 1
    layer, head, best, second = facts["previous"]
    assert (layer, head) == (0, 2)
    assert best > 0.99 > 0.4 > second
    assert facts["fails"]["previous token"] == [0, 0, 0]
    assert min(facts["fails"]["next token"]) > 0


def test_a_weight_is_computed_by_hand() -> None:
    facts = of("3_neuron_view")
    assert facts["weights"][0] == pytest.approx(facts["weights"][1], abs=1e-6)
    gap, ratio = facts["ratio"]
    assert gap == pytest.approx(2, abs=0.1)
    assert ratio == pytest.approx(7.2, abs=0.1)
    assert facts["order"] == ["cat", "mat"]
    assert facts["after"] == pytest.approx(0.48, abs=0.005)
    assert facts["other"] < 0.1
    positive, n, share, largest = facts["products"]
    assert n == 32
    assert positive / n > 0.8
    assert largest < 0.15 < share < 0.5


def test_both_directions_of_a_question() -> None:
    facts = of("4_question_answering")
    assert facts["answers"][0][0] == "Gaudí"
    question, reply = facts["best"]
    assert question[:2] == [4, 4]
    assert reply[:2] == [3, 3]
    assert reply[2] == pytest.approx(0.85, abs=0.01)
    assert reply[2] > question[2]
    assert 4.5 < question[3] < 5
    assert 2.9 < reply[3] < 3.3


def test_the_kind_of_question_meets_the_kind_of_word() -> None:
    """Four cases, and the two that speak against them."""
    facts = of("4_question_answering")
    who = facts["who"]
    assert sorted(who, key=who.get)[-2:] == ["Ga", "udí"]
    assert who["Barcelona"] == pytest.approx(0.5, abs=0.01)
    answers, readers = zip(*facts["letter"].values(), strict=True)
    assert answers == ("Maria", "Monday", "Madrid")
    assert [text.split()[0] for text in readers] == list(answers)
    what, mona_lisa = facts["against"].values()
    assert what[0] == "Gaudí's architecture"
    assert what[3] < 0.2
    assert mona_lisa[0] == "Gaudí"
    assert mona_lisa[1] > 0.5
    assert mona_lisa[2] == "udí"
    assert mona_lisa[3] > 0.8


def test_a_neighbour_is_no_noun() -> None:
    (same_a, same_b, *_), *others = of("5_patterns")["local"]
    assert same_a == same_b
    for neighbour_by_8, noun_by_8, neighbour, noun in others:
        assert neighbour_by_8 > 0.6 > 0.1 > noun_by_8
        assert noun > 0.5 > 0.1 > neighbour


def test_objects_and_their_verbs() -> None:
    facts = of("5_patterns")
    for head in ("2.0", "3.8"):
        assert facts["objects"][head] == ["obj: reads its head", 0.8, 0.2]
    assert facts["missed"] == ["cake", "song"]


def test_pronouns() -> None:
    """The head of the picture isn't the one that finds what pronouns stand for."""
    facts = of("5_patterns")
    layer, head, p, least = facts["it"]
    assert (layer, head) == (5, 11)
    assert p > 0.05
    assert least > 0.05
    by_head = facts["coreference"]
    assert max(by_head, key=lambda it: by_head[it][0]) == "1.3"
    assert by_head["1.3"] == [7 / 8, 2 / 8]
    assert by_head["5.11"] == [3 / 8, 2 / 8]
    for of_one_cat, of_one_mat, of_other_cat, of_other_mat in facts["turned"]:
        assert of_one_cat > of_one_mat
        assert of_other_cat > of_other_mat


def test_related_words() -> None:
    facts = of("5_patterns")
    layer, head, mean, wins, n, p = facts["related"]
    assert (layer, head, wins, n) == (2, 4, 12, 12)
    assert mean > 0.2
    assert p < 0.01
    tried = facts["attempts"]
    assert min(tried["hot/cold"], tried["left/right"]) > 0.4
    assert tried["tired/tired"] > 0.25
    assert max(tried["bread/butter"], tried["Paris/France"]) < 0.1
    strong, weak = facts["orders"]
    assert strong > 0.3 > 0.1 > weak


def test_delimiters() -> None:
    facts = of("5_patterns")
    n_sinks, n_heads = facts["sinks"]
    assert n_sinks > 0.8 * n_heads
    assert {"0.2", "5.11"} <= set(facts["free"].split(", "))
    cls, sep = facts["marks"]
    assert cls > 10 * sep


def test_strong_lines_have_little_effect() -> None:
    facts = of("6_not_an_explanation")
    by_effect = {(layer, head): rank for layer, head, _, rank, _ in facts["strongest"]}
    assert [row[2] for row in facts["strongest"]] == [1, 2, 3, 4, 5]
    assert 24 < by_effect.pop((0, 2)) < 48
    assert min(by_effect.values()) >= 62
    assert [row[0] for row in facts["most"]] == [5, 5, 5]
    assert facts["most"][0][:4] == [5, 11, 24, 1]
    assert facts["together"] < -0.2
    weights, carried, less = facts["shares"]
    assert weights > 0.5 > 0.2 > carried
    assert less == 72


def test_the_answer_needs_one_direction() -> None:
    to_answer, to_question = of("6_not_an_explanation")["cuts"]
    assert to_answer[0] - to_answer[1] < 0.01
    assert (to_answer[2], to_question[2]) == ("Gaudí", "Sagrada Familia")
    assert to_question[1] < 0.01
    below, n = map(int, to_answer[3].split("/"))
    assert 0.4 < below / n < 0.6
    assert to_question[3] == "17 / 20"


def test_one_line_carries_what_it_shows() -> None:
    size, below, n, largest = of("6_not_an_explanation")["edge"]
    assert below == n == 9
    assert size > 10 * largest


def test_the_exercise_and_three_answers() -> None:
    facts = of("7_telescope")
    assert facts["nothing"] == "nothing pinned"
    assert facts["states"] == ["hypothesis", "hypothesis", "habit"]
    assert facts["weights"] == pytest.approx([0.69, 0.74, 1], abs=0.01)
    assert facts["stands out"] == [True, True]
    assert not any(facts["turns"])
    assert facts["turned"] > facts["weights"][0]
    assert facts["cut"] == pytest.approx(0.006, abs=0.001)
    assert facts["largest on man"] == [0, 2]

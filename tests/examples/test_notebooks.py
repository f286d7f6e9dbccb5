"""The notebooks run as committed, and the Voilà page answers in words whatever is typed."""

from __future__ import annotations

from typing import Any

import pytest

from ..notebooks import EXAMPLES, WIDGET, executed, results, stated, stating


def test_the_quickstart_runs_from_top_to_bottom() -> None:
    (shown,) = results(executed(EXAMPLES / "quickstart.ipynb").cells[-1:])
    assert WIDGET in shown


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Return what the page says to each of the inputs, by the input's name."""
    notebook = executed(
        EXAMPLES / "voila_app.ipynb",
        """
inputs = {
    "one text": ("Dogs bark at <b>cats</b>.", "", DEMO, ""),
    "two texts": ("Who is loud?", "Dogs bark at cats.", DEMO, ""),
    "no text": ("  ", "", DEMO, ""),
    "long text": ("word " * 600, "", DEMO, ""),
    "no model": ("Dogs bark.", "", OTHER, " "),
    "folder without a model": ("Dogs bark.", "", OTHER, "."),
}
answers = {}
for name, values in inputs.items():
    text.value, text_pair.value, choice.value, other.value = values
    button.click()
    tokens = stage.children[0].tokens.text
    answers[name] = f"{status.value} {' '.join(tokens)} {len(stage.children)} {button.disabled}"
""",
        stating("answers"),
    )
    answers: dict[str, str] = stated(notebook)
    return answers


def test_a_text_replaces_the_explorer(said: dict[str, str]) -> None:
    assert said["one text"].endswith(" [CLS] Dogs bark at < b > cats < / b > . [SEP] 1 False")


def test_a_second_text_is_read_with_the_first(said: dict[str, str]) -> None:
    assert said["two texts"].endswith("Who is loud ? [SEP] Dogs bark at cats . [SEP] 1 False")


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("no text", "There is no text yet"),
        ("long text", "can read 512"),
        ("no model", "No model is named yet"),
        ("folder without a model", ". could not be loaded: "),
    ],
)
def test_bad_input_is_answered_in_words(said: dict[str, str], given: str, answer: str) -> None:
    """The explorer before stays, and the button can be pressed again."""
    assert answer in said[given]
    assert "--jp-error-color1" in said[given]
    assert said[given].endswith("Dogs bark at cats . [SEP] 1 False")


def test_the_questions_are_asked_from_top_to_bottom() -> None:
    """The answers that the text beside them speaks of, and windows where it says so."""
    notebook = executed(
        EXAMPLES / "qa.ipynb",
        """
long_answer, windows = long.answers[0].text, len(long._asked.answers.windows)
first = AttentionExplorer.qa(
    model, tokenizer, "Who is the famous architect in Barcelona?",
    "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
).answers[0].text
""",
        stating("[first, long_answer, windows, explorer.question]"),
    )
    first, long_answer, windows, question = stated(notebook)
    assert first == "Gaudí"
    assert "blue" in long_answer
    assert windows > 1
    assert question == "What is Barcelona famous for?"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Return what the page about heads and evidence comes to, read from its own variables."""
    notebook = executed(
        EXAMPLES / "heads_and_evidence.ipynb",
        """
import torch

model.set_attn_implementation("eager")
with torch.no_grad():
    eager = model(**tokenizer(CAT, return_tensors="pt"), output_attentions=True).attentions
of_cat = torch.cat(eager)[..., it_at, cat_at].numpy()
asks = telescope.find_heads("with", "saw", against="man"), telescope.find_heads("with", "man")
facts = {
    "views": [telescope.view, asked.view],
    "telescope": [float(asks[0][name].min()) for name in ("p_difference", "p_corrected")],
    "habit": [float(asks[1][name].iloc[0]) for name in ("mass", "elsewhere")],
    "it": [it_head, np.unravel_index(of_cat.argmax(), SHAPE)],
    "cuts": [row["above other keys"] for name, row in cuts.items() if "cat" in name],
    "beard": rows.loc["beard"].tolist(),
    "miss": [miss.instead == cat_at, miss.expected == (mat_at,)],
    "follower": [follower, *pronouns.loc[follower]],
    "leader": [*pronouns.loc[it_head]],
    "with": float(attached["p corrected"].min()),
    "A": shares["share of A"].to_dict(),
    "Af": shares["share of |Af|"].to_dict(),
    "heads with less": int((moved < read).sum()),
    "rho": [spearman(peak, effect) for effect in effects.values()],
    "ablations": spearman(*effects.values()),
    "much": ranks.loc[much].tolist(),
    "little": ranks.loc[little].tolist(),
    "shared": len(most.intersection(heads["question reads answer"].nlargest(5).index)),
    "log p": [
        measure(asked.trace, cut).change.log_p
        for cut in (
            CutEdges(question, answer_tokens),
            CutEdges(question, answer_tokens, SHAPE[0] - 1),
            CutEdges(answer_tokens, question),
        )
    ],
    "differs": int(rank[follower]) < int(rank[it_head]),
}
""",
        stating("facts"),
    )
    facts: dict[str, Any] = stated(notebook)
    return facts


def test_each_question_goes_on_in_the_evidence_view(shown: dict[str, Any]) -> None:
    """The page says what to click there."""
    assert all({"heads", "model", "evidence"} <= set(view) for view in shown["views"])


def test_nothing_in_ten_tokens_is_significant(shown: dict[str, Any]) -> None:
    """The page says so in bold; and that one of the largest weights is a habit."""
    assert min(shown["telescope"]) > 0.05
    mass, elsewhere = shown["habit"]
    assert mass > 0.9
    assert elsewhere > 0.9


def test_both_heads_read_the_same_with_a_beard(shown: dict[str, Any]) -> None:
    """If one followed the meaning, the page would conclude too little."""
    assert min(shown["beard"]) > 0.5


def test_the_head_that_leads_for_the_pronoun(shown: dict[str, Any]) -> None:
    """The table's first row, held to eager attention; and no cut of another key changes more."""
    assert shown["it"] == [[5, 11], [5, 11]]
    assert [row.split(" of ")[0] for row in shown["cuts"]] == ["9", "9", "9"]
    assert shown["miss"] == [True, True]


def test_another_head_follows_the_meaning(shown: dict[str, Any]) -> None:
    follower, shift, with_a_shift, switches, p = shown["follower"]
    its_shift, _, its_switches, its_p = shown["leader"]
    assert follower == [3, 1]
    assert shift > 0.2 > 0.1 > its_shift
    assert with_a_shift >= 8
    assert switches > its_switches == 0
    assert p < 0.05 < its_p
    assert shown["with"] > 0.05
    assert shown["differs"]


def test_special_tokens_have_less_of_what_is_carried(shown: dict[str, Any]) -> None:
    weights, carried = shown["A"], shown["Af"]
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    assert sum(carried.values()) == pytest.approx(1, abs=1e-5)
    assert 0.4 < weights["[CLS]"] + weights["[SEP]"] < 0.6
    assert weights["[SEP]"] < 0.1
    assert carried["[CLS]"] + carried["[SEP]"] < 0.2
    assert shown["heads with less"] == 72


def test_strong_lines_are_no_sign_of_an_effect(shown: dict[str, Any]) -> None:
    assert max(shown["rho"]) < 0.3
    assert abs(shown["ablations"]) < 0.3
    by_peak, by_effect, *_ = shown["much"]
    assert by_peak <= 7
    assert by_effect >= 65
    by_peak, by_effect, *_ = shown["little"]
    assert by_peak >= 50
    assert by_effect <= 7


def test_the_answer_needs_what_the_text_reads_of_the_question(shown: dict[str, Any]) -> None:
    """Not the other way round; and in the last layer nothing can read the question any more."""
    to_answer, in_the_last, to_question = shown["log p"]
    assert abs(to_answer) < 0.05
    assert abs(in_the_last) < 1e-5
    assert to_question < -3
    assert shown["shared"] == 0

"""What the browser wants studied, asked over the wire of a real explorer of a real model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.explorer.conftest import Wire, wires  # noqa: F401 (a fixture)

from attention_explorer import AttentionExplorer, demo_model, trace
from attention_explorer.analysis.chance import percentile_at_distance
from attention_explorer.analysis.finder import find_heads
from attention_explorer.analysis.labels import head_labels
from attention_explorer.interventions import AblateHead, CutEdges, measure
from attention_explorer.interventions.sweep import ablate_all_heads

TEXT = "The unbelievable cat sat on the mat because it was tired."
PATIENCE = 2000


@pytest.fixture(scope="module")
def model() -> tuple[Any, Any]:
    return demo_model()


@pytest.fixture
def explorer(model: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if not AttentionExplorer._esm:
        monkeypatch.setattr(AttentionExplorer, "_esm", "export default {}")
    explorer = AttentionExplorer(trace(*model, TEXT), layer=5, heads=11)
    yield explorer
    explorer.close()


class Asker:
    """Asks for studies as the browser does: again and again by the same name."""

    runs = 0

    def __init__(self, explorer: AttentionExplorer) -> None:
        assert explorer._data is not None
        self.wire = Wire.opened[explorer._data.model_id]
        self.explorer = explorer

    def reply(self, run: str, shown: str | None = None, **study: object) -> dict[str, Any]:
        shown = self.explorer._description["shown"] if shown is None else shown
        request = {"id": "r", "kind": "study", "shown": shown, "run": run, "study": study}
        return self.wire.request(request)[0]

    def __call__(self, shown: str | None = None, **study: object) -> dict[str, Any]:
        """Return what came of a study, or the error."""
        Asker.runs += 1
        for _ in range(PATIENCE):
            reply = self.reply(f"run {Asker.runs}", shown, **study)
            if reply["kind"] == "error":
                return reply
            if reply["studied"] is not None:
                studied: dict[str, Any] = reply["studied"]
                return studied
        raise AssertionError("it never ended")


def token(explorer: AttentionExplorer, text: str) -> int:
    return explorer.tokens.text.index(text)


def edit(**fields: object) -> dict[str, object]:
    return {"on": True, "kind": "", **fields}


def test_a_head_is_named_as_in_python_with_where_it_is_not(explorer: AttentionExplorer) -> None:
    """Catches labels of another head, and misses counted from elsewhere."""
    ask = Asker(explorer)
    labels = head_labels(explorer)
    at = next(at for at, named in labels.items() if named and named[0].name != "broad")
    studied = ask(of="head", layer=at[0], head=at[1])
    assert [it["name"] for it in studied["labels"]] == [label.name for label in labels[at]]
    first = studied["labels"][0]
    assert first["score"] == pytest.approx(labels[at][0].score)
    for miss in first["misses"]:
        row = explorer.weights(*at)[miss["query"]]
        assert miss["weight"] == pytest.approx(row[miss["expected"]].sum(), abs=1e-6)
        assert miss["instead_weight"] == pytest.approx(row[miss["instead"]], abs=1e-6)


@pytest.mark.parametrize("unit", ["token", "word"])
def test_heads_are_ranked_by_what_is_shown(explorer: AttentionExplorer, unit: str) -> None:
    """Catches positions of tokens where words are shown."""
    explorer.unit = unit
    query, key, other = (token(explorer, text) for text in ("it", "cat", "mat"))
    found = Asker(explorer)(of="reads", queries=[query], keys=[key], against=[other])
    frame = find_heads(explorer, query, key, other).sort_index()
    assert found["mass"] == pytest.approx(frame["mass"].tolist())
    assert found["against"] == pytest.approx(frame["mass_against"].tolist())
    assert found["p"] == pytest.approx(frame["p_corrected"].tolist())
    assert int(np.argmax(found["mass"])) == 5 * 12 + 11
    assert found["uniform"] == pytest.approx(1 / len(explorer.tokens), rel=1e-4)


def test_a_pair_stands_among_those_of_its_distance(explorer: AttentionExplorer) -> None:
    query, key = token(explorer, "it"), token(explorer, "cat")
    pair = Asker(explorer)(of="pair", layer=5, head=11, query=query, key=key)
    special = np.array(explorer.tokens.special)
    expected = percentile_at_distance(explorer.attention, 5, 11, query, key, special)
    assert (pair["percentile"], pair["cells"]) == (expected.percentile, expected.n_cells)
    explorer.measure = "norms"
    row = explorer.weights(5, 11)[query]
    assert pair["norm"] == pytest.approx(row[key] / row.sum(), rel=1e-5)
    assert pair["logit"] is None, "an encoder has no logit that a weight adds to"


def test_what_edits_change_is_what_python_measures(explorer: AttentionExplorer) -> None:
    """Catches edits that are lost, done though they are off, or of another token."""
    query, key = token(explorer, "it"), token(explorer, "cat")
    cut = edit(do="cut", queries=[query], keys=[key], layers=[5], heads=None)
    off = edit(do="ablate", layer=0, head=0, by="zero") | {"on": False}
    studied = Asker(explorer)(of="effect", edits=[cut, off], at=query)
    assert explorer.trace is not None
    effect = measure(explorer.trace, CutEdges(query, key, 5), at=query)
    assert studied["distance"] == pytest.approx(effect.change.size)
    assert studied["said"] == effect.said
    scope: dict[str, Any] = {"traced": explorer.trace}
    exec(studied["python"], scope)
    assert scope["effect"].said == studied["said"]
    explorer.edits = [cut, off]
    assert explorer.intervene(at=query).said == effect.said


def test_every_head_alone_beside_its_weight_on_the_pair(explorer: AttentionExplorer) -> None:
    """Catches a scatter whose axes are of different heads."""
    query, key = token(explorer, "it"), token(explorer, "cat")
    asked: Any = {"of": "sweep", "over": "heads", "layer": 0, "head": 0, "at": None}
    studied = Asker(explorer)(**asked, query=query, key=key)
    assert explorer.trace is not None
    effects = ablate_all_heads(explorer.trace).effect
    assert studied["effects"] == pytest.approx(effects.ravel().tolist())
    weights = [explorer.weights(i, j)[query, key] for i in range(6) for j in range(12)]
    assert studied["attentions"] == pytest.approx(weights, abs=1e-6)
    low, high = studied["band"]
    assert low < np.median(effects) < high


def test_another_text_is_read_and_shown(explorer: AttentionExplorer) -> None:
    """Catches a text that is traced and not shown, and edits that point at what is gone."""
    explorer.edits = [
        edit(do="ablate", layer=1, head=2, by="mean"),
        {"do": "replace", "on": True, "position": 3, "token": "dog"},
    ]
    explorer.selected = 3
    before = explorer._description["shown"]
    ask = Asker(explorer)
    assert ask(of="text", text="A dog sat.", text_pair=None) == {"of": "shown"}
    assert explorer.tokens.text[1:-1] == ("A", "dog", "sat", ".")
    assert explorer.trace is not None
    assert explorer.trace.text == "A dog sat."
    assert [it["do"] for it in explorer.edits] == ["ablate"]
    assert (explorer.selected, explorer.layer, explorer.heads) == (None, 5, [11])
    # What is asked late is answered from what it was asked of.
    late = ask(before, of="pair", layer=0, head=0, query=12, key=0)
    assert late.get("of") == "pair", late


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ({"of": "nothing"}, "there is no study of 'nothing'"),
        ({"of": "head", "layer": 6, "head": 0}, "0 to 5"),
        ({"of": "reads", "queries": [], "keys": [1], "against": []}, "at least one query"),
        ({"of": "reads", "queries": [99], "keys": [1], "against": []}, "expected 0 to"),
        ({"of": "effect", "edits": [], "at": None}, "no edit is switched on"),
        ({"of": "text", "text": " ", "text_pair": None}, "text is empty"),
    ],
)
def test_what_can_not_be_studied_is_said(
    explorer: AttentionExplorer, study: Any, said: str
) -> None:
    shown = explorer._description["shown"]
    reply = Asker(explorer)(**study)
    assert reply["kind"] == "error"
    assert said in reply["message"]
    assert explorer._description["shown"] == shown


def test_weights_without_a_model_are_looked_at_and_not_run(softmax_of: Any) -> None:
    explorer = AttentionExplorer(softmax_of(2, 3, 7), [f"t{i}" for i in range(7)])
    ask = Asker(explorer)
    assert ask(of="pair", layer=1, head=2, query=3, key=1)["norm"] is None
    edits = [edit(do="ablate", layer=1, head=2, by="zero")]
    assert "without a model" in ask(of="effect", edits=edits, at=None)["message"]
    with pytest.raises(ValueError, match="without a model"):
        explorer.intervene(AblateHead(1, 2))


def test_a_model_that_is_gone_is_said_and_from_model_keeps_it() -> None:
    """Catches an explorer whose only model was thrown away."""
    edits = [edit(do="ablate", layer=1, head=2, by="zero")]
    explorer = AttentionExplorer(trace(*demo_model(), "A cat sat."))
    assert "the model is gone" in Asker(explorer)(of="effect", edits=edits, at=None)["message"]
    keeps = AttentionExplorer.from_model(*demo_model(), text="A cat sat.")
    assert Asker(keeps)(of="effect", edits=edits, at=None)["of"] == "effect"


def test_a_look_goes_on_while_the_model_runs(explorer: AttentionExplorer) -> None:
    """Catches a sweep that is given up because somebody looks at a pair meanwhile."""
    ask = Asker(explorer)
    asked: Any = {"of": "sweep", "over": "heads", "layer": 0, "head": 0, "at": None}
    asked |= {"query": None, "key": None}
    begun = ask.reply("long", **asked)
    ask(of="pair", layer=0, head=0, query=3, key=2)
    for _ in range(PATIENCE):
        if begun["kind"] == "error" or begun["studied"] is not None:
            break
        begun = ask.reply("long", **asked)
    assert begun["studied"]["of"] == "sweep"


def test_a_closed_explorer_studies_nothing(explorer: AttentionExplorer) -> None:
    explorer.close()
    with pytest.raises(RuntimeError, match="closed"):
        explorer.retrace("A cat.")
    with pytest.raises(RuntimeError, match="closed"):
        explorer.intervene(AblateHead(0, 0))

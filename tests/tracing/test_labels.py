"""What a classifier says of a text, beside what it attends to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from attention_explorer import AttentionExplorer, Trace, trace

from .families import FAMILIES

NLI = {0: "entailment", 1: "neutral", 2: "contradiction"}


def classifier(family: str, **options: Any) -> Any:
    name, common = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(**{**common, **options})
    torch.manual_seed(3)
    return getattr(transformers, f"{name}ForSequenceClassification")(config).train()


def expected(model: Any, tokenizer: Any, *texts: str) -> torch.Tensor:
    model.eval()
    with torch.no_grad():
        logits: torch.Tensor = model(**tokenizer(*texts, return_tensors="pt")).logits[0]
    return logits.double()


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta_v2", "gpt2"])
def test_labels_are_the_softmax_of_the_models_logits(family: str, tokenizer: Any) -> None:
    """Catches dropout left on, labels in the order of another text, and a hook left behind."""
    model = classifier(family, id2label=NLI, hidden_dropout_prob=0.5)
    texts = "the cat sat", "on the mat"
    traced = trace(model, tokenizer, *texts)
    assert not model._forward_hooks
    probabilities = expected(model, tokenizer, *texts).softmax(0).tolist()
    assert dict(traced.labels) == pytest.approx(dict(zip(NLI.values(), probabilities, strict=True)))
    assert [share for _, share in traced.labels] == sorted(probabilities, reverse=True)
    assert traced.kinds[traced.kind].labels_by == "softmax"


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ({"num_labels": 1}, "sigmoid"),
        ({"num_labels": 3, "problem_type": "multi_label_classification"}, "sigmoid"),
        ({"num_labels": 2, "problem_type": "regression"}, "score"),
    ],
)
def test_single_several_and_measured_labels(
    options: dict[str, Any], by: str, tokenizer: Any
) -> None:
    """A cross-encoder's one label would be certain by a softmax."""
    model = classifier("bert", **options)
    traced = trace(model, tokenizer, "the cat", "the mat")
    logits = expected(model, tokenizer, "the cat", "the mat")
    shares = (logits.sigmoid() if by == "sigmoid" else logits).tolist()
    names = [f"LABEL_{i}" for i in range(len(shares))]
    assert dict(traced.labels) == pytest.approx(dict(zip(names, shares, strict=True)))
    assert traced.kinds[traced.kind].labels_by == by


def test_each_text_of_a_batch_has_its_own(tokenizer: Any) -> None:
    # In float64, as float32 products of a batch round otherwise than those of one text.
    model = classifier("bert", id2label=NLI).double()
    texts = ["the cat sat on the mat", "the mat"]
    for traced, text in zip(trace(model, tokenizer, texts), texts, strict=True):
        probabilities = expected(model, tokenizer, text).softmax(0)
        assert max(share for _, share in traced.labels) == pytest.approx(float(probabilities.max()))


def test_they_are_saved_and_shown_the_first_ones(tokenizer: Any, tmp_path: Path) -> None:
    model = classifier("bert", num_labels=9)
    traced = trace(model, tokenizer, "the cat sat")
    traced.save(tmp_path / "a")
    again = Trace.load(tmp_path / "a")
    assert again.labels == traced.labels
    described = AttentionExplorer(again, unit="word")._description
    assert [tuple(label) for label in described["labels"]] == list(traced.labels[:6])
    assert described["labels_by"] == "softmax"


def test_other_models_have_none(tiny_model: Any, tokenizer: Any) -> None:
    assert trace(tiny_model("bert"), tokenizer, "the cat").labels == ()
    by_token = transformers.BertForTokenClassification(
        transformers.BertConfig(**FAMILIES["bert"][1])
    )
    assert trace(by_token, tokenizer, "the cat").labels == ()
    broken = classifier("bert", id2label=NLI)
    torch.nn.init.constant_(broken.classifier.bias, float("nan"))
    assert trace(broken, tokenizer, "the cat").labels == (), "NaN is no JSON"

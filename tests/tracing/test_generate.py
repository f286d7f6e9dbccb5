"""A text that the model writes itself: tokens, steps and probabilities, and what is refused.

Where nothing else is said, step by step is the same as one eager pass over the finished text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from attention_explorer import Trace, trace
from tests.tracing.families import FAMILIES
from tests.tracing.test_left_as_found import state_of

PROMPT = "the cat sat on the mat"
N_PROMPT = 8  # with its start and end
HEADED = {
    "bart": "BartForConditionalGeneration",
    "bert": "BertLMHeadModel",
    "gpt2": "GPT2LMHeadModel",
    "marian": "MarianMTModel",
    "mt5": "MT5ForConditionalGeneration",
    "t5": "T5ForConditionalGeneration",
    "gemma3": "Gemma3ForCausalLM",
}


def writer(family: str, **changes: Any) -> Any:
    """Return a small random model with a head, of the tokenizer's vocabulary."""
    name, options = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(
        **{**options, "vocab_size": 10, "eos_token_id": None, "bos_token_id": None, **changes}
    )
    torch.manual_seed(3)
    model = getattr(transformers, HEADED.get(family, f"{name}ForCausalLM"))(config).eval()
    model.generation_config.pad_token_id = 0
    return model


def eager(model: Any, **inputs: Any) -> Any:
    model.set_attn_implementation("eager")
    with torch.no_grad():
        output = model(**inputs, output_attentions=True)
    model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
    return output


def largest_difference(traced: Trace, attentions: Any) -> float:
    attention = traced.attention
    assert attention.n_layers == len(attentions)
    return max(
        float(np.abs(attention.matrix(layer, head) - own[0, head].numpy()).max())
        for layer, own in enumerate(attentions)
        for head in range(attention.n_heads)
    )


def check_steps(traced: Trace, logits: torch.Tensor, n_given: int) -> None:
    ids = traced.tokens.ids
    assert ids is not None
    assert [step.position for step in traced.steps] == list(range(n_given, len(ids)))
    for step in traced.steps:
        assert step.query == step.position - 1
        probabilities = logits[0, step.query].softmax(0)
        assert step.probability == pytest.approx(float(probabilities[ids[step.position]]), abs=1e-5)
        given = [probability for _, probability in step.alternatives]
        np.testing.assert_allclose(given, probabilities.topk(5).values.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama", "mistral", "gemma3", "bloom"])
def test_rows_and_probabilities_are_those_of_the_finished_text(family: str, tokenizer: Any) -> None:
    """Off by one, a token's probability would be read from the row after the one that chose it."""
    model = writer(family)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=6, do_sample=False)
    ids = torch.tensor([traced.tokens.ids])
    assert ids.shape == (1, N_PROMPT + 6)
    assert ids[0, :N_PROMPT].tolist() == tokenizer(PROMPT)["input_ids"]
    output = eager(model, input_ids=ids)
    assert largest_difference(traced, output.attentions) <= 1e-5
    check_steps(traced, output.logits, N_PROMPT)
    for step in traced.steps:
        text, probability = step.alternatives[0]
        assert text.strip() == traced.tokens.raw[step.position]
        assert probability == step.probability
    assert traced.target == tokenizer.decode(ids[0, N_PROMPT:], skip_special_tokens=True)
    assert "step by step through its cache" in traced.source
    assert "in one pass" not in " ".join(traced.attention.notes)
    assert traced.check().ok
    assert traced.check(rows=5).ok


def test_the_text_is_the_one_that_the_model_writes_by_itself(tokenizer: Any) -> None:
    """Sampled, with the options that were given: the same seed gives the same text."""
    model = writer("llama")
    encoding = tokenizer(PROMPT, return_tensors="pt")
    options: dict[str, Any] = {"do_sample": True, "temperature": 2.0, "max_new_tokens": 7}
    torch.manual_seed(5)
    own = model.generate(encoding["input_ids"], **options)
    torch.manual_seed(5)
    traced = trace.generate(model, tokenizer, PROMPT, **options)
    assert list(traced.tokens.ids or ()) == own[0].tolist()
    check_steps(traced, eager(model, input_ids=own).logits, N_PROMPT)


def test_beams_too_have_their_probabilities(tokenizer: Any) -> None:
    model = writer("gpt2")
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=4, num_beams=3)
    ids = torch.tensor([traced.tokens.ids])
    check_steps(traced, eager(model, input_ids=ids).logits, N_PROMPT)
    assert "in one pass over the finished text, as its passes are of 3 sequences" in traced.source


def test_an_encoder_with_a_decoder_has_all_kinds_over_what_it_wrote(tokenizer: Any) -> None:
    model = writer("t5")
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=5, do_sample=False)
    assert traced.kind == "cross"
    written = torch.tensor([traced.tokens.ids])
    assert written.shape == (1, 6)
    source = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    output = eager(model, input_ids=source, decoder_input_ids=written)
    assert largest_difference(traced, output.cross_attentions) <= 2e-5
    assert largest_difference(traced["decoder"], output.decoder_attentions) <= 1e-5
    assert largest_difference(traced["encoder"], output.encoder_attentions) <= 1e-5
    check_steps(traced, output.logits, 1)
    assert traced["decoder"].steps == traced.steps
    assert traced["encoder"].steps == ()
    assert [token.strip() for token in traced["encoder"].tokens.text[1:-1]] == PROMPT.split()


def test_a_model_that_computes_otherwise_step_by_step_is_told_so(tokenizer: Any) -> None:
    """Dynamic scaling turns keys by angles that change with the length; cached ones keep theirs."""
    rope = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    model = writer("llama", max_position_embeddings=9, rope_parameters=rope)
    options: dict[str, Any] = {"do_sample": False, "cache_implementation": "static"}
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=6, **options)
    assert "in one pass over the finished text" in traced.source
    assert "something else than in one pass" in " ".join(traced.attention.notes)
    fixed = trace.generate(writer("llama"), tokenizer, PROMPT, max_new_tokens=6, **options)
    assert fixed.attention.notes == ()


def test_the_end_ends_it(tokenizer: Any) -> None:
    """The token that ends it is one of the text, with a step of its own."""
    model = writer("llama")
    free = trace.generate(model, tokenizer, PROMPT, max_new_tokens=6, do_sample=False)
    ids = list(free.tokens.ids or ())[N_PROMPT:]
    end = ids[2]
    model.generation_config.eos_token_id = end
    ended = trace.generate(model, tokenizer, PROMPT, max_new_tokens=6, do_sample=False)
    assert list(ended.tokens.ids or ())[N_PROMPT:] == ids[: ids.index(end) + 1]
    assert len(ended.steps) == ids.index(end) + 1


def test_one_token_is_enough(tokenizer: Any) -> None:
    for family in ("gpt2", "t5"):
        traced = trace.generate(writer(family), tokenizer, PROMPT, max_new_tokens=1)
        assert len(traced.steps) == 1


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_model_is_left_as_found(error: type[BaseException] | None, tokenizer: Any) -> None:
    """Interrupted after some tokens, and while the last one is read."""
    for family in ("llama", "t5"):
        model = writer(family).train()
        before = state_of(model), model.generation_config.to_dict()
        if error is None:
            trace.generate(model, tokenizer, PROMPT, max_new_tokens=4)
            assert (state_of(model), model.generation_config.to_dict()) == before
            continue
        for last in (2, 4):
            seen: list[object] = []

            def fail(*_: Any, seen: list[object] = seen, last: int = last) -> None:
                seen.append(None)
                if len(seen) > last:
                    assert error is not None
                    raise error("in the middle")

            hook = model.lm_head.register_forward_pre_hook(fail)
            with pytest.raises(error, match="in the middle"):
                trace.generate(model, tokenizer, PROMPT, max_new_tokens=4)
            hook.remove()
            assert (state_of(model), model.generation_config.to_dict()) == before


def test_errors_say_what_to_do(tiny_model: Any, tokenizer: Any) -> None:
    model = writer("gpt2")
    for wrong in (0, -1, 2.5):
        with pytest.raises(ValueError, match="max_new_tokens has to be 1 or more"):
            trace.generate(model, tokenizer, PROMPT, max_new_tokens=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the prompt is empty"):
        trace.generate(model, tokenizer, "", max_new_tokens=3)
    with pytest.raises(TypeError, match="has to be a string, got list"):
        trace.generate(model, tokenizer, [PROMPT], max_new_tokens=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs the model's tokenizer"):
        trace.generate(model, None, PROMPT, max_new_tokens=3)
    with pytest.raises(ValueError, match="num_return_sequences=2: a trace is of one"):
        trace.generate(
            model, tokenizer, PROMPT, max_new_tokens=3, num_beams=2, num_return_sequences=2
        )
    with pytest.raises(ValueError, match=r"above the 24 that .* can read: .* at most 16"):
        trace.generate(model, tokenizer, PROMPT, max_new_tokens=17)
    with pytest.raises(ValueError, match="BertLMHeadModel reads later tokens too"):
        trace.generate(writer("bert"), tokenizer, PROMPT, max_new_tokens=3)
    with pytest.raises(ValueError, match="LlamaModel can't generate: load it with AutoModelForC"):
        trace.generate(tiny_model("llama"), tokenizer, PROMPT, max_new_tokens=3)


def test_steps_survive_saving(tokenizer: Any, tmp_path: Path) -> None:
    traced = trace.generate(writer("t5"), tokenizer, PROMPT, max_new_tokens=3)
    traced.save(tmp_path / "written.trace")
    loaded = Trace.load(tmp_path / "written.trace")
    assert loaded.steps == traced.steps
    assert (loaded.target, loaded["encoder"].steps) == (traced.target, ())


def test_alternatives_keep_the_space_that_tells_them_apart() -> None:
    """ " a" and "a" are two tokens; shown alike, one would seem to stand there twice."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from attention_explorer.tracing.odds import text_after

    words = ["the", "Ġcat", "cat", "Ċ", "Ã"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="the"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    fast: Any = transformers.PreTrainedTokenizerFast
    tokenizer = fast(tokenizer_object=backend)
    texts = [text_after(tokenizer, 0, token) for token in range(1, 5)]
    assert texts == [" cat", "cat", "\n", "Ã"]

"""A generation as it was computed, through its cache, against the attentions that it returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import Trace, trace
from attention_explorer.attention.biases import KeyBias, OffsetBias
from attention_explorer.attention.from_qk import QKAttention
from attention_explorer.attention.masks import KeyIntervals
from attention_explorer.tracing.cached import CachedPasses
from attention_explorer.tracing.capture import Record, capture
from attention_explorer.tracing.families import CannotRebuildError
from tests.tracing.test_generate import N_PROMPT, PROMPT, writer
from tests.tracing.test_saving import same

N_NEW = 7
THROUGH_THE_CACHE = "of the generation, step by step through its cache"
DECODERS = [
    "bloom",
    "falcon",
    "falcon_alibi",
    "gemma2",
    "gemma3",
    "gpt2",
    "gpt_neox",
    "gpt_oss",
    "gptj",
    "llama",
    "mistral",
    "opt",
    "phi3",
    "qwen3",
    "qwen3_next",
]
PAIRS = ["bart", "marian", "t5", "mt5"]

Steps = tuple[tuple[torch.Tensor, ...], ...]


def written(model: Any, tokenizer: Any, n_new: int, **options: Any) -> Any:
    """Let the library generate on the eager backend and return all that it can return."""
    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    model.set_attn_implementation("eager")
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=n_new,
        output_attentions=True,
        output_logits=True,
        return_dict_in_generate=True,
        **options,
    )
    model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
    return output


def stitched(steps: Steps, n_keys: int | None = None) -> np.ndarray[Any, Any]:
    """Return the weights of all steps, shape (layers, heads, queries, keys).

    A step that knows fewer keys than tokens had forgotten the earliest.
    """
    layers = []
    for layer in range(len(steps[0])):
        rows = []
        n_read = 0
        for step in steps:
            weights = step[layer][0]
            n_read += weights.shape[1]
            before = 0 if n_keys else n_read - weights.shape[2]
            after = n_keys - weights.shape[2] if n_keys else 0
            rows.append(torch.nn.functional.pad(weights, (before, after)))
        width = max(row.shape[2] for row in rows)
        rows = [torch.nn.functional.pad(row, (0, width - row.shape[2])) for row in rows]
        layers.append(torch.cat(rows, 1))
    whole: np.ndarray[Any, Any] = torch.stack(layers).numpy()
    return whole


def largest_difference(traced: Trace, own: np.ndarray[Any, Any]) -> float:
    attention = traced.attention
    ours = np.stack(
        [
            np.stack([attention.matrix(layer, head) for head in range(attention.n_heads)])
            for layer in range(attention.n_layers)
        ]
    )
    assert ours.shape == own.shape
    return float(np.abs(ours - own).max())


def check_odds(traced: Trace, logits: tuple[torch.Tensor, ...]) -> None:
    assert traced.tokens.ids is not None
    for step, row in zip(traced.steps, logits, strict=False):
        probabilities = row[0].softmax(0)
        token = traced.tokens.ids[step.position]
        assert step.probability == pytest.approx(float(probabilities[token]), abs=1e-5)
        given = [probability for _, probability in step.alternatives]
        np.testing.assert_allclose(given, probabilities.topk(5).values.numpy(), atol=1e-5)


@pytest.mark.parametrize("family", DECODERS)
def test_rows_are_those_of_the_steps(family: str, tokenizer: Any) -> None:
    """Windows shorter than the text, key heads, sinks, softcap, ALiBi; one token off shows."""
    # Falcon computes something else where it is asked for its weights.
    backend = {"attn_implementation": "eager"} if family.startswith("falcon") else {}
    model = writer(family, **backend)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=False)
    assert THROUGH_THE_CACHE in traced.source
    assert "finished text" not in traced.source
    # One step more, as the last token has a row too.
    own = written(model, tokenizer, N_NEW + 1, do_sample=False)
    assert list(traced.tokens.ids or ()) == own.sequences[0, :-1].tolist()
    assert traced.attention.n_queries == N_PROMPT + N_NEW
    assert largest_difference(traced, stitched(own.attentions)) <= 1e-5
    assert len(traced.steps) == N_NEW
    check_odds(traced, own.logits)
    assert traced.attention.causal
    assert traced.attention.notes == (
        ("Rows sum to less than 1: the heads have learned sinks.",) if family == "gpt_oss" else ()
    )
    assert traced.check().ok
    assert traced.check(rows=5).ok


@pytest.mark.parametrize("family", ["falcon", "falcon_alibi"])
def test_operations_that_are_watched_are_those_of_the_steps(family: str, tokenizer: Any) -> None:
    """What no interface tells of is seen in a second run, which must take the same tokens."""
    model = writer(family)
    traced = trace.generate(
        model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=True, temperature=3.0
    )
    assert THROUGH_THE_CACHE in traced.source
    assert traced.check().worst <= 1e-6
    with torch.no_grad():
        own = model(torch.tensor([traced.tokens.ids])).logits[0].softmax(-1)
    for step in traced.steps:
        token = (traced.tokens.ids or ())[step.position]
        assert step.probability == pytest.approx(float(own[step.query, token]), abs=1e-5)


@pytest.mark.parametrize("family", PAIRS)
def test_a_decoder_reads_its_own_and_its_encoder_at_each_step(family: str, tokenizer: Any) -> None:
    model = writer(family)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=False)
    own = written(model, tokenizer, N_NEW + 1, do_sample=False)
    assert list(traced.tokens.ids or ()) == own.sequences[0, :-1].tolist()
    cross = stitched(own.cross_attentions, N_PROMPT)
    assert largest_difference(traced["cross"], cross) <= 2e-5
    assert largest_difference(traced["decoder"], stitched(own.decoder_attentions)) <= 1e-5
    assert largest_difference(traced["encoder"], stitched((own.encoder_attentions,))) <= 1e-5
    check_odds(traced, own.logits)
    for kind in traced.kinds:
        assert THROUGH_THE_CACHE in traced[kind].source
        assert traced[kind].check().ok


def test_options_of_sampling_choose_the_same_tokens(tokenizer: Any) -> None:
    """What is added to the call must neither draw numbers nor change what is drawn from."""
    model = writer("llama")
    options: dict[str, Any] = {
        "do_sample": True,
        "temperature": 2.0,
        "top_k": 6,
        "repetition_penalty": 1.3,
    }
    torch.manual_seed(5)
    own = written(model, tokenizer, N_NEW, **options)
    torch.manual_seed(5)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=N_NEW, **options)
    state = torch.random.get_rng_state()
    torch.manual_seed(5)
    written(model, tokenizer, N_NEW, **options)
    assert torch.equal(state, torch.random.get_rng_state())
    assert list(traced.tokens.ids or ()) == own.sequences[0].tolist()
    rows = stitched(own.attentions)
    ours = np.stack([[traced.attention.matrix(i, h) for h in range(4)] for i in range(3)])
    assert np.abs(ours[:, :, :-1, :-1] - rows).max() <= 1e-5
    check_odds(traced, own.logits)
    assert traced.check(rows=3).ok


def test_who_listens_hears_each_token_once(tokenizer: Any) -> None:
    """The pass that reads the last token is no part of what was asked for."""
    heard: list[int] = []

    class Streamer:
        def put(self, tokens: torch.Tensor) -> None:
            heard.extend(tokens.flatten().tolist())

        def end(self) -> None:
            heard.append(-1)

    model = writer("bloom")
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=4, streamer=Streamer())
    assert traced.check(rows=2).ok
    assert heard == [*(traced.tokens.ids or ()), -1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_goes_through_the_cache_too(dtype: torch.dtype, tokenizer: Any) -> None:
    model = writer("llama", initializer_range=0.1).to(dtype)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=False)
    assert THROUGH_THE_CACHE in traced.source
    own = written(model, tokenizer, N_NEW + 1, do_sample=False)
    assert list(traced.tokens.ids or ()) == own.sequences[0, :-1].tolist()
    steps = tuple(tuple(layer.float() for layer in step) for step in own.attentions)
    assert largest_difference(traced, stitched(steps)) <= 0.02


def test_keys_that_keep_their_angles_are_shown_as_they_were(tokenizer: Any) -> None:
    """Dynamic scaling turns new keys by other angles: a pass over the whole gives another map."""
    rope = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    model = writer("llama", max_position_embeddings=9, rope_parameters=rope)
    traced = trace.generate(model, tokenizer, PROMPT, max_new_tokens=6, do_sample=False)
    own = stitched(written(model, tokenizer, 7, do_sample=False).attentions)
    assert largest_difference(traced, own) <= 1e-5
    with torch.no_grad():
        model.set_attn_implementation("eager")
        once = model(torch.tensor([traced.tokens.ids]), output_attentions=True).attentions
    assert np.abs(stitched((once,)) - own).max() > 1e-3


def test_a_prompt_in_chunks_is_one_prompt(tokenizer: Any) -> None:
    for family in ("llama", "gemma3"):
        model = writer(family)
        own = written(model, tokenizer, N_NEW + 1, do_sample=False)
        traced = trace.generate(
            model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=False, prefill_chunk_size=3
        )
        assert THROUGH_THE_CACHE in traced.source
        assert largest_difference(traced, stitched(own.attentions)) <= 1e-5
        check_odds(traced, own.logits)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"use_cache": False}, "it keeps no cache"),
        ({"num_beams": 3}, "its passes are of 3 sequences at once"),
        ({"cache_implementation": "static"}, "its cache holds 6 positions before the first pass"),
        ({"prompt_lookup_num_tokens": 2}, "other keys in its cache|not of one token each"),
    ],
)
def test_what_is_no_step_by_step_is_traced_finished_and_says_why(
    options: dict[str, Any], reason: str, tokenizer: Any
) -> None:
    """Rows of several beams or of drafts that were dropped would be a text that isn't there."""
    model = writer("llama")
    traced = trace.generate(
        model, tokenizer, PROMPT, max_new_tokens=N_NEW, do_sample=False, **options
    )
    assert "in one pass over the finished text, as" in traced.source
    model.set_attn_implementation("eager")
    with torch.no_grad():
        own = model(torch.tensor([traced.tokens.ids]), output_attentions=True)
    assert largest_difference(traced, stitched((own.attentions,))) <= 1e-5
    assert np.array([reason in traced.source for reason in reason.split("|")]).any(), traced.source
    for step in traced.steps:
        probabilities = own.logits[0, step.query].softmax(0)
        assert step.alternatives[0][1] == pytest.approx(float(probabilities.max()), abs=1e-5)


def test_a_text_takes_lines_not_squares(tokenizer: Any) -> None:
    """Keys of each step kept as slices of the whole cache would keep every step's cache."""
    t5 = trace.generate(writer("t5"), tokenizer, PROMPT, max_new_tokens=N_NEW)["decoder"]
    attention: Any = t5.attention
    for layer in attention.layers:
        (bias,) = layer.mask.biases
        assert isinstance(bias, OffsetBias)
        assert layer.mask is attention.layers[0].mask
    bloom = trace.generate(writer("bloom"), tokenizer, PROMPT, max_new_tokens=N_NEW)
    attention = bloom.attention
    for layer in attention.layers:
        (bias,) = layer.mask.biases
        assert isinstance(bias, KeyBias)
    traced = trace.generate(writer("mistral"), tokenizer, PROMPT, max_new_tokens=N_NEW, store="cpu")
    attention = traced.attention
    assert isinstance(attention, QKAttention)
    for layer in attention.layers:
        n_numbers = 2 * 8 * (N_PROMPT + N_NEW)
        assert layer.key.numel() == n_numbers
        assert layer.key.untyped_storage().nbytes() == 4 * n_numbers
        assert isinstance(layer.mask, KeyIntervals)


def test_it_survives_saving(tokenizer: Any, tmp_path: Path) -> None:
    for family in ("t5", "bloom", "gemma2", "gpt_oss"):
        traced = trace.generate(writer(family), tokenizer, PROMPT, max_new_tokens=3)
        traced.save(tmp_path / family)
        loaded = Trace.load(tmp_path / family)
        assert same(loaded, traced)
        for layer in range(traced.attention.n_layers):
            before, after = (it.attention.rows(layer, [2], [3]) for it in (traced, loaded))
            assert np.abs(before - after).max() <= 1e-6


def records_of_a_generation(tokenizer: Any) -> list[Record]:
    model, records = writer("llama"), list[Record]()
    ids = tokenizer(PROMPT, return_tensors="pt")["input_ids"]
    with capture(model, records.append):
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=4)
    return records


def changed_cache(record: Record) -> Record:
    record.key[:, 1, 4, 2] += 1e-3
    return record


def moved_row(record: Record) -> Record:
    record.output[0, 0, 2, 1] += 0.1
    return record


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed_cache, "finds other keys in its cache than were put there"),
        (moved_row, "miss its own output by"),
    ],
)
def test_a_step_that_disagrees_is_noticed(change: Any, reason: str, tokenizer: Any) -> None:
    """Of each step, not of some: a cache that rounds has no single key for a token."""
    records = records_of_a_generation(tokenizer)
    for spoilt in (None, 3 * 2 + 1):
        passes = CachedPasses(False, False)
        for number, record in enumerate(records):
            if number % 3 == 0:
                passes.begin()
            passes(change(record) if number == spoilt else record)
        if spoilt is None:
            assert passes.readings(N_PROMPT, N_PROMPT + 3, 1)["stack"].check.ok
            continue
        with pytest.raises(CannotRebuildError, match=reason):
            passes.readings(N_PROMPT, N_PROMPT + 3, 1)


def test_passes_that_ran_ahead_of_the_end_are_left_out(tokenizer: Any) -> None:
    """A loop that learns late that it is over has read tokens that aren't of the text."""
    lengths = {}
    for n_tokens in (N_PROMPT + 3, N_PROMPT + 1):
        passes = CachedPasses(False, False)
        for number, record in enumerate(records_of_a_generation(tokenizer)):
            if number % 3 == 0:
                passes.begin()
            passes(record)
        attention = passes.readings(N_PROMPT, n_tokens, 8)["stack"].attention
        assert (attention.n_queries, attention.n_keys) == (n_tokens, n_tokens)
        lengths[n_tokens] = attention.matrix(2, 1)[: N_PROMPT + 1, : N_PROMPT + 1]
    first, second = lengths.values()
    assert np.array_equal(first, second)

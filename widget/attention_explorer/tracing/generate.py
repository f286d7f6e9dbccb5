"""A text that a model writes itself, traced as it is written."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import ref

import torch

from . import check
from .check import tolerance
from .examples import Examples, from_inputs, takes_target
from .families import CannotRebuildError
from .limits import longest_input, name_of
from .odds import FinishedPass, Odds
from .reader import Reading
from .tokens import Tokens
from .trace import Check, Trace
from .tracer import Store, load, shown_as, trace_examples, trace_readings
from .writing import Watch, Writing, Written

# Kinds of attention whose queries are what was generated.
_WRITING = ("decoder", "cross", "text")


def generate(
    model: Any,
    tokenizer: Any,
    prompt: str,
    *,
    max_new_tokens: int,
    store: Store = "device",
    **options: Any,
) -> Trace:
    """Let a model write on and trace it; see `trace.generate`."""
    if not isinstance(max_new_tokens, int) or max_new_tokens < 1:
        raise ValueError(f"max_new_tokens has to be 1 or more, got {max_new_tokens!r}")
    several = options.get("num_return_sequences", 1)
    if several != 1:
        raise ValueError(f"num_return_sequences={several}: a trace is of one sequence")
    if not isinstance(prompt, str):
        raise TypeError(f"prompt has to be a string, got {type(prompt).__name__}")
    if not prompt:
        raise ValueError("the prompt is empty: there is nothing to go on from")
    model, tokenizer = load(model, tokenizer, _writer_named)
    _check_writer(model, tokenizer)
    encoding = tokenizer(prompt, verbose=False)
    writing = _writing(model, encoding["input_ids"], max_new_tokens, options, store)
    written = writing.write(model)
    examples = _examples(model, tokenizer, prompt, encoding, written.ids)
    try:
        found = _readings(writing, written)
    except CannotRebuildError as reason:
        traced, odds = _finished(model, tokenizer, examples, writing, written, str(reason), store)
    else:
        lists = {kind: [reading] for kind, reading in found.items()}
        checks = [_Checks(ref(model), writing.again_of(written.ids), written.watch)]
        (traced,) = trace_readings(model, tokenizer, examples, lists, checks)
        odds = written.odds
    ids = written.ids.tolist()
    steps = tuple(
        odds[position].step(tokenizer, ids, position)
        for position in range(writing.n_given, len(ids))
    )
    kinds = {
        name: replace(kind, steps=steps) if name in _WRITING else kind
        for name, kind in traced.kinds.items()
    }
    if not any(kind.steps for kind in kinds.values()):
        raise ValueError(
            f"{name_of(model)} reads later tokens too, so no token of it is chosen by those before"
        )
    text = tokenizer.decode(written.ids[writing.n_given :], skip_special_tokens=True)
    return replace(traced, kinds=kinds, text=prompt, target=text)


def _writer_named(name: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    is_pair = AutoConfig.from_pretrained(name).is_encoder_decoder
    return (AutoModelForSeq2SeqLM if is_pair else AutoModelForCausalLM).from_pretrained(name)


def _check_writer(model: Any, tokenizer: Any) -> None:
    if tokenizer is None:
        raise ValueError(
            "a prompt needs the model's tokenizer: trace.generate(model, tokenizer, prompt, ...)"
        )
    can_generate = getattr(model, "can_generate", None)
    if can_generate is None or not can_generate():
        raise ValueError(
            f"{type(model).__name__} can't generate: load it with AutoModelForCausalLM, or with "
            "AutoModelForSeq2SeqLM where it is an encoder and a decoder"
        )


def _writing(
    model: Any, prompt: list[int], max_new_tokens: int, options: Mapping[str, Any], store: Store
) -> Writing:
    """Return what is to be written, if the model can read so much."""
    if not prompt:
        raise ValueError("the prompt has no tokens: there is nothing to go on from")
    is_pair = takes_target(model)
    n_given = len(prompt)
    if is_pair:
        starts = options.get("decoder_input_ids")
        n_given = 1 if starts is None else starts.shape[-1]
    longest = longest_input(model, "target" if is_pair else "source", is_pair)
    if longest is not None and n_given + max_new_tokens > longest:
        raise ValueError(
            f"{n_given} tokens and max_new_tokens={max_new_tokens} more are above the {longest} "
            f"that {name_of(model)} can read: shorten the prompt, or generate at most "
            f"{max(longest - n_given, 0)}"
        )
    return Writing(tuple(prompt), n_given, max_new_tokens, options, store == "cpu")


def _readings(writing: Writing, written: Written, rows: int = check.ROWS) -> dict[str, Reading]:
    """Return the attention of the passes; CannotRebuildError where they can't be put together."""
    return written.passes.readings(writing.n_given, len(written.ids), rows)


def _finished(
    model: Any,
    tokenizer: Any,
    examples: Examples,
    writing: Writing,
    written: Written,
    reason: str,
    store: Store,
) -> tuple[Trace, Mapping[int, Odds]]:
    """Trace one pass over the finished text, and take the probabilities from there."""
    finished = FinishedPass(written.ids, writing.n_given, written.last)
    if "logits_to_keep" in inspect.signature(model.forward).parameters and "target" not in (
        examples.streams
    ):
        # All of them would be tokens x vocabulary numbers.
        kept = finished.choosing.to(examples.batch["input_ids"].device)
        examples = replace(examples, batch={**examples.batch, "logits_to_keep": kept})
    with finished.told(model):
        (traced,) = trace_examples(model, tokenizer, examples, store)
    for kind in traced.kinds.values():
        kind.attention.source += f", in one pass over the finished text, as {reason}"
        if finished.drift > 10 * tolerance(model.dtype):
            kind.attention.notes += (
                "Step by step the model computed something else than in one pass over the finished "
                f"text, which is shown: the logits differ by {finished.drift:.2g} of the largest.",
            )
    return traced, finished.odds


def _examples(
    model: Any, tokenizer: Any, prompt: str, encoding: Mapping[str, Any], ids: torch.Tensor
) -> Examples:
    """Return the finished text as a batch of one."""
    given = Tokens.from_encoding(tokenizer, encoding, [prompt])
    if takes_target(model):
        inputs = {"input_ids": [encoding["input_ids"]], "decoder_input_ids": ids[None]}
        return from_inputs(model, tokenizer, inputs, given, None, None)
    whole = Tokens.from_encoding(tokenizer, {"input_ids": ids[None]}, None)
    inputs = {"input_ids": ids[None]}
    return from_inputs(model, tokenizer, inputs, _joined(given, whole), None, None)


def _joined(given: Tokens, whole: Tokens) -> Tokens:
    """Return the whole with its beginning as it is known from the text."""
    n_given = len(given)
    more = max(given.word, default=-1) - max(whole.word[:n_given], default=-1)
    word = tuple(w if w < 0 else w + more for w in whole.word[n_given:])
    columns: dict[str, Any] = {
        name: getattr(given, name) + getattr(whole, name)[n_given:]
        for name in ("text", "gap", "raw", "special", "segment")
    }
    return replace(whole, **columns, word=given.word + word)


@dataclass(frozen=True)
class _Checks:
    """Lets a model write its text again to compare other rows, as long as someone else keeps it."""

    model: Any
    writing: Writing
    watch: Watch

    def __call__(self, rows: int) -> Mapping[str, Check]:
        model = self.model()
        if model is None:
            raise ValueError("the model is gone: only with it other rows can be compared")
        try:
            readings = _readings(self.writing, self.writing.run(model, self.watch), rows)
        except CannotRebuildError as reason:
            raise ValueError(f"the model didn't write the same once more: {reason}") from None
        return {shown_as(kind, readings): reading.check for kind, reading in readings.items()}

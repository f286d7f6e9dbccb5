"""A text that a model writes itself, traced: one pass over what it has written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from .check import tolerance
from .examples import Examples, from_inputs, takes_target
from .forward import evaluating, uncompiled
from .limits import longest_input, name_of
from .tokens import Tokens
from .trace import Step, Trace
from .tracer import Store, load, trace_examples

ALTERNATIVES = 5

# Kinds of attention whose queries are what was generated.
_WRITING = ("decoder", "cross", "text")


@dataclass(frozen=True)
class _Finished:
    """Token numbers, the first `n_given` not generated, and the logits that chose the last one."""

    ids: torch.Tensor
    n_given: int
    last: torch.Tensor | None

    @property
    def choosing(self) -> torch.Tensor:
        """The positions whose outputs chose the next token, on the CPU."""
        return torch.arange(self.n_given - 1, len(self.ids) - 1)


@dataclass(frozen=True)
class _Odds:
    """What the model gave the token that came, and the likeliest ones."""

    probability: float
    likeliest: list[tuple[int, float]]


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
    finished = _write(model, encoding["input_ids"], max_new_tokens, options)
    examples = _examples(model, tokenizer, prompt, encoding, finished)
    passed = _FinishedPass(finished)
    with _told(model, passed):
        (traced,) = trace_examples(model, examples, store)
    steps = tuple(
        _step(tokenizer, finished.ids.tolist(), position, one)
        for position, one in enumerate(passed.odds, finished.n_given)
    )
    kinds = {
        name: replace(kind, steps=steps) if name in _WRITING else kind
        for name, kind in traced.kinds.items()
    }
    if not any(kind.steps for kind in kinds.values()):
        raise ValueError(
            f"{name_of(model)} reads later tokens too, so no token of it is chosen by those before"
        )
    for kind in kinds.values():
        kind.attention.source += ", in one pass over the finished text"
        if passed.drift > 10 * tolerance(model.dtype):
            kind.attention.notes += (
                "Step by step the model computed something else than in one pass over the finished "
                f"text, which is shown: the logits differ by {passed.drift:.2g} of the largest.",
            )
    written = tokenizer.decode(finished.ids[finished.n_given :], skip_special_tokens=True)
    return replace(traced, kinds=kinds, text=prompt, target=written)


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


def _write(
    model: Any, prompt: list[int], max_new_tokens: int, options: Mapping[str, Any]
) -> _Finished:
    """Run the library's own generation, from a cache of keys and values, as ever."""
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
    ids = torch.tensor([prompt], device=next(model.parameters()).device)
    last = _LastPass()
    with evaluating(model), uncompiled(model), _told(model, last):
        result = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=max_new_tokens,
            **options,
        )
    (sequence,) = getattr(result, "sequences", result).cpu()
    return _Finished(sequence, n_given, last.row(len(sequence) - n_given))


def _examples(
    model: Any, tokenizer: Any, prompt: str, encoding: Mapping[str, Any], finished: _Finished
) -> Examples:
    """Return the finished sequence as a batch of one."""
    given = Tokens.from_encoding(tokenizer, encoding, [prompt])
    if takes_target(model):
        inputs = {"input_ids": [encoding["input_ids"]], "decoder_input_ids": finished.ids[None]}
        return from_inputs(model, tokenizer, inputs, given, None, None)
    whole = Tokens.from_encoding(tokenizer, {"input_ids": finished.ids[None]}, None)
    inputs = {"input_ids": finished.ids[None]}
    examples = from_inputs(model, tokenizer, inputs, _joined(given, whole), None, None)
    if "logits_to_keep" not in inspect.signature(model.forward).parameters:
        return examples
    # All of them would be tokens x vocabulary numbers.
    kept = finished.choosing.to(examples.batch["input_ids"].device)
    return replace(examples, batch={**examples.batch, "logits_to_keep": kept})


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


class _LastPass:
    """Keeps the logits of the last pass of a generation."""

    def __init__(self) -> None:
        self._n_passes = 0
        self._logits: torch.Tensor | None = None

    def __call__(self, logits: torch.Tensor) -> None:
        self._n_passes += 1
        self._logits = logits

    def row(self, n_generated: int) -> torch.Tensor | None:
        """Return what chose the last token, where each pass chose one; beams and drafts differ."""
        if self._logits is None or self._n_passes != n_generated or len(self._logits) > 1:
            return None
        return self._logits[0, -1].float().cpu()


class _FinishedPass:
    """Notes what the pass over the finished text gives each token that was generated.

    Attributes
    ----------
    odds : list of _Odds
        One a token.
    drift : float
        How far it is from the pass that chose the last token, over the largest logit.
    """

    def __init__(self, finished: _Finished) -> None:
        self._finished = finished
        self.odds: list[_Odds] = []
        self.drift = 0.0

    def __call__(self, logits: torch.Tensor) -> None:
        if self.odds:
            return  # passes that follow, for the weights alone
        finished = self._finished
        rows = logits[0]
        if len(rows) == len(finished.ids):
            rows = rows[finished.choosing.to(rows.device)]
        for row, chosen in zip(rows, finished.ids[finished.n_given :].tolist(), strict=True):
            probabilities = row.float().softmax(0)
            likeliest = probabilities.topk(min(ALTERNATIVES, len(probabilities)))
            pairs = zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)
            self.odds.append(_Odds(float(probabilities[chosen]), list(pairs)))
        if finished.last is not None:
            last = rows[-1].float().cpu()
            largest = float(last.abs().max().clamp(min=1e-30))
            self.drift = float((last - finished.last).abs().max()) / largest


@contextmanager
def _told(model: Any, receive: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """Tell of the logits of each pass."""

    def tell(_module: object, _inputs: object, output: Any) -> None:
        receive(output.logits.detach())

    hook = model.register_forward_hook(tell)
    try:
        yield
    finally:
        hook.remove()


def _step(tokenizer: Any, ids: list[int], position: int, odds: _Odds) -> Step:
    return Step(
        position=position,
        query=position - 1,
        probability=odds.probability,
        alternatives=tuple(
            (_text_after(tokenizer, ids[position - 1], token), probability)
            for token, probability in odds.likeliest
        ),
    )


def _text_after(tokenizer: Any, before: int, token: int) -> str:
    """Return a token's text with the space that it brings along, which " a" and "a" differ by."""
    alone, both = (
        tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        for ids in ([before], [before, token])
    )
    text = both[len(alone) :] if both.startswith(alone) else tokenizer.decode([token])
    # Bytes of a character that others complete are no text; their own name says which they are.
    return str(tokenizer.convert_ids_to_tokens(token)) if "\ufffd" in text or not text else text

"""A model's own generation, watched: what each pass reads and what it gives the next token."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from .cached import CachedPasses
from .capture import Receive, capture
from .examples import first_device, takes_target
from .forward import evaluating, uncompiled
from .odds import Odds
from .written_out import capture_written_out

# What only the generation itself needs, and not the same one once more.
_ONCE = ("assistant_model", "max_time", "stop_strings", "stopping_criteria", "streamer")
_DRAWING = ("epsilon_cutoff", "eta_cutoff", "min_p", "temperature", "top_k", "top_p", "typical_p")

Watch = Callable[[torch.nn.Module, Receive], AbstractContextManager[None]]


@dataclass(frozen=True)
class Written:
    """A text that a model wrote, and what its passes left behind.

    Attributes
    ----------
    ids : tensor of int64, shape (tokens,)
        What was given and what was generated, on the CPU.
    odds : dict of int to Odds
        By the position of the token, where each pass chose one.
    last : tensor, shape (vocabulary,), or None
        The logits that chose the last token, where each pass chose one.
    passes : CachedPasses
        Of all tokens.
    watch : callable
        How the passes' attention was seen.
    """

    ids: torch.Tensor
    odds: Mapping[int, Odds]
    last: torch.Tensor | None
    passes: CachedPasses
    watch: Watch


@dataclass(frozen=True)
class Writing:
    """A generation, and how to have it once more.

    Attributes
    ----------
    prompt : tuple of int
        What a decoder goes on from, or the encoder reads.
    n_given : int
        Tokens of the text that aren't generated.
    max_new_tokens : int
    options : mapping
        Other arguments of the model's ``generate``.
    on_cpu : bool
        Whether queries and keys are moved there.
    """

    prompt: tuple[int, ...]
    n_given: int
    max_new_tokens: int
    options: Mapping[str, Any]
    on_cpu: bool

    def write(self, model: Any) -> Written:
        """Let the model write."""
        written = self.run(model, capture)
        if written.passes.has_records:
            return written
        # To watch each operation is slow: it is done where attention shows in no other way.
        again = self.again_of(written.ids).run(model, _written_out)
        return replace(written, passes=again.passes, watch=again.watch)

    def again_of(self, ids: torch.Tensor) -> Writing:
        """Return the writing of what was written, which goes by the same passes."""
        options = {n: v for n, v in self.options.items() if n not in (*_ONCE, *_DRAWING)}
        options["do_sample"] = False
        options["logits_processor"] = [*options.get("logits_processor", ()), _Forced(ids)]
        return replace(self, max_new_tokens=len(ids) - self.n_given, options=options)

    def run(self, model: Any, watch: Watch) -> Written:
        """Let the model write, watched in one of the two ways."""
        ids = torch.tensor([self.prompt], device=first_device(model))
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        # What is compiled shows nothing of its inside.
        options = {"disable_compile": True, **self.options}
        passes = _Passes(takes_target(model), self.on_cpu)
        with evaluating(model), uncompiled(model), passes.watched(model, watch):
            result = model.generate(**given, max_new_tokens=self.max_new_tokens, **options)
            (sequence,) = getattr(result, "sequences", result)
            passes.settle(sequence)
            last = passes.last_of(len(sequence) - self.n_given)
            if passes.cached.reason is None and passes.n_read == len(sequence) - 1:
                _read_last(model, given, sequence[None], passes)
        if passes.n_read < len(sequence) or not passes.chose(range(self.n_given, len(sequence))):
            passes.cached.refuse("its passes are not of one token each")
        return Written(sequence.cpu(), passes.odds, last, passes.cached, watch)


class _Passes:
    """Follows the passes of a generation."""

    def __init__(self, has_target: bool, on_cpu: bool) -> None:
        self.cached = CachedPasses(has_target, on_cpu)
        self.n_read = 0
        self.odds: dict[int, Odds] = {}
        self.output: Any = None
        self.encoder_outputs: Any = None
        self._ids = "decoder_input_ids" if has_target else "input_ids"
        self._n_passes = 0
        self._logits: torch.Tensor | None = None

    @contextmanager
    def watched(self, model: torch.nn.Module, watch: Watch) -> Iterator[None]:
        """Be told of each pass until the block is left."""
        hooks = [
            model.register_forward_pre_hook(self._begin, with_kwargs=True),
            model.register_forward_hook(self._end),
        ]
        try:
            with watch(model, self.cached):
                yield
        finally:
            for hook in hooks:
                hook.remove()

    def settle(self, sequence: torch.Tensor) -> None:
        """Note which tokens came of the passes' logits, now that they are known."""
        if self._n_passes == 0:
            self.cached.refuse("its passes can't be told apart")
        if self._logits is not None and self.n_read < len(sequence):
            self._note(sequence[self.n_read])

    def chose(self, positions: Sequence[int]) -> bool:
        """Tell whether there was a pass that chose each of these tokens."""
        return all(position in self.odds for position in positions)

    def last_of(self, n_generated: int) -> torch.Tensor | None:
        """Return the logits that chose the last token; of beams and drafts there are none such."""
        return self._logits if self._n_passes == n_generated else None

    def _begin(self, _module: object, _args: object, kwargs: dict[str, Any]) -> None:
        self.cached.begin()
        self._n_passes += 1
        self.encoder_outputs = kwargs.get("encoder_outputs")
        ids = kwargs.get(self._ids)
        if ids is None or len(ids) != 1:
            several = "one that isn't told" if ids is None else f"{len(ids)} sequences at once"
            self.cached.refuse(f"its passes are of {several}")
            self._logits = None
            return
        if self._logits is not None:
            self._note(ids[0, 0])
        self.n_read += ids.shape[1]

    def _end(self, _module: object, _inputs: object, output: Any) -> None:
        logits = getattr(output, "logits", None)
        self._logits = None
        if logits is not None and len(logits) == 1:
            self._logits = logits[0, -1].detach().clone()
        self.output = output

    def _note(self, token: torch.Tensor) -> None:
        assert self._logits is not None
        self.odds[self.n_read] = Odds.of(self._logits, token)


class _Forced:
    """Chooses the tokens of a text, whatever the model gives them."""

    def __init__(self, ids: torch.Tensor) -> None:
        self._ids = ids

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return scores that leave one token to choose."""
        forced = torch.full_like(scores, -torch.inf)
        forced[:, self._ids[input_ids.shape[1]]] = 0
        return forced


def _written_out(model: torch.nn.Module, receive: Receive) -> AbstractContextManager[None]:
    return capture_written_out(model, 1, receive)


def _read_last(
    model: Any, given: Mapping[str, torch.Tensor], sequence: torch.Tensor, passes: _Passes
) -> None:
    """Let the model read the last token too, by the library's own way to go on from a cache."""
    cache = getattr(passes.output, "past_key_values", None)
    if cache is None:
        passes.cached.refuse("it keeps no cache")
        return
    every = torch.ones_like(sequence)
    if passes.encoder_outputs is None:
        given = {"input_ids": sequence, "attention_mask": every}
    else:
        decoder = {"decoder_input_ids": sequence, "decoder_attention_mask": every}
        given = {**given, **decoder, "encoder_outputs": passes.encoder_outputs}
    options = {"disable_compile": True, "num_beams": 1, "use_cache": True}
    device = sequence.device
    # What it would choose next is of no interest, and a person's seed is left alone.
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        model.generate(**given, past_key_values=cache, max_new_tokens=1, **options)

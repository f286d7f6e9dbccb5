"""From what a model returns to what it says: by its head, of the token that is asked about."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from ..tracing.labels import label_names
from ..tracing.limits import name_of
from ..tracing.odds import text_after
from ..tracing.tokens import Tokens
from ..tracing.trace import Trace
from .answering import answers
from .outcome import Numbers, Outcome, What, log_softmax
from .replacing import pick_one, stream_of

# The same token twice: one number alone would be taken for a batch of one, and be repeated.
_N_KEPT = 2


class Asked(NamedTuple):
    """A token that is asked about: its position, its text, where it stands, padding counted."""

    at: int
    token: str
    place: int


class Reading:
    """Reads the outcomes of a trace's passes, all in the same way.

    Parameters
    ----------
    trace : Trace
        Whose model is still there.
    at : int or str, optional
        Which token the outcome is of, where it is of one: its position, padding not counted, or the
        piece of the text that it is.
    """

    def __init__(self, trace: Trace, at: int | str | None = None) -> None:
        self.trace, self.live, self.at = trace, trace.live, at
        self._model = self.live.model
        self._name = type(self._model).__name__
        self._side = "target" if "target" in self.live.given.streams else "source"

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        """What the model is told beside the text: of which token it has to work out the logits."""
        if self._row is None:
            return {}
        return {"logits_to_keep": torch.tensor([self._row.place] * _N_KEPT)}

    @cached_property
    def _row(self) -> Asked | None:
        given, parameters = self.live.inputs, inspect.signature(self._model.forward).parameters
        ids = given.get("input_ids", given.get("inputs_embeds"))
        is_known = "logits_to_keep" in parameters and self._side == "source"
        if not is_known or "labels" in given or ids is None or ids.shape[1] <= _N_KEPT:
            return None
        return self._asked("next token", ids.shape[1])

    def outcomes(self, output: Any) -> list[Outcome]:
        """Return what a pass says, one for each copy.

        Raises
        ------
        ValueError
            The model says nothing that is known here; numbers that are none; no token is named
            where one has to be.
        """
        start, end = (getattr(output, f"{side}_logits", None) for side in ("start", "end"))
        if start is not None and end is not None:
            return answers(self.trace, np.stack([self._numbers(start), self._numbers(end)], 1))
        logits = getattr(output, "logits", None)
        logits = getattr(output, "prediction_logits", None) if logits is None else logits
        if logits is None:
            return self._representations(output)
        if self._row is not None and logits.shape[1:-1] == (_N_KEPT,):
            return self._tokens("next token", logits[:, 0], self._row)
        if logits.ndim == 2 and self._is_of_labels(logits.shape[1]):
            return self._labels("labels", logits, None)
        if logits.ndim != 3:
            raise self._says_nothing(f"logits of shape {tuple(logits.shape)}")
        what = self._what()
        asked = self._asked(what, logits.shape[1])
        own = logits[:, asked.place]
        if what == "token label":
            return self._labels(what, own, asked)
        return self._tokens(what, own, asked)

    def _what(self) -> What:
        if "TokenClassification" in self._name:
            return "token label"
        kinds = self.trace.kinds.values()
        writes = self._side == "target" or any(kind.attention.causal for kind in kinds)
        return "next token" if writes and "MaskedLM" not in self._name else "masked token"

    def _is_of_labels(self, n_logits: int) -> bool:
        n_labels = getattr(self._model.config, "num_labels", None)
        return "Classification" in self._name or n_logits == n_labels

    def _asked(self, what: What, n_positions: int) -> Asked:
        """Return the token that an outcome is of, among so many positions."""
        tokens, positions = stream_of(self.live, self._side, n_positions)
        at = self._at(what, tokens, positions)
        return Asked(at, tokens.text[at], positions[at])

    def _at(self, what: What, tokens: Tokens, positions: Sequence[int]) -> int:
        if self.at is not None:
            return pick_one(tokens, self.at, "at")
        if what == "next token":
            return len(tokens) - 1
        if what == "token label":
            raise ValueError(f"{self._name} gives each token a label: say with at= which is meant")
        masked = self._masked(positions)
        if len(masked) != 1:
            found = f"tokens {masked} are" if masked else "no token is"
            raise ValueError(
                f"{found} masked in this text: say with at= which one the model is to predict"
            )
        return masked[0]

    def _masked(self, positions: Sequence[int]) -> list[int]:
        mask = getattr(self.live.tokenizer, "mask_token_id", None)
        ids = self.live.inputs.get("input_ids")
        if mask is None or ids is None:
            return []
        return [i for i, own in enumerate(ids[0, positions].tolist()) if own == mask]

    def _tokens(self, what: What, logits: torch.Tensor, asked: Asked) -> list[Outcome]:
        text = self._texts(asked.place if what == "next token" else asked.place - 1)
        return [
            Outcome(what, "softmax", asked.at, asked.token, numbers, _text=text)
            for numbers in log_softmax(self._numbers(logits))
        ]

    def _texts(self, before: int) -> Callable[[int], str]:
        """Return how tokens read that stand after a place of the inputs."""
        tokenizer = self.live.tokenizer
        ids = self.live.inputs.get("decoder_input_ids" if self._side == "target" else "input_ids")
        if tokenizer is None:
            return lambda token: f"⟨{token}⟩"
        first = None if ids is None or before < 0 else int(ids[0, before])
        return lambda token: text_after(tokenizer, first, token)

    def _labels(self, what: What, logits: torch.Tensor, asked: Asked | None) -> list[Outcome]:
        by, names = label_names(self._model.config, logits.shape[1])
        numbers = self._numbers(logits)
        at, token = (asked.at, asked.token) if asked else (None, "")
        return [
            Outcome(what, by, at, token, own, _text=names.__getitem__)
            for own in (log_softmax(numbers) if by == "softmax" else numbers)
        ]

    def _representations(self, output: Any) -> list[Outcome]:
        kind, side = self.trace.kind, self._side
        if kind in ("text", "vision"):
            output, side = getattr(output, f"{kind}_model_output", output), kind
        states = getattr(output, "last_hidden_state", None)
        if states is None or states.ndim != 3:
            raise self._says_nothing(", ".join(output) or "nothing")
        tokens, positions = stream_of(self.live, side, states.shape[1])
        ordinary = [p for p, special in zip(positions, tokens.special, strict=True) if not special]
        means = self._numbers(states[:, ordinary or positions]).mean(1)
        if self.at is None:
            return [Outcome("representation", "", states={"mean": mean}) for mean in means]
        at = pick_one(tokens, self.at, "at")
        own = self._numbers(states[:, positions[at]])
        return [
            Outcome("representation", "", at, tokens.text[at], states={"token": one, "mean": mean})
            for one, mean in zip(own, means, strict=True)
        ]

    def _numbers(self, tensor: torch.Tensor) -> Numbers:
        """Return numbers that can be compared.

        Raises
        ------
        ValueError
            One is none.
        """
        numbers: Numbers = tensor.detach().cpu().double().numpy()
        if np.isnan(numbers).any():
            raise ValueError(
                f"{name_of(self._model)} gives numbers that are none (nan): its weights are "
                "damaged, or its number format overflows; load it with dtype=torch.float32"
            )
        return numbers

    def _says_nothing(self, given: str) -> ValueError:
        return ValueError(
            f"what {self._name} gives ({given}) isn't known here: its effect can be measured on "
            "next or masked tokens, labels, answers and last hidden states; load the model with "
            "such a head, or without one by AutoModel"
        )

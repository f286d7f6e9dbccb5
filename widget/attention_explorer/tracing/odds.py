"""What a model gave each token that came, and the others that it gave most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from .trace import Step

ALTERNATIVES = 5


@dataclass(frozen=True)
class Odds:
    """Probabilities for one token, on the model's device.

    Attributes
    ----------
    chosen : tensor, shape ()
        Of the token that came.
    likeliest : tensor, shape (alternatives,)
    tokens : tensor of int64, shape (alternatives,)
    """

    chosen: torch.Tensor
    likeliest: torch.Tensor
    tokens: torch.Tensor

    @classmethod
    def of(cls, logits: torch.Tensor, token: torch.Tensor) -> Odds:
        """Return them for the token that came, from the logits that chose it."""
        probabilities = logits.float().softmax(-1)
        highest = probabilities.topk(min(ALTERNATIVES, len(probabilities)))
        return cls(probabilities[token.to(logits.device)], highest.values, highest.indices)

    def step(self, tokenizer: Any, ids: list[int], position: int) -> Step:
        """Return the step by which the token at a position came."""
        pairs = zip(self.tokens.tolist(), self.likeliest.tolist(), strict=True)
        return Step(
            position=position,
            query=position - 1,
            probability=float(self.chosen),
            alternatives=tuple(
                (text_after(tokenizer, ids[position - 1], token), given) for token, given in pairs
            ),
        )


class FinishedPass:
    """Notes what a pass over the finished text gives each token that was generated.

    Parameters
    ----------
    ids : tensor of int64, shape (tokens,)
        The text.
    n_given : int
        How many of them weren't generated.
    last : tensor, shape (vocabulary,), or None
        The logits that chose the last token, where they are known.

    Attributes
    ----------
    odds : dict of int to Odds
        By the token's position.
    drift : float
        How far the pass is from the one that chose the last token, over the largest logit.
    """

    def __init__(self, ids: torch.Tensor, n_given: int, last: torch.Tensor | None) -> None:
        self._ids, self._n_given, self._last = ids, n_given, last
        self.odds: dict[int, Odds] = {}
        self.drift = 0.0

    @property
    def choosing(self) -> torch.Tensor:
        """The positions whose outputs chose the next token, on the CPU."""
        return torch.arange(self._n_given - 1, len(self._ids) - 1)

    def __call__(self, logits: torch.Tensor) -> None:
        """Take the logits of a pass; of those that follow, for the weights alone, none."""
        if self.odds:
            return
        rows = logits[0]
        if len(rows) == len(self._ids):
            rows = rows[self.choosing.to(rows.device)]
        chosen = self._ids[self._n_given :]
        for position, (row, token) in enumerate(zip(rows, chosen, strict=True), self._n_given):
            self.odds[position] = Odds.of(row, token)
        if self._last is not None:
            last = rows[-1].float().cpu()
            largest = float(last.abs().max().clamp(min=1e-30))
            self.drift = float((last - self._last.float().cpu()).abs().max()) / largest

    @contextmanager
    def told(self, model: torch.nn.Module) -> Iterator[None]:
        """Be told of the logits of each pass until the block is left."""
        receive: Callable[[torch.Tensor], None] = self

        def tell(_module: object, _inputs: object, output: Any) -> None:
            receive(output.logits.detach())

        hook = model.register_forward_hook(tell)
        try:
            yield
        finally:
            hook.remove()


def text_after(tokenizer: Any, before: int | None, token: int) -> str:
    """Return a token's text with the space that it brings along, which " a" and "a" differ by."""
    first = [] if before is None else [before]
    alone, both = (
        tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        for ids in (first, [*first, token])
    )
    text: str = both[len(alone) :] if both.startswith(alone) else tokenizer.decode([token])
    if text and "\ufffd" not in text:
        return text
    # Bytes of a character that others complete are no text; their own name says which they are.
    name = tokenizer.convert_ids_to_tokens(token)
    return name if isinstance(name, str) else f"⟨{token}⟩"

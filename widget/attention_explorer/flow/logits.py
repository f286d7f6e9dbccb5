"""Direct logit attribution: what a head adds to a logit by reading a key.

Of decoders whose layers add to a residual stream that goes through one norm to the unembedding
(Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"). With the norm's scale
kept as it was, the logit is a sum: of what the embedding, each head's reading of each key, the
projections' biases and the MLPs add, and a constant of the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..attention.base import Attention, Float
from ..runs import Progress
from ..tracing.trace import Kind
from .factors import FactorAttention, Index

if TYPE_CHECKING:
    import torch

    from ..tracing.live import Live
    from .outputs import Target

NOTE = (
    "Each number is what a head adds to the logit of {of} by reading the key, directly: past all "
    "layers in between, with the final norm's scale as it was. Embeddings, biases and MLPs add the "
    "rest."
)
PREDICTED = "the token that the model predicts after the query"

# Float32 numbers that are kept at most.
_KEPT_BYTES = 1 << 31


class LogitAttention(FactorAttention):
    """What each head adds to a query's logit by reading each key, ``A_ij <v_j, W_O u_i>``.

    Parameters
    ----------
    base : Attention
        The weights.
    values : sequence of array, shape (key heads, keys, d)
        By layer.
    directions : sequence of array, shape (heads, queries, d)
        W_O u of each query: what of a value adds to its logit; by layer.
    note : str
        What a number is.
    """

    def __init__(
        self, base: Attention, values: Sequence[Float], directions: Sequence[Float], note: str
    ) -> None:
        super().__init__(base, note, "values, projections and residual stream of two more passes")
        self.signed = True
        self._values, self._directions = tuple(values), tuple(directions)
        self.scale = self._known_scale()

    def _factors(self, layer: int, head: int, queries: Index, keys: Index) -> Float:
        found: Float = self._directions[layer][head, queries] @ self._of(layer, head)[keys].T
        return found

    def _limit(self, layer: int) -> float:
        longest = [
            np.linalg.norm(self._directions[layer][head], axis=-1).max()
            * np.linalg.norm(self._of(layer, head), axis=-1).max()
            for head in range(self.n_heads)
        ]
        return float(max(longest))

    def _of(self, layer: int, head: int) -> Float:
        values = self._values[layer]
        found: Float = values[head * len(values) // self.n_heads]
        return found


def logits(kind: Kind, name: str, live: Live, target: Target | None, progress: Progress) -> Kind:
    """Return what heads add to each query's logit; see `measures.measure`."""
    import torch

    from .residual import read_unembedding
    from .values import positions_of, read_values

    layers, checked = read_values(kind.attention, name, live)
    progress(0.3)
    unembedding = read_unembedding(live, [layer.name for layer in layers])
    positions = positions_of(live, name, 0, len(unembedding.logits)).to(unembedding.logits.device)
    if target is None:
        tokens, of = unembedding.logits[positions].argmax(-1), PREDICTED
    else:
        token, said = _token(live, target, unembedding.logits.shape[1])
        tokens, of = torch.full_like(positions, token), f"“{said}”"
    along = unembedding.directions(positions, tokens)
    values, directions = [], []
    for i, layer in enumerate(layers):
        progress(0.5 + i / len(layers) / 2)
        with torch.no_grad():
            own = along.to(layer.value.device, layer.dtype)
            heads = range(len(layer.weight))
            by_head = torch.stack([own @ layer.weight_of(head).T for head in heads])
        values.append(_numpy(layer.value))
        directions.append(_numpy(by_head))
    attention = LogitAttention(kind.attention, values, directions, NOTE.format(of=of))
    return replace(kind, attention=attention, check=checked)


def why_no_logits(kind: Kind, live: Live) -> str:
    """Return why there are none, "" where there may be; no pass is made."""
    from .outputs import has_unembedding

    attention, model = kind.attention, live.model
    if "target" in live.given.streams or len(live.names) > 1 or not attention.causal:
        return "logits are attributed directly in models of one decoder, whose tokens read no later"
    if not has_unembedding(model):
        return (
            f"{type(model).__name__} has no unembedding, and so no logits: load it by "
            "AutoModelForCausalLM"
        )
    width = getattr(model.config.get_text_config(), "hidden_size", 0)
    needed = 8 * attention.n_layers * attention.n_queries * width
    if needed > _KEPT_BYTES:
        return (
            f"for {attention.n_queries:,} tokens it would keep {needed / (1 << 30):.1f} GiB, above "
            "the limit of 2 GiB: take a shorter text"
        )
    return ""


def _token(live: Live, target: Target, size: int) -> tuple[int, str]:
    """Return a token's number, and its text where that is known."""
    from ..interventions.replacing import token_number

    number = token_number(live.tokenizer, target, " ") if isinstance(target, str) else target
    if not 0 <= number < size:
        raise ValueError(f"there is no token {number}: they count from 0 to {size - 1}")
    known = live.tokenizer
    return number, f"token {number}" if known is None else known.decode([number]).strip()


def _numpy(tensor: torch.Tensor) -> Float:
    from ..attention.head import to_numpy

    return to_numpy(tensor)

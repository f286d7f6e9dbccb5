"""What a model attends with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Anatomy:
    """What a model attends with.

    Attributes
    ----------
    n_layers, n_heads : int
    layer_numbers : tuple of int
        The model's own number of each layer.
    kind : str
        ``"encoder"`` or ``"decoder"``.
    causal : bool
    source : str
        How the weights are had, in words.
    notes : tuple of str
    """

    n_layers: int
    n_heads: int
    layer_numbers: tuple[int, ...]
    kind: str
    causal: bool
    source: str
    notes: tuple[str, ...]

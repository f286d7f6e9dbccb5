"""The sequences that a model reads: how long they are, what is padding, what to call a position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .families import CannotRebuildError
from .tokens import Tokens

# A mel frame of Whisper's feature extractor.
FRAME_SECONDS = 0.01


@dataclass(frozen=True)
class Stream:
    """One sequence that a model reads, in each example of a batch.

    Attributes
    ----------
    name : callable
        From an example and a number of positions to the tokens of those that are no padding.
    length : int or None
        Positions, padding included; None where only the model knows.
    kept : tuple of tensor of int64, or None
        The positions of each example that are no padding; None: all.
    """

    name: Callable[[int, int], Tokens]
    length: int | None = None
    kept: tuple[torch.Tensor, ...] | None = None

    def positions(self, example: int, n_positions: int) -> torch.Tensor:
        """Return the positions that are no padding, on the CPU."""
        if self.length not in (None, n_positions):
            raise CannotRebuildError(
                f"it attends over {n_positions} positions where the input has {self.length}"
            )
        return torch.arange(n_positions) if self.kept is None else self.kept[example]

    def n_padding(self, example: int) -> int:
        """Return how many positions are padding."""
        if self.kept is None or self.length is None:
            return 0
        return self.length - len(self.kept[example])


def text_stream(tokens: Sequence[Tokens], mask: torch.Tensor) -> Stream:
    """Return the stream of token numbers.

    Parameters
    ----------
    tokens : sequence of Tokens
        Of each example, without padding.
    mask : tensor, shape (batch, positions)
        Not 0 where a position is no padding.
    """
    kept = tuple(row.cpu().nonzero()[:, 0] for row in mask)
    return Stream(lambda example, _: tokens[example], mask.shape[1], kept)


def image_stream(pixels: torch.Tensor, config: Any) -> Stream:
    """Return the stream of an image's patches, called by row and column, after what leads them.

    Parameters
    ----------
    pixels : tensor, shape (batch, channels, height, width)
        Others get numbers for names.
    config
        Of the model: knows the patches' size.
    """
    config = getattr(config, "vision_config", config)
    size = getattr(config, "patch_size", None)
    sides = (size, size) if isinstance(size, int) else size

    def name(_: int, n_positions: int) -> Tokens:
        if pixels.ndim != 4 or not sides or len(sides) != 2:
            return numbered(n_positions)
        rows, columns = pixels.shape[2] // sides[0], pixels.shape[3] // sides[1]
        n_leading = n_positions - rows * columns
        if n_leading < 0:
            return numbered(n_positions)
        called = "REG " if getattr(config, "num_register_tokens", 0) else ""
        leading = ["[CLS]", *(f"[{called}{i}]" for i in range(n_leading - 1))][:n_leading]
        patches = [f"{row},{column}" for row in range(rows) for column in range(columns)]
        return Tokens.from_strings(
            [*leading, *patches], [position < n_leading for position in range(n_positions)]
        )

    return Stream(name)


def audio_stream(features: torch.Tensor) -> Stream:
    """Return the stream of a spectrogram's frames, called by when they begin.

    Parameters
    ----------
    features : tensor, shape (batch, mel bands, frames)
        As a feature extractor returns them.
    """

    def name(_: int, n_positions: int) -> Tokens:
        step = features.shape[-1] * FRAME_SECONDS / n_positions
        return Tokens.from_strings([f"{i * step:.2f} s" for i in range(n_positions)])

    return Stream(name)


def numbered(n_positions: int) -> Tokens:
    """Return tokens called by their positions."""
    return Tokens.from_strings([str(position) for position in range(n_positions)])

"""Weights to bytes and back: exact float32 for read-outs, the fourth root in a byte for colours."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from .protocol import Encoding

Float = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]

# Runs alone: to look for longer repeats takes twice the time and, on weights, gains nothing.
# Level 1: on weights in bytes the higher levels gain some percent for several times the time.
_LEVEL = 1


def encode(weights: npt.NDArray[np.floating], encoding: Encoding, scale: float = 1.0) -> bytes:
    """Turn weights into bytes, row by row.

    The fourth root keeps small weights apart where a linear byte makes most of them 0: on its scale
    the error is at most half a step, and nothing that isn't zero becomes zero (it gets the smallest
    code, less than one step away).

    Parameters
    ----------
    weights : ndarray
        Any shape.
    encoding : {"float32", "quartic8", "signed8"}
        Four bytes a weight, little-endian; or one byte a weight.
    scale : float
        The weight that has the largest code; what is above is shown as this.

    Raises
    ------
    ValueError
        When a weight is NaN, or below 0 in ``"quartic8"``.
    """
    weights = np.asarray(weights, dtype="<f4")
    if encoding == "float32":
        return weights.tobytes()
    lowest = weights.min(initial=0.0)
    if np.isnan(lowest):
        where = tuple(int(i) for i in np.argwhere(np.isnan(weights))[0])
        raise ValueError(f"the weight at {where} is NaN, which has no colour")
    if encoding == "quartic8":
        if lowest < 0:
            raise ValueError(f"quartic8 holds weights from 0, got {lowest:.4g}; use signed8")
        return _root_codes(weights, scale, 255).tobytes()
    magnitude = _root_codes(np.abs(weights), scale, 127).astype(np.int16)
    codes: Codes = (128 + np.sign(weights).astype(np.int16) * magnitude).astype(np.uint8)
    return codes.tobytes()


def decode(
    data: bytes, encoding: Encoding, shape: int | Sequence[int], scale: float = 1.0
) -> Float:
    """Turn the bytes of `encode` back into weights of the given shape."""
    if encoding == "float32":
        return np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32)
    codes = np.frombuffer(data, dtype=np.uint8)
    if encoding == "quartic8":
        table = (np.arange(256) / 255.0) ** 4
    else:
        steps = (np.arange(256) - 128) / 127.0
        table = np.sign(steps) * steps**4
    return cast(Float, (scale * table).astype(np.float32)[codes].reshape(shape))


def compress(chunks: Iterable[bytes]) -> bytes:
    """Compress the chunks as one zlib stream."""
    compressor = zlib.compressobj(_LEVEL, strategy=zlib.Z_RLE)
    return compressor.compress(b"".join(chunks)) + compressor.flush()


def compress_within(limit: int, chunks: Iterable[bytes], level: int = _LEVEL) -> bytes | None:
    """Compress the chunks as one zlib stream; None as soon as it is longer than `limit` bytes."""
    compressor = zlib.compressobj(level)
    stream = bytearray()
    for chunk in chunks:
        stream += compressor.compress(chunk)
        if len(stream) > limit:
            return None
    stream += compressor.flush()
    return bytes(stream) if len(stream) <= limit else None


def _root_codes(magnitudes: Float, scale: float, largest: int) -> Codes:
    """Return round(largest * (magnitude / scale) ** (1/4)) as bytes, at least 1 where not zero."""
    roots = magnitudes / np.float32(scale)
    np.sqrt(roots, out=roots)
    np.sqrt(roots, out=roots)
    roots *= largest
    roots += 0.5
    np.minimum(roots, largest, out=roots)
    codes = roots.astype(np.uint8)
    return np.maximum(codes, magnitudes > 0, out=codes)

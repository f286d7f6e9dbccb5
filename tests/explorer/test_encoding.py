from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from attention_explorer.encoding import Float, compress, compress_within, decode, encode


@pytest.fixture(scope="module")
def weights() -> Float:
    """Six decades of weights, with zeros, in a shape whose transpose differs."""
    random = np.random.default_rng(0)
    values = 10.0 ** random.uniform(-6, 0, (40, 30))
    values[::7] = 0
    return values.astype(np.float32)


def test_float32_is_exact_in_row_order(weights: Float) -> None:
    np.testing.assert_array_equal(decode(encode(weights, "float32"), "float32", (40, 30)), weights)


def test_non_contiguous_weights_keep_their_row_order(weights: Float) -> None:
    data = encode(weights.T, "quartic8")
    np.testing.assert_array_equal(data, encode(np.ascontiguousarray(weights.T), "quartic8"))


@pytest.mark.parametrize("scale", [1.0, 3.5])
def test_colour_error_is_half_a_step_on_the_fourth_root_scale(weights: Float, scale: float) -> None:
    """Truncating instead of rounding would double it; linear or sqrt codes would exceed it."""
    decoded = decode(encode(weights * scale, "quartic8", scale), "quartic8", (40, 30), scale)
    error = np.abs((decoded / scale) ** 0.25 - weights**0.25)
    above_first_code = weights**0.25 * 255 >= 0.5
    assert error[above_first_code].max() <= 0.5 / 255 + 1e-6
    assert error.max() < 1 / 255


def test_quartic8_zero_stays_zero_and_nothing_else_becomes_zero() -> None:
    weights = np.array([0, 1e-45, 1e-30, 1e-12, 1e-6, 1], np.float32)
    codes = np.frombuffer(encode(weights, "quartic8"), np.uint8)
    assert codes[0] == 0
    assert codes[1:4].tolist() == [1, 1, 1]
    assert codes[-1] == 255


def test_a_softmax_that_rounds_above_one_does_not_wrap_to_zero() -> None:
    assert encode(np.array([1.0000002, 7.0], np.float32), "quartic8") == b"\xff\xff"


def test_signed8_keeps_the_sign_and_its_error_bound(weights: Float) -> None:
    signed = weights * np.where(np.arange(30) % 2, 1, -1).astype(np.float32)
    decoded = decode(encode(signed, "signed8"), "signed8", (40, 30))
    np.testing.assert_array_equal(np.sign(decoded), np.sign(signed))
    root, expected = (np.sign(w) * np.abs(w) ** 0.25 for w in (decoded, signed))
    # Of the scale from -1 to 1, which is 2 long.
    assert np.abs(root - expected).max() / 2 < 1 / 255


def test_signed8_extremes_fit_in_a_byte() -> None:
    codes = np.frombuffer(encode(np.array([-2, -1, 0, 1, 2], np.float32), "signed8"), np.uint8)
    assert codes.tolist() == [1, 1, 128, 255, 255]


def test_nan_is_refused_with_its_place_not_drawn_as_some_colour() -> None:
    weights = np.ones((3, 4), np.float32)
    weights[1, 2] = np.nan
    for encoding in ("quartic8", "signed8"):
        with pytest.raises(ValueError, match=r"\(1, 2\) is NaN"):
            encode(weights, encoding)


def test_negative_weights_are_refused_by_the_unsigned_encoding() -> None:
    with pytest.raises(ValueError, match="signed8"):
        encode(np.array([-0.1], np.float32), "quartic8")


def test_empty_lists_of_weights_are_empty_bytes() -> None:
    for encoding in ("float32", "quartic8", "signed8"):
        assert encode(np.empty((0, 3), np.float32), encoding) == b""


def test_compress_within_gives_up_without_asking_for_the_rest() -> None:
    """Else opening a large trace would compute all its tiles for a snapshot that can't be."""
    random = np.random.default_rng(0)
    asked = 0

    def chunks() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield random.bytes(100_000)

    assert compress_within(150_000, chunks()) is None
    assert asked <= 4


def test_compress_within_is_the_same_stream_when_it_fits() -> None:
    chunks = [b"abc" * 50, b"", b"def"]
    whole = compress_within(1000, chunks)
    assert whole is not None
    assert zlib.decompress(whole) == zlib.decompress(compress(chunks)) == b"".join(chunks)
    assert compress_within(len(whole), chunks) == whole
    assert compress_within(len(whole) - 1, chunks) is None

"""The widget's colours in numpy, as ``js/src/draw/colour.ts`` has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..protocol import ColourScale

Rgb = tuple[float, float, float]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]

# Lightness of the three tiers of head colours, light and dark, and the hue from head to head.
_HEAD_LIGHTNESS = {False: (0.55, 0.42, 0.66), True: (0.74, 0.62, 0.86)}
_HEAD_ANGLE = 103.75

# Of the logarithmic scale: what share it starts at, and where what is below it lies.
_LOG_FROM = 1e-4
_LOWEST = 1 / 32


@dataclass(frozen=True)
class Palette:
    """Everything that is coloured, for one theme; channels are 0 to 1.

    Attributes
    ----------
    dark : bool
        The theme.
    ground, ink, muted, line : colours
        The page, its text, its quiet text, its rules.
    reader, read : colours
        Who reads (the query, indigo) and what is read (the key, amber).
    ramp, cold_ramp : array of uint8, shape (256, 4)
        Weights from nothing to the whole scale; the same below 0.
    """

    dark: bool
    ground: Rgb
    ink: Rgb
    muted: Rgb
    line: Rgb
    reader: Rgb
    read: Rgb
    ramp: Bytes
    cold_ramp: Bytes

    def head(self, index: int) -> Rgb:
        """Return the colour of a head."""
        tiers = _HEAD_LIGHTNESS[self.dark]
        hue = (262 + index * _HEAD_ANGLE) % 360
        return _as_rgb(oklch(tiers[index % len(tiers)], 0.15, hue))


@dataclass(frozen=True)
class Ink:
    """The colours of weights: of one theme, along one curve, up to one largest weight.

    Attributes
    ----------
    colours : Palette
        The theme's.
    curve : {"linear", "sqrt", "log"}
        How colour follows the share of the largest weight.
    largest : float
        The weight at the end of the scale.
    signed : bool
        Whether weights may be below 0.
    """

    colours: Palette
    curve: ColourScale
    largest: float
    signed: bool

    def at(self, weights: npt.ArrayLike) -> Floats:
        """Return where weights lie on the scale, 0 to 1, whatever their sign."""
        shares = np.minimum(1, np.abs(np.asarray(weights, np.float64)) / self.largest)
        if self.curve == "linear":
            return shares
        if self.curve == "sqrt":
            roots: Floats = np.sqrt(shares)
            return roots
        logs = 1 - np.log(np.maximum(shares, _LOG_FROM)) / np.log(_LOG_FROM)
        return np.where(shares == 0, 0, np.maximum(_LOWEST, logs))

    def weights_at(self, places: npt.ArrayLike) -> Floats:
        """Return the weights that lie at places from 0 to 1, the least of those that share one."""
        places = np.asarray(places, np.float64)
        if self.curve == "log":
            return np.where(places < _LOWEST, 0, self.largest * _LOG_FROM ** (1 - places))
        return self.largest * (places if self.curve == "linear" else places**2)

    def shades(self, weights: npt.ArrayLike) -> Floats:
        """Return the colours of weights, shape (..., 4)."""
        steps = half_up(self.at(weights) * 255)
        below = (np.asarray(weights) < 0)[..., None]
        colours: Floats = np.where(below, self.colours.cold_ramp[steps], self.colours.ramp[steps])
        return colours / 255

    def on(self, weight: float) -> Rgb | None:
        """Return the colour of text that can be read on a weight's; None where the page's can."""
        t = float(self.at(weight))
        if t < 0.06:
            return None
        if self.colours.dark:
            return (0, 0, 0) if t > 0.51 else (1, 1, 1)
        return (1, 1, 1) if t > (0.77 if weight < 0 else 0.7) else (0, 0, 0)


def palette(dark: bool) -> Palette:
    """Return the colours of a theme."""
    even = np.linspace(0, 1, 256)
    return Palette(
        dark=dark,
        ground=_hex("#141417" if dark else "#ffffff"),
        ink=_hex("#ebebf0" if dark else "#1b1b1f"),
        muted=_hex("#9a9aa6" if dark else "#6b6b76"),
        line=_hex("#303038" if dark else "#e4e4ea"),
        reader=_as_rgb(oklch(0.75, 0.12, 277) if dark else oklch(0.5, 0.2, 277)),
        read=_as_rgb(oklch(0.82, 0.16, 80) if dark else oklch(0.66, 0.17, 58)),
        ramp=_ramp(dark, 65 + 22 * even if dark else 82 - 36 * even),
        cold_ramp=_ramp(dark, np.full(256, 230.0)),
    )


def oklch(lightness: float | Floats, chroma: float | Floats, hue: float | Floats) -> Bytes:
    """Return OKLCH colours as sRGB bytes (Ottosson 2020), shape (..., 3); clipped to the gamut."""
    a = chroma * np.cos(np.radians(hue))
    b = chroma * np.sin(np.radians(hue))
    l_ = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m_ = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s_ = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
            -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
            -0.0041960863 * l_ - 0.7034186147 * m_ + 1.707614701 * s_,
        ],
        axis=-1,
    ).clip(0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return half_up(curved * 255).astype(np.uint8)


def half_up(values: Floats) -> npt.NDArray[np.intp]:
    """Round as JavaScript does: numpy takes halves to the even neighbour."""
    return np.floor(values + 0.5).astype(np.intp)


def _ramp(dark: bool, hue: Floats) -> Bytes:
    even = np.linspace(0, 1, 256)
    lightness = 0.22 + 0.66 * even if dark else 0.985 - 0.58 * even
    bow = np.sin(np.pi * np.minimum(1, 0.04 + 0.62 * even))
    chroma = 0.02 + 0.15 * even if dark else 0.175 * bow
    # The lowest steps fade into whatever ground the host has.
    alpha = np.rint(255 * np.minimum(1, even / 0.08)).astype(np.uint8)
    return np.concatenate([oklch(lightness, chroma, hue), alpha[:, None]], axis=-1)


def _hex(digits: str) -> Rgb:
    return _as_rgb(np.frombuffer(bytes.fromhex(digits[1:]), np.uint8))


def _as_rgb(colour: Bytes) -> Rgb:
    red, green, blue = (colour / 255).tolist()
    return red, green, blue

"""The widget's colours: values that the compiled ``js/src/draw/colour.ts`` gives."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from attention_explorer.export.colours import Ink, palette
from attention_explorer.export.shades import colour_map, colour_norm
from attention_explorer.protocol import ColourScale

COLOURS = Path(__file__).resolve().parents[2] / "js" / "src" / "draw" / "colour.ts"


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_the_widgets(dark: bool) -> None:
    """Node strips the types and runs the widget's own module."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    code = f"""
import {{ palette }} from {json.dumps(COLOURS.as_uri())};
const colours = palette({json.dumps(dark)});
console.log(JSON.stringify({{
    reader: colours.reader, read: colours.read,
    ramp: Array.from(colours.ramp), coldRamp: Array.from(colours.coldRamp),
    heads: Array.from({{ length: 40 }}, (_, head) => colours.head(head)),
}}));
"""
    command = [node, "--experimental-strip-types", "--no-warnings", "--input-type=module"]
    done = subprocess.run([*command, "--eval", code], capture_output=True, text=True, check=True)
    widget = json.loads(done.stdout)
    ours = palette(dark)
    assert ours.ramp.ravel().tolist() == widget["ramp"]
    assert ours.cold_ramp.ravel().tolist() == widget["coldRamp"]
    for mine, its in (
        (ours.reader, widget["reader"]),
        (ours.read, widget["read"]),
        *((ours.head(head), its) for head, its in enumerate(widget["heads"])),
    ):
        np.testing.assert_allclose(np.array(mine) * 255, its, atol=1e-9)


def test_the_map_is_the_ramp_over_the_root_of_the_weight() -> None:
    ramp = palette(False).ramp
    ink = Ink(palette(False), "sqrt", 1, signed=False)
    paint, norm = colour_map(ink), colour_norm(ink)
    for weight, step in ((0.0, 0), (0.25, 128), (1.0, 255), (2.0, 255)):
        assert paint(norm(np.array([weight])), bytes=True)[0].tolist() == ramp[step].tolist()


def test_signed_weights_leave_nothing_clear_and_both_ends_full() -> None:
    colours = palette(False)
    ink = Ink(colours, "sqrt", 2, signed=True)
    paint, norm = colour_map(ink), colour_norm(ink)
    low, middle, high = paint(norm(np.array([-2.0, 0.0, 2.0])), bytes=True).tolist()
    assert low == colours.cold_ramp[255].tolist()
    assert middle[3] == 0
    assert high == colours.ramp[255].tolist()


@pytest.mark.parametrize(
    ("curve", "weights", "places"),
    [
        ("linear", [0, 0.5, 2, 9], [0, 0.25, 1, 1]),
        ("sqrt", [0, 0.5, 2, -0.5], [0, 0.5, 1, 0.5]),
        ("log", [0, 1e-9, 2e-2, 2e-1, 2], [0, 1 / 32, 0.5, 0.75, 1]),
    ],
)
def test_curves_end_at_the_largest_weight(
    curve: ColourScale, weights: list[float], places: list[float]
) -> None:
    np.testing.assert_allclose(Ink(palette(False), curve, 2, signed=True).at(weights), places)


@pytest.mark.parametrize("curve", ["linear", "sqrt", "log"])
def test_numbers_stand_where_their_colour_is(curve: ColourScale) -> None:
    """The scale below a figure is drawn by the way back from place to weight."""
    ink = Ink(palette(False), curve, 0.5, signed=False)
    places = np.linspace(0.1, 1, 10)
    np.testing.assert_allclose(ink.at(ink.weights_at(places)), places)

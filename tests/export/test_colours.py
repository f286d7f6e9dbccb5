"""The widget's colours: values that the compiled ``js/src/draw/colour.ts`` gives."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from attention_explorer.attention import dense_attention
from attention_explorer.export.colours import palette
from attention_explorer.export.shades import colour_map, colour_norm

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
    attention = dense_attention(np.full((1, 1, 2, 2), 0.5, np.float32))
    paint = colour_map(palette(False), signed=False)
    norm = colour_norm(attention)
    for weight, step in ((0.0, 0), (0.25, 128), (1.0, 255), (2.0, 255)):
        assert paint(norm(np.array([weight])), bytes=True)[0].tolist() == ramp[step].tolist()


def test_signed_weights_leave_nothing_clear_and_both_ends_full() -> None:
    colours = palette(False)
    attention = dense_attention(np.array([[[[-2.0, 0.0], [1.0, 0.5]]]], np.float32))
    assert attention.signed
    paint, norm = colour_map(colours, signed=True), colour_norm(attention)
    low, middle, high = paint(norm(np.array([-2.0, 0.0, 2.0])), bytes=True).tolist()
    assert low == colours.cold_ramp[255].tolist()
    assert middle[3] == 0
    assert high == colours.ramp[255].tolist()

"""Parts of the renderer that go to the browser when they are needed first."""

from __future__ import annotations

from pathlib import Path

PARTS = ("compare", "evidence", "neuron", "picture")
STATIC = Path(__file__).parent / "static"


def part_named(name: str) -> bytes:
    """Return a part's module, UTF-8.

    Raises
    ------
    ValueError
        It wasn't built.
    """
    path = STATIC / f"{name}.js"
    if not path.is_file():
        raise ValueError(
            f"this part of the renderer isn't built ({path.name} is missing): in the project's "
            "folder run `pip install .` or `npm --prefix js run build`"
        )
    return path.read_bytes()

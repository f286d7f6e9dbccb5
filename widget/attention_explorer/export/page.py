"""The frame of a single file: HTML around data and the script that reads it."""

from __future__ import annotations

import html
import math
from pathlib import Path
from string import Template

from ..part import STATIC
from .budget import to_json

MEGABYTE = 1_000_000

_PAGE = Path(__file__).parent / "page.html"


class PageFrame:
    """A page but for its data.

    Parameters
    ----------
    title : str
    sections : str
        HTML: what is there before the script runs, and where none does.
    script : str
        The name of a bundle.

    Raises
    ------
    RuntimeError
        The bundle wasn't built.
    """

    def __init__(self, title: str, sections: str, script: str) -> None:
        self._template = Template(_PAGE.read_text(encoding="utf-8"))
        self._around = {"title": plain(title), "sections": sections, "script": _script(script)}

    def around(self, data: object) -> str:
        """Return the page with its data, which JSON can hold."""
        return self._template.substitute(self._around, data=to_json(data))


def read_bytes(max_mb: float) -> int:
    """Return how many bytes a file may have."""
    if not isinstance(max_mb, int | float) or not 0 < max_mb < math.inf:
        raise ValueError(f"max_mb={max_mb!r:.80}: expected megabytes, a number above 0")
    return int(max_mb * MEGABYTE)


def too_little(most: int, left: int, least: str) -> ValueError:
    """Return the error of a file that may have `most` bytes, of which `left`, below 0, are left."""
    needed = math.ceil((most - left) / 10_000) / 100
    return ValueError(
        f"max_mb={most / MEGABYTE:g} is too little: the least of this page, {least}, takes "
        f"{needed:.2f} MB"
    )


def plain(text: str) -> str:
    """Return text as HTML; half a surrogate pair, which a tokenizer may leave, isn't UTF-8."""
    return html.escape(text.encode("utf-8", "replace").decode())


def _script(name: str) -> str:
    path = STATIC / f"{name}.js"
    if not path.is_file():
        raise RuntimeError(
            f"the JavaScript part isn't built ({path} is missing): in the project's folder run "
            "`pip install .` or `npm --prefix js run build`"
        )
    return path.read_text(encoding="utf-8").replace("</script", "<\\/script")

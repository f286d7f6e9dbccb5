"""Explorers as one HTML file, in which every view works without a kernel and without a network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any, cast, overload

from ..part import PARTS, part_named
from ..protocol import RecordedPage
from ..runs import part_of, progress_bar
from .budget import Budget, packed
from .files import in_folder
from .page import PageFrame, plain, read_bytes, too_little
from .recording import Recorder

if TYPE_CHECKING:
    import os

    from ..exported import ExportedView


@overload
def to_html(
    explorers: ExportedView | Iterable[ExportedView],
    path: None = None,
    *,
    title: str | None = None,
    max_mb: float = 10.0,
) -> str: ...
@overload
def to_html(
    explorers: ExportedView | Iterable[ExportedView],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    max_mb: float = 10.0,
) -> None: ...
def to_html(
    explorers: ExportedView | Iterable[ExportedView],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str | None = None,
    max_mb: float = 10.0,
) -> str | None:
    """Write explorers as one HTML file that opens by a double click, without kernel or network.

    Every view works in it as far as the file holds what it shows: the weights as they are while
    there is room, else rounded to a byte, else overviews, the chosen heads and the pinned tokens;
    and then other kinds of attention, words, hidden keys and measures. What it leaves out is said
    on screen.

    Parameters
    ----------
    explorers : AttentionExplorer or iterable of AttentionExplorer
        What is on the page, one below the other, as they are now.
    path : str or path-like, optional
        The file to write, UTF-8; an older one is replaced.
    title : str, optional
        Of the page; by default what the models are called.
    max_mb : float
        The most that the file may have, in megabytes of 1,000,000 bytes.

    Returns
    -------
    str or None
        The HTML where there is no `path`.

    Raises
    ------
    TypeError
        Something that is no explorer.
    ValueError
        No explorer at all; `max_mb` too small for the least, which the message names.
    FileNotFoundError, IsADirectoryError
        The path's folder isn't there, or it is itself one.
    RuntimeError
        An explorer that is closed.
    """
    file = None if path is None else in_folder(path)
    page = _page_of(_read_explorers(explorers), title, read_bytes(max_mb))
    if file is None:
        return page
    file.write_text(page, encoding="utf-8", newline="\n")
    return None


def framed(html: str, height: int = 720) -> str:
    """Return HTML that shows a page of `to_html` within another: in a cell's output, say.

    It has no access to what is around it, and stays as it is where no kernel runs any more.

    Parameters
    ----------
    html : str
        What `to_html` returned.
    height : int
        In pixels; a person can draw it higher by its corner.
    """
    outer = f"height:{int(height)}px;min-height:160px;resize:vertical;overflow:hidden"
    inner = "display:block;width:100%;height:100%;border:0"
    return (
        f'<div style="{outer}"><iframe sandbox="allow-scripts allow-downloads" '
        f'style="{inner}" srcdoc="{escape(html)}"></iframe></div>'
    )


def _page_of(explorers: list[ExportedView], title: str | None, most: int) -> str:
    modules = _modules_of(explorers)
    names = {text: name for name, text in modules.items()}
    page: RecordedPage = {"modules": modules, "parts": _parts_of(explorers), "explorers": []}
    frame = PageFrame(
        _title_of(explorers) if title is None else title,
        "\n".join(map(_section, explorers)),
        "page",
    )
    left = most - len(frame.around(page).encode())
    with progress_bar("Writing the page") as bar:
        for i, explorer in enumerate(explorers):
            share = left // (len(explorers) - i)
            budget = Budget(share)
            progress = part_of(bar, i, len(explorers))
            recorded = Recorder(explorer, budget).record(names[str(explorer._esm)], progress)
            page["explorers"].append(recorded)
            left -= share - budget.left
    if left < 0:
        raise too_little(most, left, "its code, tokens and overviews")
    return frame.around(page)


def _read_explorers(given: object) -> list[ExportedView]:
    """Accept one explorer or several that are open."""
    from ..exported import ExportedView

    several = isinstance(given, Iterable) and not isinstance(given, str | bytes)
    explorers: list[Any] = list(cast("Iterable[object]", given)) if several else [given]
    for explorer in explorers:
        if not isinstance(explorer, ExportedView):
            raise TypeError(
                "to_html takes an AttentionExplorer or several, to_html([first, second]); got "
                f"{type(explorer).__name__}"
            )
        _ = explorer._shown
    if not explorers:
        raise ValueError("to_html takes at least one explorer, got none")
    return explorers


def _modules_of(explorers: Iterable[ExportedView]) -> dict[str, str]:
    """Return the code of some explorers by name, each once."""
    texts = dict.fromkeys(str(explorer._esm) for explorer in explorers)
    return {f"module {i}": text for i, text in enumerate(texts)}


def _parts_of(explorers: Iterable[ExportedView]) -> dict[str, str]:
    """Return the parts of the renderer that these explorers need, each once."""
    needed = {"picture", *(view for explorer in explorers for view in explorer._views)}
    return {name: packed([part_named(name)]) for name in PARTS if name in needed}


def _title_of(explorers: Iterable[ExportedView]) -> str:
    names = dict.fromkeys(explorer._description["model"] for explorer in explorers)
    named = ", ".join(name for name in names if name)
    return f"Attention of {named}" if named else "Attention"


def _section(explorer: ExportedView) -> str:
    """Return what is there before the page's script runs, and where none does: the text."""
    tokens = explorer.tokens
    text = "".join(gap + text for gap, text in zip(tokens.gap, tokens.text, strict=True))
    return f'<section><p class="plain">{plain(text)}</p></section>'

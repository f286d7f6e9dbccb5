"""How many texts are done, at what rate, and how long it still takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Done = Callable[[int], None]


@contextmanager
def texts_bar(total: int | None, before: int, shown: bool) -> Iterator[Done]:
    """Show in the cell or terminal how far a corpus is, where it takes longer than a second.

    Parameters
    ----------
    total : int, optional
        How many rows there are; without, there is a rate and no time left.
    before : int
        How many were done in an earlier run.
    shown : bool
        Without it, and without tqdm, nothing is.

    Yields
    ------
    callable
        Takes how many more are done.
    """
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        shown = False
    if not shown:
        yield lambda more: None
        return
    with tqdm(desc="Profiling heads", total=total, initial=before, unit=" texts", delay=1.0) as bar:
        yield lambda more: bar.update(more) and None

"""Libraries that only what is taken away needs."""

from __future__ import annotations

from importlib import import_module


def need(library: str, purpose: str) -> None:
    """Refuse with the way to get it where a library isn't installed."""
    try:
        import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ModuleNotFoundError(
            f"{purpose} needs {library}: run `pip install {library}`, then restart Python",
            name=library,
        ) from None

"""Libraries that only what is taken away needs."""

from __future__ import annotations

from importlib import import_module

# This package's own name for what brings a library of the right version.
_EXTRAS = {"matplotlib": "plot", "pandas": "frame"}


def need(library: str, purpose: str) -> None:
    """Refuse with the way to get it where a library isn't installed."""
    try:
        import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        extra = _EXTRAS.get(library)
        wanted = f"'attention-explorer[{extra}]'" if extra else library
        raise ModuleNotFoundError(
            f"{purpose} needs {library}: run `pip install {wanted}`, then restart Python",
            name=library,
        ) from None

"""What bertviz has as copies of 2019, as the installed transformers has it today."""

from __future__ import annotations


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import transformers

    try:
        return getattr(transformers, name)
    except AttributeError:
        # `from ... import` would say of an AttributeError only that the name isn't there.
        raise ImportError(
            f"transformers {transformers.__version__} has no {name} any more, which bertviz has as "
            "a copy of 2019: load a model that transformers has, by AutoModel and AutoTokenizer"
        ) from None

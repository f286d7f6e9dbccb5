"""What bertviz has as copies of 2019, as the installed transformers has it today."""

from __future__ import annotations


def __getattr__(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import transformers

    try:
        return getattr(transformers, name)
    except AttributeError:
        raise AttributeError(
            f"transformers {transformers.__version__} has no {name!r} any more: bertviz has a copy "
            "of 2019; load the model by AutoModel and AutoTokenizer, or one that transformers has"
        ) from None

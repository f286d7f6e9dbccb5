"""Look inside Transformers in a notebook: linked, exact, interactive attention views."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asking import QAExplorer
    from .atlas import HeadAtlas, profile_heads
    from .attention import Attention
    from .comparing import ComparingExplorer
    from .explorer import AttentionExplorer
    from .export.html import to_html
    from .tasks.demo_qa import demo_qa_model
    from .tracing import Tokens, Trace, demo_model, trace

    __version__: str

__all__ = [
    "Attention",
    "AttentionExplorer",
    "ComparingExplorer",
    "HeadAtlas",
    "QAExplorer",
    "Tokens",
    "Trace",
    "__version__",
    "demo_model",
    "demo_qa_model",
    "profile_heads",
    "to_html",
    "trace",
]

# Imported when first used: asking for the version needs neither numpy nor anywidget.
_ROOMS = {
    "Attention": ".attention",
    "AttentionExplorer": ".explorer",
    "ComparingExplorer": ".comparing",
    "HeadAtlas": ".atlas",
    "QAExplorer": ".asking",
    "Tokens": ".tracing",
    "Trace": ".tracing",
    "demo_model": ".tracing",
    "demo_qa_model": ".tasks.demo_qa",
    "profile_heads": ".atlas",
    "to_html": ".export.html",
    "trace": ".tracing",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("attention-explorer")
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_ROOMS[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))

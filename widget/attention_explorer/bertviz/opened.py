"""An explorer opened as bertviz's arguments say: shown, returned as HTML, or returned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import traitlets

from ..protocol import Theme, ViewName

if TYPE_CHECKING:
    from IPython.display import HTML

    from ..explorer import AttentionExplorer
    from ..tracing import Kind

# What a view comes to.
Opened: TypeAlias = "HTML | AttentionExplorer | None"
Action = Literal["view", "return", "explorer"]

# bertviz's own page of 128 tokens of a BERT-base has 109 MB: what it shows, this shows.
MAX_MB = 109.0


def check_action(html_action: str) -> None:
    """Refuse an `html_action` that isn't there."""
    if html_action not in get_args(Action):
        raise ValueError(
            f"html_action={html_action!r}: expected 'view' to show it here, 'return' to get it as "
            "HTML, or 'explorer' to get the AttentionExplorer"
        )


def check_display_mode(display_mode: str) -> None:
    """Refuse a `display_mode` that isn't there."""
    if display_mode not in get_args(Theme):
        raise ValueError(
            f"display_mode={display_mode!r}: expected 'dark', 'light', or 'auto', which follows "
            "the page"
        )


@contextmanager
def as_value_errors() -> Iterator[None]:
    """Raise what a trait says of an argument as ValueError, as bertviz does."""
    try:
        yield
    except traitlets.TraitError as error:
        raise ValueError(str(error)) from None


def open_view(
    view: ViewName,
    kinds: Mapping[str, Kind],
    html_action: Action,
    *,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    **options: Any,
) -> Opened:
    """Open one view on kinds of attention, at the first that has the layer."""
    from ..tracing import Trace

    name = _kind_with(layer, kinds)
    attention = kinds[name].attention
    if heads is None and view == "heads":
        heads = range(attention.n_heads)  # the head view opens with all of a layer
    with as_value_errors():
        explorer = explorer_for(html_action)(
            Trace(kinds, name, model_name=""),
            view=view,
            layer=None if layer is None else attention.layer_numbers.index(layer),
            heads=heads,
            **options,
        )
    return act(explorer, html_action)


def explorer_for(html_action: Action) -> type[AttentionExplorer]:
    """Return the class of what is opened."""
    if html_action == "return":
        from .unseen import UnseenExplorer

        return UnseenExplorer
    from ..explorer import AttentionExplorer

    return AttentionExplorer


def act(explorer: AttentionExplorer, html_action: Action) -> Opened:
    """Show an explorer, return it as HTML, or return it."""
    if html_action == "explorer":
        return explorer
    from IPython.display import HTML, display

    if html_action == "view":
        display(explorer)  # type: ignore[no-untyped-call]
        return None
    from ..export.html import framed, to_html

    html = framed(to_html(explorer, max_mb=MAX_MB))
    explorer.close()
    return HTML(html)  # type: ignore[no-untyped-call]


def _kind_with(layer: int | None, kinds: Mapping[str, Kind]) -> str:
    """Return the first kind of attention that has a layer."""
    found = {name: kind.attention.layer_numbers for name, kind in kinds.items()}
    for name, numbers in found.items():
        if layer is None or layer in numbers:
            return name
    shown = "; ".join(f"{name} {list(numbers)}".strip() for name, numbers in found.items())
    raise ValueError(f"layer={layer} is not among the layers that are shown: {shown}")

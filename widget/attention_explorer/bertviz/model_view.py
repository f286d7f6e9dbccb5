"""bertviz's model view: every head of every layer at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..protocol import Theme
from ..state import check_index
from .given import Given, several
from .opened import Action, Opened, check_action, check_display_mode, open_view

if TYPE_CHECKING:
    from ..tracing import Kind, Tokens


def model_view(
    attention: object = None,
    tokens: Tokens | Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    display_mode: Theme = "dark",
    encoder_attention: object = None,
    decoder_attention: object = None,
    cross_attention: object = None,
    encoder_tokens: Tokens | Sequence[str] | None = None,
    decoder_tokens: Tokens | Sequence[str] | None = None,
    include_layers: Sequence[int] | None = None,
    include_heads: Sequence[int] | None = None,
    html_action: Action = "view",
    *,
    batch_index: int | None = None,
) -> Opened:
    """Show every head of every layer at once.

    Parameters
    ----------
    attention, tokens, sentence_b_start, prettify_tokens
        As `head_view` takes them.
    encoder_attention, decoder_attention, cross_attention, encoder_tokens, decoder_tokens
        As `head_view` takes them.
    display_mode : {"dark", "light", "auto"}
        ``"auto"``, which is not in bertviz, follows the page.
    include_layers : sequence of int, optional
        The layers that are shown, under their own numbers; all by default.
    include_heads : sequence of int, optional
        The heads to open with. The others are there as well, so that each keeps its number, and the
        view says so.
    html_action, batch_index
        As `head_view` takes them.

    Returns
    -------
    None, IPython.display.HTML or AttentionExplorer
        As `html_action` says.

    Raises
    ------
    ValueError, TypeError
        As `head_view` does; and a mode that isn't there.
    """
    check_action(html_action)
    check_display_mode(display_mode)
    kinds = Given(
        attention,
        tokens,
        sentence_b_start,
        prettify_tokens,
        encoder_attention,
        decoder_attention,
        cross_attention,
        encoder_tokens,
        decoder_tokens,
        include_layers,
        batch_index,
    ).kinds()
    if include_heads is not None:
        include_heads = several("include_heads", include_heads)
        kinds = {name: _noted(kind, include_heads) for name, kind in kinds.items()}
    return open_view("model", kinds, html_action, heads=include_heads, theme=display_mode)


def _noted(kind: Kind, include_heads: list[int]) -> Kind:
    """Return the kind, with a note of the heads that are there beside those asked for."""
    n_heads = kind.attention.n_heads
    try:
        chosen = {check_index(head, n_heads, "heads") for head in include_heads}
    except ValueError as error:
        raise ValueError(f"include_heads={include_heads}: {error}") from None
    if len(chosen) < n_heads:
        kind.attention.notes += (
            f"include_heads={sorted(chosen)}: these are chosen; the other {n_heads - len(chosen)} "
            "are shown too, so that each head keeps its own number.",
        )
    return kind

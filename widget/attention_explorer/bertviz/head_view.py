"""bertviz's head view: the heads of a layer as lines between tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .given import Given
from .opened import Action, Opened, check_action, open_view

if TYPE_CHECKING:
    from ..tracing import Tokens


def head_view(
    attention: object = None,
    tokens: Tokens | Sequence[str] | None = None,
    sentence_b_start: int | None = None,
    prettify_tokens: bool = True,
    layer: int | None = None,
    heads: Sequence[int] | None = None,
    encoder_attention: object = None,
    decoder_attention: object = None,
    cross_attention: object = None,
    encoder_tokens: Tokens | Sequence[str] | None = None,
    decoder_tokens: Tokens | Sequence[str] | None = None,
    include_layers: Sequence[int] | None = None,
    html_action: Action = "view",
    *,
    batch_index: int | None = None,
) -> Opened:
    """Show what the heads of a layer read, as lines between tokens.

    Parameters
    ----------
    attention, encoder_attention, decoder_attention, cross_attention
        One array (batch, heads, queries, keys) a layer, as transformers returns them and as
        `attention.dense_attention` takes them; or what ``generate`` returned, one tuple of these a
        step. The first alone, or one or more of the others, which may be of different depth.
    tokens, encoder_tokens, decoder_tokens : sequence of str
        One for each position.
    sentence_b_start : int, optional
        The first token of the second of two texts: lines can then be shown from one to the other.
    prettify_tokens : bool
        Whether the marks of the tokenizer are read (``"##ing"``, ``"Ġcat"``), or shown.
    layer : int, optional
        The layer to open with; the first that is shown by default.
    heads : sequence of int, optional
        The heads to open with; all by default.
    include_layers : sequence of int, optional
        The layers that are shown, under their own numbers; all by default.
    html_action : {"view", "return", "explorer"}
        Show it, return it as `IPython.display.HTML` that needs neither a kernel nor a network, or
        return the `AttentionExplorer` itself.
    batch_index : int, optional
        Which example of a batch of two or more; not in bertviz.

    Returns
    -------
    None, IPython.display.HTML or AttentionExplorer
        As `html_action` says.

    Raises
    ------
    ValueError
        No attention, or of both forms; tokens that are missing or aren't as many as positions; a
        layer or a head that isn't there; weights that aren't finite.
    TypeError
        Something that is no array of real numbers.
    """
    check_action(html_action)
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
    return open_view("heads", kinds, html_action, layer=layer, heads=heads)

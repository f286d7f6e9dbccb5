"""bertviz's neuron view: what a weight is made of, of queries and keys.

The module can be called, as `show` can: ``from attention_explorer.bertviz import neuron_view`` is
both.
"""

from __future__ import annotations

import sys
from inspect import signature
from types import ModuleType
from typing import Any

from ..protocol import Theme
from .opened import (
    Action,
    Opened,
    act,
    as_value_errors,
    check_action,
    check_display_mode,
    explorer_for,
)

# Those that bertviz has; what a model is, it says itself.
MODEL_TYPES = ("bert", "gpt2", "xlnet", "roberta")


def show(
    model: Any,
    model_type: str,
    tokenizer: Any,
    sentence_a: str,
    sentence_b: str | None = None,
    display_mode: Theme = "dark",
    layer: int | None = None,
    head: int | None = None,
    html_action: Action = "view",
) -> Opened:
    """Show how each weight of a head comes of its query and its keys.

    Parameters
    ----------
    model : transformers model or str
        Any that can be traced, as people load it; see `tracing.trace`.
    model_type : str
        One of bertviz's four names, or the model's own ``config.model_type``. The model is read
        as what it is.
    tokenizer : transformers tokenizer or str
        The model's.
    sentence_a, sentence_b : str
        One text, or two as the tokenizer joins them.
    display_mode : {"dark", "light", "auto"}
        ``"auto"``, which is not in bertviz, follows the page.
    layer, head : int, optional
        Those to open with; 0 by default.
    html_action
        As `head_view` takes it.

    Returns
    -------
    None, IPython.display.HTML or AttentionExplorer
        As `html_action` says.

    Raises
    ------
    ValueError
        No text; a model type that is neither bertviz's nor the model's; a second text for GPT-2; a
        layer or a head that isn't there; a model of bertviz's own; one with a decoder that needs a
        text to write; what `tracing.trace` refuses.
    """
    check_action(html_action)
    check_display_mode(display_mode)
    if not sentence_a:
        raise ValueError("sentence_a is empty: give the text that the model is to read")
    from ..tracing.tracer import load

    model, tokenizer = load(model, tokenizer)
    _check_model(model, model_type)
    if sentence_b and model_type == "gpt2":
        raise ValueError(
            "sentence_b with model_type='gpt2', which reads one text: put both into sentence_a"
        )
    with as_value_errors():
        explorer = explorer_for(html_action).from_model(
            model,
            tokenizer,
            sentence_a,
            sentence_b or None,
            view=["text", "neuron"],
            layer=layer,
            heads=head,
            theme=display_mode,
        )
    return act(explorer, html_action)


def _check_model(model: Any, model_type: str) -> None:
    if type(model).__module__.startswith("bertviz."):
        raise ValueError(
            f"this {type(model).__name__} is bertviz's own copy of 2019: load the model from "
            "transformers, or from attention_explorer.bertviz.transformers_neuron_view"
        )
    config = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(
            f"{type(model).__name__} has a decoder, which needs a text to write: "
            "AttentionExplorer.from_model(model, tokenizer, text, target=..., "
            "view=['text', 'neuron'])"
        )
    own = getattr(config, "model_type", None)
    if model_type not in (*MODEL_TYPES, own):
        raise ValueError(
            f"model_type={model_type!r}: expected {', '.join(map(repr, MODEL_TYPES))}, or what the "
            f"model itself says, {own!r}"
        )


class _Callable(ModuleType):
    """A module that is called as the function that it is about."""

    __call__ = staticmethod(show)


sys.modules[__name__].__class__ = _Callable
__signature__ = signature(show)  # or inspect takes `model` for a self

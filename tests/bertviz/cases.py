"""Calls that both bertviz and we are to answer, and what they are called with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import bertviz.neuron_view

import bertviz
from attention_explorer import AttentionExplorer
from attention_explorer import bertviz as ours

from .arguments import arguments, copied
from .shown import Shown, read_ours, read_theirs

# How an answer of ours stands to bertviz's: it shows no less; refuses what it shows or breaks on;
# shows what it breaks on.
Expected = Literal["the same", "refuses", "shows"]
Answer = Shown | Exception


@dataclass(frozen=True)
class Case:
    """A call as a person writes it, and which of what it shows is of interest."""

    about: str
    call: str
    tells: str = ""
    expected: Expected = "the same"
    # Those of the choices whose weights are bertviz's; all of bertviz's by default.
    same: tuple[str, ...] | None = None

    def theirs(self) -> Answer:
        """Return what bertviz shows, or how it fails."""
        return _answer(self.call, THEIR_VIEWS, lambda page: read_theirs(page.data))

    def ours(self) -> Answer:
        """Return what we show, or say instead."""
        return _answer(self.call, OUR_VIEWS, read_ours)


VIEWS = ("head_view", "model_view", "neuron_view")
THEIR_VIEWS = {
    "head_view": partial(bertviz.head_view, html_action="return"),
    "model_view": partial(bertviz.model_view, html_action="return"),
    "neuron_view": partial(bertviz.neuron_view.show, html_action="return"),
}
OUR_VIEWS = {name: partial(getattr(ours, name), html_action="explorer") for name in VIEWS}


def _answer(call: str, views: dict[str, Any], read: Callable[[Any], Shown]) -> Answer:
    given = arguments()
    if views is THEIR_VIEWS:
        given |= {"model": copied(given["model"]), "gpt2": copied(given["gpt2"])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = eval(call, {**given, **views})
            shown = read(found)
        except Exception as error:
            return error
    if isinstance(found, AttentionExplorer):
        found.close()
    return shown


_PAIR = "attention, tokens, sentence_b_start=start"
CASES = [
    Case("a model's attentions", "head_view(attention, tokens)", "tokens layers heads mode"),
    Case("a model's attentions", "model_view(attention, tokens)", "layers heads mode"),
    Case("`sentence_b_start`", f"head_view({_PAIR})", "choices"),
    Case("`sentence_b_start`", f"model_view({_PAIR})", "choices"),
    Case("`prettify_tokens`", "head_view(attention, tokens, prettify_tokens=False)", "tokens"),
    Case("`prettify_tokens`", "model_view(attention, tokens, prettify_tokens=False)", "tokens"),
    Case("`layer`", "head_view(attention, tokens, layer=2)", "layers"),
    Case("`heads`", "head_view(attention, tokens, heads=[1, 3])", "heads"),
    Case("`include_layers`", "head_view(attention, tokens, include_layers=[2, 0])", "layers"),
    Case(
        "`include_layers`, `layer`",
        "head_view(attention, tokens, layer=2, include_layers=[0, 2])",
        "layers",
    ),
    Case("`include_layers`", "model_view(attention, tokens, include_layers=[1, 2])", "layers"),
    Case("`include_heads`", "model_view(attention, tokens, include_heads=[1, 3])", "heads"),
    Case("`display_mode`", "model_view(attention, tokens, display_mode='light')", "mode"),
    Case("two stacks", "head_view(**two_stacks_3)", "choices"),
    Case("two stacks", "model_view(**two_stacks_3)", "choices"),
    Case(
        "two stacks",
        "model_view(cross_attention=two_stacks_3['cross_attention'], "
        "encoder_tokens=two_stacks_3['encoder_tokens'], "
        "decoder_tokens=two_stacks_3['decoder_tokens'])",
        "tokens",
    ),
    Case(
        "two stacks",
        "head_view(**two_stacks_3, include_layers=[2], layer=2)",
        "choices layers",
    ),
    Case(
        "neuron view",
        "neuron_view(model, 'bert', tokenizer, sentence_a, display_mode='dark', layer=2, head=3)",
        "tokens layers heads mode",
    ),
    Case(
        "neuron view",
        "neuron_view(model, 'bert', tokenizer, sentence_a, sentence_b, display_mode='light')",
        "choices layers heads mode",
        # There special tokens belong to the sentences, here to none.
        same=("",),
    ),
    Case("neuron view", "neuron_view(gpt2, 'gpt2', byte_tokenizer, 'The cat sat')", "tokens"),
]
REFUSED = [
    Case("no attention", "head_view()"),
    Case("no attention", "model_view()"),
    Case("no tokens", "head_view(attention)"),
    Case("no tokens", "model_view(attention)"),
    Case("both forms", "head_view(attention, tokens, encoder_tokens=tokens)"),
    Case("both forms", "model_view(attention, tokens, cross_attention=attention)"),
    *(
        Case(
            f"no `{tokens}`",
            f"{view}({kind}_attention=attention{others})",
        )
        for view in ("head_view", "model_view")
        for kind, tokens, others in (
            ("encoder", "encoder_tokens", ""),
            ("decoder", "decoder_tokens", ""),
            ("cross", "encoder_tokens", ", decoder_tokens=tokens"),
            ("cross", "decoder_tokens", ", encoder_tokens=tokens"),
        )
    ),
    Case("too few tokens", "head_view(attention, tokens[1:-1])"),
    Case("too few tokens", "model_view(encoder_attention=attention, encoder_tokens=tokens[1:])"),
    Case("`layer`", "head_view(attention, tokens, layer=3)"),
    Case("`layer`", "head_view(attention, tokens, layer=1, include_layers=[0, 2])"),
    Case("`include_layers`", "head_view(attention, tokens, include_layers=[0, 3])"),
    Case("`include_heads`", "model_view(attention, tokens, include_heads=[1, 4])"),
    Case("`sentence_b_start`", "head_view(attention, tokens, sentence_b_start=0)"),
    Case("`html_action`", "head_view(attention, tokens, html_action='save')"),
    Case("`html_action`", "model_view(attention, tokens, html_action='save')"),
    Case("`model_type`", "neuron_view(model, 'brt', tokenizer, sentence_a)"),
    Case("`sentence_a`", "neuron_view(model, 'bert', tokenizer, '')"),
    Case("`sentence_b`", "neuron_view(gpt2, 'gpt2', byte_tokenizer, 'The cat', 'sat')"),
    Case("hidden states", "head_view(outputs.last_hidden_state, tokens)"),
    Case("what `sdpa` returns", "head_view(outputs.attentions, tokens)"),
    Case("`outputs[-1]`", "model_view(outputs[-1], tokens)"),
    Case("a batch", "head_view(batch, tokens)"),
]
BEYOND = [
    Case("a batch", "head_view(batch, tokens, batch_index=1)", "tokens", "shows"),
    Case("numpy", "head_view([layer.numpy() for layer in attention], tokens)", "layers", "shows"),
    Case("bfloat16", "head_view([w.bfloat16() for w in attention], tokens)", "layers"),
    Case("`generate()`", "head_view(generated, written[:-1])", "choices", "shows"),
    Case("stacks of different depth", "head_view(**two_stacks_2)", "choices", "shows"),
    Case(
        "stacks of different depth",
        "model_view(**two_stacks_2, include_layers=[0, 1, 2])",
        "choices",
        "shows",
    ),
    Case(
        "`</script>` in a token",
        "head_view(attention, [*tokens[:-1], '</script>'])",
        "tokens",
        "shows",
    ),
    Case(
        "a model of today",
        "neuron_view(stock, 'bert', tokenizer, sentence_a)",
        "tokens",
        "shows",
    ),
    Case(
        "a pair for XLNet",
        "neuron_view(xlnet, 'xlnet', tokenizer, sentence_a, sentence_b)",
        "tokens",
        "shows",
    ),
    Case("NaN", "head_view(holed, tokens)", "", "refuses"),
    Case("`heads`", "head_view(attention, tokens, heads=[99])", "heads", "refuses"),
    Case("`include_layers`", "model_view(attention, tokens, include_layers=[])", "", "refuses"),
    Case("`display_mode`", "model_view(attention, tokens, display_mode='x')", "mode", "refuses"),
]

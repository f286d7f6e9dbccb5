"""Which number of a model's output is explained, and the token that somebody means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..tracing import Tokens
from ..tracing.limits import name_of
from ..tracing.live import Live

# A token or label by number or name; or at a position: (position, number or name).
Target = int | str | tuple[int, int | str]


@dataclass(frozen=True)
class Chosen:
    """One number that a model gives, with what it is of, in words."""

    number: torch.Tensor
    name: str


def chosen_output(
    live: Live, output: Any, target: Target | None, tokens: Tokens, kept: torch.Tensor
) -> Chosen:
    """Return the number that is explained.

    Parameters
    ----------
    live : Live
        The model.
    output : ModelOutput
        Of one example.
    target : int, str, (position, int or str), or None
        A label or a token; by default what the model itself says: the likeliest next token, the
        likeliest label, the sum of start and end of the best answer, what stands for the mask.
    tokens : Tokens
        Without padding.
    kept : tensor of int64
        Their positions in the output.

    Raises
    ------
    ValueError
        The model returns representations alone, or isn't asked for one number.
    """
    if getattr(output, "start_logits", None) is not None:
        return _answer(output, target, tokens, kept)
    logits = getattr(output, "logits", None)
    if logits is None:
        raise ValueError(why_no_output(live.model))
    if logits.ndim == 2:
        label = _best(logits[0]) if target is None else label_of(live.model, target)
        return Chosen(logits[0, label], f"the label {_label_name(live.model, label)}")
    position, asked = target if isinstance(target, tuple) else (None, target)
    if position is None:
        position = _usual_position(live, tokens, kept)
    if not 0 <= position < len(tokens):
        raise ValueError(f"position {position} isn't there: 0 to {len(tokens) - 1}")
    row = logits[0, kept[position].to(logits.device)]
    where = f"“{tokens.text[position]}” ({position})"
    if not has_unembedding(live.model):
        label = _best(row) if asked is None else label_of(live.model, asked)
        return Chosen(row[label], f"the label {_label_name(live.model, label)} of {where}")
    token = _best(row) if asked is None else token_of(live, asked)
    after = "after" if _writes(live.model) else "at"
    return Chosen(row[token], f"the logit of “{token_text(live, token)}” {after} {where}")


def has_unembedding(model: Any) -> bool:
    """Tell whether a model says how likely each token of its vocabulary is."""
    get = getattr(model, "get_output_embeddings", None)
    return get is not None and get() is not None


def why_no_output(model: Any) -> str:
    """Return why a model has nothing to explain, "" where it may have."""
    kind = type(model).__name__
    if has_unembedding(model) or "Classification" in kind or "QuestionAnswering" in kind:
        return ""
    return (
        f"{name_of(model)} ({kind}) returns representations, and no number to explain: load it "
        "with a head, e.g. by AutoModelForCausalLM or AutoModelForSequenceClassification"
    )


def token_of(live: Live, token: int | str) -> int:
    """Return the number of a token of the vocabulary."""
    size = len(live.model.get_output_embeddings().weight)
    number = token if isinstance(token, int) else _number_of(live, token)
    if not 0 <= number < size:
        raise ValueError(f"token {number} isn't in the vocabulary: 0 to {size - 1}")
    return number


def _number_of(live: Live, text: str) -> int:
    if live.tokenizer is None:
        raise ValueError(f"{text!r} needs the tokenizer that the trace was made without")
    ids = live.tokenizer(text, add_special_tokens=False)["input_ids"]
    if len(ids) != 1:
        raise ValueError(
            f"{text!r} is {len(ids)} tokens: pass one, by its number or with the space that stands "
            "before it in the text"
        )
    return int(ids[0])


def token_text(live: Live, token: int) -> str:
    """Return what a token is in a text, its number where nobody knows."""
    return f"token {token}" if live.tokenizer is None else str(live.tokenizer.decode([token]))


def label_of(model: Any, label: object) -> int:
    """Return the number of a label."""
    names = dict(getattr(model.config, "id2label", None) or {})
    numbers = {name: number for number, name in names.items()}
    found = numbers.get(label, label) if isinstance(label, str) else label
    if not isinstance(found, int) or found not in names:
        raise ValueError(f"there is no label {label!r}: {', '.join(map(repr, names.values()))}")
    return found


def _label_name(model: Any, label: int) -> str:
    return str((getattr(model.config, "id2label", None) or {}).get(label, label))


def _answer(output: Any, target: Target | None, tokens: Tokens, kept: torch.Tensor) -> Chosen:
    """Return start + end of the best answer, which doesn't stand in the question."""
    if target is not None:
        raise ValueError("the answer is explained as the model gives it: leave target= away")
    starts, ends = (
        logits[0][kept.to(logits.device)] for logits in (output.start_logits, output.end_logits)
    )
    first = min(1, max(tokens.segment, default=0))
    may = torch.tensor([segment >= first for segment in tokens.segment], device=starts.device)
    sums = (starts[:, None] + ends[None]).detach().masked_fill(~(may[:, None] & may), -torch.inf)
    lower = torch.ones_like(sums, dtype=torch.bool).tril(-1)
    start, end = divmod(int(sums.masked_fill(lower, -torch.inf).argmax()), len(starts))
    words = "".join(
        (tokens.gap[i] if i > start else "") + tokens.text[i] for i in range(start, end + 1)
    )
    return Chosen(starts[start] + ends[end], f"start + end of the answer “{words}”")


def _usual_position(live: Live, tokens: Tokens, kept: torch.Tensor) -> int:
    """Return where the output is that a person means: the last token's, or the only mask's."""
    if _writes(live.model):
        return len(tokens) - 1
    mask = getattr(live.tokenizer, "mask_token_id", None)
    ids = live.inputs.get("input_ids")
    if mask is not None and ids is not None:
        masked = (ids[0].cpu()[kept.cpu()] == mask).nonzero()[:, 0].tolist()
        if len(masked) == 1:
            return int(masked[0])
    raise ValueError(
        f"{name_of(live.model)} says something of every token: name one with target=(position, "
        "token or label), or let the text have a single mask"
    )


def _writes(model: Any) -> bool:
    """Tell whether the output at a token is of the one after it."""
    can_generate = getattr(model, "can_generate", None)
    return bool(can_generate is not None and can_generate())


def _best(row: torch.Tensor) -> int:
    return int(row.detach().argmax())

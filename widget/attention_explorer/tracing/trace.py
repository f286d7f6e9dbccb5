"""From a model and a text to a `Trace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..attention.base import Attention
from .tokens import Tokens

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, repr=False)
class Trace:
    """What one forward pass left behind.

    Attributes
    ----------
    tokens : Tokens
        Of the queries, and of the keys where `key_tokens` is None.
    attention : Attention
        The weights, as many queries as `tokens`.
    model_name : str
        The checkpoint's name, or the model's class.
    text, text_pair : str or None
        What was traced, where it was given as text.
    key_tokens : Tokens or None
        Of the keys, where they are other tokens.
    """

    tokens: Tokens
    attention: Attention
    model_name: str
    text: str | None = None
    text_pair: str | None = None
    key_tokens: Tokens | None = None

    @property
    def source(self) -> str:
        """How the numbers were had, in words."""
        return self.attention.source

    def __repr__(self) -> str:
        sides = f"{len(self.tokens)} tokens"
        if self.key_tokens is not None:
            sides += f" to {len(self.key_tokens)}"
        layers, heads = self.attention.n_layers, self.attention.n_heads
        return f"Trace({self.model_name}: {sides}, {layers} layers x {heads} heads; {self.source})"


def trace(
    model: Any,
    tokenizer: Any = None,
    text: str | None = None,
    text_pair: str | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    tokens: Tokens | Sequence[str] | None = None,
    batch_index: int | None = None,
    max_length: int | None = None,
) -> Trace:
    """Run a model once on a text and keep what it attended to.

    The model runs as it was loaded, whatever its backend, without dropout and gradients, and is
    left exactly as it was found. Weights are rebuilt from the pass's queries and keys when they are
    asked for, so a trace takes O(tokens) memory.

    Parameters
    ----------
    model : transformers model or str
        An encoder or a decoder; a string is loaded with ``AutoModel.from_pretrained``.
    tokenizer : transformers tokenizer or str, optional
        Needed for a text, unless `model` is a string.
    text, text_pair : str, optional
        What to trace; two texts as the tokenizer joins them, e.g. question and context.
    inputs : BatchEncoding or mapping, optional
        Prepared inputs with ``input_ids`` instead of a text.
    tokens : Tokens or sequence of str, optional
        With `inputs`: what to show, one for each position, where the tokenizer isn't to be asked.
    batch_index : int, optional
        Which example of `inputs`, where they hold two or more.
    max_length : int, optional
        Cut the text to so many tokens.

    Returns
    -------
    Trace
        Without the positions that the attention mask calls padding: `Attention.notes` says so.

    Raises
    ------
    ValueError
        No text, a text longer than the model can read, inputs without ``input_ids``, a batch
        without `batch_index`, or a model that returns no attention.
    NotImplementedError
        An encoder-decoder model.
    """
    from . import families
    from .forward import read_attention

    model, tokenizer = _load(model, tokenizer)
    families.check_supported(model)
    if inputs is None:
        if text is None:
            raise ValueError("there is nothing to trace: pass a text, or inputs=")
        encoding = _encode(tokenizer, text, text_pair, max_length)
    elif text is not None or text_pair is not None:
        raise ValueError("both a text and inputs= are given: pass one of them")
    else:
        encoding = inputs
    batch, chosen = _one_example(encoding, batch_index, model)
    _check_ids(batch["input_ids"], model, families.longest_input(model))
    shown = _tokens_of(tokens, tokenizer, encoding, chosen, text, text_pair)
    n_tokens = batch["input_ids"].shape[1]
    if len(shown) != n_tokens:
        raise ValueError(f"{len(shown)} tokens for {n_tokens} input_ids: every one needs one")
    kept = _real_positions(batch)
    attention = read_attention(model, batch, kept)
    if len(kept) < n_tokens:
        shown = shown.keep(kept.tolist())
        attention.notes += (f"{n_tokens - len(kept)} positions of padding are left out.",)
    return Trace(shown, attention, _name_of(model), text, text_pair)


def _load(model: Any, tokenizer: Any) -> tuple[Any, Any]:
    if isinstance(model, str):
        from transformers import AutoModel

        tokenizer = model if tokenizer is None else tokenizer
        model = AutoModel.from_pretrained(model)
    if isinstance(tokenizer, str):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(tokenizer)
    model = getattr(model, "_orig_mod", model)  # a compiled model shows nothing of its inside
    if not callable(getattr(model, "named_modules", None)):
        raise TypeError(
            f"the model has to be a transformers model or its name, got {type(model).__name__}"
        )
    return model, tokenizer


def _encode(
    tokenizer: Any, text: str, text_pair: str | None, max_length: int | None
) -> Mapping[str, Any]:
    for name, given in (("text", text), ("text_pair", text_pair)):
        if given is None:
            continue
        if not isinstance(given, str):
            raise TypeError(
                f"{name} has to be one string, got {type(given).__name__}: trace several texts one "
                "by one, or pass inputs= with batch_index="
            )
        if not given.strip():
            raise ValueError(f"{name} is empty: there is nothing to attend to")
    if tokenizer is None:
        raise ValueError(
            "a text needs the model's tokenizer: trace(model, tokenizer, text); or pass inputs="
        )
    encoding: Mapping[str, Any] = tokenizer(
        text, text_pair, truncation=max_length is not None, max_length=max_length, verbose=False
    )
    return encoding


def _one_example(
    encoding: Mapping[str, Any], batch_index: int | None, model: Any
) -> tuple[dict[str, torch.Tensor], int]:
    """Return a batch of one on the model's device, and which example it is."""
    import torch

    if "input_ids" not in encoding:
        raise ValueError(
            f"the inputs have no 'input_ids' (only {', '.join(map(str, encoding)) or 'nothing'}): "
            "pass what tokenizer(text, return_tensors='pt') returns"
        )
    given = {name: torch.as_tensor(value) for name, value in encoding.items() if value is not None}
    if given["input_ids"].ndim == 1:
        given = {name: value[None] for name, value in given.items()}
    size = given["input_ids"].shape[0]
    if batch_index is None and size != 1:
        raise ValueError(
            f"the inputs are a batch of {size} examples: choose one with batch_index= "
            f"(0 to {size - 1})"
        )
    chosen = 0 if batch_index is None else batch_index
    if not 0 <= chosen < size:
        raise ValueError(f"batch_index={chosen} is not in a batch of {size} (0 to {size - 1})")
    device = next(model.parameters()).device
    batch = {
        name: (value[chosen : chosen + 1] if value.ndim and len(value) == size else value)
        for name, value in given.items()
    }
    return {name: value.to(device) for name, value in batch.items()}, chosen


def _check_ids(ids: torch.Tensor, model: Any, longest: int | None) -> None:
    n_tokens = ids.shape[1]
    if n_tokens == 0:
        raise ValueError("the inputs hold no tokens: there is nothing to attend to")
    if longest is not None and n_tokens > longest:
        raise ValueError(
            f"the text has {n_tokens} tokens and {_name_of(model)} can read {longest}: shorten it, "
            f"or cut it with max_length={longest}"
        )
    get_embeddings = getattr(model, "get_input_embeddings", None)
    known = getattr(get_embeddings() if get_embeddings else None, "num_embeddings", None)
    if known is not None and int(ids.max()) >= known:
        raise ValueError(
            f"the inputs hold token number {int(ids.max())} and {_name_of(model)} knows {known}: "
            "does the tokenizer belong to this model?"
        )


def _tokens_of(
    tokens: Tokens | Sequence[str] | None,
    tokenizer: Any,
    encoding: Mapping[str, Any],
    chosen: int,
    text: str | None,
    text_pair: str | None,
) -> Tokens:
    if isinstance(tokens, Tokens):
        return tokens
    if tokens is not None:
        return Tokens.from_strings(tokens)
    if tokenizer is not None:
        texts = None if text is None else [t for t in (text, text_pair) if t is not None]
        return Tokens.from_encoding(tokenizer, encoding, texts, chosen)
    if getattr(encoding, "encodings", None):
        return Tokens.from_strings(encoding.encodings[chosen].tokens)  # type: ignore[attr-defined]
    ids = encoding["input_ids"]
    row = ids[chosen] if hasattr(ids[0], "__len__") else ids
    return Tokens.from_strings([str(int(i)) for i in row])


def _real_positions(batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Return the positions that are no padding, on the CPU."""
    import torch

    mask = batch.get("attention_mask")
    if mask is None or mask.ndim != 2:
        return torch.arange(batch["input_ids"].shape[1])
    kept = mask[0].cpu().nonzero()[:, 0]
    if len(kept) == 0:
        raise ValueError("the attention mask calls every position padding: nothing is left")
    return kept


def _name_of(model: Any) -> str:
    name = getattr(getattr(model, "config", None), "name_or_path", "")
    is_folder = isinstance(name, str) and PurePath(name).is_absolute()
    return (PurePath(name).name if is_folder else name) or type(model).__name__

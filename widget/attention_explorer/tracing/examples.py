"""What a person gives to trace, brought to a batch for the model and the sequences in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .limits import check_limits
from .streams import Stream, audio_stream, image_stream, numbered, text_stream
from .tokens import Tokens

# What a model's encoder or only stack reads, and how many dimensions a batch of it has.
_SOURCES = {
    "input_ids": 2,
    "inputs_embeds": 3,
    "pixel_values": 4,
    "input_features": 3,
    "input_values": 2,
}


@dataclass(frozen=True)
class Text:
    """One example that is given as text; `target` is what a decoder is to write."""

    text: str
    pair: str | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        for name, given in (("text", self.text), ("text_pair", self.pair), ("target", self.target)):
            if given is None:
                continue
            if not isinstance(given, str):
                raise TypeError(f"{name} has to be a string, got {type(given).__name__}")
            if name != "target" and not given.strip():
                raise ValueError(f"{name} is empty: there is nothing to attend to")


@dataclass(frozen=True)
class Examples:
    """A batch on the model's device, and the sequences in it by the names of `kinds.SIDES`."""

    batch: dict[str, torch.Tensor]
    streams: dict[str, Stream]
    size: int


def first_device(model: torch.nn.Module) -> torch.device:
    """Return where inputs go: the first device that holds weights or, by accelerate, will."""
    for parameter in model.parameters():
        if parameter.device.type != "meta":
            return parameter.device
    for module in model.modules():
        device = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
        if device is not None:
            return torch.device(device)
    return torch.device("cpu")


def takes_target(model: Any) -> bool:
    """Tell whether the model is an encoder and a decoder."""
    import inspect

    config = getattr(model, "config", None)
    takes = "decoder_input_ids" in inspect.signature(model.forward).parameters
    return takes and bool(getattr(config, "is_encoder_decoder", False))


def from_texts(
    model: Any, tokenizer: Any, texts: Sequence[Text], max_length: int | None
) -> Examples:
    """Return the batch of some texts, padded on the right.

    Parameters
    ----------
    model, tokenizer
        Of transformers.
    texts : sequence of Text
        One or more.
    max_length : int, optional
        Cut each text to so many tokens.
    """
    if tokenizer is None:
        raise ValueError(
            "a text needs the model's tokenizer: trace(model, tokenizer, text); or pass inputs="
        )
    encodings = [
        tokenizer(
            t.text, t.pair, truncation=max_length is not None, max_length=max_length, verbose=False
        )
        for t in texts
    ]
    padding = getattr(tokenizer, "pad_token_id", None) or 0
    batch, mask = padded(encodings, padding)
    tokens = [
        Tokens.from_encoding(tokenizer, encoding, [p for p in (t.text, t.pair) if p is not None])
        for encoding, t in zip(encodings, texts, strict=True)
    ]
    source = text_stream(tokens, mask)
    streams = {"source": source, "text": source}
    if takes_target(model):
        decoders = [{"input_ids": _target_ids(model, tokenizer, text.target)} for text in texts]
        decoder, mask = padded(decoders, padding)
        batch["decoder_input_ids"] = decoder["input_ids"]
        if len(texts) > 1:
            batch["decoder_attention_mask"] = mask
        streams["target"] = text_stream(
            [Tokens.from_encoding(tokenizer, decoder, None) for decoder in decoders], mask
        )
    elif any(text.target is not None for text in texts):
        raise _no_target(model, "text")
    return _on_device(model, batch, streams, len(texts))


def from_inputs(
    model: Any,
    tokenizer: Any,
    inputs: Mapping[str, Any],
    tokens: Tokens | Sequence[str] | None,
    target: str | None,
    batch_index: int | None,
) -> Examples:
    """Return the batch of one example of prepared inputs.

    Parameters
    ----------
    model : transformers model
        Tells the start of a target.
    tokenizer : transformers tokenizer, optional
        Names the tokens.
    inputs : mapping
        As a tokenizer or processor returns them.
    tokens : Tokens or sequence of str, optional
        Names of the positions of what the model's encoder or only stack reads.
    target : str, optional
        What a decoder is to write, where the inputs don't say.
    batch_index : int, optional
        Which example.
    """
    given = {name: torch.as_tensor(value) for name, value in inputs.items() if value is not None}
    main = next((name for name in _SOURCES if name in given), None)
    if main is None:
        raise ValueError(
            f"the inputs have no 'input_ids' (only {', '.join(map(str, inputs)) or 'nothing'}): "
            "pass what tokenizer(text, return_tensors='pt') returns, or an image processor's "
            "'pixel_values', or a feature extractor's 'input_features'"
        )
    if given[main].ndim == _SOURCES[main] - 1:
        given = {name: value[None] for name, value in given.items()}
    size = len(given[main])
    chosen = _choose(batch_index, size)
    batch = {
        name: (value[chosen : chosen + 1] if value.ndim and len(value) == size else value)
        for name, value in given.items()
    }
    if takes_target(model):
        _add_target(model, tokenizer, batch, target)
    elif target is not None:
        raise _no_target(model, "inputs")
    streams = _streams_of(model, batch, main)
    if main in ("input_ids", "inputs_embeds"):
        named = _named(tokens, tokenizer, inputs, chosen, batch[main].shape[1])
        if len(named) != batch[main].shape[1]:
            raise ValueError(
                f"{len(named)} tokens for {batch[main].shape[1]} {main}: every one needs one"
            )
        mask = _mask_of(batch, main, "attention_mask")
        streams["source"] = streams["text"] = text_stream([_kept(named, mask)], mask)
    elif tokens is not None:
        names = tokens if isinstance(tokens, Tokens) else Tokens.from_strings(tokens)
        streams["source"] = Stream(lambda *_: names, len(names))
    if "decoder_input_ids" in batch:
        ids = batch["decoder_input_ids"]
        named = _named(None, tokenizer, {"input_ids": ids}, 0, ids.shape[1])
        mask = _mask_of(batch, "decoder_input_ids", "decoder_attention_mask")
        streams["target"] = text_stream([_kept(named, mask)], mask)
    return _on_device(model, batch, streams, 1)


def _no_target(model: Any, where: str) -> ValueError:
    return ValueError(
        f"target= is for models with an encoder and a decoder, and {type(model).__name__} is "
        f"none: put all of it into the {where}"
    )


def _streams_of(model: Any, batch: Mapping[str, torch.Tensor], main: str) -> dict[str, Stream]:
    """Return the streams of images and sounds, and of what has no names."""
    streams = {}
    if "pixel_values" in batch:
        streams["vision"] = image_stream(batch["pixel_values"], model.config)
    if main == "pixel_values":
        streams["source"] = streams["vision"]
    elif main == "input_features":
        streams["source"] = audio_stream(batch["input_features"])
    elif main == "input_values":
        streams["source"] = Stream(lambda _, n_positions: numbered(n_positions))
    return streams


def _choose(batch_index: int | None, size: int) -> int:
    if batch_index is None and size != 1:
        raise ValueError(
            f"the inputs are a batch of {size} examples: choose one with batch_index= "
            f"(0 to {size - 1})"
        )
    chosen = 0 if batch_index is None else batch_index
    if not 0 <= chosen < size:
        raise ValueError(f"batch_index={chosen} is not in a batch of {size} (0 to {size - 1})")
    return chosen


def _add_target(
    model: Any, tokenizer: Any, batch: dict[str, torch.Tensor], target: str | None
) -> None:
    """Let the decoder's input be what is given, what makes the labels, or the target text."""
    labels = batch.pop("labels", None)
    if "decoder_input_ids" in batch:
        if target is not None:
            raise ValueError("both a target and decoder_input_ids are given: pass one of them")
        return
    if labels is not None and target is None:
        batch["decoder_input_ids"] = _shifted(model, labels.cpu())
        return
    ids = _target_ids(model, tokenizer, target)
    batch["decoder_input_ids"] = torch.tensor([ids])


def _target_ids(model: Any, tokenizer: Any, target: str | None) -> list[int]:
    """Return what a decoder reads while it writes the target: its start, and all but the end."""
    name = type(model).__name__
    if target is None:
        raise ValueError(
            f"{name} has a decoder, which needs a text to write: pass it as target='...', or "
            "decoder_input_ids in inputs=, e.g. what model.generate(...) returned"
        )
    if tokenizer is None:
        raise ValueError("a target needs the model's tokenizer: trace(model, tokenizer, ...)")
    labels = tokenizer(text_target=target, verbose=False)["input_ids"]
    ids: list[int] = _shifted(model, torch.tensor([labels]))[0].tolist()
    return ids


def _shifted(model: Any, labels: torch.Tensor) -> torch.Tensor:
    """Return the decoder's input for labels, as the model itself makes it in training."""
    start = getattr(model.config, "decoder_start_token_id", None)
    if start is not None and bool((labels[:, 0] == start).all()):
        return labels[:, :-1]  # Whisper's tokenizer writes the start itself
    shift = getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if shift is not None:
        shifted: torch.Tensor = shift(labels=labels.to(model.device))
        return shifted.cpu()
    if start is None:
        raise ValueError(
            f"{type(model).__name__}'s configuration doesn't say which token its decoder starts "
            "with: set model.config.decoder_start_token_id, or pass decoder_input_ids in inputs="
        )
    before = torch.full((len(labels), 1), start, dtype=labels.dtype)
    return torch.cat([before, labels[:, :-1]], dim=1)


def padded(
    encodings: Sequence[Mapping[str, Any]], padding: int
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Return a batch that is padded on the right, and where it isn't padding."""
    lengths = [len(encoding["input_ids"]) for encoding in encodings]
    longest = max(lengths)
    batch = {
        name: torch.tensor(
            [
                [*encoding[name], *[padding * (name == "input_ids")] * (longest - length)]
                for encoding, length in zip(encodings, lengths, strict=True)
            ],
            dtype=torch.long,
        )
        for name in encodings[0]
    }
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    if len(set(lengths)) > 1:
        batch["attention_mask"] = mask
    return batch, mask


def _mask_of(batch: Mapping[str, torch.Tensor], ids: str, name: str) -> torch.Tensor:
    """Return which positions are no padding, on the CPU."""
    mask = batch.get(name)
    if mask is None or mask.shape != batch[ids].shape[:2]:
        return torch.ones(batch[ids].shape[:2], dtype=torch.long)
    if not bool(mask.any()):
        raise ValueError("the attention mask calls every position padding: nothing is left")
    return mask.cpu()


def _kept(tokens: Tokens, mask: torch.Tensor) -> Tokens:
    return tokens if bool(mask.all()) else tokens.keep(mask[0].nonzero()[:, 0].tolist())


def _named(
    tokens: Tokens | Sequence[str] | None,
    tokenizer: Any,
    inputs: Mapping[str, Any],
    chosen: int,
    n_positions: int,
) -> Tokens:
    """Return the tokens of one example, padding included."""
    if isinstance(tokens, Tokens):
        return tokens
    if tokens is not None:
        return Tokens.from_strings(tokens)
    if "input_ids" not in inputs:
        return numbered(n_positions)
    if tokenizer is not None:
        return Tokens.from_encoding(tokenizer, inputs, None, chosen)
    if getattr(inputs, "encodings", None):
        return Tokens.from_strings(inputs.encodings[chosen].tokens)  # type: ignore[attr-defined]
    ids = inputs["input_ids"]
    row = ids[chosen] if hasattr(ids[0], "__len__") else ids
    return Tokens.from_strings([str(int(i)) for i in row])


def _on_device(
    model: Any, batch: dict[str, torch.Tensor], streams: dict[str, Stream], size: int
) -> Examples:
    check_limits(model, batch, "target" in streams)
    device = first_device(model)
    return Examples({name: value.to(device) for name, value in batch.items()}, streams, size)

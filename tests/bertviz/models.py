"""Tiny random models of the real classes, in folders that are called as on the hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import pre_tokenizers

from tests.tracing.families import BART, BERT, COMMON, HEADS, LAYERS

_WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on mat lay rug rabbit turtle quick slow ##ly hop "
    "##ped crawl ##ed because it was tired ."
)
_MERGES = [("Ġ", "c"), ("a", "t"), ("Ġc", "at"), ("Ġ", "s"), ("Ġs", "at"), ("Ġ", "t"), ("Ġt", "h")]


def word_pieces() -> Any:
    """Return BERT's tokenizer, of a few words and pieces."""
    return transformers.BertTokenizer(vocab={word: i for i, word in enumerate(_WORDS.split())})


def byte_pieces(class_name: str, *specials: str) -> Any:
    """Return a byte-level tokenizer that knows " cat", " sat" and " th"."""
    pieces = [*specials, *sorted(pre_tokenizers.ByteLevel.alphabet()), *map("".join, _MERGES)]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    return getattr(transformers, class_name)(vocab=vocab, merges=_MERGES)


def build(name: str, tokenizer: Any, options: dict[str, Any], **changes: Any) -> Any:
    """Return a model of a class that can read all that its tokenizer knows."""
    known = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    config = getattr(transformers, f"{name}Config")(**{**options, **known, **changes})
    torch.manual_seed(0)
    model: Any = getattr(transformers, f"{name}Model")(config)
    model.eval()
    return model


def bert() -> tuple[Any, Any]:
    """Return a BERT and its tokenizer."""
    tokenizer = word_pieces()
    return build("Bert", tokenizer, BERT), tokenizer


def roberta() -> tuple[Any, Any]:
    """Return a RoBERTa and its tokenizer."""
    tokenizer = byte_pieces("RobertaTokenizer", "<s>", "<pad>", "</s>", "<unk>", "<mask>")
    return build("Roberta", tokenizer, BERT, max_position_embeddings=90), tokenizer


def gpt2() -> tuple[Any, Any]:
    """Return a GPT-2 and its tokenizer."""
    tokenizer = byte_pieces("GPT2Tokenizer", "<|endoftext|>")
    size = {"n_embd": 32, "n_layer": LAYERS, "n_head": HEADS, "n_positions": 90}
    return build("GPT2", tokenizer, {**COMMON, **size}), tokenizer


def xlnet() -> tuple[Any, Any]:
    """Return an XLNet and a tokenizer, though of BERT's kind."""
    tokenizer = word_pieces()
    size = {"d_model": 32, "n_layer": LAYERS, "n_head": HEADS, "d_inner": 40}
    return build("XLNet", tokenizer, size), tokenizer


def _distilbert() -> tuple[Any, Any]:
    tokenizer = word_pieces()
    size = {"dim": 32, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": 40}
    return build("DistilBert", tokenizer, {**COMMON, **size}), tokenizer


def _two_stacks(name: str) -> tuple[Any, Any]:
    """Return a model of an encoder and a decoder of the same depth, all that bertviz can show."""
    tokenizer = byte_pieces("RobertaTokenizer", "<s>", "<pad>", "</s>", "<unk>", "<mask>")
    return build(
        name, tokenizer, BART, decoder_layers=LAYERS, max_position_embeddings=90
    ), tokenizer


ON_THE_HUB: dict[str, Callable[[], tuple[Any, Any]]] = {
    "bert-base-uncased": bert,
    "distilbert-base-uncased": _distilbert,
    "roberta-base": roberta,
    "gpt2": gpt2,
    "facebook/bart-large-cnn": lambda: _two_stacks("Bart"),
    "Helsinki-NLP/opus-mt-en-de": lambda: _two_stacks("Marian"),
}


def save_all(folder: Path) -> None:
    """Save all of them, so that code that runs in the folder loads them by their names."""
    for name, make in ON_THE_HUB.items():
        for part in make():
            part.save_pretrained(folder / name)

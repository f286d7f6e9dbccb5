from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from .questions import ASKED, PAIRS

library: Any = transformers
TEXTS = [context for context, _ in ASKED] + [question for question, _ in PAIRS]
NORMALIZER = normalizers.BertNormalizer(lowercase=True)
SPLITTER = pre_tokenizers.BertPreTokenizer()

# Larger than usual, so that answers differ by more than rounding; much larger, and rounding grows
# from layer to layer until it is as large as what the best answers differ by.
INITIAL = 0.4
BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "initializer_range": INITIAL,
}
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertForQuestionAnswering", "wordpiece", {**BERT, "max_position_embeddings": 384}),
    "roberta": (
        "RobertaForQuestionAnswering",
        "byte_level",
        {**BERT, "max_position_embeddings": 386, "pad_token_id": 1, "type_vocab_size": 1},
    ),
    "distilbert": (
        "DistilBertForQuestionAnswering",
        "wordpiece_without_types",
        {
            "dim": 16,
            "n_layers": 2,
            "n_heads": 4,
            "hidden_dim": 24,
            "initializer_range": INITIAL,
            "max_position_embeddings": 384,
        },
    ),
    "electra": (
        "ElectraForQuestionAnswering",
        "wordpiece",
        {**BERT, "embedding_size": 12, "max_position_embeddings": 384},
    ),
    "xlnet": (
        "XLNetForQuestionAnsweringSimple",
        "question_last",
        {"d_model": 16, "n_layer": 2, "n_head": 4, "d_inner": 24, "initializer_range": INITIAL},
    ),
    "bart": (
        "BartForQuestionAnswering",
        "byte_level",
        {
            "d_model": 16,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 24,
            "decoder_ffn_dim": 24,
            "init_std": INITIAL,
            "max_position_embeddings": 384,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 2,
            "forced_eos_token_id": None,
        },
    ),
}


def _wordpiece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(_pieces(), unk_token="[UNK]"))
    tokenizer.normalizer = NORMALIZER
    tokenizer.pre_tokenizer = SPLITTER
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _pieces() -> dict[str, int]:
    """Return the special tokens, all letters, and the most frequent beginnings and ends of words.

    A trained vocabulary differs from run to run, and with it the answers of a random model.
    """
    counts: Counter[str] = Counter()
    for text in TEXTS:
        for word, _ in SPLITTER.pre_tokenize_str(NORMALIZER.normalize_str(text)):
            counts.update(word[:cut] for cut in range(1, len(word) + 1))
            counts.update("##" + word[cut:] for cut in range(1, len(word)))
    letters = sorted({letter for piece in counts for letter in piece.removeprefix("##")})
    frequent = sorted(counts, key=lambda piece: (-counts[piece], piece))
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces = dict.fromkeys([*specials, *letters, *("##" + it for it in letters), *frequent])
    return {piece: number for number, piece in enumerate([*pieces][:500])}


def _in_brackets(tokenizer: Any, pair: str, **options: Any) -> Any:
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair=pair, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return library.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        **options,
    )


def _byte_level() -> Any:
    """RoBERTa's scheme: no token types, </s></s> between the texts, several tokens to an é."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return library.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        model_input_names=["input_ids", "attention_mask"],
    )


@cache
def tokenizer_of(scheme: str) -> Any:
    if scheme == "byte_level":
        return _byte_level()
    pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
    if scheme == "question_last":  # XLNet's
        return _in_brackets(_wordpiece(), "$A [SEP] $B:1 [SEP]:1 [CLS]:2", padding_side="left")
    names = ["input_ids", "attention_mask"]
    if scheme == "wordpiece":
        names.insert(1, "token_type_ids")
    return _in_brackets(_wordpiece(), pair, model_input_names=names)


@pytest.fixture(scope="session")
def reader() -> Callable[..., tuple[Any, Any]]:
    """Return a function that builds a tiny random model of a real class, and its tokenizer."""

    def build(family: str, **changes: Any) -> tuple[Any, Any]:
        name, scheme, options = FAMILIES[family]
        tokenizer = tokenizer_of(scheme)
        kind = getattr(library, name)
        torch.manual_seed(0)
        config = kind.config_class(**{"vocab_size": len(tokenizer), **options, **changes})
        return kind(config).eval(), tokenizer

    return build

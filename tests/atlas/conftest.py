from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tokenizers import pre_tokenizers

from tests.words import word_tokenizer

LETTERS = "abcdefghijklmnopqrst"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, ".", ",", "##a", "##b"]


def random_texts(count: int, longest: int = 12, seed: int = 0) -> list[str]:
    """Return texts of a few words, most of them twice in one, each text once."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = rng.choice([*LETTERS[:6], ".", ","], rng.integers(1, longest))
        found[f"{LETTERS[len(found) % 20]} {' '.join(words)}"] = None
    return list(found)


def make_tokenizer() -> Any:
    """Return a tokenizer of whole words, with a start and an end."""
    return word_tokenizer(WORDS, pre_tokenizers.WhitespaceSplit())


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


def make_encoder(longest: int = 40, seed: int = 0, n_words: int = len(WORDS)) -> Any:
    config = transformers.BertConfig(
        vocab_size=n_words,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=16,
        max_position_embeddings=longest,
        initializer_range=1.0,
    )
    torch.manual_seed(seed)
    model: Any = transformers.BertModel(config)
    return model.eval()


@pytest.fixture(scope="session")
def encoder() -> Any:
    """Return a small random BERT that reads 40 tokens: 2 layers of 3 heads."""
    return make_encoder()


@pytest.fixture(scope="session")
def decoder() -> Any:
    """Return a small random Llama: 2 layers of 4 heads, 2 of whose keys are shared."""
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=16,
        initializer_range=1.0,
    )
    torch.manual_seed(0)
    model: Any = transformers.LlamaModel(config)
    return model.eval()

"""A tokenizer of whole words, for models that are made for a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors


def word_tokenizer(words: Sequence[str], split: pre_tokenizers.PreTokenizer) -> Any:
    """Return one that knows these words, [PAD], [UNK], [CLS] and [SEP] among them."""
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = split
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", words.index("[CLS]")), ("[SEP]", words.index("[SEP]"))],
    )
    fast: Any = transformers.PreTrainedTokenizerFast
    return fast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )

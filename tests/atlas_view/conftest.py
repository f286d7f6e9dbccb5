from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from attention_explorer.atlas import HeadAtlas, profile_heads
from tests.atlas.conftest import make_encoder, make_tokenizer, random_texts
from tests.explorer.conftest import wires as wires


class Made(NamedTuple):
    """An atlas, what it is of, and the texts that it read."""

    atlas: HeadAtlas
    model: Any
    tokenizer: Any
    texts: list[str]


@pytest.fixture(scope="session")
def made() -> Made:
    """Return an atlas of 2 layers of 3 heads over 24 texts, of which it keeps 20."""
    model, tokenizer, texts = make_encoder(), make_tokenizer(), random_texts(24)
    atlas = profile_heads(model, tokenizer, texts, exemplars=20, progress=False)
    return Made(atlas, model, tokenizer, texts)

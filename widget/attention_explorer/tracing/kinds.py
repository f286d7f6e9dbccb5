"""Which attention of a model a module belongs to, and which sequences its two sides are."""

from __future__ import annotations

import re

_CROSS = re.compile(r"cross|enc_?dec|encoder_att", re.IGNORECASE)
_VISION = re.compile(r"^(vision|visual|image|vit)(_|$)|^img_")
_TEXT = re.compile(r"^(text|language)(_|$)")

# The sequences that queries and keys of each kind are; "stack" is the only one of its model.
SIDES = {
    "encoder": ("source", "source"),
    "decoder": ("target", "target"),
    "cross": ("target", "source"),
    "text": ("text", "text"),
    "vision": ("vision", "vision"),
    "stack": ("source", "source"),
}


def kind_of(name: str, has_target: bool) -> str:
    """Return the kind of attention of a module, a key of `SIDES`.

    Parameters
    ----------
    name : str
        The module's path in the model.
    has_target : bool
        Whether the model is an encoder and a decoder.
    """
    parts = name.split(".")
    if has_target:
        side = next((part for part in parts if part in ("encoder", "decoder")), "encoder")
        is_cross = side == "decoder" and any(_CROSS.search(part) for part in parts)
        return "cross" if is_cross else side
    for part in parts:
        if _VISION.search(part):
            return "vision"
        if _TEXT.search(part):
            return "text"
    return "stack"

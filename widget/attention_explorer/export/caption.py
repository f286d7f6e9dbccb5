"""What a figure says below itself: whose weights these are, and what was done to them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..attention.base import Float
from .scene import Scene
from .signs import short


def caption_of(scene: Scene, remarks: Sequence[str], every_head: bool) -> str:
    """Return a figure's caption; `remarks` is what the view has to say of itself."""
    attention = scene.attention
    heads = (
        f"{attention.n_layers} layers × {attention.n_heads} heads"
        if every_head
        else heads_text(scene)
    )
    kind = f"{scene.kind} attention" if scene.kind else ""
    count = (
        f"{attention.n_queries} {scene.unit}s"
        if scene.same_tokens
        else f"{attention.n_queries} queries, {attention.n_keys} keys"
    )
    number = "" if scene.number == "weight" else scene.number
    parts = [scene.model, kind, number, heads, count, *remarks, *attention.notes]
    return " · ".join(part.rstrip(".") for part in parts if part)


def heads_text(scene: Scene) -> str:
    """Return the layer, by the model's own number, and the heads that are shown."""
    layer = f"layer {scene.attention.layer_numbers[scene.layer]}"
    heads = scene.heads
    if scene.attention.n_heads == 1 and scene.number != "weight":
        return layer
    if len(heads) == 1:
        return f"{layer} · head {heads[0]}"
    if len(heads) == scene.attention.n_heads:
        return f"{layer} · all {len(heads)} heads"
    return f"{layer} · heads {', '.join(map(str, heads))}"


def reads_text(scene: Scene) -> str:
    """Return whose reading is shown, in words; empty where no query is selected."""
    if scene.query is None:
        return ""
    return f"what “{short(scene.queries, scene.query)}” ({scene.query}) reads"


def readers_text(scene: Scene) -> str:
    """Return whose readers are shown, in words; empty where no key is selected."""
    if scene.key is None:
        return ""
    return f"what reads “{short(scene.keys, scene.key)}” ({scene.key})"


def selected_text(scene: Scene) -> str:
    """Return both."""
    return ", ".join(filter(None, (reads_text(scene), readers_text(scene))))


def mean_text(scene: Scene) -> str:
    """Return what was done to several heads where one number stands for them."""
    return f" (mean over {len(scene.heads)} heads)" if len(scene.heads) > 1 else ""


def pooled_text(scene: Scene, factor: int, cell: str) -> list[str]:
    """Return what was done to weights that share a cell, where any do."""
    return [f"{scene.pooling}-pooled, 1 cell = {cell}"] if factor > 1 else []


def percent(share: float) -> str:
    """Return a share in words."""
    return f"{100 * share:.{1 if 0 < share < 0.1 else 0}f} %"


def mass(weights: Float) -> float:
    """Return the sum of the sizes of weights."""
    return float(np.abs(weights).sum(dtype=np.float64))

"""Whether rebuilt weights are the model's own: rows times V against what its backend gave."""

from __future__ import annotations

import torch

from ..attention.from_qk import LayerStates, QKAttention
from .capture import Record
from .trace import Check as Check

# Relative to the largest |V|. Right weights come within a tenth of it, a forgotten bias or window
# far beyond.
_TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 2e-2}

ROWS = 8
# Rows that are rebuilt at once.
BLOCK_ROWS = 64


def tolerance(*dtypes: torch.dtype) -> float:
    """Return what rounding may make in the coarsest of some number formats."""
    return max(_TOLERANCE.get(dtype, 0.0) for dtype in dtypes)


def sample(kept: torch.Tensor, rows: int) -> torch.Tensor:
    """Return evenly spread indices into `kept`, ends included."""
    return torch.linspace(0, len(kept) - 1, min(rows, len(kept))).round().long()


def output_difference(
    states: LayerStates,
    record: Record,
    example: int,
    queries: torch.Tensor,
    keys: torch.Tensor,
    picks: torch.Tensor,
) -> float:
    """Return how far rebuilt rows times V are from the backend's own output, over max |V|.

    Infinite where the output has another shape than such products have.

    Parameters
    ----------
    states : LayerStates
        Of `record`, for the positions `queries` and `keys` of the example.
    record : Record
        The call.
    example : int
        Which of the batch.
    queries, keys : tensor of int64
        Positions that are no padding.
    picks : tensor of int64
        Which of these queries are compared.
    """
    own = record.output[example][queries[picks].to(record.output.device)]
    value = record.value[example][:, keys.to(record.value.device)]
    n_heads = len(states.query)
    if own.shape != (len(picks), n_heads, value.shape[-1]) or n_heads % len(value):
        return float("inf")
    attention = QKAttention([states], layer_numbers=[0])
    worst = 0.0
    for head in range(n_heads):
        read = value[head * len(value) // n_heads].to(torch.float32)
        for some, outputs in zip(
            *(torch.split(it, BLOCK_ROWS) for it in (picks, own)), strict=True
        ):
            weights = torch.from_numpy(attention.rows(0, [head], some.tolist())[0]).to(read.device)
            difference = (weights @ read - outputs[:, head].to(torch.float32)).abs().max()
            if not bool(difference.isfinite()):
                return float("inf")
            worst = max(worst, float(difference))
    least, greatest = value.aminmax()
    return worst / max(-float(least), float(greatest), 1e-30)


def misses(name: str, difference: float) -> str:
    """Say that what was rebuilt for a module isn't what it computed."""
    return (
        f"the weights rebuilt for {name} miss its own output by {difference:.2g} of its largest "
        "value: it does something to them that its arguments don't tell"
    )

"""Numbers as JSON has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def known(values: npt.NDArray[Any]) -> list[float | None]:
    """Return numbers in a row, None for those that aren't known: JSON has no NaN."""
    return [float(value) if np.isfinite(value) else None for value in values.ravel()]

"""Whether two atlases are the same."""

from __future__ import annotations

import numpy as np

from attention_explorer.atlas import HeadAtlas

# What another batch makes of the same text, in float32.
ROUNDING = 1e-5


def assert_same(one: HeadAtlas, other: HeadAtlas, tolerance: float = 0.0) -> None:
    """Compare all that two atlases hold; to the last digit where nothing is tolerated."""
    (arrays, rest), (others, its) = one._contents.parts(), other._contents.parts()
    assert rest == its
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating):
            np.testing.assert_allclose(
                array.astype(float),
                others[name].astype(float),
                rtol=tolerance,
                atol=tolerance,
                err_msg=name,
            )
        else:
            # What is equal, or at a threshold, may be rounded to either side.
            most = 0.01 * array.size if tolerance else 0
            assert np.count_nonzero(array != others[name]) <= most, name

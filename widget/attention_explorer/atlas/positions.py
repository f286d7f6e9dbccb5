"""Heads as points: near each other where they read alike."""

from __future__ import annotations

import numpy as np

from ..analysis.sums import Numbers

_SEED = 0


def classical_mds(distances: Numbers) -> Numbers:
    """Return points whose distances are nearest to those given, in two dimensions.

    Torgerson 1952: the two largest eigenvectors of the squared distances, centred. There is no
    chance in it; each axis points to where its largest coordinate is.

    Parameters
    ----------
    distances : array, shape (n, n)
        Symmetric.

    Returns
    -------
    array of float64, shape (n, 2)
    """
    n = len(distances)
    centre = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-centre @ distances**2 @ centre / 2)
    largest = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    points = np.zeros((n, 2))
    points[:, : largest.shape[1]] = largest
    signs = np.sign(points[np.abs(points).argmax(0), [0, 1]])
    found: Numbers = points * np.where(signs == 0, 1, signs)
    return found


def umap(distances: Numbers) -> Numbers:
    """Return points by UMAP (McInnes et al. 2018), with a fixed seed.

    Raises
    ------
    ModuleNotFoundError
        umap-learn isn't installed.
    """
    try:
        from umap import UMAP
    except ModuleNotFoundError as error:
        if error.name != "umap":
            raise
        raise ModuleNotFoundError(
            "positions('umap') needs umap-learn: run `pip install umap-learn`, then restart "
            "Python; or take method='mds', which needs nothing",
            name="umap",
        ) from None
    n_neighbors = min(15, len(distances) - 1)
    made = UMAP(metric="precomputed", n_neighbors=n_neighbors, random_state=_SEED)
    return np.asarray(made.fit_transform(distances), np.float64)

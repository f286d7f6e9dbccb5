"""An atlas in a folder of Parquet files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ..export.needed import need
from .contents import Contents
from .names import MEASURED, PLACED

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"attention_explorer"
_FILES = ("heads", "distances", "exemplars")
# Of every head and score, and of every score alone.
_OF_HEADS = ("scores.count", "scores.mean", "scores.squares", "holds")
_OF_SCORES = ("baselines.count", "baselines.mean", "baselines.squares")
_PLACES = ("query", "key", "weight")


def save(contents: Contents, path: str | os.PathLike[str]) -> None:
    """Write an atlas; see `HeadAtlas.save`."""
    need("pyarrow", "HeadAtlas.save")
    from pyarrow import parquet

    folder = Path(path).resolve()
    if folder.exists():
        _refuse_others(folder)
    tables = _tables(contents)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.unfinished-") as beside:
        new = Path(beside) / "new"
        new.mkdir()
        for name, table in tables.items():
            parquet.write_table(table, new / f"{name}.parquet", compression="zstd")
        _replace(folder, new, Path(beside) / "old")


def _refuse_others(folder: Path) -> None:
    """Raise FileExistsError where something else than an atlas, or more, would be replaced."""
    from pyarrow import ArrowException, parquet

    known = {f"{name}.parquet" for name in _FILES}
    there = {it.name for it in folder.iterdir()} if folder.is_dir() else set[str]()
    try:
        is_atlas = there == known and all(
            _KEY in (parquet.read_schema(folder / name).metadata or {}) for name in known
        )
    except (OSError, ArrowException):
        is_atlas = False
    if not is_atlas:
        others = sorted(there - known)
        why = f", as it holds {others[0]!r}" if others else ""
        raise FileExistsError(f"{folder} is there and is no atlas{why}: name another folder")


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Put a folder in the place of another; wherever this ends, one of them is whole."""
    try:
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise


def load(path: str | os.PathLike[str]) -> Contents:
    """Read an atlas; see `HeadAtlas.load`."""
    need("pyarrow", "HeadAtlas.load")
    from pyarrow import ArrowException, parquet

    folder = Path(path)
    try:
        tables = {name: parquet.read_table(folder / f"{name}.parquet") for name in _FILES}
    except (OSError, ArrowException) as error:
        raise ValueError(f"{folder} holds no whole atlas: {error}") from error
    metadata = tables["heads"].schema.metadata or {}
    if _KEY not in metadata:
        raise ValueError(f"{folder} holds Parquet files that are no atlas")
    rest = json.loads(metadata[_KEY])
    Contents.check_version(rest, str(folder))
    try:
        arrays, written = _arrays(tables, rest)
    except KeyError as error:
        raise ValueError(f"{folder} holds no whole atlas: {error}") from error
    return Contents.of(arrays, {**rest, **written}, str(folder))


def _tables(contents: Contents) -> dict[str, pa.Table]:
    import pyarrow as pa

    arrays, rest = contents.parts()
    entries, written = rest.pop("entries"), rest.pop("written")
    shape = contents.anatomy.n_layers, contents.anatomy.n_heads
    score, layer, head = (it.ravel() for it in np.indices((len(MEASURED), *shape), np.int32))
    n_heads = shape[0] * shape[1]
    one, other = np.triu_indices(n_heads, 1)
    heads = {
        "score": np.array(MEASURED)[score],
        "layer": layer,
        "head": head,
        **{name: arrays[name].ravel() for name in _OF_HEADS},
        **{name: np.repeat(arrays[name], n_heads) for name in _OF_SCORES},
    }
    distances = {
        "layer": one // shape[1],
        "head": one % shape[1],
        "other layer": other // shape[1],
        "other head": other % shape[1],
        "sum over texts": arrays["apart"][one, other],
    }
    flat = {name: _lists(arrays[f"exemplars.{name}"]) for name in ("values", *_PLACES)}
    exemplars = {
        "text": [entry[0] for entry in entries],
        "pair": pa.array([entry[1] for entry in entries], pa.string()),
        "tokens": pa.array([its[0] for its in written], pa.list_(pa.string())),
        "gaps": pa.array([its[1] for its in written], pa.list_(pa.string())),
        "special": pa.array([its[2] for its in written], pa.list_(pa.bool_())),
        "sample key": arrays["exemplars.keys"],
        "index": arrays["exemplars.index"],
        **flat,
    }
    metadata = {_KEY: json.dumps(rest).encode()}
    named = {"heads": heads, "distances": distances, "exemplars": exemplars}
    return {
        name: pa.table(columns).replace_schema_metadata(metadata) for name, columns in named.items()
    }


def _lists(array: Any) -> pa.Array:
    """Return one list a text, of all that is known of it."""
    import pyarrow as pa

    width = int(np.prod(array.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), width)


def _arrays(
    tables: dict[str, pa.Table], rest: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what `Contents.parts` gave."""
    shape = rest["anatomy"]["n_layers"], rest["anatomy"]["n_heads"]
    whole = len(MEASURED), *shape
    heads, exemplars = tables["heads"], tables["exemplars"]
    found = {name: heads[name].to_numpy().reshape(whole) for name in _OF_HEADS}
    found |= {name: heads[name].to_numpy().reshape(whole)[:, 0, 0] for name in _OF_SCORES}
    n_heads = shape[0] * shape[1]
    found["apart"] = np.zeros((n_heads, n_heads))
    apart = tables["distances"]["sum over texts"].to_numpy()
    found["apart"][np.triu_indices(n_heads, 1)] = apart
    for name in ("values", *_PLACES):
        parts = len(MEASURED) if name == "values" else len(PLACED)
        flat = exemplars[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        found[f"exemplars.{name}"] = flat.reshape(-1, parts, *shape)
    found["exemplars.keys"] = exemplars["sample key"].to_numpy()
    found["exemplars.index"] = exemplars["index"].to_numpy()
    texts = zip(exemplars["text"].to_pylist(), exemplars["pair"].to_pylist(), strict=True)
    columns = (exemplars[name].to_pylist() for name in ("tokens", "gaps", "special"))
    tokens = zip(*columns, strict=True)
    return found, {"entries": list(texts), "written": list(tokens)}

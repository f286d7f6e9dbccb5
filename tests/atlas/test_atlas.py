"""What an atlas says: tables, labels, positions, files."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_explorer import trace
from attention_explorer.analysis import head_labels, head_scores
from attention_explorer.atlas import HeadAtlas, profile_heads
from attention_explorer.atlas.intervals import t_quantile
from attention_explorer.atlas.positions import classical_mds
from attention_explorer.atlas.tally import Moments

from .conftest import make_encoder, random_texts
from .same import assert_same

COUNT = 90


@pytest.fixture(scope="module")
def atlas(encoder: Any, tokenizer: Any) -> HeadAtlas:
    return profile_heads(encoder, tokenizer, random_texts(COUNT), progress=False)


def test_t_is_that_of_the_tables() -> None:
    """Catches the normal's 1.96 for some texts, and an expansion with a wrong term."""
    table = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 10: 2.228, 30: 2.042, 1000: 1.962}
    for degrees, value in table.items():
        assert t_quantile(degrees) == pytest.approx(value, rel=0.01 if degrees == 3 else 0.001)
    assert t_quantile(10, 0.99) == pytest.approx(3.169, rel=0.001)
    assert np.isnan(t_quantile(0))
    with pytest.raises(ValueError, match="expected a share between 0 and 1"):
        t_quantile(3, 95)


def test_moments_of_parts_are_those_of_the_whole() -> None:
    """Catches NaN that counts, a part without numbers, and the spread of the parts' means lost."""
    values = np.random.default_rng(0).normal(5, 2, (40, 3))
    values[:25, 1] = np.nan
    values[:, 2] = np.nan
    parts = [Moments.of(part) for part in np.split(values, [10, 13, 13])]
    found = parts[0]
    for part in parts[1:]:
        found = found.with_others(part)
    np.testing.assert_array_equal(found.count, [40, 15, 0])
    np.testing.assert_allclose(found.mean[:2], [values[:, 0].mean(), values[25:, 1].mean()])
    own = [values[:, 0].std(ddof=1), values[25:, 1].std(ddof=1)]
    np.testing.assert_allclose(found.deviation[:2], own)
    assert np.isnan(found.deviation[2])


def test_the_interval_is_that_of_the_means_of_texts(
    atlas: HeadAtlas, encoder: Any, tokenizer: Any
) -> None:
    """Catches an interval over tokens, and the deviation for the standard error."""
    table: Any = atlas.to_frame("score", confidence=0.9)
    found = table.loc[(1, 2, "peak")]
    texts = random_texts(COUNT)
    own = [head_scores(trace(encoder, tokenizer, it))["peak"][1, 2] for it in texts]
    half = t_quantile(COUNT - 1, 0.9) * np.std(own, ddof=1) / COUNT**0.5
    assert found["low"] == pytest.approx(np.mean(own) - half, abs=1e-6)
    assert found["high"] == pytest.approx(np.mean(own) + half, abs=1e-6)


def test_the_table_of_heads(atlas: HeadAtlas) -> None:
    frame = atlas.to_frame()
    assert list(frame.columns) == list(HeadAtlas.scores)
    assert list(frame.index) == [(layer, head) for layer in range(2) for head in range(3)]
    assert frame.loc[(1, 2), "peak"] == atlas.score("peak")[1, 2]
    assert frame.attrs["texts"] == COUNT
    with pytest.raises(ValueError, match="expected 'head' or 'score'"):
        atlas.to_frame("layer")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'peaks' is no score of an atlas"):
        atlas.score("peaks")


def test_a_saved_atlas_is_the_same(atlas: HeadAtlas, tmp_path: Path) -> None:
    """Catches axes that change places, a pair lost, and half an atlas in the place of a whole."""
    folder = tmp_path / "atlas"
    atlas.save(folder)
    atlas.save(folder)
    assert_same(atlas, HeadAtlas.load(folder))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["atlas"]
    (folder / "exemplars.parquet").unlink()
    with pytest.raises(ValueError, match="holds no whole atlas"):
        HeadAtlas.load(folder)
    with pytest.raises(FileExistsError, match="is there and is no atlas"):
        atlas.save(tmp_path)


def test_nothing_but_an_atlas_is_replaced(atlas: HeadAtlas, tmp_path: Path) -> None:
    """Catches a person's files deleted with the folder, or because of its name."""
    mine = tmp_path / "atlas"
    atlas.save(mine)
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is no atlas, as it holds 'notes"):
        atlas.save(mine)
    assert_same(atlas, HeadAtlas.load(mine))
    others = tmp_path / "others"
    others.mkdir()
    for name in ("heads", "distances", "exemplars"):
        (others / f"{name}.parquet").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="is no atlas: name another"):
        atlas.save(others)
    assert (others / "heads.parquet").read_bytes() == b"mine"
    beside = tmp_path / "new.unfinished"
    beside.mkdir()
    atlas.save(tmp_path / "new")
    assert beside.is_dir()


def test_an_atlas_of_another_version_is_told_from_a_broken_one(
    atlas: HeadAtlas, tmp_path: Path
) -> None:
    """Catches other arrays that are read before the version is, and end in numpy's words."""
    from pyarrow import parquet

    atlas.save(tmp_path / "atlas")
    heads = tmp_path / "atlas" / "heads.parquet"
    table = parquet.read_table(heads)
    metadata = {name: it.replace(b'"peak"', b'"top"') for name, it in table.schema.metadata.items()}
    parquet.write_table(table.slice(1).replace_schema_metadata(metadata), heads)
    with pytest.raises(ValueError, match="was written by another version"):
        HeadAtlas.load(tmp_path / "atlas")
    parquet.write_table(table.drop_columns(["holds"]), heads)
    with pytest.raises(ValueError, match="holds no whole atlas"):
        HeadAtlas.load(tmp_path / "atlas")


def test_an_atlas_of_pairs_is_saved_with_them(encoder: Any, tokenizer: Any, tmp_path: Path) -> None:
    atlas = profile_heads(encoder, tokenizer, [("a b", "c"), ("d", "e")], progress=False)
    atlas.save(tmp_path / "pairs")
    assert_same(atlas, HeadAtlas.load(tmp_path / "pairs"))


def test_an_atlas_is_readable_by_others(atlas: HeadAtlas, tmp_path: Path) -> None:
    """Catches a file whose numbers only this package can tell apart."""
    import pandas as pd

    atlas.save(tmp_path / "atlas")
    heads = pd.read_parquet(tmp_path / "atlas" / "heads.parquet")
    row = heads[(heads["score"] == "peak") & (heads["layer"] == 1) & (heads["head"] == 2)]
    assert float(row["scores.mean"].iloc[0]) == atlas.score("peak")[1, 2]
    texts = pd.read_parquet(tmp_path / "atlas" / "exemplars.parquet")["text"]
    assert set(texts) == set(random_texts(COUNT))


def test_reading_one_needs_no_torch(atlas: HeadAtlas, tmp_path: Path) -> None:
    """Catches seconds of torch before the first table."""
    atlas.save(tmp_path / "atlas")
    code = (
        "import sys; from attention_explorer import HeadAtlas, profile_heads;"
        f"atlas = HeadAtlas.load({str(tmp_path / 'atlas')!r});"
        "atlas.to_frame('score'); atlas.labels; atlas.positions(); atlas.search(0, 1, 'peak');"
        "print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_model_before_and_after(atlas: HeadAtlas, tokenizer: Any, encoder: Any) -> None:
    """Catches a difference the wrong way around, and errors of two corpora taken for one's."""
    other = make_encoder(seed=1)
    texts = random_texts(COUNT)
    found: Any = atlas.compare(profile_heads(other, tokenizer, texts, progress=False))
    assert found.attrs["paired"]
    own = np.array(
        [
            head_scores(trace(other, tokenizer, text))["entropy"][1, 2]
            - head_scores(trace(encoder, tokenizer, text))["entropy"][1, 2]
            for text in texts
        ]
    )
    row = found.loc[(1, 2, "entropy")]
    assert row["difference"] == pytest.approx(own.mean(), abs=1e-5)
    assert row["standard error"] == pytest.approx(own.std(ddof=1) / COUNT**0.5, abs=1e-5)
    assert row["low"] < row["difference"] < row["high"]
    elsewhere = profile_heads(encoder, tokenizer, random_texts(50, seed=3), progress=False)
    apart = atlas.compare(elsewhere)
    assert not apart.attrs["paired"]
    one, two = (it.to_frame("score")["standard error"].to_numpy() for it in (atlas, elsewhere))
    np.testing.assert_allclose(apart["standard error"], np.hypot(one, two), atol=1e-12)


def test_only_models_of_one_shape_are_compared(
    atlas: HeadAtlas, decoder: Any, tokenizer: Any
) -> None:
    other = profile_heads(decoder, tokenizer, ["a b c"], progress=False)
    with pytest.raises(ValueError, match="one atlas has 2 x 3 heads and the other 2 x 4"):
        atlas.compare(other)


def test_a_head_without_a_sink_is_named_as_on_one_text(encoder: Any, tokenizer: Any) -> None:
    """Catches another threshold, a baseline forgotten, and a label of another head.

    A text and a few that only differ by a token that is never looked at are its copies.
    """
    text = "a b c d e f g h i j k l m n o p"
    own = head_labels(trace(encoder, tokenizer, text))
    atlas = profile_heads(encoder, tokenizer, [text] * 6, progress=False)
    compared = 0
    for at, labels in own.items():
        if labels and not any(label.aside for label in labels):
            found = atlas.labels[at]
            assert [it.name for it in found[: len(labels)]] == [it.name for it in labels]
            for label, ours in zip(labels, found, strict=False):
                assert ours.score == pytest.approx(label.score, abs=1e-5)
                assert ours.support == ours.holds == 6
                compared += 1
    fewer = profile_heads(encoder, tokenizer, [text] * 4, progress=False)
    assert not any(fewer.labels.values())
    assert compared or not any(own.values())


def test_points_of_a_plane_are_found_again() -> None:
    """Catches distances that aren't squared, and a centre that isn't taken out."""
    points = np.random.default_rng(0).normal(size=(7, 2)) @ np.diag([3, 1])
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    found = classical_mds(distances)
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found, axis=-1), distances)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-12)


def test_positions_by_distance_by_scores_and_by_what_is_missing(atlas: HeadAtlas) -> None:
    assert atlas.positions().shape == (2, 3, 2)
    np.testing.assert_array_equal(atlas.positions(("peak", "first"))[..., 1], atlas.score("first"))
    with pytest.raises(ValueError, match="expected 'mds', 'umap' or two scores"):
        atlas.positions("tsne")  # type: ignore[arg-type]
    if find_spec("umap") is None:
        with pytest.raises(ModuleNotFoundError, match="pip install umap-learn"):
            atlas.positions("umap")


def test_a_picture_has_every_head(atlas: HeadAtlas) -> None:
    """Catches heads that are left out because nothing names them."""
    figure: Any = atlas.plot("peak", "entropy")
    (axes,) = figure.axes
    drawn = np.concatenate([part.get_offsets() for part in axes.collections])
    assert len(drawn) == 6
    expected = atlas.positions(("peak", "entropy")).reshape(-1, 2)
    np.testing.assert_allclose(sorted(map(tuple, drawn)), sorted(map(tuple, expected)))
    assert axes.get_xlabel() == "peak"
    assert atlas.plot(method="mds", ax=axes) is axes

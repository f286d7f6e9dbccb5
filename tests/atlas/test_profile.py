"""Corpora of every form, in any order, in batches of any size."""

from __future__ import annotations

import random
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_explorer import trace
from attention_explorer.analysis import head_scores
from attention_explorer.atlas import HeadAtlas, profile_heads
from attention_explorer.atlas.corpus import Entry

from .conftest import make_encoder, random_texts
from .same import ROUNDING, assert_same


def profile(model: Any, tokenizer: Any, texts: Any, **options: Any) -> HeadAtlas:
    return profile_heads(model, tokenizer, texts, progress=False, **options)


@pytest.fixture(scope="module")
def whole(encoder: Any, tokenizer: Any) -> HeadAtlas:
    """Return an atlas over three units of texts."""
    return profile(encoder, tokenizer, random_texts(600), exemplars=40)


def test_batches_of_any_size_give_the_same(whole: HeadAtlas, encoder: Any, tokenizer: Any) -> None:
    """Catches a text that is left out at the end of a batch, and padding that counts."""
    for batch_tokens in (1, 333):
        other = profile(
            encoder, tokenizer, random_texts(600), exemplars=40, batch_tokens=batch_tokens
        )
        assert_same(whole, other, ROUNDING)


def test_texts_in_any_order_give_the_same_scores_and_exemplars(
    whole: HeadAtlas, encoder: Any, tokenizer: Any
) -> None:
    """Catches exemplars that are the first ones, or depend on how units fall."""
    texts = random_texts(600)
    random.Random(0).shuffle(texts)
    other = profile(encoder, tokenizer, texts, exemplars=40)
    for name in HeadAtlas.scores:
        np.testing.assert_allclose(whole.score(name), other.score(name), atol=1e-6)
    np.testing.assert_allclose(whole.distances, other.distances, atol=1e-6)
    ours, theirs = (it._contents.tally.exemplars for it in (whole, other))
    assert ours.entries == theirs.entries
    assert len(ours) == 40
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-5)


def test_a_text_that_is_there_twice_counts_twice_and_is_one_exemplar(
    encoder: Any, tokenizer: Any
) -> None:
    atlas = profile(encoder, tokenizer, ["a b", "c d e", "a b"])
    assert atlas.n_texts == 3
    exemplars = atlas._contents.tally.exemplars
    assert sorted(zip((it.text for it in exemplars.entries), exemplars.index, strict=True)) == [
        ("a b", 0),
        ("c d e", 1),
    ]


def test_a_text_that_is_there_often_leaves_room_for_others(encoder: Any, tokenizer: Any) -> None:
    """Catches a sample that is filled with one text, and lacks those with the next keys."""
    texts = ["a b", "c d e", "f", "g h"]
    smallest = sorted(texts, key=lambda text: Entry(text).key)[:3]
    atlas = profile(encoder, tokenizer, [smallest[0]] * 5 + texts, exemplars=3)
    assert [it.text for it in atlas._contents.tally.exemplars.entries] == smallest


class Rows:
    """What a streamed data set shows: it is iterated over, and has no length."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from self._rows


def test_lists_lines_files_and_rows_are_the_same_corpus(
    encoder: Any, tokenizer: Any, tmp_path: Path
) -> None:
    """Catches line ends in a text, and a blank line that counts."""
    texts = ["a b c", "b , c .", "d"]
    file = tmp_path / "texts.txt"
    file.write_text("a b c\n\nb , c .\r\n   \nd", encoding="utf-8")
    expected = profile(encoder, tokenizer, texts)
    for given in (file, str(file), StringIO(file.read_text()), [*texts, "", " "]):
        atlas = profile(encoder, tokenizer, given)
        assert (atlas.n_texts, atlas.n_empty) == (3, 2)
        np.testing.assert_array_equal(atlas.score("entropy"), expected.score("entropy"))
    rows = Rows([{"id": i, "sentence": text} for i, text in enumerate(texts)])
    atlas = profile(encoder, tokenizer, rows, column="sentence")
    np.testing.assert_array_equal(atlas.score("entropy"), expected.score("entropy"))


def test_pairs_are_read_together(encoder: Any, tokenizer: Any) -> None:
    """Catches a pair read as two texts, and pairs and single texts that change places."""
    rows = [("a b c", "d e"), "b b", ("c", "a")]
    atlas = profile(encoder, tokenizer, rows)
    own = [
        head_scores(trace(encoder, tokenizer, *((row,) if isinstance(row, str) else row)))
        for row in rows
    ]
    np.testing.assert_allclose(
        atlas.score("special").ravel(), np.mean([it["special"] for it in own], 0), atol=1e-6
    )
    columns = profile(
        encoder, tokenizer, [{"x": "a b c", "y": "d e"}, {"x": "c", "y": "a"}], column=("x", "y")
    )
    assert columns.search(0, 0, "first", top=1)[0].pair is not None


def test_long_texts_are_cut_and_counted(tokenizer: Any) -> None:
    """Catches a text that breaks the run, and one that is cut in silence."""
    model = make_encoder(longest=9)
    atlas = profile(model, tokenizer, ["a b c", "a b c d e f g", "a b c d e f g h i j"])
    assert atlas.n_cut == 1
    assert atlas.n_tokens == 5 + 9 + 9
    shorter = profile(model, tokenizer, ["a b c", "a b c d e f g"], max_length=6)
    assert shorter.n_cut == 1
    assert shorter.n_tokens == 5 + 6
    with pytest.raises(ValueError, match="at most 9, which is what the model reads"):
        profile(model, tokenizer, ["a"], max_length=10)


def test_what_is_no_corpus_is_said(encoder: Any, tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="no texts"):
        profile(encoder, tokenizer, ["", " "])
    with pytest.raises(TypeError, match=r"row 1 of texts is 7 \(int\)"):
        profile(encoder, tokenizer, ["a", 7])
    with pytest.raises(ValueError, match="row 0 has no column 'text', only 'sentence'"):
        profile(encoder, tokenizer, [{"sentence": "a"}])
    with pytest.raises(FileNotFoundError, match="give a list of texts"):
        profile(encoder, tokenizer, "a b c")
    with pytest.raises(TypeError, match="expected an iterable"):
        profile(encoder, tokenizer, 3)
    with pytest.raises(ValueError, match="exemplars has to be 1 or more"):
        profile(encoder, tokenizer, ["a"], exemplars=0)


def test_a_model_that_writes_what_it_reads_is_told_what_to_do(tokenizer: Any) -> None:
    """Catches a target asked for, of which a corpus has none."""
    import transformers

    config = transformers.T5Config(
        vocab_size=32, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2
    )
    model: Any = transformers.T5Model(config)
    with pytest.raises(ValueError, match=r"model.get_encoder\(\)"):
        profile(model, tokenizer, ["a b"])
    atlas = profile(model.get_encoder(), tokenizer, ["a b", "c d e"])
    assert atlas.shape == (1, 2)

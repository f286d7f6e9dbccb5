"""Treebanks, and which heads read their relations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import pre_tokenizers

from attention_explorer import trace
from attention_explorer.atlas import relation_table
from attention_explorer.atlas.conllu import Word, read_conllu
from tests.words import word_tokenizer

from .conftest import make_encoder

SAMPLE = Path(__file__).parent / "sample.conllu"
VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *"ab.,'",
    *["the", "can", "t", "see", "dog", "cat"],
]


@pytest.fixture(scope="module")
def parsed() -> tuple[Any, Any]:
    """Return a small random BERT whose tokenizer parts marks from words."""
    tokenizer = word_tokenizer(VOCABULARY, pre_tokenizers.Whitespace())
    return make_encoder(n_words=len(VOCABULARY)), tokenizer


def test_sentences_are_read_as_they_are_written() -> None:
    """Catches a space before a mark, an empty node that counts, and a contraction's words lost."""
    first, second = read_conllu(SAMPLE)
    assert first.text == "a cat can't see the dog, b."
    assert second.text == "the b can see a dog."
    assert first.words[1] == Word(2, 5, 5, "nsubj")
    assert first.words[2] == Word(6, 11, 5, "aux")
    assert first.words[3] == Word(6, 11, 5, "advmod")
    assert first.words[4] == Word(12, 15, 0, "root")
    assert [first.text[it.start_char : it.end_char] for it in first.words[6:]] == [
        "dog",
        ",",
        "b",
        ".",
    ]


def test_a_line_of_another_form_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.conllu"
    file.write_text("# a comment\n1\tthe\tthe\n")
    with pytest.raises(ValueError, match=r"bad.conllu, line 2 has 3 columns: expected 10"):
        list(read_conllu(file))
    file.write_text("\t".join(["1", "the", *"____", "x", "det", "_", "_"]) + "\n")
    with pytest.raises(ValueError, match="line 1: a word's number is '1' and its head 'x'"):
        list(read_conllu(file))


def test_the_table_by_hand(parsed: tuple[Any, Any]) -> None:
    """Catches heads and dependents that change places, and a share of sentences, not of cases."""
    model, tokenizer = parsed
    table: Any = relation_table(model, tokenizer, SAMPLE, least=1, progress=False)
    # Tokens of each sentence's determiners and the nouns that these depend on.
    cases = {"a cat can't see the dog, b.": [(1, 2), (7, 8)], "the b can see a dog.": [(1, 2)]}
    cases["the b can see a dog."].append((5, 6))
    hits = np.zeros((2, 3))
    for text, pairs in cases.items():
        traced = trace(model, tokenizer, text)
        tokens = traced.tokens.text
        n = len(tokens)
        for layer, head in np.ndindex(2, 3):
            weights = traced.attention.rows(layer, [head], range(n))[0]
            for reader, right in pairs:
                row = weights[reader].copy()
                row[[0, reader, n - 1]] = 0
                if "'" in tokens:
                    # "can't" is one word of three tokens.
                    row[3] = row[3:6].sum()
                    row[4:6] = 0
                hits[layer, head] += row.argmax() == right
    row = table.loc["det: reads its head"]
    assert (row["layer"], row["head"]) == np.unravel_index(hits.argmax(), hits.shape)
    assert row["score"] == hits.max() / 4
    assert (row["cases"], row["offset"], row["baseline"]) == (4, 1, 1.0)
    assert table.loc["obj: reads its head"]["cases"] == 2
    assert table.loc["obj: reads its head"]["offset"] == -2
    # Of "can't" the second word has no token of its own.
    assert table.loc["syntactic"]["cases"] == 9 + 6 - 1
    assert table.attrs["sentences"] == 2
    fewer = relation_table(model, tokenizer, read_conllu(SAMPLE), least=4, progress=False)
    assert "obj: reads its head" not in fewer.index
    with pytest.raises(ValueError, match="no sentence"):
        relation_table(model, tokenizer, [], progress=False)

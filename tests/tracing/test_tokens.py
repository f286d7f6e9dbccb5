"""Tokens as a person reads them, from strings alone and from a tokenizer's offsets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast as UntypedFast

from attention_explorer import Tokens

PreTrainedTokenizerFast: Any = UntypedFast

CORPUS = ["The cat sat on the mat because it was tired. The café cats were unbelievably tired."] * 3
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def shown(tokens: Tokens) -> str:
    return "|".join(gap + text for gap, text in zip(tokens.gap, tokens.text, strict=True))


def written(tokens: Tokens) -> str:
    pairs = zip(tokens.gap, tokens.text, tokens.special, strict=True)
    return "".join(gap + text for gap, text, special in pairs if not special)


def lengths_of(tokens: Tokens) -> set[int]:
    """Return how long the columns are: all but the segments' names have an entry a token."""
    columns = {name: column for name, column in vars(tokens).items() if name != "segments"}
    return {len(column) for column in columns.values() if column is not None}


def wordpiece() -> Any:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=60, special_tokens=specials)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
        mask_token="[MASK]",
    )


def byte_level(prefix_space: bool) -> Any:
    """GPT-2's scheme, or RoBERTa's: no token types, trimmed offsets, </s></s> between two texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<s>", "<pad>", "</s>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if not prefix_space:
        return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_input_names=["input_ids", "attention_mask"],
    )


def sentencepiece(words: bool) -> Any:
    """T5's scheme, or Llama's, which takes the whole text for one word."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    if words:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    trainer = trainers.BpeTrainer(vocab_size=330, special_tokens=["<unk>", "<s>", "</s>", *BYTES])
    tokenizer.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


TOKENIZERS = {
    "wordpiece": wordpiece(),
    "gpt2": byte_level(False),
    "roberta": byte_level(True),
    "t5": sentencepiece(True),
    "llama": sentencepiece(False),
}


def from_text(scheme: str, *texts: str) -> Tokens:
    tokenizer = TOKENIZERS[scheme]
    return Tokens.from_encoding(tokenizer, tokenizer(*texts), texts)


@pytest.mark.parametrize("scheme", TOKENIZERS)
@pytest.mark.parametrize(
    "text",
    [
        "The Cat  sat,\n\non the CAFÉ unbelievably.",
        "שלום עולם, the cat",
        "猫が sat 座った。",
    ],
)
def test_offsets_give_the_text_exactly_as_written(scheme: str, text: str) -> None:
    """Lower case, lost double spaces or Ġ and ▁ on screen are what the tokenizer's strings give."""
    # Bytes that continue a character have stand-ins; RoBERTa and Llama put a space in front.
    read = re.sub("⟨..⟩", "", written(from_text(scheme, text)))
    assert read.lstrip() == text


@pytest.mark.parametrize("scheme", ["gpt2", "roberta", "t5", "llama"])
def test_tokens_that_share_a_character_show_it_once(scheme: str) -> None:
    """An emoji of four byte tokens read "😀😀😀😀" where each showed its span."""
    tokens = from_text(scheme, "The cat 😀.")
    assert tokens.text.count("😀") == 1
    assert [text for text in tokens.text if text.startswith("⟨")] == ["⟨9F⟩", "⟨98⟩", "⟨80⟩"]
    first = tokens.text.index("😀")
    assert len(set(tokens.word[first : first + 4])) == 1


@pytest.mark.parametrize("scheme", TOKENIZERS)
def test_words_are_the_same_whatever_the_scheme(scheme: str) -> None:
    """Words come from word_ids and offsets, never from "##" or "Ġ"."""
    tokens = from_text(scheme, "The unbelievably tired cats.")
    words: dict[int, str] = {}
    for word, text in zip(tokens.word, tokens.text, strict=True):
        if word >= 0:
            words[word] = words.get(word, "") + text
    punctuated = ["The", "unbelievably", "tired", "cats", "."]
    joined = [*punctuated[:3], "cats."]
    assert [word.strip() for word in words.values()] == (joined if scheme == "t5" else punctuated)
    assert list(words) == list(range(len(words)))


@pytest.mark.parametrize("scheme", ["wordpiece", "roberta"])
def test_two_texts_are_two_segments(scheme: str) -> None:
    """RoBERTa has no token types: segments have to come from sequence_ids."""
    tokens = from_text(scheme, "The cat", "it was tired")
    assert [s for s in tokens.segment if s >= 0] == sorted(s for s in tokens.segment if s >= 0)
    by_segment = {0: "", 1: ""}
    for text, gap, segment in zip(tokens.text, tokens.gap, tokens.segment, strict=True):
        if segment >= 0:
            by_segment[segment] += gap + text
    assert by_segment == {0: "The cat", 1: "it was tired"}
    assert all(tokens.special[i] == (tokens.segment[i] == -1) for i in range(len(tokens)))
    assert tokens.span is not None
    assert tokens.ids == tuple(TOKENIZERS[scheme]("The cat", "it was tired")["input_ids"])


def test_mask_and_unknown_tokens_are_part_of_the_text() -> None:
    tokens = from_text("wordpiece", "The [MASK] sat 😀")
    position = tokens.text.index("[MASK]")
    assert not tokens.special[position]
    assert tokens.word[position] == tokens.word[position - 1] + 1
    assert tokens.raw[-2] == "[UNK]"
    assert tokens.text[-2] == "😀"


def test_without_the_text_tokens_are_read_from_their_marks() -> None:
    tokenizer = TOKENIZERS["wordpiece"]
    encoding = dict(tokenizer("The cats", "was tired", return_tensors="pt"))
    tokens = Tokens.from_encoding(tokenizer, encoding, None)
    assert written(tokens) == "the catswas tired"
    assert tokens.segment[1] == 0
    assert tokens.segment[-2] == 1


def test_replaced_ids_show_what_the_model_read() -> None:
    """Someone masks a token in input_ids: the offsets still tell of the old one."""
    tokenizer = TOKENIZERS["wordpiece"]
    encoding = tokenizer("The cat sat")
    encoding["input_ids"][2] = tokenizer.mask_token_id
    tokens = Tokens.from_encoding(tokenizer, encoding, ["The cat sat"])
    assert "[MASK]" in tokens.text


def test_wordpiece_strings() -> None:
    tokens = Tokens.from_strings(
        ["[CLS]", "the", "cat", "##s", "(", "sat", ")", ".", "[SEP]", "日", "本", "[SEP]", "[PAD]"]
    )
    assert shown(tokens) == "[CLS]|the| cat|s| (|sat|)|.|[SEP]|日|本|[SEP]|[PAD]"
    assert tokens.word == (-1, 0, 1, 1, 2, 3, 4, 5, -1, 6, 7, -1, -1)
    assert tokens.segment == (-1, 0, 0, 0, 0, 0, 0, 0, -1, 1, 1, -1, -1)


def test_byte_level_strings_are_decoded() -> None:
    """Without the byte table "é" reads "Ã©"."""
    tokens = Tokens.from_strings(
        ["<s>", "The", "Ġcaf", "Ã", "©", "ĠðŁĺ", "Ģ", "Ċ", "x", ".", "</s>", "</s>", "Ġok", "</s>"]
    )
    assert shown(tokens) == "<s>|The| caf|é|⟨A9⟩| 😀|⟨80⟩|\n|x|.|</s>|</s>|ok|</s>"
    assert tokens.word == (-1, 0, 1, 1, 1, 2, 2, 3, 4, 5, -1, -1, 6, -1)
    assert tokens.segment[-2] == 1


def test_a_character_cut_off_at_the_end_is_shown_by_its_bytes() -> None:
    assert Tokens.from_strings(["Ġhi", "ĠðŁĺ"]).text == ("hi", "⟨F0 9F 98⟩")


def test_sentencepiece_strings() -> None:
    tokens = Tokens.from_strings(
        ["▁The", "▁ca", "t", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "</s>"]
    )
    assert shown(tokens) == "The| ca|t|😀|⟨9F⟩|⟨98⟩|⟨80⟩|</s>"


ODD = [
    "<script>alert(1)</script>",
    "<b>",
    "",
    " ",
    "שלום",
    "a\nb",
    "👩‍👩‍👧",
    "x" * 200,
    "##",
    "\x00",
    "Ġorġ",
]


def test_any_strings_are_kept_as_they_are() -> None:
    """Markup is text, whatever it looks like; nothing of it is a special token."""
    tokens = Tokens.from_strings(ODD)
    assert tokens.text == tokens.raw == tuple(ODD)
    assert not any(tokens.special)
    for odd in ODD:
        assert Tokens.from_strings([odd]).text == (odd,)


def test_words_that_bring_their_own_white_space_are_kept() -> None:
    tokens = Tokens.from_strings(["The", " cat", "s", " sat", "."])
    assert written(tokens) == "The cats sat."
    assert tokens.word == (0, 1, 1, 2, 3)


def test_plain_words_get_gaps_as_english_has_them() -> None:
    assert written(Tokens.from_strings(["The", "cat", "(", "Tom", ")", "did", "n't", "."])) == (
        "The cat (Tom) didn't."
    )


def test_lone_surrogates_become_what_can_be_sent() -> None:
    """Half an emoji can't be encoded as UTF-8 and would break the message that carries it."""
    text = Tokens.from_strings(["\ud83d", "ok"]).text
    assert text == ("\ufffd", "ok")
    "".join(text).encode()


@pytest.mark.parametrize(
    "name",
    [
        "[CLS]",
        "<s>",
        "</s>",
        "<pad>",
        "<|endoftext|>",
        "<|im_start|>",
        "<bos>",
        "<｜end▁of▁text｜>",
    ],
)
def test_special_names_are_known(name: str) -> None:
    assert Tokens.from_strings(["a", name]).special == (False, True)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["a", 3], "token 1 is 3"),
        (["a", None], "token 1 is None"),
        ([b"a"], "token 0"),
        ("abc", "list of"),
    ],
)
def test_what_is_no_string_is_named(tokens: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Tokens.from_strings(tokens)


def test_every_column_has_one_entry_a_token() -> None:
    for scheme in TOKENIZERS:
        tokens = from_text(scheme, "The cat 😀  sat")
        assert lengths_of(tokens) == {len(tokens)}
        kept = tokens.keep([1, 3])
        assert kept.text == (tokens.text[1], tokens.text[3])
        assert len(kept) == 2


FAMILY = "The  unbelievably\ntired 👩‍👩‍👧 of café, 猫が座った。"


@pytest.mark.parametrize("scheme", TOKENIZERS)
def test_words_together_are_the_text_as_written(scheme: str) -> None:
    """With the stand-ins for an emoji's other bytes a word would read "😀⟨9F⟩⟨98⟩⟨80⟩"."""
    tokens = from_text(scheme, FAMILY)
    words, of_token = tokens.words()
    assert written(words).strip() == FAMILY
    assert [word for word in words.text if "👩" in word] == ["👩‍👩‍👧"]
    assert any(word.startswith("unbelievably") for word in words.text)
    assert list(dict.fromkeys(of_token)) == list(range(len(words)))
    assert list(of_token) == sorted(of_token)
    for position, word in enumerate(of_token):
        assert words.word[word] == tokens.word[position]
        assert words.special[word] == tokens.special[position]
        assert words.segment[word] == tokens.segment[position]
    assert "".join(words.raw) == "".join(tokens.raw)


@pytest.mark.parametrize("scheme", TOKENIZERS)
def test_words_without_the_text_show_each_character_once(scheme: str) -> None:
    tokens = Tokens.from_strings(TOKENIZERS[scheme].tokenize("tired 😀 cats"))
    words, _ = tokens.words()
    found = [text.strip() for text in words.text if text.strip()]
    assert found == ["tired", "[UNK]" if scheme == "wordpiece" else "😀", "cats"]


def test_a_space_that_is_a_token_does_not_join_words() -> None:
    """RoBERTa trims it to an empty span, and all of "The 猫 😀" was one word."""
    words, _ = from_text("roberta", "The 猫 😀 sat").words()
    assert shown(words) == "<s>|The| 猫| 😀| sat|</s>"


def test_words_of_unspaced_text_are_the_tokenizers() -> None:
    by_character, _ = from_text("wordpiece", "猫が座る").words()
    assert by_character.text[1:5] == ("猫", "が", "座", "る")
    assert "猫が座る" in from_text("gpt2", "猫が座る").words()[0].text


def test_words_of_two_texts_keep_segments_and_spans() -> None:
    texts = ("The unbelievably", "tired cats sat")
    words, _ = from_text("wordpiece", *texts).words()
    assert words.text == ("[CLS]", "The", "unbelievably", "[SEP]", *texts[1].split(), "[SEP]")
    assert words.segment == (-1, 0, 0, -1, 1, 1, 1, -1)
    assert words.span is not None
    for text, segment, (start, stop) in zip(words.text, words.segment, words.span, strict=True):
        if segment >= 0:
            assert texts[segment][start:stop] == text
    assert words.ids is None
    assert lengths_of(words) == {len(words)}


def test_specials_and_tokens_without_a_word_are_words_by_themselves() -> None:
    tokens = replace(Tokens.from_strings(["[CLS]", "[CLS]", "a", "b", "[SEP]"]), word=(-1,) * 5)
    words, of_token = tokens.words()
    assert of_token == (0, 1, 2, 3, 4)
    assert words == replace(tokens, count=(1,) * 5)


def test_bytes_that_are_shown_nowhere_else_stay_in_their_word() -> None:
    """A character that is cut off has only its bytes to show."""
    words, _ = Tokens.from_strings(["Ġhi", "ĠðŁ", "ĺ"]).words()
    assert words.text == ("hi", "⟨F0 9F⟩⟨98⟩")
    literal, _ = Tokens.from_strings(["▁é", "⟨9F⟩"]).words()
    assert "".join(literal.text) == "é⟨9F⟩"


def test_no_tokens_are_no_words() -> None:
    words, of_token = Tokens.from_strings([]).words()
    assert len(words) == 0
    assert of_token == ()

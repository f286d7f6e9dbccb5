"""Parts of a text by name: by their text, characters or tokens; and the messages of a chat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast as UntypedFast

from attention_explorer import AttentionExplorer, Tokens, Trace, trace
from attention_explorer.tracing.segments import Part, name_segments, read_chat

PreTrainedTokenizerFast: Any = UntypedFast

TEXT = "Who sat? The cat sat on the mat. The dog ran."
PARTS: dict[str, Part] = {"question": "Who sat?", "doc 2": (33, 45), "doc 1": "The cat sat on"}
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "user"},
    {"role": "assistant", "content": " Yes.\n"},
    {"role": "user", "content": "Who sat?\nThe cat sat."},
]


@pytest.fixture(scope="module")
def gpt2() -> Any:
    """A byte-level tokenizer of single bytes and some words, with a chat template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True) for name in ("<|im_start|>", "<|im_end|>")]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    made.chat_template = CHATML
    return made


def read(tokenizer: Any, *texts: str) -> Tokens:
    return Tokens.from_encoding(tokenizer, tokenizer(*texts), texts)


def runs(tokens: Tokens) -> list[tuple[str, str]]:
    """Return each run's name and its text as written."""
    found, of_token = tokens.by_segment()
    written = [
        "".join(
            tokens.gap[i] + tokens.text[i] for i, owner in enumerate(of_token) if owner == number
        )
        for number in range(len(found))
    ]
    return list(zip(found.text, written, strict=True))


def test_parts_are_their_characters_and_the_rest_is_other(gpt2: Any) -> None:
    """Catches a token with its space counted to the part before it, or numbers by place."""
    tokens = name_segments(read(gpt2, TEXT), PARTS, [TEXT])
    assert tokens.segments == ("question", "doc 2", "doc 1", "other")
    assert [(name, text.strip()) for name, text in runs(tokens)] == [
        ("question", "Who sat?"),
        ("other", ""),
        ("doc 1", "The cat sat on"),
        ("other", "the mat."),
        ("doc 2", "The dog ran."),
    ]


def test_a_token_is_where_its_first_letter_is(tokenizer: Any) -> None:
    text = "the cat sat on the mat"
    named = name_segments(read(tokenizer, text), {"a": (3, 12), "b": " on the mat"}, [text])
    assert list(zip(named.text, named.segment, strict=True)) == [
        ("[CLS]", -1),
        ("the", 2),
        ("cat", 0),
        ("sat", 0),
        ("on", 1),
        ("the", 1),
        ("mat", 1),
        ("[SEP]", -1),
    ]


def test_pieces_of_two_texts_and_of_what_strings_show(tokenizer: Any) -> None:
    """Without characters a piece is found in what is shown: strings, a slow tokenizer."""
    pair = ("the cat", "the mat sat")
    named = name_segments(read(tokenizer, *pair), {"who": "cat", "where": "mat sat"}, pair)
    assert named.segment == (-1, 2, 0, -1, 2, 1, 1, -1)
    shown = Tokens.from_strings(["[CLS]", "un", "##able", "cats", "[SEP]", "sat"])
    assert name_segments(shown, {"cats": "unable cats"}).segment == (-1, 0, 0, 0, -1, 1)
    ranges = name_segments(shown, {"all": slice(None, 3), "rest": range(3, 5), "other": "sat"})
    assert ranges.segment == (0, 0, 0, 1, 1, 2)
    assert ranges.segments == ("all", "rest", "other")


@pytest.mark.parametrize(
    ("segments", "error", "message"),
    [
        ({"a": "dogs"}, ValueError, "'a', 'dogs', isn't in the text: give a piece of it exactly"),
        ({"a": "The"}, ValueError, "occurs 2 times in the text: give its characters"),
        ({"a": "aaa"}, ValueError, "isn't in the text"),
        ({"a": " "}, ValueError, "'a' is an empty string"),
        ({"a": (0, 12), "b": "sat?"}, ValueError, "segments 'a' and 'b' share token 4, 's'"),
        ({"a": (3, 3)}, ValueError, "the text has 45 characters"),
        ({"a": (0, 46)}, ValueError, "the text has 45 characters"),
        ({"a": (-2, 3)}, ValueError, "the text has 45 characters"),
        ({"a": range(3, 46)}, ValueError, "there are 45 tokens: give positions from 0"),
        ({"a": range(5, 3)}, ValueError, "there are 45 tokens"),
        ({"a": range(0, 8, 2)}, ValueError, "there are 45 tokens"),
        ({"a": slice(-3, None)}, ValueError, "there are 45 tokens"),
        ({"a": 7}, TypeError, "'a' is 7: give a piece of the text, its characters"),
        ({"a": (1.0, 2.0)}, TypeError, "give a piece of the text"),
        ({3: "Who"}, TypeError, "segments are named by strings, got 3"),
        ({" ": "Who"}, ValueError, "a segment's name is empty"),
        ({}, ValueError, "there are no segments"),
        (["Who"], TypeError, "have to be a mapping of names to parts"),
    ],
)
def test_what_cannot_be_meant(segments: Any, error: Any, message: str, gpt2: Any) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        name_segments(read(gpt2, TEXT), segments, [TEXT])


def test_what_cannot_be_found_says_why(tokenizer: Any) -> None:
    pair = ("the cat", "the cat")
    tokens = read(tokenizer, *pair)
    with pytest.raises(ValueError, match="occurs 2 times"):
        name_segments(tokens, {"a": "cat"}, pair)
    with pytest.raises(ValueError, match=r"characters .* say nothing of two texts"):
        name_segments(tokens, {"a": (0, 3)}, pair)
    with pytest.raises(ValueError, match="isn't in what the tokens show, 'the catthe cat': give"):
        name_segments(Tokens.from_strings(tokens.raw), {"a": "Cat"})
    with pytest.raises(ValueError, match="holds no token of its own: 'a' lies within one"):
        name_segments(read(tokenizer, "cat"), {"a": "a"}, ["cat"])
    cut = Tokens.from_encoding(
        tokenizer, tokenizer("the cat sat", max_length=4, truncation=True), ["the cat sat"]
    )
    with pytest.raises(ValueError, match="or was cut off by max_length"):
        name_segments(cut, {"a": "sat"}, ["the cat sat"])


def test_a_trace_has_them_in_the_text_that_the_encoder_reads(
    tiny_model: Any, tokenizer: Any, tmp_path: Path
) -> None:
    traced = trace(tiny_model("bert"), tokenizer, "the cat sat", segments={"who": "the cat"})
    assert (traced.tokens.segments, traced.tokens.segment) == (("who", "other"), (-1, 0, 0, 1, -1))
    traced.save(tmp_path / "a")
    assert Trace.load(tmp_path / "a").tokens == traced.tokens
    again = traced.with_segments({"what": "sat", "all": range(3)})
    assert again.tokens.segment == (1, 1, 1, 0, -1)
    both = trace(
        tiny_model("t5"), tokenizer, "the cat sat", target="the mat", segments={"who": "cat"}
    )
    assert both["cross"].key_tokens == both["encoder"].tokens
    assert both["encoder"].tokens.segments == ("who", "other")
    assert both["decoder"].tokens.segments == both["cross"].tokens.segments == ()
    ids = tokenizer("the cat", return_tensors="pt")
    by_range = trace(tiny_model("bert"), tokenizer, inputs=ids, segments={"cat": range(2, 3)})
    assert by_range.tokens.segment == (-1, 1, 0, -1)


def test_one_text_is_given_and_lists_have_no_segments(tiny_model: Any, tokenizer: Any) -> None:
    model = tiny_model("bert")
    texts: Any = ["the cat"]
    with pytest.raises(ValueError, match="both a text and chat= are given: pass one of them"):
        trace(model, tokenizer, "the cat", chat=CHAT)
    with pytest.raises(ValueError, match="segments= name parts of one text"):
        trace(model, tokenizer, texts, segments={"a": "cat"})
    with pytest.raises(ValueError, match="segments= name parts of one text"):
        trace(model, tokenizer, chat=CHAT, segments={"a": "cat"})


def test_a_chat_has_its_messages_and_the_template_between(gpt2: Any) -> None:
    """Catches a role's name taken for the message "user", and specials counted to messages."""
    encoding, tokens, rendered = read_chat(gpt2, CHAT)
    assert rendered == gpt2.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert len(encoding["input_ids"]) == len(tokens)
    assert tokens.segments == ("system", "user", "assistant", "user 2", "template")
    assert runs(tokens) == [
        ("template", "<|im_start|>system\n"),
        ("system", "Be brief."),
        ("template", "<|im_end|>\n<|im_start|>user\n"),
        ("user", "user"),
        ("template", "<|im_end|>\n<|im_start|>assistant\n"),
        ("assistant", "Yes."),
        ("template", "<|im_end|>\n<|im_start|>user\n"),
        ("user 2", "Who sat?\nThe cat sat."),
        ("template", "<|im_end|>\n<|im_start|>assistant\n"),
    ]
    assert sum(tokens.special) == 9, "specials stay specials, which can be hidden"


def test_an_answered_chat_ends_with_its_answer(gpt2: Any) -> None:
    _, tokens, rendered = read_chat(gpt2, CHAT[:3])
    assert rendered.endswith("Yes.<|im_end|>\n")
    assert runs(tokens)[-2] == ("assistant", "Yes.")


def test_a_chat_is_traced(tiny_model: Any, gpt2: Any) -> None:
    model = tiny_model("llama", vocab_size=300, max_position_embeddings=128)
    traced = trace(model, gpt2, chat=CHAT[1:])
    _, tokens, rendered = read_chat(gpt2, CHAT[1:])
    assert (traced.tokens, traced.text) == (tokens, rendered)
    assert traced.attention.n_queries == len(tokens)
    assert np.allclose(traced.attention.matrix(1, 2).sum(1), 1, atol=1e-5)
    explorer = AttentionExplorer.from_model(model, gpt2, chat=CHAT[1:], unit="segment")
    assert explorer.tokens.text[:4] == ("template", "user", "template", "assistant")
    assert explorer.weights(1, 2).shape == (7, 7)


@pytest.mark.parametrize(
    ("template", "chat", "error", "message"),
    [
        (None, CHAT, ValueError, "has no chat template: take the tokenizer of a model that"),
        (CHATML, [], ValueError, "chat has to be a list of messages"),
        (CHATML, "Hi", ValueError, "chat has to be a list of messages"),
        (CHATML, [{"role": "user"}], TypeError, "message 0 of the chat is .*: expected"),
        (CHATML, [{"role": "user", "content": " "}], ValueError, "the chat are empty"),
        (CHATML.replace("trim", "upper"), CHAT, ValueError, "leaves message 0 .system. out, or"),
        (
            CHATML.replace("m['content'] | trim", "m['content'][:8]"),
            CHAT,
            ValueError,
            "leaves message 0",
        ),
        (
            CHATML.replace("m['content'] | trim", "m['content'] | replace('brief', 'long')"),
            CHAT,
            ValueError,
            "changes what message 0 .system. says",
        ),
        ("{{ raise_exception('no system') }}", CHAT, ValueError, "refuses these messages: no sys"),
    ],
)
def test_a_chat_that_cannot_be_read(
    template: str | None, chat: Any, error: Any, message: str, gpt2: Any
) -> None:
    before = gpt2.chat_template
    try:
        gpt2.chat_template = template
        with pytest.raises(error, match=message):
            read_chat(gpt2, chat)
    finally:
        gpt2.chat_template = before


def test_runs_are_called_by_letters_where_they_have_no_name(tokenizer: Any) -> None:
    tokens = read(tokenizer, "the cat", "sat on the mat")
    found, of_token = tokens.by_segment()
    assert found.text == ("[CLS]", "A", "[SEP]", "B", "[SEP]")
    assert found.raw == ("[CLS]", "the cat", "[SEP]", "sat on the mat", "[SEP]")
    assert found.count == (1, 2, 1, 4, 1)
    assert found.segment == (-1, 0, -1, 1, -1)
    assert of_token == (0, 1, 1, 2, 3, 3, 3, 3, 4)
    many = Tokens.from_strings([f"w{i}" for i in range(200)]).by_segment()[0]
    assert many.raw[0].startswith("w0 w1")
    assert many.raw[0].endswith("…")
    assert len(many.raw[0]) == 81

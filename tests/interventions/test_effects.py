"""What `measure` says of each kind of head, against the model's own outputs, changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from attention_explorer import trace
from attention_explorer.interventions import (
    AblateHead,
    CutEdges,
    Effect,
    Outcome,
    ReplaceToken,
    measure,
)
from attention_explorer.tasks.qa import Answers, QuestionAnswering

from .by_hand import Change, run_by_hand
from .models import headed

Build = Callable[..., Any]

TEXT = "the cat sat on the mat ."
CUT = Change("encoder.layer.1.attention.self", [0, 2], [0, 3], [2, 4])
CUT_DECODER = Change("h.1.attn", [0, 2], [6, 7, 8], [0, 1, 2])


def both(family: str, which: str, inputs: Any, change: Change) -> list[Any]:
    """Return a model's output as it is, and changed by hand."""
    model = headed(which, "eager")
    with torch.no_grad():
        plain = model(**inputs)
    return [plain, run_by_hand(family, model, inputs, [change])]


def divergence(first: torch.Tensor, second: torch.Tensor) -> float:
    """Return KL(first || second) of logits."""
    p, q = (logits.double().log_softmax(-1) for logits in (first, second))
    return float(torch.nn.functional.kl_div(q, p, reduction="sum", log_target=True))


def check_choices(effect: Effect, first: torch.Tensor, second: torch.Tensor, top: int) -> None:
    """Hold an effect to the logits of one token, or of one text, before and after."""
    before, after = (logits.double().softmax(-1) for logits in (first, second))
    assert effect.change.kl == pytest.approx(divergence(first, second), abs=1e-5, rel=1e-4)
    assert effect.change.kl is not None
    assert effect.change.kl > 1e-4
    best = int(before.argmax())
    assert effect.target is not None
    assert [choice.number for choice in effect.target] == [best, best]
    moved = float((after[best] / before[best]).log())
    assert effect.change.log_p == pytest.approx(moved, abs=1e-4)
    assert effect.change.is_other == (best != int(after.argmax()))
    for outcome, expected in ((effect.before, before), (effect.after, after)):
        highest = expected.topk(top)
        assert [choice.number for choice in outcome.top] == highest.indices.tolist()
        assert np.allclose(
            [choice.probability for choice in outcome.top], highest.values, atol=1e-5
        )
    assert f"{effect.change.kl:.3g} nats (KL divergence)" in effect.said
    assert f"log p {effect.change.log_p:+.3g} nats" in effect.said


@pytest.mark.parametrize(("at", "place"), [(None, 8), (7, 7)])
def test_the_next_token(at: int | None, place: int, tokenizer: Any) -> None:
    """The logits of another token, or a row of logits that is taken for another, would differ."""
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    inputs = tokenizer(TEXT, return_tensors="pt", return_token_type_ids=False)
    plain, changed = both("gpt2", "gpt2", inputs, CUT_DECODER)
    effect = measure(traced, CutEdges([6, 7, 8], [0, 1, 2], 1, [0, 2]), at=at)
    assert effect.before.what == "next token"
    assert effect.before.at == place
    check_choices(effect, plain.logits[0, place], changed.logits[0, place], 10)
    known = [choice for choice in effect.before.top if choice.number < len(tokenizer)]
    assert [choice.text.strip() for choice in known] == tokenizer.convert_ids_to_tokens(
        [choice.number for choice in known]
    )


def test_padding_does_not_count(padded_inputs: Build) -> None:
    """`at` counts tokens; the logits have padding before them."""
    model, inputs = headed("gpt2"), padded_inputs("left")
    traced = trace(model, inputs=inputs, batch_index=1)
    own = {name: value[1:] for name, value in inputs.items()}
    change = Change("h.1.attn", [0, 2], [4 + 5, 4 + 6], [4 + 0, 4 + 2])
    plain, changed = both("gpt2", "gpt2", own, change)
    for at, place in ((None, 10), (5, 9)):
        effect = measure(traced, CutEdges([5, 6], [0, 2], 1, [0, 2]), at=at)
        check_choices(effect, plain.logits[0, place], changed.logits[0, place], 10)


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_what_is_written(kind: str, tokenizer: Any) -> None:
    """A model with an encoder and a decoder says the next token of its target."""
    model = headed("t5")
    traced = trace(model, tokenizer, TEXT, target="the mat .")[kind]
    inputs = traced.live.inputs
    last = inputs["decoder_input_ids"].shape[1] - 1
    queries = [1, 2, last] if kind != "encoder" else [2, 3, 4]
    name = {
        "encoder": "encoder.block.1.layer.0.SelfAttention",
        "decoder": "decoder.block.1.layer.0.SelfAttention",
        "cross": "decoder.block.1.layer.1.EncDecAttention",
    }[kind]
    model_by_hand = headed("t5", "eager")
    with torch.no_grad():
        plain = model_by_hand(**inputs)
    change = Change(name, [0, 1, 2, 3], queries, [1])
    changed = run_by_hand("t5", _Body(model_by_hand), inputs, [change])
    effect = measure(traced, CutEdges(queries, 1, 1))
    assert effect.before.at == last
    check_choices(effect, plain.logits[0, -1], changed.logits[0, -1], 10)


class _Body:
    """A model whose own paths begin at its stacks."""

    base_model_prefix = ""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.named_modules = model.named_modules

    def __call__(self, **inputs: Any) -> Any:
        return self._model(**inputs)


@pytest.mark.parametrize("which", ["masked", "pretraining"])
def test_a_masked_token(which: str, tokenizer: Any) -> None:
    model = headed(which)
    traced = trace(model, tokenizer, TEXT)
    plain, changed = both("bert", which, traced.live.inputs, CUT)
    name = "logits" if which == "masked" else "prediction_logits"
    logits = [getattr(one, name) for one in (plain, changed)]
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]), at="sat")
    assert effect.before.what == "masked token"
    check_choices(effect, logits[0][0, 3], logits[1][0, 3], 10)
    with pytest.raises(ValueError, match="no token is masked in this text: say with at="):
        measure(traced, CutEdges(3, 2))
    tokenizer.add_special_tokens({"mask_token": "[UNK]"})
    masked = trace(model, tokenizer, "the cat [UNK] on the mat")
    assert measure(masked, CutEdges(3, 2)).before.at == 3
    twice = trace(model, tokenizer, "the [UNK] [UNK] on the mat")
    with pytest.raises(ValueError, match=r"tokens \[2, 3\] are masked"):
        measure(twice, CutEdges(3, 2))


def test_labels(tokenizer: Any) -> None:
    model = headed("labels")
    traced = trace(model, tokenizer, TEXT)
    plain, changed = both("bert", "labels", traced.live.inputs, CUT)
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]))
    check_choices(effect, plain.logits[0], changed.logits[0], 3)
    assert [label for label, _ in traced.labels] == [choice.text for choice in effect.before.top]
    assert [share for _, share in traced.labels] == pytest.approx(
        [choice.probability for choice in effect.before.top]
    )
    followed = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]), target="LABEL_2")
    p, q = (one.logits[0].log_softmax(-1)[2] for one in (plain, changed))
    assert followed.change.log_p == pytest.approx(float(q - p), abs=1e-4)


def test_labels_that_may_all_be_true(tokenizer: Any) -> None:
    """Each has a probability of its own: a softmax over them would be another measure."""
    model = headed("several")
    traced = trace(model, tokenizer, TEXT)
    plain, changed = both("bert", "several", traced.live.inputs, CUT)
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]))
    p, q = (one.logits[0].double().sigmoid() for one in (plain, changed))
    each = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    assert effect.change.kl == pytest.approx(float(each.sum()), rel=1e-3)
    best = int(p.argmax())
    assert effect.change.log_p == pytest.approx(float((q[best] / p[best]).log()), abs=1e-4)
    assert effect.before.probability(best) == pytest.approx(float(p[best]), abs=1e-5)
    assert effect.change.is_other == bool(((p > 0.5) != (q > 0.5)).any())


def test_a_score(tokenizer: Any) -> None:
    """A regression gives no probabilities: KL and log p aren't there."""
    model = headed("score")
    traced = trace(model, tokenizer, TEXT)
    plain, changed = both("bert", "score", traced.live.inputs, CUT)
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]))
    moved = float(changed.logits[0, 0] - plain.logits[0, 0])
    assert effect.change.score == pytest.approx(moved, abs=1e-5)
    assert effect.change.kl is effect.change.log_p is None
    assert effect.change.main == "score"
    assert f"the output by {moved:+.3g}: the score of 'LABEL_0'" in effect.said


def test_the_label_of_a_token(tokenizer: Any) -> None:
    model = headed("token labels")
    traced = trace(model, tokenizer, TEXT)
    plain, changed = both("bert", "token labels", traced.live.inputs, CUT)
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]), at=3)
    assert effect.before.what == "token label"
    check_choices(effect, plain.logits[0, 3], changed.logits[0, 3], 5)
    with pytest.raises(ValueError, match="gives each token a label: say with at="):
        measure(traced, CutEdges(3, 2))


@pytest.mark.parametrize("knows_none", [False, True])
def test_an_answer_is_what_question_answering_gives(knows_none: bool, tokenizer: Any) -> None:
    """The same spans, the same probabilities; a span of the question, or of [CLS], is none."""
    model = headed("answer")
    model.config._name_or_path = "tiny-squad2" if knows_none else "tiny"
    question, context = "the cat ?", "the cat sat on the mat . the mat sat on the cat ."
    traced = trace(model, tokenizer, question, context)
    effect = measure(traced, AblateHead(2, 1))
    asked = QuestionAnswering(model, tokenizer, top=20).answer(question, context)
    assert (asked.no_answer is not None) == knows_none
    check_answers(effect.before, asked)
    by_window = QuestionAnswering(model, tokenizer).trace(asked, 0)
    again = measure(by_window, AblateHead(2, 1))
    assert again.change == effect.change
    weight = model.bert.encoder.layer[2].attention.output.dense.weight
    with torch.no_grad():
        weight[:, 8:16] = 0
    ablated = QuestionAnswering(model, tokenizer, top=20).answer(question, context)
    check_answers(effect.after, ablated)
    assert effect.change.kl is not None
    assert effect.change.kl > 1e-4


def check_answers(outcome: Outcome, expected: Answers) -> None:
    assert len(outcome.top) == 10
    for choice, answer in zip(outcome.top, expected.answers, strict=False):
        assert choice.text == answer.text
        assert choice.probability == pytest.approx(answer.probability, rel=1e-4)


def test_one_text_has_no_answer(tokenizer: Any) -> None:
    model = headed("answer")
    traced = trace(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match="an answer is looked for in the second of two texts"):
        measure(traced, AblateHead(2, 1))


@pytest.mark.parametrize("at", [None, 3])
def test_a_representation(at: int | None, tiny_model: Build, tokenizer: Any) -> None:
    """[CLS] and [SEP] aren't in the mean; distances of raw and of unit vectors are told apart."""
    model, by_hand = tiny_model("bert"), tiny_model("bert", "eager")
    traced = trace(model, tokenizer, TEXT)
    with torch.no_grad():
        plain = by_hand(**traced.live.inputs).last_hidden_state[0].double()
    output = run_by_hand("bert", by_hand, traced.live.inputs, [CUT])
    changed = output.last_hidden_state[0].double()
    effect = measure(traced, CutEdges([0, 3], [2, 4], 1, [0, 2]), at=at)
    pairs = {"mean": [one[1:-1].mean(0) for one in (plain, changed)]}
    if at is not None:
        pairs["token"] = [one[at] for one in (plain, changed)]
    for name in ("mean", "token"):
        cosine, l2 = getattr(effect.change, f"{name}_cosine"), getattr(effect.change, f"{name}_l2")
        if name not in pairs:
            assert cosine is l2 is None
            continue
        a, b = pairs[name]
        expected = 1 - float(torch.nn.functional.cosine_similarity(a, b, dim=0))
        assert cosine == pytest.approx(expected, abs=1e-5)
        assert l2 == pytest.approx(float((a - b).norm() / a.norm()), abs=1e-4)
        assert l2 > 1e-3
    assert effect.change.main == ("mean_cosine" if at is None else "token_cosine")
    assert effect.target is None
    assert effect.before.top == ()
    assert any("no probabilities" in note for note in effect.notes)
    assert "changes the output (" in effect.said


def test_images(tiny_model: Build, inputs_of: Build) -> None:
    """Images have neither a tokenizer nor a length that the inputs tell."""
    inputs, model, body = inputs_of("vit"), headed("images"), tiny_model("vit")
    one = trace(model, inputs=inputs, batch_index=1)
    effect = measure(one, CutEdges(0, range(2, 6)))
    assert effect.before.what == "labels"
    assert effect.change.kl is not None
    assert effect.change.kl > 1e-5
    states = measure(trace(body, inputs=inputs, batch_index=1), AblateHead(0, 1), at=0)
    assert states.before.token == "[CLS]"
    assert states.change.token_cosine is not None
    assert states.change.token_cosine > 1e-5


def test_texts_and_images_are_told_apart(tiny_model: Build, inputs_of: Build) -> None:
    """An edit of the image changes nothing of the text's representation."""
    model = tiny_model("clip")
    traced = trace(model, inputs=inputs_of("clip"), batch_index=0)
    of_image = AblateHead(0, 1, kind="vision")
    assert measure(traced["text"], of_image).change.mean_cosine == 0
    effect = measure(traced["vision"], of_image)
    assert effect.change.mean_cosine is not None
    assert effect.change.mean_cosine > 1e-5


def test_what_says_nothing_is_refused(tokenizer: Any) -> None:
    model = headed("discriminator")
    traced = trace(model, tokenizer, TEXT)
    with pytest.raises(ValueError, match=r"what ElectraForPreTraining gives \(logits of shape"):
        measure(traced, AblateHead(0, 0))


def test_numbers_that_are_none_are_refused(tokenizer: Any) -> None:
    """Of nan every comparison is False: the effect would look like none."""
    model = headed("labels")
    traced = trace(model, tokenizer, TEXT)
    with torch.no_grad():
        model.classifier.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"gives numbers that are none \(nan\)"):
        measure(traced, AblateHead(0, 0))


def test_a_replaced_token_is_another_text(tokenizer: Any) -> None:
    """Positions and masks must stay; the wrong id or position gives other logits."""
    model = headed("gpt2")
    effect = measure(trace(model, tokenizer, TEXT), ReplaceToken("cat", "mat"))
    other = trace(model, tokenizer, "the mat sat on the mat .")
    with torch.no_grad():
        logits = model(**other.live.inputs).logits[0, -1]
        plain = model(**trace(model, tokenizer, TEXT).live.inputs).logits[0, -1]
    check_choices(effect, plain, logits, 10)
    assert "Replacing token 2 'cat' by 'mat' changes the output by" in effect.said


@pytest.mark.parametrize("which", ["gpt2", "llama", "bloom"])
def test_logits_of_one_token_are_those_of_all(which: str, tokenizer: Any) -> None:
    """Models that are asked for one row of logits mustn't be given another."""
    model = headed(which)
    traced = trace(model, tokenizer, TEXT)
    with torch.no_grad():
        logits = model(**traced.live.inputs).logits[0].double()
    for at in (0, 4, 8):
        effect = measure(traced, AblateHead(0, 1), at=at)
        expected = logits[at].log_softmax(-1).numpy()
        assert np.allclose(effect.before.numbers, expected, atol=1e-5)


def test_a_target_is_followed(tokenizer: Any) -> None:
    model = headed("gpt2")
    traced = trace(model, tokenizer, TEXT)
    effect = measure(traced, AblateHead(1, 1), target="sat")
    number = tokenizer.convert_tokens_to_ids("sat")
    assert effect.target is not None
    assert effect.target[0].number == number
    assert effect == measure(traced, AblateHead(1, 1), target=number)
    assert effect.change.log_p == pytest.approx(
        effect.after.log_p(number) - effect.before.log_p(number)
    )
    for target, message in (
        ("dog", "'dog' is unknown to"),
        ("the mat", "is not one token of"),
        (50, "there is no choice 50: they count from 0 to 49"),
    ):
        with pytest.raises(ValueError, match=message):
            measure(traced, AblateHead(1, 1), target=target)


def test_what_was_generated_is_traced_as_written(tokenizer: Any) -> None:
    """After the prompt stands what chose the first new token."""
    for which in ("gpt2", "t5"):
        model = headed(which)
        traced = trace.generate(model, tokenizer, "the cat sat", max_new_tokens=4)
        step = traced.steps[1]
        effect = measure(traced, AblateHead(0, 1), at=step.query)
        assert effect.before.top[0].text == step.alternatives[0][0]
        assert effect.before.top[0].probability == pytest.approx(step.probability, abs=1e-4)
        assert effect.change.kl is not None
        assert effect.change.kl > 0


def test_a_model_that_gives_all_logits_all_the_same(tokenizer: Any) -> None:
    """The first of all rows mustn't be taken for the one that was asked for."""
    model = headed("gpt2")
    forward = type(model).forward

    class Generous(type(model)):  # type: ignore[misc]
        def forward(self, *args: Any, logits_to_keep: Any = 0, **options: Any) -> Any:
            return forward(self, *args, **options)

    expected = measure(trace(model, tokenizer, TEXT), AblateHead(0, 1))
    generous = headed("gpt2")
    generous.__class__ = Generous
    effect = measure(trace(generous, tokenizer, TEXT), AblateHead(0, 1))
    assert effect.before.at == expected.before.at == 8
    assert np.allclose(effect.before.numbers, expected.before.numbers, atol=1e-5)
    assert np.allclose(effect.after.numbers, expected.after.numbers, atol=1e-5)
    short = trace(model, tokenizer, "the", max_length=2)
    assert measure(short, AblateHead(0, 1), at=0).before.numbers != pytest.approx(
        measure(short, AblateHead(0, 1), at=1).before.numbers
    )

"""Train the adapter by which the demo model answers questions, and measure it.

    python examples/train_qa_adapter.py --data DIR               train, save, measure
    python examples/train_qa_adapter.py --data DIR --evaluate    only measure the adapter that ships

DIR has QAMR (https://github.com/uwnlp/qamr, MIT: data/wiki-sentences.tsv, and data/filtered/dev.tsv
and test.tsv, by any names) to train on, and XQuAD English (https://github.com/google-deepmind/xquad,
xquad.en.json, CC BY-SA 4.0) to measure: nothing is ever trained on that. A run that was stopped,
even killed, goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peft
import torch
from qamr import Asked, Example, Paragraphs, read_questions, read_sentences
from squad import Question, questions_of, score
from tqdm import tqdm

from attention_explorer.tasks.demo_qa import ADAPTER, demo_qa_model, untrained_qa_model
from attention_explorer.tracing.demo_model import NAME

LENGTHS = (0, 150, 300, 450, 600, 800)  # of paragraphs in characters; the long ones come later
HELD_OUT = 20  # one document in so many
WARM_UP, LARGEST_GRADIENT, CHECKPOINT_EVERY = 0.05, 1.0, 100


CARD = """\
# Question answering for all-MiniLM-L6-v2

An adapter (peft: LoRA in every linear layer, with biases, layer norms and token types) and a head
that finds an answer's first and last token. English; it always answers, even where a text doesn't.

Trained by `examples/train_qa_adapter.py` on {count} questions of QAMR
(https://github.com/uwnlp/qamr, MIT), each in a paragraph built around its sentence.
Licence: Apache-2.0, as the package and the model below it.

Exact match and F1 by SQuAD's rules, on what the training never saw:

{reached}

XQuAD (https://github.com/google-deepmind/xquad, CC BY-SA 4.0) served to measure, never to train.
"""


class Run(NamedTuple):
    """One of the two runs: the whole weights, then the adapter."""

    name: str
    steps: int
    rate: float
    batch: int
    seed: int
    checkpoint: Path


def main() -> None:
    """Train or measure, as the command line says."""
    args = parse()
    if args.evaluate:
        print(on_xquad(*demo_qa_model(), args.xquad))
        return
    torch.manual_seed(args.seed)
    model, tokenizer = untrained_qa_model()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # hardly a question is seen twice
    for name in ("word_embeddings", "position_embeddings"):
        getattr(model.bert.embeddings, name).requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    training, held_out = examples(args.data, args.seed)
    train(model, tokenizer, training, run_of(args, "full", args.full_steps))
    model = with_adapter(model, before, args.rank)
    train(model, tokenizer, training, run_of(args, "adapter", args.adapter_steps))
    reached = [on_qamr(model, tokenizer, held_out), on_xquad(model, tokenizer, args.xquad)]
    print(*reached, sep="\n")
    save(
        model,
        args.out,
        CARD.format(count=len(training), reached="\n".join(f"- {r}" for r in reached)),
    )


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with QAMR and XQuAD")
    parser.add_argument("--xquad", type=Path, help="XQuAD's file (DIR/xquad*.json)")
    parser.add_argument("--evaluate", action="store_true", help="measure the adapter that ships")
    parser.add_argument("--out", type=Path, default=ADAPTER, help="where the adapter goes")
    parser.add_argument("--work", type=Path, default=Path("qa_adapter"), help="for checkpoints")
    parser.add_argument("--full-steps", type=int, default=2200, help="of the whole weights")
    parser.add_argument("--adapter-steps", type=int, default=550, help="of the adapter")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rate", type=float, default=3e-4, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.xquad is None:
        found = sorted(args.data.glob("xquad*.json"))
        if not found:
            parser.error(f"no xquad*.json in {args.data}: name XQuAD's English file by --xquad")
        args.xquad = found[0]
    return args


def run_of(args: argparse.Namespace, name: str, steps: int) -> Run:
    """Return a run with a checkpoint of its own."""
    args.work.mkdir(parents=True, exist_ok=True)
    return Run(name, steps, args.rate, args.batch, args.seed, args.work / f"{name}.pt")


def with_adapter(model: Any, before: dict[str, Any], rank: int) -> Any:
    """Return the model with each linear layer's change of weights as an adapter of a rank.

    An adapter that starts from nothing learns slowly; one that starts from the nearest to what the
    whole weights learnt (their singular value decomposition, cut off) has little to make up for.
    """
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=rank,
        target_modules=["query", "key", "value", "dense"],
        modules_to_save=["qa_outputs", "LayerNorm", "token_type_embeddings"],
        bias="lora_only",
        base_model_name_or_path=NAME,
    )
    adapted = peft.get_peft_model(model, config)
    for name, module in adapted.get_base_model().named_modules():
        if isinstance(module, peft.tuners.lora.Linear):
            weight = module.base_layer.weight.data
            left, values, right = torch.linalg.svd(weight - before[f"{name}.weight"], False)
            root = values[:rank].sqrt()
            module.lora_B["default"].weight.data = left[:, :rank] * root
            module.lora_A["default"].weight.data = root[:, None] * right[:rank]
            weight.copy_(before[f"{name}.weight"])
    return adapted


def examples(data: Path, seed: int) -> tuple[list[tuple[Asked, Paragraphs]], list[Example]]:
    """Return the questions to train on, with what paragraphs are made of, and a held-out part."""
    sentences = read_sentences(data)
    documents = sorted({sentence.document for sentence in sentences.values()})
    random.Random(seed).shuffle(documents)
    aside = set(documents[::HELD_OUT])
    paragraphs = {
        held: Paragraphs({k: s for k, s in sentences.items() if (s.document in aside) is held})
        for held in (False, True)
    }
    parts: dict[bool, list[Asked]] = {False: [], True: []}
    for asked in read_questions(data, sentences):
        held = sentences[asked.sentence].document in aside
        if paragraphs[held].tells(asked):
            parts[held].append(asked)
    rng = random.Random(seed)
    print(f"{len(parts[False])} questions to train on, {len(parts[True])} held out")
    chosen = rng.sample(parts[True], min(200, len(parts[True])))
    return (
        [(asked, paragraphs[False]) for asked in parts[False]],
        [paragraphs[True].around(asked, rng.choice((450, 600, 900)), rng) for asked in chosen],
    )


def batches(
    training: Sequence[tuple[Asked, Paragraphs]], run: Run, start: int
) -> Iterator[list[Example]]:
    """Yield every batch from a step on: seed, run and step alone say which."""
    per_epoch = len(training) // run.batch
    for step in range(start, run.steps):
        epoch, at = divmod(step, per_epoch)
        order = list(range(len(training)))
        random.Random(f"{run.seed} {run.name} epoch {epoch}").shuffle(order)
        rng = random.Random(f"{run.seed} {run.name} step {step}")
        reached = len(LENGTHS) if run.name == "adapter" else 2 + step * len(LENGTHS) // run.steps
        length = rng.choice(LENGTHS[:reached])
        chosen = (training[i] for i in order[at * run.batch : (at + 1) * run.batch])
        yield [paragraphs.around(asked, length, rng) for asked, paragraphs in chosen]


def train(model: Any, tokenizer: Any, training: Any, run: Run) -> None:
    """Train in place, from the checkpoint where there is one."""
    trained = [p for p in model.parameters() if p.requires_grad]
    print(f"{run.name}: {sum(p.numel() for p in trained):,} parameters", flush=True)
    optimizer = torch.optim.AdamW(trained, lr=run.rate, weight_decay=0.01)
    warm = WARM_UP * run.steps
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, (run.steps - s) / (run.steps - warm))
    )
    parts = {"optimizer": optimizer, "scheduler": scheduler}
    start = resume(run.checkpoint, trained, parts)
    model.train()
    bar = tqdm(batches(training, run, start), total=run.steps, initial=start, unit="step")
    average = math.nan
    for step, batch in enumerate(bar, start + 1):
        loss = loss_of(model, tokenizer, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        average = loss.item() if math.isnan(average) else 0.98 * average + 0.02 * loss.item()
        bar.set_postfix(loss=f"{average:.3f}", refresh=False)
        if step % CHECKPOINT_EVERY == 0 or step == run.steps:
            keep(run.checkpoint, step, trained, parts)


def loss_of(model: Any, tokenizer: Any, batch: Sequence[Example]) -> Any:
    """Return the mean cross entropy of starts and ends to those that the annotators chose."""
    inputs = tokenizer(
        [example.question for example in batch],
        [example.context for example in batch],
        truncation="only_second",
        max_length=512,
        padding=True,
        return_tensors="pt",
    )
    targets = torch.zeros(2, *inputs.input_ids.shape)
    for row, example in enumerate(batch):
        for span in example.spans:
            for side, character in enumerate((span[0], span[1] - 1)):
                token = inputs.char_to_token(row, character, sequence_index=1)
                if token is not None:  # else cut off
                    targets[side, row, token] += 1 / len(example.spans)
    output = model(**inputs)
    logits = torch.stack((output.start_logits, output.end_logits))
    padding = inputs.attention_mask == 0
    odds = logits.masked_fill(padding, -1e4).log_softmax(-1)
    return -(targets * odds).sum(-1).mean()


def keep(path: Path, step: int, trained: Sequence[Any], parts: dict[str, Any]) -> None:
    """Write a checkpoint that is whole or not there."""
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"step": step, "trained": list(trained), "random": torch.get_rng_state()}
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    os.replace(fresh, path)


def resume(path: Path, trained: Sequence[Any], parts: dict[str, Any]) -> int:
    """Bring back the last checkpoint and return its step; without one, 0."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    with torch.no_grad():
        for parameter, value in zip(trained, state["trained"], strict=True):
            parameter.copy_(value)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    print(f"going on from step {state['step']} of {path}")
    return int(state["step"])


def save(model: Any, folder: Path, card: str) -> None:
    """Write the adapter and the head in half precision, and their card."""
    (folder / "README.md").unlink(missing_ok=True)  # peft would read it as a hub's
    model.half().save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").write_text(card, "utf-8")
    (folder / "adapter_model.safetensors").chmod(0o644)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder}: {size / 1e6:.2f} MB")


def on_qamr(model: Any, tokenizer: Any, held_out: Sequence[Example]) -> str:
    """Say what the answers are worth on paragraphs of documents that were set aside."""
    questions = [
        Question(e.question, e.context, [e.context[first:stop] for first, stop in e.spans])
        for e in held_out
    ]
    return said("QAMR, documents held out", model, tokenizer, questions)


def on_xquad(model: Any, tokenizer: Any, path: Path) -> str:
    """Say what the answers are worth on articles of another set, which nothing was trained on."""
    questions = questions_of(json.loads(path.read_text("utf-8")))
    return said("XQuAD English", model, tokenizer, questions)


def said(name: str, model: Any, tokenizer: Any, questions: Sequence[Question]) -> str:
    """Say how many of a set's questions are answered, by SQuAD's rules."""
    exact, f1 = score(model, tokenizer, questions)
    return f"{name}, {len(questions)} questions: EM {exact:.1f}, F1 {f1:.1f}"


if __name__ == "__main__":
    main()

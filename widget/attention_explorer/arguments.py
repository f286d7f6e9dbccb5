"""What may be asked for on the command line."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

PROGRAM = "attention-explorer"

_ABOUT = """\
Trace what a Transformer attends to in a text, write it as one HTML file, and open it.

The file holds the interactive views and the numbers; it asks no server for anything and can be
sent to anyone.
"""
_USAGE = """%(prog)s TEXT [--pair TEXT] [--model NAME] [options]
       %(prog)s --question TEXT --context TEXT [--model NAME] [options]
       %(prog)s --demo [options]"""
_EXAMPLES = """\
examples:
  attention-explorer "The cat sat on the mat because it was tired."
  attention-explorer "A man inspects a uniform." --pair "The man sleeps." --model bert-base-uncased
  attention-explorer - --model ./my-model --layer 5 --head 3,7 --view matrix -o mine.html < text.txt
  attention-explorer --question "Who was asked?" --context "The lawyer asked the witness."

Layers and heads count from 0. The path of the file is printed to stdout, all else to stderr.
What can't be done is told in one sentence, with exit status 2.
"""


def read_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Return the checked arguments; what is wrong with them is told, with exit status 2."""
    reader = parser()
    arguments = reader.parse_args(argv)
    texts = {name: getattr(arguments, name) for name in ("text", "pair", "question", "context")}
    given = {name for name, text in texts.items() if text is not None}
    if arguments.demo and (given or arguments.model):
        reader.error("--demo has a text and a model of its own: leave out the others")
    if not given and not arguments.demo:
        reader.error('there is no text: give one in quotes, "-" for stdin, or --demo')
    if len(given & {"question", "context"}) == 1:
        reader.error("a question is asked about a text: give both --question and --context")
    if "question" in given and given & {"text", "pair"}:
        reader.error("--question is asked about --context: leave out the other text")
    if "pair" in given and "text" not in given:
        reader.error("--pair is a second text: give the first one too")
    if list(texts.values()).count("-") > 1:
        reader.error('stdin can be read once: give "-" for one text only')
    # Told before a model is loaded for it.
    folder = Path(arguments.output).absolute().parent
    if not folder.is_dir():
        reader.error(f"there is no folder {folder}: make it, or name another file by --output")
    return arguments


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> ArgumentParser:
    """Return what reads the arguments."""
    made = _Parser(
        PROGRAM,
        usage=_USAGE,
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=version(PROGRAM))
    what = made.add_argument_group("what is read")
    what.add_argument("text", nargs="?", help='the text; "-" reads it from stdin')
    what.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")
    what.add_argument("--question", metavar="TEXT", help="what to ask about --context")
    what.add_argument("--context", metavar="TEXT", help="where the answer is looked for")
    what.add_argument(
        "--demo", action="store_true", help="a trace that needs neither model nor torch"
    )
    what.add_argument(
        "--model",
        metavar="NAME",
        help="a model's name on the hub, or its folder; by default a small BERT, where its package "
        "is installed",
    )
    shown = made.add_argument_group("what is shown at first")
    shown.add_argument("--layer", metavar="N", type=int, help="a layer")
    shown.add_argument(
        "--head", metavar="N", dest="heads", type=_numbers, help="a head, or several: 3,7"
    )
    shown.add_argument(
        "--view", metavar="NAME", type=_names, help="a view, or several: text,heads,matrix,model"
    )
    file = made.add_argument_group("the file")
    file.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="attention.html",
        help="where to write it, over what is there; %(default)s by default",
    )
    file.add_argument(
        "--max-mb",
        metavar="N",
        type=float,
        default=10.0,
        help="how large it may become, %(default)g by default; it says itself what it leaves out",
    )
    file.add_argument(
        "--no-open", dest="open", action="store_false", help="write it, and open no browser"
    )
    return made


def _numbers(given: str) -> list[int]:
    try:
        return [int(number) for number in given.split(",")]
    except ValueError:
        raise ArgumentTypeError(f"expected whole numbers like 3 or 3,7, got {given!r}") from None


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",")]

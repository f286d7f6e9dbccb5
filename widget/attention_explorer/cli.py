"""From the command line to one HTML file: trace a text, write what it attends to, open it."""

from __future__ import annotations

import sys
import webbrowser
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import PROGRAM, read_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .explorer import AttentionExplorer

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 2 with one sentence on stderr."""
    arguments = read_arguments(argv)
    try:
        explorer = explore(arguments)
        _tell(f"Writing {arguments.output} ...")
        path = write(explorer, arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        # Models bring code and files of anyone: whatever fails in them, a person gets a sentence.
        _tell(f"{PROGRAM}: {_sentence(error)}")
        return 2
    print(path)
    if arguments.open:
        webbrowser.open(path.absolute().as_uri())
    return 0


def explore(arguments: Namespace) -> AttentionExplorer:
    """Return the explorer that the arguments ask for.

    Raises
    ------
    ValueError
        A text that is empty or too long for the model; a model that can't be loaded.
    ModuleNotFoundError
        torch, transformers or peft is missing.
    traitlets.TraitError
        A layer, head or view that isn't there.
    """
    from .explorer import AttentionExplorer

    opened = {
        name: value
        for name in ("layer", "heads", "view")
        if (value := getattr(arguments, name)) is not None
    }
    if arguments.demo:
        return AttentionExplorer.demo(**opened)
    if arguments.question is not None:
        question, context = _given(arguments, "question"), _given(arguments, "context")
        model, tokenizer = _load(arguments.model, for_questions=True)
        _tell("Asking ...")
        return AttentionExplorer.qa(model, tokenizer, question, context, **opened)
    text = _given(arguments, "text")
    pair = None if arguments.pair is None else _given(arguments, "pair")
    if arguments.model is None and not _has_demo_model():
        from .demo import TEXT

        _tell(
            f"No model is named and the demo model isn't installed, so this is the demo: {TEXT!r}. "
            "For a text of yours, name a model by --model."
        )
        return AttentionExplorer.demo(**opened)
    model, tokenizer = _load(arguments.model)
    _tell("Reading the text ...")
    return AttentionExplorer.from_model(model, tokenizer, text, pair, **opened)


def write(explorer: AttentionExplorer, arguments: Namespace) -> Path:
    """Write the file that the arguments ask for and return its path."""
    from .export.html import to_html

    path = Path(arguments.output)
    to_html(explorer, path, max_mb=arguments.max_mb)
    return path


def _load(name: str | None, for_questions: bool = False) -> tuple[Any, Any]:
    """Return a model and its tokenizer: the demo model's, or those of a hub's name or a folder."""
    _tell(f"Loading {name or 'the demo model'} ...")
    from_name: Callable[[str], Any] | None = None
    try:
        if name is None:
            from . import demo_model, demo_qa_model

            return demo_qa_model() if for_questions else demo_model()
        if for_questions:
            from .tasks.reading import reader_named as from_name
        from .tracing.tracer import load

        if name.startswith((".", "/")) and not Path(name).is_dir():
            raise ValueError("there is no such folder")  # not asked of the hub, by its retries
        return load(name, None, from_name)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "transformers"):
            raise
        raise ModuleNotFoundError(
            f"reading a text takes {error.name}: `pip install 'attention-explorer[transformers]'`"
        ) from error
    except Exception as error:
        raise ValueError(
            f"{name or 'the demo model'} could not be loaded: {_sentence(error)}"
        ) from error


def _has_demo_model() -> bool:
    from .tracing.demo_model import model_folder

    try:
        model_folder()
    except ModuleNotFoundError:
        return False
    return True


def _given(arguments: Namespace, name: str) -> str:
    """Return a text that was given, ``-`` being what stdin holds."""
    text: str = getattr(arguments, name)
    if text == "-":
        text = sys.stdin.read()
    if not text.strip():
        raise ValueError(f"the {name} is empty: there is nothing to read")
    return text


def _sentence(error: BaseException) -> str:
    """Return the first line of what an error says, or its name where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)

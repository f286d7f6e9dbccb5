"""The table of what bertviz and we answer to the same calls, made by calling both.

python -m tests.bertviz.parity --write   renews PARITY.md
"""

from __future__ import annotations

import argparse
import html
import re
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bertviz.neuron_view

import bertviz
from attention_explorer import bertviz as ours

from ..notebooks import WIDGET
from .arguments import arguments, copied
from .cases import BEYOND, CASES, REFUSED, Answer, Case
from .shell import displayed
from .shown import BrokenPageError, Part, Shown, has_all_of

TABLE = Path(__file__).with_name("PARITY.md")
# A model runs once for each, and rounds by itself.
TOLERANCE = 1e-6
_HEADING = """\
# The same calls, to bertviz 1.4.1 and to attention_explorer.bertviz

Written by `python -m tests.bertviz.parity --write` from what both answer, on tiny models with
random weights. Where both show something, every weight that bertviz shows was found here, under the
same layer, head and tokens, within 1e-6.
"""
# In quotes, as what is loaded is; comments name others.
_ADDRESS = re.compile(r"""["']https?://([\w.-]+)""")
# Names of XML, not addresses.
_NAMESPACES = {"www.w3.org"}


def render() -> str:
    """Return the table as Markdown."""
    tables = [
        ("What is shown", [_row(case) for case in CASES]),
        ("What `html_action` gives", _outputs()),
        ("What is refused", [_row(case) for case in REFUSED]),
        ("Beyond, and where an answer differs", [_row(case) for case in BEYOND]),
    ]
    return _HEADING + "".join(f"\n## {title}\n\n{_table(rows)}" for title, rows in tables)


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = ["", "call", "bertviz", "attention-explorer"]
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _row(case: Case) -> list[str]:
    theirs, own = case.theirs(), case.ours()
    check(case, theirs, own)
    said = say(theirs, case.tells), say(own, case.tells)
    return [case.about, f"`{case.call}`", said[0], "the same" if said[0] == said[1] else said[1]]


def check(case: Case, theirs: Answer, own: Answer) -> None:
    """Hold an answer of ours to bertviz's, so that the table says nothing that isn't so."""
    shown = [not isinstance(answer, Exception) for answer in (theirs, own)]
    if case.expected == "the same":
        assert shown[0] == shown[1], (case.call, theirs, own)
    else:
        assert shown[1] == (case.expected == "shows"), (case.call, own)
    if isinstance(own, Exception):
        assert isinstance(own, ValueError), (case.call, own)
    if isinstance(theirs, Shown) and isinstance(own, Shown):
        names = theirs.parts if case.same is None else case.same
        part = replace(theirs, parts={name: theirs.parts[name] for name in names})
        assert has_all_of(own, part, TOLERANCE), case.call
        assert (own.opens, own.layer, own.mode) == (theirs.opens, theirs.layer, theirs.mode)
        assert theirs.heads in ((), own.heads), case.call
        assert set(theirs.parts) <= set(own.parts), case.call


def say(answer: Answer, tells: str) -> str:
    """Return in words what is of interest of an answer."""
    if isinstance(answer, BrokenPageError):
        return "a page whose script ends in the token"
    if isinstance(answer, Exception):
        return _said_by(answer)
    part = answer.parts[answer.opens]
    words = {
        "tokens": _tokens(part),
        "layers": f"layers {_numbers(part.layers)}, opens on {answer.layer}",
        "heads": f"heads {_numbers(part.heads)}"
        + (f", chosen {_numbers(answer.heads)}" if answer.heads else ""),
        "mode": answer.mode or "as the page is",
        "choices": "; ".join(_choice(name, part) for name, part in answer.parts.items()),
    }
    return "; ".join(words[name] for name in tells.split()) or "shows it"


def _said_by(error: Exception) -> str:
    """Return an error with its own words, less what the library under bertviz says."""
    where = traceback.extract_tb(error.__traceback__)[-1].filename
    meant = isinstance(error, ValueError) and "bertviz" in where
    meant = meant or "attention_explorer" in where
    text = re.sub(r"\s+", " ", ": ".join(map(str, error.args))) if meant else ""
    return f"{type(error).__name__}: {_in_a_cell(text)}" if text else type(error).__name__


def _in_a_cell(text: str) -> str:
    return html.escape(text, quote=False).replace("|", "\\|").replace("*", "\\*")


def _tokens(part: Part) -> str:
    sides = [part.queries] if part.queries == part.keys else [part.queries, part.keys]
    return " to ".join(f"`{' '.join(token.strip() for token in side)}`" for side in sides)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _choice(name: str, part: Part) -> str:
    sides = f"{len(part.queries)} x {len(part.keys)}"
    name = name.replace("Sentence ", "").replace(" -> ", "→") or "all"
    return f"{name} ({sides})"


def _outputs() -> list[list[str]]:
    """Return a row for each view and what becomes of it."""
    calls = {
        "head_view": "head_view(attention, tokens{})",
        "model_view": "model_view(attention, tokens{})",
        "neuron_view": "neuron_view(model, 'bert', tokenizer, sentence_a{})",
    }
    theirs = {**vars(bertviz), "neuron_view": bertviz.neuron_view.show}
    rows = []
    for view, call in calls.items():
        for action in ("", ", html_action='return'"):
            source = call.format(action)
            given = arguments()
            own = _output(source, {**given, view: getattr(ours, view)})
            given["model"] = copied(given["model"])
            their = _output(source, {**given, view: theirs[view]})
            assert their.split(";")[0] == own.split(";")[0], source
            rows.append(["`html_action`", f"`{source}`", their, own])
    return rows


def _output(call: str, names: dict[str, Any]) -> str:
    """Say what a call returns and displays, and which hosts that loads from."""
    with displayed() as outputs:
        found = eval(call, names)
    texts = [str(value) for output in outputs for value in output.values()]
    if found is not None:
        texts.append(found.data)
    shown = [WIDGET if WIDGET in output else [*output][-1] for output in outputs]
    hosts = {host for text in texts for host in _ADDRESS.findall(html.unescape(text))}
    parts = [
        f"returns {'None' if found is None else type(found).__name__}",
        *([f"displays {' and '.join(dict.fromkeys(shown))}"] if shown else []),
        f"loads from {', '.join(sorted(hosts - _NAMESPACES)) or 'no other host'}",
    ]
    return "; ".join(parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew PARITY.md")
    if parser.parse_args().write:
        TABLE.write_text(render(), encoding="utf-8")
    else:
        print(render(), end="")

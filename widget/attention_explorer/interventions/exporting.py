"""Edits as JSON, to cross a wire or to be kept, and as the Python that does the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from .edits import AblateHead, CutEdges, Edit, ReplaceToken, arguments
from .listed import Edits

_CLASSES: dict[str, type[Any]] = {
    "ablate": AblateHead,
    "cut": CutEdges,
    "replace": ReplaceToken,
}


def to_json(edits: Edits) -> list[dict[str, Any]]:
    """Return one small dict an edit, of what JSON knows.

    ``{"edit": "ablate", "layer": 3, "head": 5}``, ``{"edit": "cut", "queries": [7], "keys": [2]}``
    or ``{"edit": "replace", "position": 4, "token": "dog"}``, with the other arguments of the
    classes where they aren't the defaults, and ``"on": false`` where it is switched off.
    """
    return [
        {"edit": _name_of(edit), **_listed(arguments(edit)), **({} if on else {"on": False})}
        for edit, on in zip(edits.edits, edits.on, strict=True)
    ]


def from_json(given: object) -> Edits:
    """Return the edits that `to_json` wrote.

    Raises
    ------
    TypeError, ValueError
        Something else, or an edit that can't be made; says which.
    """
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise TypeError(f"edits are a list of objects, got {type(given).__name__}")
    edits, switches = [], []
    for number, one in enumerate(given):
        if not isinstance(one, Mapping):
            raise TypeError(f"edit {number} has to be an object, got {type(one).__name__}")
        values = dict(one)
        name, on = values.pop("edit", None), values.pop("on", True)
        if name not in _CLASSES:
            known = ", ".join(map(repr, _CLASSES))
            raise ValueError(f"edit {number} is {name!r:.60}, and has to be one of {known}")
        if not isinstance(on, bool):
            raise TypeError(f"edit {number}: on is true or false, got {on!r:.60}")
        edits.append(_made(number, name, values))
        switches.append(on)
    return Edits(edits, switches)


def as_python(edits: Edits, trace: str = "traced", *, at: int | str | None = None) -> str:
    """Return Python source that measures what the edits change.

    Parameters
    ----------
    edits : Edits
        Those that are switched off are written as such.
    trace : str
        The name of the variable that holds the trace.
    at : int or str, optional
        As for `measure`.

    Returns
    -------
    str
        Lines that need nothing but the trace; they leave an `Effect` in ``effect``.
    """
    used = sorted({type(edit).__name__ for edit in edits} | {"Edits", "measure"}, key=_import_order)
    lines = [f"        {_as_call(edit)}," for edit in edits]
    switches = "" if all(edits.on) else f"\n    on={list(edits.on)},"
    listed = "\n".join(["    [", *lines, "    ],"]) if lines else "    [],"
    where = "" if at is None else f", at={at!r}"
    return (
        f"from attention_explorer.interventions import {', '.join(used)}\n\n"
        f"# {trace} = trace(model, tokenizer, text)\n"
        f"edits = Edits(\n{listed}{switches}\n)\n"
        f"effect = measure({trace}, edits{where})\n"
        "print(effect.said)\n"
    )


def _made(number: int, name: str, values: Mapping[str, object]) -> Edit:
    known = {own.name: own.default is MISSING for own in fields(_CLASSES[name])}
    missing = [own for own, is_needed in known.items() if is_needed and own not in values]
    unknown = [own for own in values if own not in known]
    if missing or unknown:
        wrong = (
            f"has no {missing[0]!r}" if missing else f"has {unknown[0]!r:.60}, which isn't known"
        )
        raise ValueError(
            f"edit {number} ({name}) {wrong}: its entries are {', '.join(map(repr, known))}"
        )
    try:
        edit: Edit = _CLASSES[name](**values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"edit {number} ({name}): {error}") from None
    return edit


def _name_of(edit: Edit) -> str:
    return next(name for name, kind in _CLASSES.items() if isinstance(edit, kind))


def _listed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def _import_order(name: str) -> tuple[bool, str]:
    return name[0].islower(), name


def _as_call(edit: Edit) -> str:
    written = (f"{name}={_as_value(value)}" for name, value in arguments(edit).items())
    return f"{type(edit).__name__}({', '.join(written)})"


def _as_value(value: object) -> str:
    """Return a value as a person writes it: a run of numbers is a range, one of a list alone."""
    if not isinstance(value, tuple):
        return repr(value)
    if len(value) == 1:
        return repr(value[0])
    if len(value) > 2 and value == tuple(range(value[0], value[0] + len(value))):
        return f"range({value[0]}, {value[-1] + 1})"
    return repr(list(value))

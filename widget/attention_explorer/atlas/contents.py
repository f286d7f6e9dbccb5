"""All that an atlas is made of, as arrays and a tree of plain values: what files hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from .anatomy import Anatomy
from .corpus import Entry
from .exemplars import Exemplars, Written
from .names import MEASURED
from .tally import Moments, Tally

VERSION = 1
Arrays = dict[str, npt.NDArray[np.generic]]

_COUNTS = ("n_units", "n_texts", "n_tokens", "n_cut", "n_empty")
_OF_EXEMPLARS = ("keys", "index", "values", "query", "key", "weight")


@dataclass(frozen=True)
class Contents:
    """An atlas's numbers, and what they are of.

    Attributes
    ----------
    anatomy : Anatomy
    identity : mapping of str to str
        Of model and tokenizer; see `identity.identity_of`.
    options : mapping of str to object
        By which it was made.
    tally : Tally
    is_complete : bool
        Whether all of the corpus is in it.
    """

    anatomy: Anatomy
    identity: Mapping[str, str]
    options: Mapping[str, object]
    tally: Tally
    is_complete: bool

    @property
    def max_length(self) -> int | None:
        """To how many tokens texts were cut; None where the model said."""
        return cast("int | None", self.options.get("max_length"))

    def parts(self) -> tuple[Arrays, dict[str, Any]]:
        """Return it as arrays by name, and the rest as JSON can write it."""
        tally, exemplars = self.tally, self.tally.exemplars
        arrays: Arrays = {"holds": tally.holds, "apart": tally.apart}
        for name in ("scores", "baselines"):
            moments = getattr(tally, name)
            arrays |= {f"{name}.{it.name}": getattr(moments, it.name) for it in fields(moments)}
        arrays |= {f"exemplars.{name}": getattr(exemplars, name) for name in _OF_EXEMPLARS}
        return arrays, {
            "version": VERSION,
            "measured": list(MEASURED),
            "anatomy": asdict(self.anatomy),
            "identity": dict(self.identity),
            "options": dict(self.options),
            "is_complete": self.is_complete,
            "digest": tally.digest,
            **{name: getattr(tally, name) for name in _COUNTS},
            "entries": [list(entry) for entry in exemplars.entries],
            "written": [[list(part) for part in its] for its in exemplars.written],
        }

    @staticmethod
    def check_version(rest: Mapping[str, Any], where: str) -> None:
        """Raise ValueError where another version wrote it, whose arrays may be others."""
        if rest.get("version") != VERSION or rest.get("measured") != list(MEASURED):
            raise ValueError(
                f"{where} was written by another version (its format is {rest.get('version')}, "
                f"this one's {VERSION}): make it anew"
            )

    @classmethod
    def of(cls, arrays: Mapping[str, Any], rest: Mapping[str, Any], where: str) -> Contents:
        """Put it together again.

        Raises
        ------
        ValueError
            Of another version, or not whole.
        """
        cls.check_version(rest, where)
        try:
            anatomy: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in rest["anatomy"].items()
            }
            counts: dict[str, Any] = {name: int(rest[name]) for name in _COUNTS}
            exemplars = Exemplars(
                entries=tuple(Entry(*entry) for entry in rest["entries"]),
                written=tuple(Written(*map(tuple, its)) for its in rest["written"]),
                **{name: arrays[f"exemplars.{name}"] for name in _OF_EXEMPLARS},
            )
            moments = {
                name: Moments(**{it.name: arrays[f"{name}.{it.name}"] for it in fields(Moments)})
                for name in ("scores", "baselines")
            }
            tally = Tally(
                **counts,
                digest=rest["digest"],
                scores=moments["scores"],
                baselines=moments["baselines"],
                holds=arrays["holds"],
                apart=arrays["apart"],
                exemplars=exemplars,
            )
            return cls(
                Anatomy(**anatomy),
                rest["identity"],
                rest["options"],
                tally,
                bool(rest["is_complete"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{where} holds no whole atlas: {error}") from error

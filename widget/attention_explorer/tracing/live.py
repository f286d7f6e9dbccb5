"""A traced model and what it was given: the means to run it once more, as it was or changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

from .kinds import SIDES, kind_of

if TYPE_CHECKING:
    import torch

    from .capture import Record
    from .examples import Examples

# Runs that change a model's passes take turns: two of them would mix modes and memory.
_turn = threading.RLock()


class Place(NamedTuple):
    """Where an attention is computed: the kind, as the trace calls it, and the layer's index."""

    kind: str
    layer: int


# From a place and what is computed there to other outputs (batch, queries, heads, d); None: as is.
Alter = Callable[[Place, "Record"], "torch.Tensor | None"]


@dataclass
class Live:
    """A model that somebody else keeps, with one example of what it was given.

    Attributes
    ----------
    tokenizer : object or None
        As it was given to `trace`.
    given : Examples
        The batch.
    example : int
        Which of the batch.
    names : mapping of str to str
        What the trace calls the kinds of `kinds.SIDES`.
    n_layers : mapping of str to int
        How many layers each kind of the trace has.
    kept : dict
        What runs found out that others may need, by names of their own.
    """

    tokenizer: Any
    given: Examples
    example: int
    names: Mapping[str, str]
    n_layers: Mapping[str, int]
    _model: Callable[[], Any]
    _written_out: bool = field(default=False, init=False)
    kept: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, model: Any, tokenizer: Any, **about: Any) -> Live:
        """Note a model, without keeping it."""
        return cls(tokenizer, **about, _model=ref(model))

    @property
    def model(self) -> Any:
        """The model.

        Raises
        ------
        ValueError
            Nobody keeps it any more.
        """
        model = self._model()
        if model is None:
            raise ValueError(
                "the model is gone: keep it in a variable as long as it is to be run again"
            )
        return model

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        """What the model is given: a batch of this one example."""
        size, at = self.given.size, self.example
        return {
            name: value[at : at + 1] if value.ndim and len(value) == size else value
            for name, value in self.given.batch.items()
        }

    def positions(
        self, kind: str, lengths: tuple[int, int] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the positions in the inputs of a kind's queries and keys: those without padding.

        Two tensors of int64 on the CPU. `lengths` are those of both sides, padding included, where
        only a pass tells them, as of images and sounds.
        """
        own = next(name for name, shown in self.names.items() if shown == kind)
        sides = [self.given.streams[side] for side in SIDES[own]]
        known = lengths or [side.length or len(side.name(self.example, 0)) for side in sides]
        queries, keys = (
            side.positions(self.example, length) for side, length in zip(sides, known, strict=True)
        )
        return queries, keys

    def run(
        self,
        alter: Alter | None = None,
        *,
        inputs: Mapping[str, torch.Tensor] | None = None,
        copies: int = 1,
        gradients: bool = False,
    ) -> Any:
        """Run the model once; it is left as it was found, also where that fails.

        Parameters
        ----------
        alter : callable, optional
            Called with each attention that is computed; its answer, if any, takes the place of the
            outputs, before they are projected.
        inputs : mapping of str to tensor, optional
            Instead of what was traced.
        copies : int
            Size of the batch, which repeats the example: an `alter` may treat each differently.
        gradients : bool
            Whether what comes out can be derived by what `alter` returned.

        Returns
        -------
        ModelOutput
            The model's own.

        Raises
        ------
        ValueError
            The model is gone, or its attention is computed where it can't be altered.
        """
        import torch

        from .capture import capture
        from .forward import evaluating, uncompiled
        from .written_out import capture_written_out

        model = self.model
        # What a caller's inference mode makes can never be derived.
        mode = torch.inference_mode(False) if gradients else nullcontext()
        with _turn, mode, evaluating(model, gradients), uncompiled(model):
            batch = {
                name: value.repeat_interleave(copies, 0) if _is_of_one(value) else value
                for name, value in (inputs or self.inputs).items()
            }
            if alter is None:
                return model(**batch)
            if not self._written_out:
                placing = self._placing(alter)
                with capture(model, placing):
                    output = model(**batch)
                if placing.n_calls:
                    placing.check(self.n_layers)
                    return output
                self._written_out = True
            placing = self._placing(alter)
            with capture_written_out(model, copies, placing):
                output = model(**batch)
            placing.check(self.n_layers)
            return output

    def _placing(self, alter: Alter) -> _Placing:
        return _Placing(alter, self.names, "target" in self.given.streams)


def _is_of_one(value: torch.Tensor) -> bool:
    return value.ndim > 0 and len(value) == 1


class _Placing:
    """Tells where each recorded attention is computed, by the order of the calls."""

    def __init__(self, alter: Alter, names: Mapping[str, str], has_target: bool) -> None:
        self._alter, self._names, self._has_target = alter, names, has_target
        self._calls: dict[str, int] = {}

    @property
    def n_calls(self) -> int:
        """How many attentions were computed."""
        return sum(self._calls.values())

    def __call__(self, record: Record) -> torch.Tensor | None:
        """Take one record."""
        kind = self._names.get(kind_of(record.name, self._has_target))
        if kind is None:
            return None
        layer = self._calls.get(kind, 0)
        self._calls[kind] = layer + 1
        return self._alter(Place(kind, layer), record)

    def check(self, n_layers: Mapping[str, int]) -> None:
        """Refuse a pass whose attentions aren't the trace's, one by one."""
        for kind, expected in n_layers.items():
            found = self._calls.get(kind, 0)
            if found != expected:
                raise ValueError(
                    f"the model computes {found} attentions ({kind}) where they can be altered, "
                    f"and the trace has {expected}: what it does can't be changed layer by layer"
                )

"""What can be shown instead of weights, by name: the door to this room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..protocol import Measure
from ..runs import Progress, StoppedError, silent
from ..tracing.trace import Kind, Trace
from .logits import logits, why_no_logits
from .norms import norms, summed_norms, why_not_summed
from .relevance import relevance, why_no_relevance
from .rollout import rollout, why_not

if TYPE_CHECKING:
    from ..tracing.live import Live
    from .outputs import Target


class About(NamedTuple):
    """What a measure's numbers are.

    Attributes
    ----------
    number : str
        What one is called on screen.
    are_shares : bool
        Whether those of a row are shares of 1, where the weights are.
    chosen_by : tuple of str
        The arguments that choose which output it is of.
    """

    number: str
    are_shares: bool = False
    chosen_by: tuple[str, ...] = ()


MEASURES: dict[Measure, About] = {
    "weights": About("weight", are_shares=True),
    "norms": About("|Af|"),
    "norms summed": About("|ΣAf|"),
    "rollout": About("share of rollout", are_shares=True),
    "relevance": About("relevance", chosen_by=("target", "at")),
    "logits": About("logit", chosen_by=("target",)),
}


def measure(
    trace: Trace,
    name: Measure,
    kind: str | None = None,
    target: Target | None = None,
    at: int | str | None = None,
    progress: Progress = silent,
) -> Kind:
    """Return a kind of attention with other numbers than its weights.

    Parameters
    ----------
    trace : Trace
        Of a model that somebody keeps; for rollout any.
    name : str
        weights
            As traced.
        norms
            ``A_ij |f(x_j)|`` of each head, with f(x) = v W_O what it would move from the key [1]_.
            Weights are large on special tokens, and these numbers small.
        norms summed
            ``|sum_h A_ij f(x_j)|``: one head a layer [1]_.
        rollout
            ``R_l = A' R_(l-1)`` with ``A' = (mean over heads + I) / 2`` [2]_: one head a layer.
            Rows sum to 1.
        relevance
            ``R_l = R_(l-1) + mean_h[(A * gradient)+] R_(l-1)`` for an output [3]_: one head a
            layer. No number is below 0, and none of the diagonal below 1.
        logits
            What a head adds to a token's logit after each query by reading each key, directly [4]_:
            signed. Of decoders whose layers add to a stream that goes through one norm.
    kind : str, optional
        Which of the trace's kinds of attention; the one that it shows by default.
    target : int or str, optional
        Number or text of the label or token whose score is explained by relevance; by default what
        the model says itself: the likeliest token after the last, the likeliest label, start and
        end of the best answer, the likeliest token for the only mask. For logits a token, the same
        for all queries; by default the one that the model predicts after each.
    at : int or str, optional
        Position or text of the token whose output is explained by relevance, where the model says
        something of every token.
    progress : callable, optional
        Told the share that is done.

    Returns
    -------
    Kind
        With the same tokens; its attention's `notes` say what the numbers are.

    Raises
    ------
    ValueError
        It can't be had of this model or text; the message says why. The model is gone.

    References
    ----------
    .. [1] Kobayashi et al. 2020, "Attention is Not Only a Weight".
    .. [2] Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers".
    .. [3] Chefer et al. 2021, "Generic Attention-model Explainability".
    .. [4] Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits".
    """
    if name not in MEASURES:
        raise ValueError(f"there is no measure {name!r}: use {', '.join(map(repr, MEASURES))}")
    kind = trace.kind if kind is None else kind
    shown = trace[kind].kinds[kind]
    for given, value in (("target", target), ("at", at)):
        if value is not None and given not in MEASURES[name].chosen_by:
            takes = [other for other, about in MEASURES.items() if given in about.chosen_by]
            raise ValueError(f"{given}= is for {' and '.join(takes)}, not for {name}")
    why = available(trace, kind)[name]
    if why:
        raise ValueError(why)
    match name:
        case "weights":
            return shown
        case "rollout":
            return rollout(shown, kind == "decoder" and "cross" in trace.kinds, progress)
        case "norms":
            return norms(shown, kind, trace.live, progress)
        case "norms summed":
            return summed_norms(shown, kind, trace.live, progress)
        case "relevance":
            return relevance(trace[kind], target, at, progress)
        case "logits":
            return logits(shown, kind, trace.live, target, progress)


def available(trace: Trace, kind: str | None = None) -> dict[Measure, str]:
    """Tell which measures a kind of attention has: "" or why not, by name. Nothing is computed.

    Some show only when they are computed that they can't be had.
    """
    kind = trace.kind if kind is None else kind
    shown = trace.kinds[kind]
    if shown.attention.signed:
        why = "these numbers are below 0 in places, and so no weights that others are made of"
        return {name: "" if name == "weights" else why for name in MEASURES}
    of_model = _of_model(trace)
    reasons: dict[Measure, Callable[[Live], str]] = {
        "norms": lambda live: "",
        "norms summed": lambda live: why_not_summed(shown.attention),
        "relevance": lambda live: why_no_relevance(shown, live),
        "logits": lambda live: why_no_logits(shown, live),
    }
    found: dict[Measure, str] = {"weights": "", "rollout": why_not(shown, "rollout")}
    for name, reason in reasons.items():
        found[name] = of_model if isinstance(of_model, str) else reason(of_model)
    return {name: found[name] for name in MEASURES}


def _of_model(trace: Trace) -> Live | str:
    """Return a trace's model, or why there is none."""
    try:
        live = trace.live
        _ = live.model
    except ValueError as error:
        return str(error)
    return live


class Measures:
    """What was worked out beside the weights of some kinds of attention, each once.

    Parameters
    ----------
    trace : Trace
        The kinds, with the model where there is one.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._found: dict[tuple[str, Measure], Kind] = {}
        self._refused: dict[tuple[str, Measure], str] = {}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """As traced."""
        return self._trace.kinds

    def of(self, kind: str, name: Measure, progress: Progress = silent) -> Kind:
        """Return a kind of attention with the numbers of a measure.

        Raises
        ------
        ValueError
            They can't be had; says why.
        """
        if name == "weights":
            return self.kinds[kind]
        if (kind, name) not in self._found:
            try:
                self._found[kind, name] = measure(self._trace, name, kind, progress=progress)
            except StoppedError:
                raise  # nobody waits for it any more: that says nothing of it
            except ValueError as error:
                self._refused[kind, name] = str(error)
                raise
        return self._found[kind, name]

    def has(self, kind: str, name: Measure) -> bool:
        """Tell whether the numbers are there already."""
        return name == "weights" or (kind, name) in self._found

    def available(self, kind: str) -> dict[Measure, str]:
        """Tell which measures there are: "" or why not; with what was found on the way."""
        found = available(self._trace, kind)
        for name in found:
            if (kind, name) in self._found:
                found[name] = ""
            elif not found[name]:
                found[name] = self._refused.get((kind, name), "")
        return found


def with_kinds(kinds: Mapping[str, Kind], trace: Trace | None) -> Trace:
    """Return a trace with these kinds; one without a model where there is none."""
    return Trace(kinds, next(iter(kinds), ""), "") if trace is None else replace(trace, kinds=kinds)

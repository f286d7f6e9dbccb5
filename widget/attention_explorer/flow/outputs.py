"""The one number of a model's output that is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..tracing.limits import name_of

if TYPE_CHECKING:
    import torch

    from ..interventions.outcome import Outcome
    from ..tracing.tokens import Tokens
    from ..tracing.trace import Trace

# A token or a label, by its text or number.
Target = int | str


@dataclass(frozen=True)
class Chosen:
    """One number that a model gives, with what it is of, in words."""

    number: torch.Tensor
    name: str


class Choice:
    """Chooses the number of a trace's pass, by what interventions follow: the best by default.

    Parameters
    ----------
    trace : Trace
        Whose model is still there.
    target : int or str, optional
        A token or a label; by default what the model gives most.
    at : int or str, optional
        Which token the output is of, where the model says something of every token.
    """

    def __init__(self, trace: Trace, target: Target | None, at: int | str | None) -> None:
        from ..interventions.reading import Reading

        self._trace, self._target = trace, target
        self._reading = Reading(trace, at)

    @property
    def inputs(self) -> dict[str, torch.Tensor]:
        """What the model is given, and told to give no more than is needed."""
        return {**self._trace.live.inputs, **self._reading.inputs}

    def of(self, output: Any) -> Chosen:
        """Return the number, a part of the output's graph.

        Raises
        ------
        ValueError
            The model returns representations alone, or it isn't clear which token is meant.
        """
        from ..interventions.targets import target_of

        (outcome,) = self._reading.outcomes(output)
        number = target_of(self._trace, outcome, self._target)
        if number is None:
            raise ValueError(_no_head(self._trace.live.model))
        return Chosen(self._logit(output, outcome, number), _named(outcome, number))

    def _logit(self, output: Any, outcome: Outcome, number: int) -> torch.Tensor:
        from ..interventions.replacing import stream_of

        live = self._trace.live
        logits: torch.Tensor = output.start_logits if outcome.what == "answer" else output.logits
        if outcome.at is None and outcome.what != "answer":
            return logits[0, number]
        if self._reading.inputs:
            return logits[0, 0, number]
        tokens, positions = stream_of(live, "source", logits.shape[1])
        if outcome.what == "answer":
            first, last = _span(tokens, number)
            ends: torch.Tensor = output.end_logits
            return logits[0, positions[first]] + ends[0, positions[last]]
        assert outcome.at is not None
        return logits[0, positions[outcome.at], number]


def _span(tokens: Tokens, number: int) -> tuple[int, int]:
    """Return first and last token of an answer, which are counted as `answering.answers` does."""
    from ..tasks.qa import MAX_ANSWER_TOKENS

    context = [i for i, segment in enumerate(tokens.segment) if segment == 1]
    first, more = divmod(number, min(MAX_ANSWER_TOKENS, len(context)))
    if first >= len(context):
        raise ValueError("the model says that the text holds no answer: there is none to explain")
    return context[first], context[first] + more


def has_unembedding(model: Any) -> bool:
    """Tell whether a model says how likely each token of its vocabulary is."""
    get = getattr(model, "get_output_embeddings", None)
    return get is not None and get() is not None


def why_no_output(model: Any) -> str:
    """Return why a model has nothing to explain, "" where it may have."""
    kind = type(model).__name__
    if has_unembedding(model) or "Classification" in kind or "QuestionAnswering" in kind:
        return ""
    return _no_head(model)


def _no_head(model: Any) -> str:
    return (
        f"{name_of(model)} returns representations, and no number to explain: load it with a head, "
        "e.g. by AutoModelForCausalLM or AutoModelForSequenceClassification"
    )


def _named(outcome: Outcome, number: int) -> str:
    """Say what a number is of."""
    text = outcome.choice(number).text
    said = text.strip() or repr(text)
    where = f"“{outcome.token.strip()}” ({outcome.at})"
    match outcome.what:
        case "answer":
            return f"start + end of the answer “{said}”"
        case "labels":
            return f"the label {said}"
        case "token label":
            return f"the label {said} of {where}"
        case "next token":
            return f"the logit of “{said}” after {where}"
        case _:
            return f"the logit of “{said}” at {where}"

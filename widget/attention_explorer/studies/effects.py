"""Studies that run the model: what edits change, and what each head or key changes alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..analysis.chance import band, spearman
from ..protocol import EditInfo, EffectStudied, Odds, SweepStudied, SweepStudy
from ..runs import Progress
from ..state import check_index
from ..tracing.trace import Trace
from .numbers import known

if TYPE_CHECKING:
    from ..interventions import Edits, Effect, Outcome
    from ..interventions.sweep import Sweep

_ABOUT = {
    "next token": "the token after “{}”",
    "masked token": "the token at “{}”",
    "labels": "the label",
    "token label": "the label of “{}”",
    "answer": "the answer",
    "representation": "the last hidden states",
}
_EFFECTS = {
    "kl": "KL from the unchanged output, in nats",
    "score": "change of the score",
    "token_cosine": "cosine distance of the token's last hidden state",
    "mean_cosine": "cosine distance of the mean last hidden state",
}


def edits_of(given: Sequence[EditInfo]) -> Edits:
    """Return edits as `interventions` has them."""
    from ..interventions import Edits

    return Edits.from_json([_as_entry(edit) for edit in given])


def effect_info(effect: Effect, at: int | None) -> EffectStudied:
    """Return an effect as it crosses to the browser."""
    change = effect.change
    return {
        "of": "effect",
        "about": _ABOUT[effect.before.what].format(effect.before.token),
        "odds": _odds(effect.before, effect.after),
        "kl": change.kl,
        "distance": change.size if change.main.endswith("_cosine") else None,
        "said": effect.said,
        "python": effect.edits.as_python(at=at),
        "notes": list(effect.notes),
    }


def sweep_study(
    trace: Trace, study: SweepStudy, at: int | None, progress: Progress
) -> SweepStudied:
    """Measure what each head changes alone, or each key of a query; counted in tokens."""
    from ..interventions.sweep import ablate_all_heads, cut_all_keys

    attention = trace.attention
    if study["over"] == "keys":
        if study["query"] is None:
            raise ValueError("choose a token first: it is the one whose keys are cut")
        query = check_index(study["query"], attention.n_queries, "queries")
        sweep = cut_all_keys(trace, query, study["layer"], study["head"], at=at, progress=progress)
        return _sweep_info(sweep)
    values, of = _attention_of_heads(trace, study["query"], study["key"])
    sweep = ablate_all_heads(trace, at=at, attention=values, attention_of=of, progress=progress)
    return _sweep_info(sweep)


def _as_entry(edit: EditInfo) -> dict[str, Any]:
    entry: dict[str, Any] = {name: value for name, value in edit.items() if name != "do"}
    if not entry.get("kind", True):
        entry["kind"] = None
    return {"edit": edit["do"], **entry}


def _odds(before: Outcome, after: Outcome) -> list[Odds]:
    """Return what was or has become likeliest, with both probabilities."""
    numbers = dict.fromkeys(choice.number for choice in (*before.top, *after.top))
    listed: list[Odds] = [
        {
            "text": before.choice(number).text,
            "before": before.probability(number),
            "after": after.probability(number),
        }
        for number in numbers
    ]
    return sorted(listed, key=lambda odds: -max(odds["before"], odds["after"]))


def _attention_of_heads(
    trace: Trace, query: int | None, key: int | None
) -> tuple[npt.NDArray[np.float64], str]:
    attention = trace.attention
    layers, heads = range(attention.n_layers), range(attention.n_heads)
    if query is not None and key is not None:
        query = check_index(query, attention.n_queries, "queries")
        key = check_index(key, attention.n_keys, "keys")
        found = [attention.rows(layer, heads, [query])[:, 0, key] for layer in layers]
        return np.array(
            found, np.float64
        ), f"weight of “{trace.tokens.text[query].strip()}” on “{_key_text(trace, key)}”"
    queries = range(attention.n_queries)
    peaks = [[_peak(trace, layer, head, queries) for head in heads] for layer in layers]
    return np.array(peaks), "mean of each row's largest weight"


def _key_text(trace: Trace, key: int) -> str:
    tokens = trace.tokens if trace.key_tokens is None else trace.key_tokens
    return tokens.text[key].strip()


def _peak(trace: Trace, layer: int, head: int, queries: range) -> float:
    return float(trace.attention.rows(layer, [head], queries).max(-1).mean())


def _sweep_info(sweep: Sweep) -> SweepStudied:
    assert sweep.attention is not None
    attentions, effects = sweep.attention.ravel(), sweep.effect.ravel()
    there = ~(np.isnan(attentions) | np.isnan(effects))
    correlation = spearman(attentions[there], effects[there]) if there.sum() > 2 else np.nan
    return {
        "of": "sweep",
        "attentions": known(attentions),
        "effects": known(effects),
        "attention": sweep.attention_of,
        "effect": _EFFECTS[sweep.main],
        "correlation": None if np.isnan(correlation) else float(correlation),
        "band": band(effects[there]) if there.sum() > 2 else None,
        "notes": list(sweep.notes),
    }

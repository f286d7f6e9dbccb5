"""An effect in words: what was done, by how much the output changed, and what to bear in mind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..tracing.tokens import Tokens
from ..tracing.trace import Trace
from .change import Change
from .edits import AblateHead, CutEdges, Edit, ReplaceToken
from .meant import Cut, cuts_of, kind_of
from .outcome import Choice, Outcome
from .replacing import replacement

_LOWER_BOUND = (
    "The effect of this alone: a lower bound of what is there, as other heads and layers may make "
    "up for it (self-repair)."
)
# So many tokens are called by name.
_NAMED = 3


def said(
    trace: Trace,
    edits: Sequence[Edit],
    before: Outcome,
    after: Outcome,
    target: tuple[Choice, Choice] | None,
    change: Change,
) -> str:
    """Return an effect as one sentence, with its numbers and units."""
    done = " and ".join(describe(trace, edit) for edit in edits)
    measured = (
        _of_states(before, change) if target is None else _of_choices(before, after, target, change)
    )
    return f"{done[0].upper()}{done[1:]} changes {measured}."


def notes(trace: Trace, edits: Sequence[Edit], before: Outcome) -> tuple[str, ...]:
    """Return which intervention it was, and what its numbers don't say."""
    return tuple(_notes(trace, edits, before))


def unread(trace: Trace, edits: Sequence[Edit], n_cut: int) -> tuple[str, ...]:
    """Return that some edges needn't be cut, where it is so."""
    cuts = [edit for edit in edits if isinstance(edit, CutEdges)]
    n_edges = sum(_n_edges(cut) for edit in cuts for cut in cuts_of(trace, edit).values())
    if n_cut == n_edges:
        return ()
    return (
        f"{n_edges - n_cut} of {n_edges} edges, over layers and heads, aren't read by the model "
        "anyway, or are cut twice.",
    )


def describe(trace: Trace, edit: Edit) -> str:
    """Return what an edit does, as the subject of a sentence."""
    if isinstance(edit, ReplaceToken):
        return replacement(trace, edit).said
    name, kind = kind_of(trace, edit.kind)
    of = f" of the {name} attention" if len(trace.kinds) > 1 else ""
    if isinstance(edit, AblateHead):
        by = "to zero" if edit.by == "zero" else "to its mean over the text"
        return f"setting head {edit.head} of layer {edit.layer}{of} {by}"
    cut = next(iter(cuts_of(trace, edit).values()))
    queries = named(kind.tokens, cut.queries)
    keys = named(kind.key_tokens or kind.tokens, cut.keys)
    where = _where("layer", edit.layers), _where("head", edit.heads)
    return f"cutting what {queries} reads of {keys} in {where[0]}, {where[1]}{of},"


def named(tokens: Tokens, positions: Sequence[int]) -> str:
    """Return tokens as a person calls them: ``token 3 'cat'``."""
    called = [f"{i} {tokens.text[i]!r:.40}" for i in positions[:_NAMED]]
    more = f" and {len(positions) - _NAMED} more" if len(positions) > _NAMED else ""
    return f"token{'s' * (len(positions) > 1)} {', '.join(called)}{more}"


def _where(what: str, indices: object) -> str:
    if indices is None:
        return f"every {what}"
    assert isinstance(indices, tuple)
    if len(indices) == 1:
        return f"{what} {indices[0]}"
    if indices == tuple(range(indices[0], indices[-1] + 1)):
        return f"{what}s {indices[0]} to {indices[-1]}"
    return f"{what}s {', '.join(map(str, indices))}"


def _of_states(before: Outcome, change: Change) -> str:
    if change.token_cosine is None or change.token_l2 is None:
        assert change.mean_cosine is not None
        assert change.mean_l2 is not None
        of, numbers = "the mean of the last hidden states", (change.mean_cosine, change.mean_l2)
    else:
        of = f"the last hidden state of token {before.at} {before.token!r:.40}"
        numbers = change.token_cosine, change.token_l2
    return (
        f"the output ({of}) by a cosine distance of {numbers[0]:.3g}, and by {_share(numbers[1])} "
        "of its length (relative L2)"
    )


def _of_choices(
    before: Outcome, after: Outcome, target: tuple[Choice, Choice], change: Change
) -> str:
    what = {
        "next token": f"the next token after token {before.at} {before.token!r:.40}",
        "masked token": f"the token at {before.at} {before.token!r:.40}",
        "token label": f"the label of token {before.at} {before.token!r:.40}",
        "labels": "the label",
        "answer": "the answer",
    }[before.what]
    was, now = target
    called = repr(was.text[:80]) if was.text else "no answer"
    if change.score is not None:
        return (
            f"the output by {change.score:+.3g}: the score of {called} goes from "
            f"{was.probability:.3g} to {now.probability:.3g}"
        )
    measured = (
        f"the output by {change.kl:.3g} nats (KL divergence): as {what}, {called} goes from "
        f"{_share(was.probability)} to {_share(now.probability)} (log p {change.log_p:+.3g} nats)"
    )
    return measured + _other(before, after, change)


def _other(before: Outcome, after: Outcome, change: Change) -> str:
    if not change.is_other:
        return ""
    if before.by == "sigmoid":
        return "; labels passed 50 %"
    best = after.choice(after.best)
    called = repr(best.text[:80]) if best.text else "no answer"
    return f"; the most probable is now {called} ({_share(best.probability)})"


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"


def _notes(trace: Trace, edits: Sequence[Edit], before: Outcome) -> Iterator[str]:
    has_cuts = any(isinstance(edit, CutEdges) for edit in edits)
    by = {edit.by for edit in edits if isinstance(edit, AblateHead)}
    if has_cuts:
        yield (
            "Cut before the softmax: each query's other weights are rescaled by 1 / (1 - what was "
            "cut)."
        )
    if "zero" in by:
        yield "Ablated to zero, which is the same as zeroing the head's slice of W_O."
    if "mean" in by:
        yield (
            "Ablated to the mean of the head's outputs over the queries of this text, in this very "
            "pass."
        )
    if any(isinstance(edit, ReplaceToken) for edit in edits):
        yield "Replaced in the input: masks, positions and segments stay what they were."
    if before.what == "representation":
        yield (
            f"{trace.model_name} has no head, so there are no probabilities: distances are of its "
            "last hidden states, and say nothing of any task."
        )
    dtype = next(trace.live.model.parameters()).dtype
    if dtype.itemsize < 4:
        yield (
            f"The model computes in {str(dtype).removeprefix('torch.')}: an effect as small as its "
            "rounding can't be told from none."
        )
    if has_cuts or by:
        yield _LOWER_BOUND


def _n_edges(cut: Cut) -> int:
    return len(cut.heads) * len(cut.queries) * len(cut.keys)

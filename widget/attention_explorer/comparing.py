"""The explorer of two traces: two texts of one model, or two models on one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import traitlets

from .analysis.differing import Differing, differing_steps
from .analysis.steps import finish
from .analysis.sums import ROWS
from .attention import Attention
from .attention.difference import DifferenceAttention
from .attention.hidden import HiddenAttention
from .attention.words import WordAttention
from .comparison import DIFFERENCE, BothMeasures, Comparison
from .explorer import AttentionExplorer
from .export.needed import need
from .protocol import CompareStudied, CompareStudy, Studied
from .requests import Wish
from .runs import Progress
from .shown_view import CLOSED
from .studies import Desk, Look
from .studies.compared import differ_info, rows_info, sides_info
from .tracing import Kind, Trace
from .variants import Variant, Variants

if TYPE_CHECKING:
    from pandas import DataFrame


# So many weights are compared in half a second: then it opens at the head that differs most.
_SOON = 1 << 22


class ComparingExplorer(AttentionExplorer):
    """An explorer of two traces, with their difference as a kind of attention.

    `AttentionExplorer.compare` makes it. The kinds are called by the names of the two traces, as
    they were traced, and ``"difference"``: the second less the first, of the tokens that stand
    opposite each other.

    Attributes
    ----------
    names : (str, str)
        What the two are called.
    traces : (Trace, Trace)
        As they were given.
    """

    _views = (*AttentionExplorer._views, "compare")

    _compared = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        traces: tuple[Trace, Trace],
        comparison: Comparison,
        differing: Differing | None = None,
        **options: Any,
    ) -> None:
        self._traces: tuple[Trace, Trace] | None = traces
        self._comparison: Comparison | None = comparison
        # By what is subtracted, and the keys that are hidden.
        self._differing = dict[tuple[DifferenceAttention, tuple[int, ...]], Differing]()
        if differing is not None:
            self._differing[comparison.difference, ()] = differing
        names = dict.fromkeys(traced.model_name for traced in traces)
        both = Trace(comparison.kinds, DIFFERENCE, " and ".join(names))
        super().__init__(both, **options)
        self._trace = None

    @property
    def names(self) -> tuple[str, str]:
        """What the two traces are called."""
        return self._needed.names

    @property
    def traces(self) -> tuple[Trace, Trace]:
        """The two traces, as they were given."""
        if self._traces is None:
            raise RuntimeError(CLOSED)
        return self._traces

    @property
    def trace(self) -> Trace | None:
        """The trace whose own weights are shown; None while the difference is."""
        if self._traces is None or self.kind == DIFFERENCE:
            return None
        return self._traces[self.names.index(self.kind)]

    def differences(self, *, rows: int = ROWS) -> DataFrame:
        """Say how much each head differs between the two traces, and where most.

        Keys that are hidden while the difference is shown are set aside.

        Parameters
        ----------
        rows : int
            Of more queries than that one at random is read of each of so many equal stretches: an
            estimate, but the same each time, and the one that the explorer shows.

        Returns
        -------
        DataFrame
            A row a head, by (layer, head), where layer is an index into
            ``attention.layer_numbers``.

            js
                The mean over queries of the Jensen-Shannon divergence between what they read in
                both, in nats: 0 to ln 2 = 0.693. On both sides the weights on keys that stand
                opposite each other, and aren't hidden, are divided by their sum; rows with less
                than 0.01 there on either side are left out; NaN where all are.
            largest
                The largest difference of two weights, second less first.
            query, key
                Where that is: positions in the tokens of the difference.

            `attrs` says how many queries there are, how many of them were read, and the names.

        Raises
        ------
        ModuleNotFoundError
            pandas isn't installed.
        """
        need("pandas", "differences")
        from pandas import DataFrame, MultiIndex

        difference, hidden = self._differs_in(self._shown.attention)
        found = finish(differing_steps(difference, hidden, rows), self)
        columns = {
            "js": found.js,
            "largest": found.second - found.first,
            "query": found.query,
            "key": found.key,
        }
        heads = range(difference.n_layers), range(difference.n_heads)
        frame = DataFrame(
            {name: values.ravel() for name, values in columns.items()},
            index=MultiIndex.from_product(heads, names=["layer", "head"]),
        )
        frame.attrs = {
            "queries": difference.n_queries,
            "read": min(rows, difference.n_queries),
            "names": self.names,
        }
        return frame

    def close(self) -> None:
        """Close the views and the data model, and let go of the weights."""
        super().close()
        self._traces = self._comparison = None
        self._differing = {}

    @property
    def _needed(self) -> Comparison:
        if self._comparison is None:
            raise RuntimeError(CLOSED)
        return self._comparison

    @property
    def _needed_trace(self) -> Trace:
        comparison = self._needed
        traced = self.trace
        if traced is None:
            raise ValueError(
                "a difference has no model that could be run: show one of the two, kind="
                f"{' or '.join(map(repr, comparison.names))}"
            )
        return traced

    def _read(self, text: str, text_pair: str | None, progress: Progress) -> Trace:
        raise ValueError("two traces are shown: trace(...) another text, and compare(...) anew")

    def _variants_of(self, kinds: Mapping[str, Kind], trace: Trace | None) -> Variants:
        variants = super()._variants_of(kinds, trace)
        variants.measures = BothMeasures(self._needed, self.traces)
        return variants

    def _beside(self, variants: Variants, variant: Variant) -> dict[str, object]:
        return {"_compared": None if self._comparison is None else self._comparison.names}

    def _study(self, wish: Wish) -> tuple[float, Studied | None]:
        if self._desk is None:
            self._desk = Desk(self._lock)
        study = wish.study
        match study["of"]:
            case "sides":
                return self._desk.look(wish, lambda: _at_once(lambda: sides_info(self._needed)))
            case "compare":
                rows = partial(self._rows, wish.shown, study)
                return self._desk.look(wish, lambda: _at_once(rows))
            case "differ":
                return self._desk.look(wish, lambda: self._differ(wish.shown))
        return super()._study(wish)

    def _rows(self, shown: str, study: CompareStudy) -> CompareStudied:
        difference, hidden, is_by_token = _read_shown(self._variants[shown].attention)
        if difference is None or not is_by_token:
            raise ValueError(
                "texts are compared token by token: show the difference (kind='difference') and "
                "tokens (unit='token')"
            )
        return rows_info(difference, hidden, study)

    def _differ(self, shown: str) -> Look:
        difference, hidden = differs = self._differs_in(self._variants[shown].attention)
        if differs not in self._differing:
            self._differing[differs] = yield from differing_steps(difference, hidden)
        return differ_info(self._differing[differs], difference.n_queries)

    def _differs_in(self, attention: Attention) -> tuple[DifferenceAttention, tuple[int, ...]]:
        """Return the difference that is shown, else that of the weights, and its hidden keys."""
        shown = _read_shown(attention)
        return shown.difference or self._needed.difference, shown.hidden


def compare(
    first: Trace,
    second: Trace,
    *,
    names: tuple[str, str] = ("first", "second"),
    kind: str | None = None,
    **options: Any,
) -> ComparingExplorer:
    """Explore two traces beside each other; see `AttentionExplorer.compare`."""
    called = _read_names(names)
    traces = (_of_kind(first, kind, called[0]), _of_kind(second, kind, called[1]))
    comparison = Comparison(*traces, called)
    difference = comparison.difference
    is_short = difference.n_worked_out <= _SOON
    found = finish(differing_steps(difference)) if is_short else None
    if options.get("state") is None:
        options = {"view": ["compare", "model"], **_most_differing(found), **options}
    return ComparingExplorer(traces, comparison, found, **options)


class _Shown(NamedTuple):
    """The difference that is shown, if one is; its hidden keys, and whether it is by token."""

    difference: DifferenceAttention | None
    hidden: tuple[int, ...]
    is_by_token: bool


def _read_shown(attention: Attention) -> _Shown:
    hidden, is_by_token = tuple[int, ...](), True
    while isinstance(attention, HiddenAttention | WordAttention):
        if isinstance(attention, HiddenAttention):
            hidden = attention.keys
        else:
            is_by_token = False
        attention = attention.base
    if isinstance(attention, DifferenceAttention):
        return _Shown(attention, hidden, is_by_token)
    return _Shown(None, (), False)


def _most_differing(found: Differing | None) -> dict[str, int]:
    """Return the head that differs most, where that is known."""
    if found is None:
        return {}
    layer, head = np.unravel_index(np.nan_to_num(found.js).argmax(), found.js.shape)
    return {"layer": int(layer), "heads": int(head)}


def _read_names(names: object) -> tuple[str, str]:
    """Accept two names that tell the traces, and the difference, apart."""
    given = tuple(names) if isinstance(names, tuple | list) else ()
    if len(given) != 2 or not all(isinstance(name, str) and name for name in given):
        raise ValueError(f"names= takes two texts, e.g. ('before', 'after'); got {names!r:.80}")
    if len({*given, DIFFERENCE}) < 3:
        raise ValueError(
            f"names={given!r:.80}: both have to be called differently, and neither {DIFFERENCE!r}, "
            "which is what the second less the first is called"
        )
    return given[0], given[1]


def _of_kind(traced: object, kind: str | None, name: str) -> Trace:
    if not isinstance(traced, Trace):
        raise TypeError(
            "compare takes two traces, trace(model, tokenizer, text) each; got "
            f"{type(traced).__name__} for “{name}”"
        )
    if kind is None:
        return traced
    if kind not in traced.kinds:
        known = ", ".join(map(repr, traced.kinds))
        raise ValueError(f"“{name}” has no kind of attention {kind!r:.80}, but {known}")
    return traced[kind]


def _at_once(find: Callable[[], Studied]) -> Look:
    """Return what is found in a single step."""
    yield from ()
    return find()

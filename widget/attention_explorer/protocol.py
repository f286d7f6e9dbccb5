"""Every name that crosses between Python and the browser: the one source of truth.

State crosses as the traits of the view model (`ViewState`), numbers as requests and replies on a
data model of their own, on which Python only ever replies. ``js/generate_protocol.py`` writes
``js/src/protocol.gen.ts`` from this file; the lint step fails when that file is stale.
"""

from __future__ import annotations

from typing import Literal, TypedDict

# The last two are there where two traces are compared, and where a question was asked.
ViewName = Literal["text", "heads", "matrix", "model", "neuron", "evidence", "compare", "qa"]
Theme = Literal["auto", "light", "dark"]
Unit = Literal["token", "word", "segment"]
# What is shown: weights, or what is worked out from them and more (`flow.measures`).
Measure = Literal["weights", "norms", "norms summed", "rollout", "relevance", "logits"]
# Keys whose weights are set aside: what the tokenizer added, the first token, marks.
Hideable = Literal["special", "first", "punctuation"]
Direction = Literal["reads", "is read by"]
Combination = Literal["mean", "sum"]
Orientation = Literal["vertical", "horizontal"]
# How colour follows weight, and whose largest weight is the end of the scale.
ColourScale = Literal["linear", "sqrt", "log"]
ScaleTo = Literal["model", "head"]
# What colours a head in the model view: its weights, or the score that heads are sorted by.
Paint = Literal["weights", "score"]

# How a weight w becomes bytes. `float32`: itself. `quartic8`: uint8 of (w / scale) ** (1/4) * 255.
# `signed8`: uint8 of 128 + sign(w) * (|w| / scale) ** (1/4) * 127.
Encoding = Literal["float32", "quartic8", "signed8"]

# (query, key): the query whose reading is shown and the key whose readers are shown.
Pointer = tuple[int | None, int | None]

# What a cell says of the weights that are pooled in it.
Reduction = Literal["max", "mean"]
# The same of all weights; or of a sample of the queries, which is there at once.
Pooling = Literal["max", "mean", "max sampled", "mean sampled"]
Axis = Literal["row", "column"]

# (from, to): the segment whose tokens read, and the one whose tokens are read.
SegmentPair = tuple[int, int]

# (layer, head, level, query tile, key tile, pooling): pooled by 2 ** level, TILE cells a side.
TileKey = tuple[int, int, int, int, int, Pooling]
# (layer, head, query) for a row, (layer, head, key) for a column.
LineKey = tuple[int, int, int]
# (layer, head): how much of what each query reads is hidden.
MassKey = tuple[int, int]
# (layer, head, query or key, level, reduction, axis): a row or a column, pooled by 2 ** level.
StripKey = tuple[int, int, int, int, Reduction, Axis]

# (first query, stop, first key, stop): the mean over these queries of the sum over these keys.
SpanKey = tuple[int, int, int, int]

TILE = 256
# What is at most as large as this, quantised, is sent whole, so that it outlives the kernel.
EVERYTHING_BYTES = 4_194_304


class TokenTable(TypedDict):
    """Tokens by column; `gap` is what stands in the text between a token and the one before it.

    `count` is how many of the tokenizer's tokens each stands for, empty where it is one, and
    `segments` what the segments are called, where they have names.
    """

    text: list[str]
    gap: list[str]
    raw: list[str]
    special: list[bool]
    segment: list[int]
    word: list[int]
    count: list[int]
    segments: list[str]


class CheckResult(TypedDict):
    """How far the weights are from the model's own outputs; `ok` where within the tolerance."""

    worst: float
    tolerance: float
    ok: bool


class Description(TypedDict):
    """What is shown, known before anything is asked for.

    `shown` names all of it in requests. `kind` is the kind of attention that it is of, one of
    `kinds`; weights that don't come from a model have no name for theirs, "", and no check.
    `hides` counts the keys whose weights are set aside; `hidden_tokens` is the text of each of
    `hide_tokens`. `samples` says whether what is asked for as sampled may be so, and `whole`
    whether everything may be asked for at once. `labels` are a classifier's, the most probable
    first, and `labels_by` says what their numbers are. `texts` are those that were traced, None
    where they are long; there is none where no other could be. Each of `scores` is a name, a colon
    and its meaning: an object would take a notebook four lines.
    So are `measures`, what there is to show: some names, a colon and why they can't be had,
    nothing where they may. `number` is what one number of `measure` is called; of some row's
    numbers one may say that they are shares of it where `shares`. Of a difference `against` is what
    was subtracted. `held` says where the numbers are, "" in a kernel.
    """

    shown: str
    hides: int
    hidden_tokens: list[str]
    kind: str
    kinds: list[str]
    check: CheckResult | None
    measure: Measure
    measures: list[str]
    number: str
    against: str
    shares: bool
    layers: list[int]
    heads: int
    queries: int
    keys: int
    causal: bool
    same_tokens: bool
    samples: bool
    whole: bool
    scale: float
    encoding: Encoding
    model: str
    source: str
    notes: list[str]
    scores: list[str]
    labels: list[tuple[str, float]]
    labels_by: str
    texts: list[str] | None
    held: str


class AnswerInfo(TypedDict):
    """An answer, "" for that there is none; its first and last token where its window is shown."""

    text: str
    probability: float
    window: int
    tokens: tuple[int, int] | None


class QaInfo(TypedDict):
    """What was asked of which text, and what the model answers, the best first.

    A context longer than the model reads is cut into `windows`, of which `window` is shown. Ranges
    are [first, stop) of what is shown; `starts` and `ends` are float32, of each of the context's
    tokens the probability that the answer begins or ends there. A long `context` stays in Python.
    """

    question: str
    context: str | None
    answers: list[AnswerInfo]
    windows: list[str]
    window: int
    question_tokens: tuple[int, int]
    context_tokens: tuple[int, int]
    starts: bytes
    ends: bytes
    notes: list[str]


class ViewState(TypedDict):
    """The synced traits of the view model, private ones with an underscore.

    When one of the first six changes, one message brings all that changes with it:
    `_description`, `_snapshot`, `_qa`, and the state brought into its range. So does another text.
    """

    kind: str
    measure: Measure
    unit: Unit
    hide: list[Hideable]
    hide_tokens: list[int]
    renormalise: bool
    layer: int
    heads: list[int]
    view: list[ViewName]
    hovered: Pointer | None
    selected: Pointer | None
    also: list[Pointer]
    combine: Combination
    direction: Direction
    top_mass: float
    top_k: int | None
    threshold: float
    between: list[SegmentPair]
    orientation: Orientation
    pooling: Reduction
    scale: ColourScale
    scale_to: ScaleTo
    sort: str
    paint: Paint
    answer: int
    edits: list[EditInfo]
    theme: Theme
    _compared: tuple[str, str] | None
    _qa: QaInfo | None
    _description: Description
    _snapshot: Snapshot
    _source: str
    _uuid: str


class TokensRequest(TypedDict):
    """Ask for the tokens of both sides; `shown` is what every request is for.

    What is asked late, for what is shown no more, is never answered with another's numbers.
    """

    id: str
    kind: Literal["tokens"]
    shown: str


class WeightsRequest(TypedDict):
    """Ask for what is about to be drawn: tiles and strips for pixels, rows and columns to read."""

    id: str
    kind: Literal["weights"]
    shown: str
    tiles: list[TileKey]
    strips: list[StripKey]
    rows: list[LineKey]
    columns: list[LineKey]
    masses: list[MassKey]
    spans: list[SpanKey]
    scores: bool


class EverythingRequest(TypedDict):
    """Ask for every full-resolution tile, where all of them are within the budget."""

    id: str
    kind: Literal["everything"]
    shown: str


class TermsRequest(TypedDict):
    """Ask what the scores of a row against some keys are made of."""

    id: str
    kind: Literal["terms"]
    shown: str
    line: LineKey
    keys: list[int]


class AskRequest(TypedDict):
    """Put a question to the model; None where that of what is shown, or the best window, is meant.

    Sent again with the same `run` it asks how far that is. A run that nobody asks about for some
    seconds is given up, and so is one when another is asked for.
    """

    id: str
    kind: Literal["ask"]
    shown: str
    run: str
    question: str | None
    context: str | None
    window: int | None


class AblateInfo(TypedDict):
    """What a head gives is taken away before it is projected: 0, or its mean over the queries."""

    do: Literal["ablate"]
    on: bool
    kind: str
    layer: int
    head: int
    by: Literal["zero", "mean"]


class CutInfo(TypedDict):
    """Some tokens read no more of some others, cut before the softmax; None means all."""

    do: Literal["cut"]
    on: bool
    kind: str
    queries: list[int]
    keys: list[int]
    layers: list[int] | None
    heads: list[int] | None


class ReplaceInfo(TypedDict):
    """Another token stands in a token's place."""

    do: Literal["replace"]
    on: bool
    position: int
    token: str


# What is changed when the model is run again; those that aren't `on` wait. Counted in tokens.
EditInfo = AblateInfo | CutInfo | ReplaceInfo


class HeadStudy(TypedDict):
    """Ask what a head does in this text, and where it doesn't."""

    of: Literal["head"]
    layer: int
    head: int


class ReadsStudy(TypedDict):
    """Ask which heads read some keys from some queries, or rather those than others, `against`."""

    of: Literal["reads"]
    queries: list[int]
    keys: list[int]
    against: list[int]


class PairStudy(TypedDict):
    """Ask how unusual one weight is, and what it carries."""

    of: Literal["pair"]
    layer: int
    head: int
    query: int
    key: int


class SidesStudy(TypedDict):
    """Ask which tokens of two texts that are compared stand opposite each other."""

    of: Literal["sides"]


class CompareStudy(TypedDict):
    """Ask what queries read on both sides, on average over them and over heads."""

    of: Literal["compare"]
    layer: int
    heads: list[int]
    queries: list[int]


class DifferStudy(TypedDict):
    """Ask how much each head differs between both sides, and where most."""

    of: Literal["differ"]


class EffectStudy(TypedDict):
    """Ask what edits change of what the model says at a token; None: where it says most."""

    of: Literal["effect"]
    edits: list[EditInfo]
    at: int | None


class SweepStudy(TypedDict):
    """Ask what each head changes alone, or each key of what a query reads in one head.

    Heads are set against their weight on the pair, or their largest weights where none is meant.
    """

    of: Literal["sweep"]
    over: Literal["heads", "keys"]
    layer: int
    head: int
    query: int | None
    key: int | None
    at: int | None


class TextStudy(TypedDict):
    """Let the model read another text; what is shown changes."""

    of: Literal["text"]
    text: str
    text_pair: str | None


# The first six are of what is known; the others run the model, one at a time.
Study = (
    HeadStudy
    | ReadsStudy
    | PairStudy
    | SidesStudy
    | CompareStudy
    | DifferStudy
    | EffectStudy
    | SweepStudy
    | TextStudy
)


class StudyRequest(TypedDict):
    """Ask what takes longer than a weight; the newest of each kind of study is worked on.

    Sent again with the same `run` it asks how far that is. One that nobody asks about for some
    seconds is given up.
    """

    id: str
    kind: Literal["study"]
    shown: str
    run: str
    study: Study


class PartRequest(TypedDict):
    """Ask for a part of the renderer that isn't needed until a view is opened, or saved."""

    id: str
    kind: Literal["part"]
    shown: str
    name: Literal["compare", "evidence", "neuron", "picture"]


Request = (
    TokensRequest
    | WeightsRequest
    | EverythingRequest
    | TermsRequest
    | AskRequest
    | StudyRequest
    | PartRequest
)


class Miss(TypedDict):
    """A query that doesn't read what its head's label says, but something else."""

    query: int
    expected: list[int]
    weight: float
    instead: int
    instead_weight: float


class HeadLabel(TypedDict):
    """What a head does: its score, what even attention would have, on how many rows it stands."""

    name: str
    score: float
    baseline: float
    support: int
    misses: list[Miss]


class HeadStudied(TypedDict):
    """`why` says why a head can't have labels, where it can't."""

    of: Literal["head"]
    labels: list[HeadLabel]
    why: str


class ReadsStudied(TypedDict):
    """Of all heads, layer by layer; None where a number isn't defined.

    `mass` is the mean over the queries of the sum over the keys, `percentile` that among the same
    pattern elsewhere in the text, `elsewhere` its mean there, `p` by chance in any head. With
    `against` its masses, what the difference is elsewhere, and what of it is chance.
    """

    of: Literal["reads"]
    mass: list[float]
    elsewhere: list[float | None]
    percentile: list[float | None]
    p: list[float | None]
    against: list[float]
    difference_elsewhere: list[float | None]
    p_difference: list[float | None]
    uniform: float | None
    notes: list[str]


class PairStudied(TypedDict):
    """A weight's percentile among `cells` of its distance, and what it carries.

    `norm` is the share of |Af| in the query's row, or `norm_why` says why it can't be had; `logit`
    what it adds to the logit of `logit_of`, where that is defined.
    """

    of: Literal["pair"]
    percentile: float | None
    cells: int
    norm: float | None
    norm_why: str
    logit: float | None
    logit_of: str


class RoleInfo(TypedDict):
    """All tokens of two texts, and the pairs of them that stand opposite each other, in order."""

    tables: tuple[TokenTable, TokenTable]
    pairs: list[tuple[int, int]]
    changed: list[bool]


class SidesStudied(TypedDict):
    """Two texts beside each other; `keys` is None where those that are read are those that read.

    `labels` are a classifier's of each, as in the description.
    """

    of: Literal["sides"]
    queries: RoleInfo
    keys: RoleInfo | None
    labels: list[list[tuple[str, float]]]
    labels_by: list[str]


class CompareStudied(TypedDict):
    """What is read of all tokens of each text, to six decimals."""

    of: Literal["compare"]
    first: list[float]
    second: list[float]


class EdgeInfo(TypedDict):
    """A weight on both sides; `query` and `key` count the tokens of the difference."""

    layer: int
    head: int
    query: int
    key: int
    first: float
    second: float


class DifferStudied(TypedDict):
    """How much the heads differ, layer by layer, None where nothing can be said.

    `js` is in nats, of `read` rows; `edges` are of the heads that differ most, in order, by how
    much a number differs where there is no `js`.
    """

    of: Literal["differ"]
    js: list[float | None]
    edges: list[EdgeInfo]
    read: int


class Odds(TypedDict):
    """What the model gives something before and after."""

    text: str
    before: float
    after: float


class EffectStudied(TypedDict):
    """What edits changed: `about` says of what, `odds` are the likeliest before or after.

    `kl` is in nats; `distance` a cosine distance, of a model that gives no probabilities. `python`
    does the same.
    """

    of: Literal["effect"]
    about: str
    odds: list[Odds]
    kl: float | None
    distance: float | None
    said: str
    python: str
    notes: list[str]


class SweepStudied(TypedDict):
    """What each head or key has of attention and changes; `effect` and `attention` say of what.

    `correlation` is Spearman's; `band` what random ones change, in the middle 95 %.
    """

    of: Literal["sweep"]
    attentions: list[float | None]
    effects: list[float | None]
    attention: str
    effect: str
    correlation: float | None
    band: tuple[float, float] | None
    notes: list[str]


class ShownStudied(TypedDict):
    """What is shown has changed, and all else with it."""

    of: Literal["shown"]


Studied = (
    HeadStudied
    | ReadsStudied
    | PairStudied
    | SidesStudied
    | CompareStudied
    | DifferStudied
    | EffectStudied
    | SweepStudied
    | ShownStudied
)


class StepInfo(TypedDict):
    """How a token that the model generated came to be: `query` is whose output chose `token`.

    Both count the queries. The alternatives are the likeliest tokens and their probabilities.
    """

    token: int
    query: int
    probability: float
    alternatives: list[tuple[str, float]]


class TokensReply(TypedDict):
    """`keys` is None where the keys are the queries; `steps` is empty where none was generated."""

    id: str
    kind: Literal["tokens"]
    queries: TokenTable
    keys: TokenTable | None
    steps: list[StepInfo]


class WeightsReply(TypedDict):
    """What is ready of what was asked for; the rest is worked on, and may be asked for again.

    Buffer 0: the tiles one after the other, then the strips, zlib; buffer 1: rows, columns,
    masses, spans (of all heads each), and one score of the description after the other, of all
    heads, float32, zlib.
    `progress` is the share done of what comes next, None where nothing is left.
    """

    id: str
    kind: Literal["weights"]
    tiles: list[TileKey]
    strips: list[StripKey]
    encoding: Encoding
    rows: list[LineKey]
    columns: list[LineKey]
    masses: list[MassKey]
    spans: list[SpanKey]
    scores: bool
    progress: float | None


class TermsInfo(TypedDict):
    """What all scores of a row share; see `attention.terms.Terms`.

    `size` is that of a vector, `steps` name what leads from a key's products to its score.
    """

    size: int
    steps: list[str]
    log_sum: float
    sink: float | None
    largest: tuple[float, float]


class TermsReply(TypedDict):
    """Buffer 0, float32, zlib: the query; then of each key its vector and its steps, score last.

    `terms` is None where the weights aren't made of queries and keys that are known; `why` says so.
    """

    id: str
    kind: Literal["terms"]
    line: LineKey
    keys: list[int]
    terms: TermsInfo | None
    why: str


class AskReply(TypedDict):
    """How far a run is; None when it is done, and what is shown has changed."""

    id: str
    kind: Literal["ask"]
    progress: float | None


class StudyReply(TypedDict):
    """How far a study is; when it is done, what came of it, once."""

    id: str
    kind: Literal["study"]
    progress: float
    studied: Studied | None


class PartReply(TypedDict):
    """Buffer 0: the part, a module, zlib."""

    id: str
    kind: Literal["part"]


class ErrorReply(TypedDict):
    """What went wrong, as a sentence for the person who looks; `detail` is the traceback."""

    id: str
    kind: Literal["error"]
    message: str
    detail: str


Reply = TokensReply | WeightsReply | TermsReply | AskReply | StudyReply | PartReply | ErrorReply


class SavedReplies(TypedDict):
    """What a notebook without a kernel is shown with; each None where there was no room.

    Where no tile of the weights is named, they are every full-resolution tile, head by head.
    """

    tokens: TokensReply | None
    weights: WeightsReply | None


class Snapshot(TypedDict):
    """What is saved with the notebook: `SavedReplies` as JSON, zlib, and the buffer of its tiles.

    As bytes, since a notebook writes each entry of a list on a line of its own.
    """

    header: bytes | None
    buffer: bytes | None


# What a single file holds, where no kernel answers. Buffers are base64 there.


class RecordedReply(TypedDict):
    """A reply to what was asked; where no tile is named, its tiles are all at full resolution."""

    reply: WeightsReply
    buffers: list[str]


class RecordedTerms(TypedDict):
    """What all scores of a head are made of.

    The buffer is float32, zlib: the queries' vectors, the keys', each query's steps key by key, the
    last being the score, and of each query `log_sum` and both of `largest`.
    """

    layer: int
    head: int
    size: int
    steps: list[str]
    sink: float | None
    buffer: str


class RecordedRows(TypedDict):
    """A layer's weights on both sides of a comparison, float32, zlib.

    Of each head and query: those on all tokens of the first text, then of the second.
    """

    layer: int
    sizes: tuple[int, int]
    buffer: str


class RecordedStudy(TypedDict):
    """What was studied, and what came of it."""

    study: Study
    studied: Studied


class RecordedVariant(TypedDict):
    """One way to show the weights, the state that goes with it, and what is known of it.

    `no_terms` says why there are none of other heads, and `no_study` why there are no others.
    """

    kind: str
    measure: Measure
    unit: Unit
    hide: list[Hideable]
    hide_tokens: list[int]
    renormalise: bool
    description: Description
    qa: QaInfo | None
    tokens: TokensReply
    weights: list[RecordedReply]
    terms: list[RecordedTerms]
    no_terms: str
    rows: list[RecordedRows]
    studies: list[RecordedStudy]
    no_study: str


class RecordedExplorer(TypedDict):
    """An explorer as it was left: the first variant is what it shows.

    `module` names its code; `choices` says what there is to choose where something else is.
    """

    module: str
    state: ViewState
    variants: list[RecordedVariant]
    choices: str


class RecordedPage(TypedDict):
    """All that a page is made of: code by name, the parts zlib in base64, and the explorers."""

    modules: dict[str, str]
    parts: dict[str, str]
    explorers: list[RecordedExplorer]

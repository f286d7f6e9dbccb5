"""Every name that crosses between an atlas and the browser, as `attention_explorer.protocol` is.

``js/generate_protocol.py`` writes ``js/src/atlas/protocol.gen.ts`` from this file.
"""

from __future__ import annotations

from typing import Literal, TypedDict

# How heads lie: by two scores, by their distances (two methods), or layer by head.
Plot = Literal["scores", "mds", "umap", "grid"]
Method = Literal["mds", "umap"]

# (layer, head), both counted from 0.
HeadKey = tuple[int, int]
# (text, query, key): a place in the corpus, and two tokens of the text there, where there are any.
Place = tuple[int, int | None, int | None]

# What heads that nothing names are called where labels are chosen.
UNNAMED = "no label"


class LabelInfo(TypedDict):
    """What a head is named for: see `naming.AtlasLabel`; `measure` is the score's name."""

    name: str
    measure: str
    score: float
    baseline: float
    support: int
    holds: int
    aside: list[str]


class ScoreInfo(TypedDict):
    """What is measured; the baseline is what uniform attention has."""

    name: str
    says: str
    baseline: float | None


class AtlasInfo(TypedDict):
    """What an atlas is of.

    `layers` are the model's own numbers; `names` all labels that a head has, in their order;
    `labels` has those of each head, layer by layer. `closed` says why no text can be opened, ""
    where one can.
    """

    model: str
    layers: list[int]
    heads: int
    texts: int
    kept: int
    tokens: int
    scores: list[ScoreInfo]
    names: list[str]
    labels: list[list[LabelInfo]]
    confidence: float
    notes: list[str]
    closed: str


class ExemplarInfo(TypedDict):
    """A place where a head does most of something in a text, and its score there."""

    text: int
    query: int | None
    key: int | None
    weight: float | None
    score: float | None


class GroupInfo(TypedDict):
    """Exemplars that have something in common, which `name` says."""

    name: str
    exemplars: list[ExemplarInfo]


class TextInfo(TypedDict):
    """A text's tokens, what stands before each, and which the tokenizer added."""

    tokens: list[str]
    gaps: list[str]
    special: list[bool]


class HeldData(TypedDict):
    """What a file holds of what a kernel is asked otherwise.

    `groups` are exemplars by "layer.head score", `texts` are by their place, `positions` by method
    as a `PositionsReply` has them; `said` is what isn't there.
    """

    groups: dict[str, list[GroupInfo]]
    texts: dict[str, TextInfo]
    positions: dict[str, bytes]
    said: str


class ExemplarsRequest(TypedDict):
    """Asks for the texts in which a head has a score, from several tenths of them."""

    id: str
    kind: Literal["exemplars"]
    head: HeadKey
    score: str


class LikeRequest(TypedDict):
    """Asks where else the head does what it does at the token that the open explorer looks at."""

    id: str
    kind: Literal["like"]


class PositionsRequest(TypedDict):
    """Asks where heads lie by their distances."""

    id: str
    kind: Literal["positions"]
    method: Method


class OpenRequest(TypedDict):
    """Asks to show a text in the explorer, and how far that is; `run` names it."""

    id: str
    kind: Literal["open"]
    run: str
    head: HeadKey
    place: Place


AtlasRequest = ExemplarsRequest | LikeRequest | PositionsRequest | OpenRequest


class ExemplarsReply(TypedDict):
    """Exemplars, and the texts that they are of; `said` is of what, where it isn't a score."""

    id: str
    kind: Literal["exemplars"]
    said: str
    groups: list[GroupInfo]
    texts: dict[str, TextInfo]


class PositionsReply(TypedDict):
    """Where heads lie; one buffer, float32, zlib: all heads' x, then all their y."""

    id: str
    kind: Literal["positions"]


class OpenReply(TypedDict):
    """How much is done; 1 where the explorer shows it."""

    id: str
    kind: Literal["open"]
    progress: float


class AtlasErrorReply(TypedDict):
    """Why a request has no answer."""

    id: str
    kind: Literal["error"]
    message: str
    detail: str


AtlasReply = ExemplarsReply | PositionsReply | OpenReply | AtlasErrorReply


class AtlasState(TypedDict):
    """The traits of an atlas's view; see `explorer.AtlasExplorer`.

    `_numbers` is zlib of float32, shape (3, scores, heads): means, halves of their intervals, how
    many texts have them. `_explorer` names the explorer's model, where texts can be opened, and
    `_open` is the head and the place that it shows, None before. `_held` is there in a file.
    """

    plot: Plot
    x: str
    y: str
    score: str
    head: HeadKey | None
    layers: list[int]
    labels: list[str]
    least: float | None
    most: float | None
    exemplar: Place | None
    theme: Literal["auto", "light", "dark"]
    _info: AtlasInfo
    _numbers: bytes
    _source: str
    _explorer: str | None
    _open: tuple[HeadKey, Place] | None
    _held: HeldData | None
    _uuid: str

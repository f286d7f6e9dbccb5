"""Who depends on whom, and who stands for whom: read, and compared with what heads read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.analysis import agreement
from attention_explorer.analysis.agreement import Agreement, agreement_steps
from attention_explorer.analysis.annotations import read_annotations
from attention_explorer.analysis.labels import head_labels
from attention_explorer.analysis.scores import head_scores
from attention_explorer.analysis.steps import finish
from attention_explorer.attention import dense_attention
from attention_explorer.demo import demo_trace
from attention_explorer.tracing import Kind, Trace

Weights = npt.NDArray[np.float32]

# "The unhappy cats slept.", with [CLS] and [SEP]: words 0 to 4 are tokens 1, 2-3, 4-5, 6 and 7.
PIECES = ["[CLS]", "the", "un", "##happy", "cat", "##s", "slept", ".", "[SEP]"]
N = len(PIECES)
WORD_OF = [-1, 0, 1, 1, 2, 2, 3, 4, -1]
EDGES = [(0, 2, "det"), (1, 2, "amod"), (2, 3, "nsubj"), (4, 3, "punct")]


def kind_of(layers: list[Weights]) -> Kind:
    return Kind(dense_attention(layers), Tokens.from_strings(PIECES))


def random_layers(causal: bool = False) -> list[Weights]:
    weights = np.random.default_rng(0).gamma(0.3, size=(2, 3, N, N)).astype(np.float32)
    if causal:
        weights = np.tril(weights)
    weights /= weights.sum(-1, keepdims=True)
    return list(weights)


def asked(kind: Kind, **given: Any) -> dict[str, Agreement]:
    annotated = read_annotations(kind, **given)
    assert annotated is not None
    return {it.name: it for it in finish(agreement_steps(kind.attention, annotated))}


def between_words(matrix: Weights) -> dict[tuple[int, int], float]:
    """Return the mean from a word's tokens of the sum to another's, by hand."""
    found = {}
    for reader in range(5):
        for read in range(5):
            rows = [i for i in range(N) if WORD_OF[i] == reader]
            keys = [j for j in range(N) if WORD_OF[j] == read]
            found[reader, read] = float(np.mean([sum(matrix[i, j] for j in keys) for i in rows]))
    return found


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("cells", [1, 1 << 20], ids=["a case a step", "one step"])
def test_a_word_agrees_where_it_reads_its_head_most_of_all_other_words(
    causal: bool, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By words, both ways; catches specials or the word itself among the candidates."""
    monkeypatch.setattr(agreement, "CELLS", cells)
    layers = random_layers(causal)
    got = asked(kind_of(layers), edges=EDGES)
    for name, flip in (("syntactic", False), ("syntactic reversed", True)):
        pairs = [(head, own) if flip else (own, head) for own, head, _ in EDGES]
        if causal:
            pairs = [(reader, read) for reader, read in pairs if read < reader]
        for layer in range(2):
            for head in range(3):
                weights = between_words(layers[layer][head])
                hits = [
                    max(range(5), key=lambda j: -1 if j == reader else weights[reader, j]) == read
                    for reader, read in pairs
                ]
                assert got[name].score[layer, head] == pytest.approx(np.mean(hits))
        assert got[name].support == len(pairs)
    assert got["det: reads its head"].support == (0 if causal else 1)


def test_the_baseline_is_the_best_fixed_offset() -> None:
    """Of a dependent's four heads two are one word on; of the others each has another offset."""
    got = asked(kind_of(random_layers()), edges=EDGES)
    assert got["syntactic"].baseline == 2 / 4
    assert got["syntactic reversed"].baseline == 2 / 4
    assert got["amod: reads its dependent"].baseline == 1


def test_a_perfect_head_of_each_direction() -> None:
    """Catches dependent and head in each other's place."""
    to_head, to_dependent = (np.zeros((N, N), np.float32) for _ in range(2))
    for own, head, _ in EDGES:
        # Half on each of [CLS] and one token of the word; of a head's dependents it is the last.
        to_head[[i for i in range(N) if WORD_OF[i] == own], WORD_OF.index(head)] = 0.5
        rows = [i for i in range(N) if WORD_OF[i] == head]
        to_dependent[rows] = 0.5 * np.eye(N)[WORD_OF.index(own)]
    for matrix in (to_head, to_dependent):
        matrix[:, 0] = 1 - matrix.sum(1)
    kind = kind_of([np.stack([to_head, to_dependent])])
    got = asked(kind, edges=EDGES)
    np.testing.assert_allclose(got["syntactic"].score, [[1, 0]])
    np.testing.assert_allclose(got["syntactic reversed"].score, [[0, 0.5]])
    np.testing.assert_allclose(got["punct: reads its dependent"].score, [[0, 1]])
    np.testing.assert_allclose(got["nsubj: reads its dependent"].score, [[0, 0]])
    frame = head_scores(kind, edges=EDGES)
    assert frame.loc[(0, 0), "syntactic"] == 1
    assert list(frame.columns[-4:]) == [
        "syntactic",
        "syntactic baseline",
        "syntactic reversed",
        "syntactic reversed baseline",
    ]


# "The cat sat on the mat because it was tired.": words 0 to 9, the full stop is 10; one token each.
THE, CAT, SAT, MAT, IT, TIRED = 0, 1, 2, 5, 7, 9


def demo_kind(*rows: tuple[int, int]) -> Kind:
    """Return the demo's text with one head in which some words read one other."""
    tokens = demo_trace().tokens
    weights = np.eye(len(tokens), dtype=np.float32)
    for reader, read in rows:
        weights[reader + 1] = np.eye(len(tokens))[read + 1]
    return Kind(dense_attention([weights[None]]), tokens)


def test_a_pronoun_that_reads_its_antecedent_most() -> None:
    """Of a mention with several any will do; what follows it and marks are no candidates."""
    pairs = [(IT, CAT), (IT, MAT), (TIRED, THE)]
    for read, score in ((CAT, 0.5), (MAT, 0.5), (SAT, 0.0), (TIRED, 0.0), (10, 0.0)):
        got = asked(demo_kind((IT, read)), antecedents=pairs)["coreference"]
        assert got.score[0, 0] == score
        assert got.support == 2, "mentions, not pairs"
    # 6 or 2 words back, or 9.
    assert got.baseline == 1 / 2


def test_a_pronoun_that_reads_a_sink_is_judged_by_the_rest() -> None:
    tokens = demo_trace().tokens
    weights = np.eye(len(tokens), dtype=np.float32)
    weights[IT + 1] = 0
    weights[IT + 1, [0, IT + 1, CAT + 1, MAT + 1]] = 0.6, 0.25, 0.1, 0.05
    kind = Kind(dense_attention([weights[None]]), tokens)
    assert asked(kind, antecedents=[(IT, CAT)])["coreference"].score[0, 0] == 1


def test_places_are_words_pieces_of_the_text_characters_or_tokens() -> None:
    trace = demo_trace()
    given = [
        [(IT, CAT)],
        [("it", "cat")],
        [((31, 33), (4, 7))],
        [(range(8, 9), range(2, 3))],
        [(np.int64(IT), "cat")],
    ]
    assert trace.text is not None
    assert trace.text[31:33] == "it"
    for pairs in given:
        annotated = read_annotations(trace, antecedents=pairs)  # type: ignore[arg-type]
        assert annotated is not None
        assert [(m.tokens, m.antecedents) for m in annotated.mentions] == [((8,), (2,))]
    span = read_annotations(trace, antecedents=[("it", "The cat")])
    assert span is not None
    assert span.mentions[0].antecedents == (1, 2)
    explorer = AttentionExplorer(trace)
    assert read_annotations(explorer, antecedents=[("it", "cat")]) is not None


@dataclass
class SpacyToken:
    """What of spaCy's tokens is read."""

    i: int
    text: str
    idx: int
    dep_: str
    head: SpacyToken = field(init=False)


class SpacyDoc:
    def __init__(self, text: str, words: list[tuple[str, int, str]]) -> None:
        self.text = text
        self._tokens, at = list[SpacyToken](), 0
        for number, (word, _, relation) in enumerate(words):
            at = text.index(word, at)
            self._tokens.append(SpacyToken(number, word, at, relation))
            at += len(word)
        for token, (_, head, _) in zip(self._tokens, words, strict=True):
            token.head = self._tokens[head]

    def __iter__(self) -> Iterator[SpacyToken]:
        return iter(self._tokens)


@dataclass
class StanzaWord:
    """What of Stanza's words is read; parts of a word have no characters, their parent has."""

    id: int
    head: int
    deprel: str
    start_char: int | None
    end_char: int | None
    parent: Any = None


@dataclass
class StanzaSentence:
    words: list[StanzaWord]


@dataclass
class StanzaDocument:
    text: str
    sentences: list[StanzaSentence]


TEXT = "They don't sleep. Cats do."
# As tokenized: they don ' t sleep . cats do .
SPANS = [(0, 0), (0, 4), (5, 8), (8, 9), (9, 10), (11, 16), (16, 17), (18, 22), (23, 25), (25, 26)]
PARSED = [
    ("They", 3, "nsubj"),
    ("do", 3, "aux"),
    ("n't", 3, "neg"),
    ("sleep", 3, "ROOT"),
    (".", 3, "punct"),
    ("Cats", 6, "nsubj"),
    ("do", 6, "ROOT"),
    (".", 6, "punct"),
]


def text_trace() -> Trace:
    tokens = Tokens.from_strings(["[CLS]", *(TEXT[a:b].lower() for a, b in SPANS[1:])])
    tokens = replace(tokens, span=tuple(SPANS))
    weights = np.full((2, 1, len(tokens), len(tokens)), 1 / len(tokens), np.float32)
    return Trace({"encoder": Kind(dense_attention(weights), tokens)}, "encoder", "made up", TEXT)


def stanza_document() -> StanzaDocument:
    sentences: list[StanzaSentence] = []
    for first, stop in ((0, 5), (5, 8)):
        words = []
        for number in range(first, stop):
            word, head, relation = PARSED[number]
            at = TEXT.index(word, SPANS[1:][max(0, number - 1)][0])
            root = head == number
            own = StanzaWord(
                number - first + 1, 0 if root else head - first + 1, relation, at, at + len(word)
            )
            words.append(own)
        sentences.append(StanzaSentence(words))
    return StanzaDocument(TEXT, sentences)


@pytest.mark.parametrize("make", [lambda: SpacyDoc(TEXT, PARSED), stanza_document])
def test_a_parsers_words_have_the_tokens_that_share_their_characters(make: Any) -> None:
    """Catches heads counted within a sentence, roots as edges, and "don" given to "n't"."""
    annotated = read_annotations(text_trace(), doc=make())
    assert annotated is not None
    assert annotated.words == (0, 1, 2, 3, 3, 4, 5, 6, 7, 8)
    assert annotated.is_text.tolist() == [False, *[True] * 8]
    assert annotated.is_mark.tolist() == [False] * 5 + [True, False, False, True]
    assert [tuple(arc) for arc in annotated.arcs] == [
        ((1,), (5,), "nsubj"),
        ((2,), (5,), "aux"),
        ((3, 4), (5,), "neg"),
        ((6,), (5,), "punct"),
        ((7,), (8,), "nsubj"),
        ((9,), (8,), "punct"),
    ]


def test_parts_of_a_word_have_its_characters() -> None:
    """Stanza's "du" is "de" and "le": the first of them has the token, the other none."""
    text = "Il rêve du chat"
    spans = [(0, 2), (3, 7), (8, 10), (11, 15)]
    tokens = Tokens.from_strings([text[a:b] for a, b in spans])
    weights = np.full((1, 1, 4, 4), 0.25, np.float32)
    kind = Kind(dense_attention(weights), replace(tokens, span=tuple(spans)))
    du = StanzaWord(0, 0, "", 8, 10)
    words = [
        StanzaWord(1, 2, "nsubj", 0, 2),
        StanzaWord(2, 0, "root", 3, 7),
        StanzaWord(3, 5, "case", None, None, du),
        StanzaWord(4, 5, "det", None, None, du),
        StanzaWord(5, 2, "obl", 11, 15),
    ]
    annotated = read_annotations(kind, doc=StanzaDocument(text, [StanzaSentence(words)]))
    assert annotated is not None
    assert [tuple(arc) for arc in annotated.arcs] == [
        ((0,), (1,), "nsubj"),
        ((2,), (3,), "case"),
        ((3,), (1,), "obl"),
    ]


def test_a_relation_names_a_head_that_finds_it_better_than_an_offset() -> None:
    """Six nouns whose determiners stand at three distances; a head that reads just these."""
    words, edges, at = list[str](), list[tuple[int, int, str]](), 0
    for number, between in enumerate((0, 1, 2, 0, 1, 2)):
        words += ["the", *(f"x{number}{i}" for i in range(between)), f"n{number}"]
        edges.append((at, at + between + 1, "det"))
        at += between + 2
    matrix = np.full((len(words), len(words)), 1 / len(words), np.float32)
    for own, head, _ in edges:
        matrix[own] = np.eye(len(words))[head]
    next_one = np.eye(len(words), k=1, dtype=np.float32)
    next_one[-1, 0] = 1
    kind = Kind(dense_attention([np.stack([matrix, next_one])]), Tokens.from_strings(words))
    labels = head_labels(kind, edges=edges)
    det = [label for label in labels[0, 0] if label.name == "det: reads its head"]
    assert [(label.score, label.support) for label in det] == [(1, 6)]
    assert det[0].baseline == pytest.approx(1 / 3)
    assert [label.name for label in labels[0, 1]] == ["next token"]


def test_other_tokens_depend_on_none() -> None:
    weights = np.full((1, 1, 2, 3), 1 / 3, np.float32)
    sides = Tokens.from_strings(["a", "b"]), Tokens.from_strings(["c", "d", "e"])
    with pytest.raises(ValueError, match="of one text that reads itself"):
        read_annotations(Kind(dense_attention(weights), *sides), edges=[(0, 1)])


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"edges": [(0, 1)], "doc": object()}, ValueError, "edges= or doc=, not both"),
        ({"edges": [(0,)]}, TypeError, r"edge 0 is \(0,\): expected \(dependent, head\)"),
        ({"edges": [(0, 1), (0, 1, 2)]}, TypeError, "the relation of edge 1 is 2: expected a str"),
        ({"edges": [(0, 11)]}, ValueError, "head of edge 0 is word 11, .* count from 0 to 10"),
        ({"edges": [(-1, 1)]}, ValueError, "dependent of edge 0 is word -1, which has no token"),
        ({"antecedents": [(7, 1, 2)]}, TypeError, "antecedent 0 is .*: expected .mention"),
        ({"antecedents": [("it", "dog")]}, ValueError, "'antecedent of pair 0', 'dog', isn't in"),
        ({"doc": 3}, TypeError, "doc is int: expected a parsed spaCy Doc or Stanza Document"),
        ({"doc": SpacyDoc("A dog.", [("A", 1, "det"), ("dog", 1, "ROOT")])}, ValueError, "another"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_annotations(demo_trace(), **given)


def test_a_doc_needs_to_know_where_tokens_stand() -> None:
    with pytest.raises(ValueError, match="the tokens' characters aren't known"):
        read_annotations(kind_of(random_layers()), doc=SpacyDoc("a", [("a", 0, "ROOT")]))


def test_nothing_given_is_nothing_known() -> None:
    assert read_annotations(kind_of(random_layers())) is None
    frame = head_scores(kind_of(random_layers()), edges=[], antecedents=[])
    assert "syntactic" not in frame

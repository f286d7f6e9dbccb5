"""Which heads read some tokens from some others: against loops over the weights, and by chance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from attention_explorer import AttentionExplorer, Tokens, Trace, demo_model, trace
from attention_explorer.analysis import moved
from attention_explorer.analysis.finder import Found, find_heads, find_steps
from attention_explorer.analysis.steps import finish
from attention_explorer.attention import Attention, dense_attention
from attention_explorer.attention.words import WordAttention
from attention_explorer.tracing import Kind

Weights = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]


def softmax_rows(*shape: int, seed: int = 0, causal: bool = False) -> Weights:
    """Return random rows: every key of a row is as likely to be read as any other."""
    weights = np.random.default_rng(seed).exponential(size=shape) ** 2
    if causal:
        weights *= np.tri(shape[-2], shape[-1])
    weights /= weights.sum(-1, keepdims=True)
    return weights.astype(np.float32)


def find(attention: Attention, *picks: Any, **options: Any) -> Found:
    return finish(find_steps(attention, *picks, **options))


def row_of(frame: Any, layer: int, head: int) -> Any:
    return frame.loc[(layer, head)]


class Expected(NamedTuple):
    """What loops over the weights give."""

    mass: Numbers
    elsewhere: Numbers
    percentile: Numbers
    p: Numbers
    p_corrected: Numbers


def by_loops(
    weights: Weights, queries: list[int], keys: list[int], special: list[int], circle: list[int]
) -> Expected:
    """Work it out cell by cell; `circle` are the keys that might have been picked."""
    n_layers, n_heads, n, _ = weights.shape
    heads = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]

    def mass(at: tuple[int, int], own: list[int], others: list[int]) -> float:
        return sum(float(weights[(*at, q, k)]) for q in own for k in others) / len(own)

    shifts = []
    for by in range(-n, n):
        places = [(i, i + by) for i in queries + keys]
        if all(0 <= b < n and (a in special) == (b in special) for a, b in places):
            shifts.append(by)
    turns = [
        [circle[(circle.index(key) + by) % len(circle)] for key in keys]
        for by in range(len(circle))
    ]
    here = {at: mass(at, queries, keys) for at in heads}
    shifted = {
        at: [mass(at, [q + by for q in queries], [k + by for k in keys]) for by in shifts]
        for at in heads
    }
    turned = {at: [mass(at, queries, turn) for turn in turns] for at in heads}
    everywhere = [m for at in heads for m in shifted[at]]
    largest = [max(turned[at][i] for at in heads) for i in range(len(turns))]

    def table(numbers: dict[tuple[int, int], float]) -> Numbers:
        return np.array([numbers[at] for at in heads]).reshape(n_layers, n_heads)

    def share(numbers: list[float], least: float) -> float:
        return sum(number >= least - 1e-6 for number in numbers) / len(numbers)

    own = shifts.index(0)
    return Expected(
        mass=table(here),
        elsewhere=table(
            {
                at: sum(m for i, m in enumerate(shifted[at]) if i != own) / max(1, len(shifts) - 1)
                for at in heads
            }
        ),
        percentile=table(
            {
                at: 100
                * sum((m < here[at] - 1e-6) + 0.5 * (abs(m - here[at]) <= 1e-6) for m in everywhere)
                / len(everywhere)
                for at in heads
            }
        ),
        p=table({at: share(turned[at], here[at]) for at in heads}),
        p_corrected=table({at: share(largest, here[at]) for at in heads}),
    )


@pytest.mark.parametrize("cells", [1 << 20, 40])
@pytest.mark.parametrize(
    ("queries", "keys", "circle"),
    [
        ([6], [3], [1, 2, 3, 4, 5, 7, 8, 9, 11]),
        ([2, 3, 7], [5, 8], [1, 4, 5, 6, 8, 9, 11]),
        ([4, 5], [5, 6, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
        ([8], [0, 2], [0, 1, 2, 3, 4, 5, 6, 7, 9, 11]),
    ],
)
def test_numbers_are_those_of_loops_over_the_weights(
    queries: list[int],
    keys: list[int],
    circle: list[int],
    cells: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One token, several with gaps, a query that is a key, a special key; at once and in steps.

    Catches sums over queries, heads in the layers' place, shifts onto special tokens or beyond the
    text, and a circle without the picked keys or with the queries.
    """
    monkeypatch.setattr(moved, "CELLS", cells)
    weights = softmax_rows(2, 3, 12, 12)
    special = np.zeros(12, bool)
    special[[0, 10]] = True
    found = find(dense_attention(weights), queries, keys, special=special)
    expected = by_loops(weights, queries, keys, [0, 10], circle)
    for name in ("mass", "p", "p_corrected"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-5, err_msg=name
        )
    if keys == [0, 2]:  # nowhere else is the first of two such keys special
        assert np.isnan(found.elsewhere).all()
        assert any("fit nowhere else" in note for note in found.notes)
        assert any("Special tokens were picked" in note for note in found.notes)
    else:
        np.testing.assert_allclose(found.elsewhere, expected.elsewhere, rtol=1e-5)
        np.testing.assert_allclose(found.percentile, expected.percentile, rtol=1e-5)
    np.testing.assert_allclose(found.lift, found.mass * 12 / len(keys), rtol=1e-5)


def test_uniform_attention_is_no_preference() -> None:
    """Catches equals that count as less: all of it is what chance gives."""
    attention = dense_attention(np.full((2, 3, 30, 30), 1 / 30, np.float32))
    found = find(attention, [7, 8], [3, 4, 20], [11])
    for name, value in {
        "mass": 3 / 30,
        "lift": 1,
        "elsewhere": 3 / 30,
        "percentile": 50,
        "p": 1,
        "p_corrected": 1,
        "mass_against": 1 / 30,
        "difference": 0,
        "p_difference": 1,
        "p_difference_corrected": 1,
    }.items():
        np.testing.assert_allclose(
            getattr(found, name), np.full((2, 3), value), rtol=1e-6, atol=1e-7, err_msg=name
        )


def test_lift_is_over_what_the_mask_lets_a_query_read() -> None:
    """Catches uniform attention over all keys, where a causal model has but those before."""
    n = 24
    causal = np.tri(n) / np.arange(1, n + 1)[:, None]
    window = np.tri(n) - np.tri(n, k=-5)
    window /= window.sum(1, keepdims=True)
    heads = np.stack([causal, causal]), np.stack([window, window])
    attention = dense_attention([layer.astype(np.float32) for layer in heads])
    found = find(attention, [20, 23], [19, 21])
    assert found.lift == pytest.approx(np.ones((2, 2)))
    assert found.mass[:, 0] == pytest.approx([(1 / 21 + 2 / 24) / 2, (1 / 5 + 2 / 5) / 2])
    # Out of the window nothing is read, and that is no lift of 0.
    found = find(attention, [20], [3])
    assert found.lift[0] == pytest.approx(np.ones(2))
    assert np.isnan(found.lift[1]).all()
    assert any("In layer 1 not every query can read all" in note for note in found.notes)


def test_keys_that_a_mask_hides_are_no_chance() -> None:
    """Catches places after a causal query, or out of a window, where all read 0: p would be small.

    The head that is asked about reads the least of all that it can.
    """
    weights = np.tile(np.tri(30), (2, 2, 1, 1)) * np.linspace(1, 2, 30)
    weights /= weights.sum(-1, keepdims=True)
    found = find(dense_attention(weights.astype(np.float32)), [9], [0])
    assert found.p == pytest.approx(np.ones((2, 2)))
    assert any("p is of 9 places only" in note for note in found.notes)
    windowed = weights * (1 - np.tri(30, k=-6))
    windowed /= windowed.sum(-1, keepdims=True)
    both = np.stack([weights[0], windowed[0]]).astype(np.float32)
    found = find(dense_attention(both), [20], [15])
    assert found.p == pytest.approx(np.ones((2, 2)))
    assert any("p is of 5 places only" in note for note in found.notes)


def test_a_planted_head_is_found_first() -> None:
    """Catches a ranking by anything but the mass, and a correction that leaves nothing."""
    weights = softmax_rows(3, 4, 60, 60)
    weights[1, 2, 40] = 0.1 / 59
    weights[1, 2, 40, 9] = 0.9
    frame = find_heads(dense_attention(weights), 40, 9)
    assert frame.index[0] == (1, 2)
    assert frame.index.names == ["layer", "head"]
    assert len(frame) == 12
    first = frame.iloc[0]
    assert first["p"] == first["p_corrected"] == pytest.approx(1 / 59)
    assert first["percentile"] > 99
    assert first["lift"] == pytest.approx(0.9 * 60)
    assert (frame["p_corrected"].iloc[1:] > 0.05).all()
    assert frame["mass"].is_monotonic_decreasing
    flipped = find_heads(dense_attention(weights.swapaxes(2, 3)), 9, 40, permutations=30)
    assert flipped.index[0] == (1, 2)


def test_a_head_that_reads_the_token_before_is_told_by_elsewhere() -> None:
    """Catches a difference taken for a preference where the head always reads the nearer key."""
    n = 50
    weights = softmax_rows(2, 3, n, n)
    weights[0, 1] = 0.9 * np.eye(n, k=-1) + 0.1 / n
    weights[0, 1, 0] += 0.9 / n
    weights[1, 2, 30] = 0.2 / n
    weights[1, 2, 30, 26] += 0.8
    frame = find_heads(dense_attention(weights), 30, 26, 29)
    assert frame.index[0] == (1, 2)
    planted, habit = row_of(frame, 1, 2), row_of(frame, 0, 1)
    assert planted["difference"] == pytest.approx(0.8, abs=0.01)
    assert planted["p_difference_corrected"] == pytest.approx(1 / 46)
    assert habit["difference"] == pytest.approx(-0.9)
    assert habit["difference_elsewhere"] == pytest.approx(-0.9)
    assert habit["p_difference"] == 1
    # The other way round it is the same difference.
    back = find_heads(dense_attention(weights), 30, 29, 26)
    assert row_of(back, 1, 2)["p_difference_corrected"] == pytest.approx(1 / 46)
    assert row_of(back, 1, 2)["difference"] == pytest.approx(-planted["difference"])


def test_sets_of_other_sizes_are_compared_per_token() -> None:
    weights = softmax_rows(2, 3, 20, 20)
    frame = find_heads(dense_attention(weights), 4, [7, 8, 9], [2])
    mass, against = weights[:, :, 4, 7:10].sum(-1), weights[:, :, 4, 2]
    for layer, head in np.ndindex(2, 3):
        row = row_of(frame, layer, head)
        assert row["mass"] == pytest.approx(mass[layer, head])
        assert row["mass_against"] == pytest.approx(against[layer, head])
        expected = mass[layer, head] / 3 - against[layer, head]
        assert row["difference"] == pytest.approx(expected, abs=1e-6)
    assert any("per token, as 3 keys are compared with 1" in n for n in frame.attrs["notes"])
    frame = find_heads(dense_attention(weights), 4, [7, 8], [2, 3])
    np.testing.assert_allclose(
        frame["difference"], frame["mass"] - frame["mass_against"], atol=1e-6
    )


@pytest.mark.parametrize("against", [(), (16,)])
def test_under_random_attention_corrected_p_keeps_its_promise(against: tuple[int, ...]) -> None:
    """Catches p that is too small: of 200 random texts at most some 5 % may find a head.

    And p that is too large: half of the texts have a smallest p of at most 0.5.
    """
    least = []
    for seed in range(200):
        attention = dense_attention(softmax_rows(2, 3, 32, 32, seed=seed))
        found = find(attention, [20, 21], [17, 18], against)
        least.append((found.p_difference_corrected if against else found.p_corrected).min())
    n_found = sum(p < 0.05 for p in least)
    assert 1 <= n_found <= 10 + 3 * np.sqrt(200 * 0.05 * 0.95)
    assert abs(sum(p <= 0.5 for p in least) - 100) < 3 * np.sqrt(200 * 0.25)
    assert max(least) > 0.9


def test_neighbours_that_are_read_together_are_moved_together() -> None:
    """Catches keys drawn one by one: heads that read in clumps would seem to find any word.

    In each text every head reads one clump of four keys, which is anywhere.
    """
    n_found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        weights = np.full((1, 2, 1, 48), 0.01, np.float32)
        for head in range(2):
            weights[0, head, 0, (rng.integers(48) + np.arange(4)) % 48] += rng.random()
        found = find(dense_attention(weights), [0], [20, 21, 22, 23], same_tokens=False)
        n_found += bool(found.p_corrected.min() < 0.05)
    assert n_found <= 10 + 3 * np.sqrt(200 * 0.05 * 0.95)


def test_tokens_in_another_order_have_the_same_masses() -> None:
    weights = softmax_rows(2, 3, 26, 26)
    order = np.random.default_rng(1).permutation(26)
    place = np.argsort(order)
    found = find(dense_attention(weights), [4, 17], [2, 9], [11])
    other = find(
        dense_attention(weights[:, :, order][..., order]),
        place[[4, 17]].tolist(),
        place[[2, 9]].tolist(),
        place[[11]].tolist(),
    )
    for name in ("mass", "lift", "mass_against", "difference"):
        np.testing.assert_allclose(getattr(found, name), getattr(other, name), rtol=1e-5)
    # All places of a single key are the same ones, in another order.
    one, another = (
        find(dense_attention(weights), [4], [2]),
        find(dense_attention(weights[:, :, order][..., order]), [int(place[4])], [int(place[2])]),
    )
    np.testing.assert_allclose(one.p, another.p)
    np.testing.assert_allclose(one.p_corrected, another.p_corrected)


def test_one_hot_rows() -> None:
    """Catches a share of places without its own: p is 1 / places, never 0."""
    weights = softmax_rows(2, 3, 25, 25)
    weights[:, :2] = 0
    weights[:, :2, :, 5] = 1
    weights[1, 0, :, 5], weights[1, 0, :, 14] = 0, 1
    found = find(dense_attention(weights), [8], [14])
    assert found.mass[:, :2].tolist() == [[0, 0], [1, 0]]
    assert found.lift[1, 0] == 25
    assert found.p[:, :2] == pytest.approx(np.array([[1, 1], [1 / 24, 1]]))
    # At key 5, too, some head reads as much.
    assert found.p_corrected[1, 0] == pytest.approx(2 / 24)
    assert found.elsewhere[1, 0] == 0


def test_keys_of_another_text_have_no_distances() -> None:
    """Catches shifts of queries and keys together where these are of two texts, and their sizes."""
    weights = softmax_rows(2, 3, 5, 30)
    special = np.zeros(30, bool)
    special[[0, 29]] = True
    found = find(dense_attention(weights), [1, 4], [7], [8], special=special, same_tokens=False)
    row = weights[:, :, [1, 4]].astype(float).mean(2)
    np.testing.assert_allclose(found.mass, row[..., 7], rtol=1e-5)
    np.testing.assert_allclose(found.p, (row[..., 1:29] >= row[..., 7:8]).mean(-1))
    others = np.delete(row[..., 1:29], 6, -1).mean(-1)
    np.testing.assert_allclose(found.elsewhere, others, rtol=1e-5)
    np.testing.assert_allclose(found.lift, row[..., 7] * 30, rtol=1e-5)
    assert np.isfinite(found.p_difference).all()
    assert any("there are no distances" in note for note in found.notes)
    tokens = Tokens.from_strings([f"q{i}" for i in range(5)])
    keys = Tokens.from_strings(["[CLS]", *(f"k{i}" for i in range(28)), "[SEP]"])
    frame = find_heads(Kind(dense_attention(weights), tokens, keys), ["q1", "q4"], "k6", "k7")
    assert frame.attrs["queries"] == [(1, "q1"), (4, "q4")]
    assert frame.attrs["keys"] == [(7, "k6")]
    assert frame.attrs["against"] == [(8, "k7")]
    np.testing.assert_allclose(frame["mass"].sort_index(), row[..., 7].ravel(), rtol=1e-5)


def test_signed_numbers_are_ranked_by_value_without_lift() -> None:
    """Catches a ranking by size, where the most negative head would come first."""
    weights = np.random.default_rng(0).normal(size=(2, 3, 25, 25)).astype(np.float32)
    weights[1, 1, 3, 9], weights[0, 2, 3, 9] = 5, -9
    frame = find_heads(dense_attention(weights), 3, 9)
    assert frame.index[0] == (1, 1)
    assert frame.index[-1] == (0, 2)
    assert frame["lift"].isna().all()
    assert row_of(frame, 0, 2)["p"] == 1
    assert any("ranked by value" in note for note in frame.attrs["notes"])
    norms = find_heads(dense_attention(np.abs(weights)), 3, 9)
    assert norms["lift"].isna().all()
    assert norms.index[0] == (0, 2)


def test_a_text_that_is_too_short_says_so() -> None:
    """Catches a p below what so few places can tell."""
    frame = find_heads(dense_attention(softmax_rows(2, 3, 6, 6)), 4, 1, 2)
    assert frame["p"].min() >= 1 / 5
    for name, n in (("p", 5), ("p_difference", 3)):
        told = (
            f"{name} is of {n} places only and can't be below {1 / n:.2g}: this text is too short"
        )
        assert any(note.startswith(told) for note in frame.attrs["notes"])
    frame = find_heads(dense_attention(softmax_rows(2, 3, 2, 2)), 1, 0)
    assert frame["p"].isna().all()
    assert frame["p_corrected"].isna().all()
    assert any(note.startswith("p isn't known") for note in frame.attrs["notes"])


def test_long_texts_read_a_sample_of_rows_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catches n x n weights of every head read for one question."""
    monkeypatch.setattr(moved, "_READ", 64 * 150)
    monkeypatch.setattr(moved, "PLACES", 16)
    attention = dense_attention(softmax_rows(2, 3, 150, 150, causal=True))
    n_read, rows = [0], attention.rows

    def counted(layer: int, heads: Any, queries: Any) -> Any:
        n_read[0] += len(heads) * len(queries)
        return rows(layer, heads, queries)

    monkeypatch.setattr(attention, "rows", counted)
    found = find(attention, [120, 121], [90], permutations=40)
    assert 6 * 16 < n_read[0] <= 6 * (2 + 2 * 16)
    assert any(
        "16 places with the same distances, drawn at random of 119" in n for n in found.notes
    )
    assert any("p is of 41 places of the keys, at random of 120" in n for n in found.notes)
    assert found.p.min() >= 1 / 41
    again = find(attention, [120, 121], [90], permutations=40)
    other = find(attention, [120, 121], [90], permutations=40, seed=1)
    for name in ("p", "percentile", "elsewhere"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert (found.elsewhere != other.elsewhere).any()
    np.testing.assert_array_equal(found.mass, other.mass)
    # Of many queries fewer places are read.
    n_read[0] = 0
    found = find(attention, list(range(40, 70)), [30], [31], permutations=9)
    assert n_read[0] <= 6 * 30 * (1 + 2)
    assert any("p is of 10 places only" in n and "raise permutations" in n for n in found.notes)
    assert any("p_difference is of 2 places" in n and "fewer of them" in n for n in found.notes)


def test_steps_tell_the_share_that_is_done() -> None:
    shares = list(find_steps(dense_attention(softmax_rows(2, 3, 9, 9)), [4], [1]))
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1


def test_words_explorers_and_kinds_are_read_as_they_are_shown() -> None:
    """Catches positions of tokens where words are shown."""
    tokens = Tokens.from_strings(["[CLS]", "un", "##able", "cats", "sat", "still", "[SEP]"])
    attention = dense_attention(softmax_rows(2, 3, 7, 7))
    explorer = AttentionExplorer(attention, tokens, unit="word")
    frame = find_heads(explorer, "sat", "unable")
    explorer.close()
    assert frame.attrs["queries"] == [(3, "sat")]
    assert frame.attrs["keys"] == [(1, "unable")]
    words = WordAttention(attention, (0, 1, 1, 2, 3, 4, 5), (0, 1, 1, 2, 3, 4, 5))
    expected = [words.row(layer, head, 3)[1] for layer, head in np.ndindex(2, 3)]
    np.testing.assert_allclose(frame["mass"].sort_index(), expected, rtol=1e-5)
    assert frame.attrs["notes"][0] == words.notes[0]
    frame = find_heads(Kind(attention, tokens), "sat", "unable")
    assert frame.attrs["keys"] == [(1, "un"), (2, "able")]
    np.testing.assert_allclose(frame["mass"].sort_index(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("picks", "error", "message"),
    [
        ((4, 1, [2, 1]), ValueError, "token 1 is in keys and in against"),
        (([], 1), ValueError, "names no token"),
        ((4, 9), ValueError, "there is no token 9"),
        (("sat", 1), ValueError, "the text isn't known here"),
        ((4, None), TypeError, "named by position"),
    ],
)
def test_what_cannot_be_asked_is_told(
    picks: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        find_heads(dense_attention(softmax_rows(2, 3, 9, 9)), *picks)


def test_other_inputs_and_numbers_are_refused() -> None:
    given: Any = softmax_rows(2, 3, 9, 9)
    with pytest.raises(TypeError, match="ndarray has no attention and tokens: give a trace"):
        find_heads(given, 4, 1)
    attention = dense_attention(given)
    with pytest.raises(ValueError, match="permutations has to be 1 or more, got 0"):
        find_heads(attention, 4, 1, permutations=0)
    with pytest.raises(ValueError, match="at least one query and one key"):
        find(attention, [], [1])


@pytest.fixture(scope="module")
def demo() -> tuple[Any, Any]:
    model, tokenizer = demo_model()
    return model, tokenizer


def test_it_reads_cat_in_the_demo_model(demo: tuple[Any, Any]) -> None:
    """Catches another head than the known one; and that 13 tokens can't prove it."""
    traced: Trace = trace(*demo, "The cat sat on the mat because it was tired.")
    frame = find_heads(traced, "it", "cat", "mat")
    plain = find_heads(traced, "it", "cat")
    assert plain.index[0] == frame.index[0] == (5, 11)
    first = plain.iloc[0]
    assert first["mass"] == pytest.approx(0.71, abs=0.005)
    assert first["lift"] == pytest.approx(first["mass"] * 13)
    assert first["elsewhere"] < 0.05
    assert first["percentile"] > 99
    assert first["p"] == pytest.approx(1 / 10)
    assert first["p_corrected"] > 0.05
    assert (plain.attrs["n_rotations"], plain.attrs["n_places"]) == (10, 5)
    assert any("p is of 10 places only" in note for note in plain.attrs["notes"])


def test_with_reads_saw_and_the_token_before_it_in_the_demo_model(demo: tuple[Any, Any]) -> None:
    """Catches the head that reads any token before taken for one that reads "man"."""
    traced = trace(*demo, "I saw the man with the telescope.")
    man, frame = find_heads(traced, "with", "man"), find_heads(traced, "with", "saw", "man")
    assert man.index[0] == (0, 2)
    assert man.iloc[0]["mass"] == pytest.approx(man.iloc[0]["elsewhere"], abs=0.01)
    assert frame.index[0] == (1, 2)
    assert frame.iloc[0]["difference"] > 0.5
    assert (0, 2) not in frame.index[:20]
    assert frame["p_difference"].min() >= 1 / 5
    assert any("p_difference is of 5 places only" in note for note in frame.attrs["notes"])
    with pytest.raises(ValueError, match="'the' occurs 2 times, at tokens 3 and 6"):
        find_heads(traced, "with", "the")

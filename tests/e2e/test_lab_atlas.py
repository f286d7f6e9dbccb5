"""An atlas in JupyterLab, of a real model over texts: what is seen there is what Python has."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

CELL = """from attention_explorer import demo_model
from attention_explorer.atlas import profile_heads
model, tokenizer = demo_model()
texts = [
    f"The {animal} sat on the mat because it was {how}, and then the {animal} {did}."
    for animal in ("cat", "dog", "old horse", "telescope")
    for how in ("tired", "hungry", "late")
    for did in ("slept", "ran away")
]
atlas = profile_heads(model, tokenizer, texts, progress=False)
view = atlas.explore(model, tokenizer, theme="light")
view"""
LAYER, HEAD = 5, 11
EXEMPLARS = "atlas.search(5, 11, 'peak', top=24)"


class Atlas:
    """One view of an atlas, by what a person sees of it."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.plot = root.get_by_role("application", name=re.compile("^[0-9]+ of [0-9]+ heads"))
        self.card = root.locator(".card")
        self.head = root.get_by_role("region", name="chosen head")
        self.highest = root.get_by_role("region", name="highest tenth")
        self.reading = root.locator(".reading")
        self.explorer = Explorer(root.locator(".explorer").first)

    def press(self, name: str) -> None:
        self.root.get_by_role("button", name=name, exact=True).click()


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(CELL) as notebook:
        yield notebook


@pytest.fixture
def atlas(notebook: LabNotebook) -> Atlas:
    atlas = Atlas(notebook.page.locator(".atlas").first)
    expect(atlas.plot).to_be_visible(timeout=60_000)
    notebook.python("view.plot, view.score, view.labels, view.layers = 'scores', 'peak', [], []")
    notebook.python("view.least = view.most = None; view.head = None")
    return atlas


def test_a_head_is_chosen_by_keys_alone(notebook: LabNotebook, atlas: Atlas) -> None:
    """Catches a plot that only a pointer can use, and numbers of another head beside its name."""
    atlas.plot.focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.keyboard.press("ArrowUp")
    expect(atlas.card).to_be_visible()
    name = atlas.card.locator("b").first.inner_text()
    layer, head = map(int, re.findall(r"\d+", name))
    mean = notebook.python(f"print(format(atlas.score('entropy')[{layer}, {head}], '.3f'))")
    expect(atlas.card).to_contain_text(f"entropy {mean} ±")
    notebook.page.keyboard.press("Enter")
    notebook.expect_python("view.head", (layer, head))
    expect(atlas.head).to_contain_text(name)


def test_exemplars_are_those_that_python_finds(notebook: LabNotebook, atlas: Atlas) -> None:
    """Catches another head's texts, a pair that is turned round, and the lowest as the highest."""
    notebook.python(f"view.head = ({LAYER}, {HEAD})")
    first = atlas.highest.get_by_role("listitem").first
    found = f"{EXEMPLARS}[0]"
    expect(first.locator("mark.query, mark.both")).to_have_text(
        notebook.python(f"print({found}.tokens[{found}.query])")
    )
    expect(first.locator("mark.key, mark.both")).to_have_text(
        notebook.python(f"print({found}.tokens[{found}.key])")
    )
    expect(first.locator(".number")).to_have_text(
        notebook.python(f"print(format({found}.weight, '.3f'))")
    )
    expect(atlas.root.get_by_role("region", name="lowest tenth")).to_contain_text(
        notebook.python(f"print(format({EXEMPLARS}[-1].score, '.3f'))")
    )


def test_an_exemplar_opens_in_an_explorer_at_its_place(notebook: LabNotebook, atlas: Atlas) -> None:
    """Catches a text that opens at another head, or without what was marked there."""
    notebook.python(f"view.head = ({LAYER}, {HEAD})")
    atlas.highest.get_by_role("button").first.click()
    atlas.explorer.expect_live()
    found = f"{EXEMPLARS}[0]"
    notebook.expect_python("(view.opened.layer, view.opened.heads)", (LAYER, [HEAD]))
    notebook.expect_python(f"view.opened.selected == ({found}.query, {found}.key)", True)
    notebook.expect_python(f"view.opened.trace.text == {found}.text", True)
    notebook.expect_python(
        f"abs(float(view.opened.weights()[view.opened.selected]) - {found}.weight) < 1e-5", True
    )
    expect(atlas.reading).to_contain_text(f"in layer {LAYER} · head {HEAD}")
    # What comes when it is wanted first comes by the explorer's own data model.
    atlas.explorer.view_button("Neuron").click()
    expect(atlas.root.get_by_role("region", name="neuron view", exact=True)).to_be_visible()
    # Another one is shown in the same explorer.
    last = atlas.root.get_by_role("region", name="lowest tenth").get_by_role("button").last
    last.click()
    notebook.expect_python(f"view.opened.trace.text == {EXEMPLARS}[-1].text", True)
    atlas.explorer.expect_live()
    expect(atlas.root.locator(".explorer")).to_have_count(1)


def test_where_else_a_head_does_what_is_looked_at(notebook: LabNotebook, atlas: Atlas) -> None:
    """Catches a search for what was marked first, instead of the token that was clicked since."""
    notebook.python(f"view.head = ({LAYER}, {HEAD})")
    atlas.highest.get_by_role("button").first.click()
    atlas.explorer.expect_live()
    it = "list(view.opened.tokens.text).index('it')"
    place = int(notebook.python(f"print({it})"))
    atlas.explorer.token(place).click()
    notebook.expect_python("view.opened.selected", (place, place))
    atlas.reading.get_by_role("button", name=re.compile("^more like this: it in 5.11")).click()
    like = atlas.root.get_by_role("region", name=re.compile("^like"))
    count = notebook.python("print(len(atlas.like(view.opened)))")
    expect(like.get_by_role("listitem")).to_have_count(int(count))
    atlas.press("by peak again")
    expect(atlas.highest).to_be_visible()


def test_what_python_filters_by_is_left_of_the_picture(notebook: LabNotebook, atlas: Atlas) -> None:
    """Catches filters that only the browser knows, or that count heads of another layer."""
    notebook.python("view.layers, view.least = [1, 4], 0.5")
    count = notebook.python("print(int((atlas.score('peak')[[1, 4]] >= 0.5).sum()))")
    expect(atlas.plot).to_have_attribute("aria-label", re.compile(f"^{count} of 72 heads"))
    atlas.press("Grid")
    notebook.expect_python("view.plot", "grid")
    atlas.press("MDS")
    expect(atlas.root).to_contain_text("classical scaling")
    assert notebook.python("print(view.layers)") == "[1, 4]"


def test_an_atlas_by_itself_says_what_opening_needs(
    notebook: LabNotebook, open_cells: OpenCells
) -> None:
    """Catches a view without a model whose texts seem to be read for ever."""
    with open_cells(
        CELL.replace('view = atlas.explore(model, tokenizer, theme="light")\nview', "atlas")
    ) as other:
        atlas = Atlas(other.page.locator(".atlas"))
        expect(atlas.plot).to_be_visible(timeout=60_000)
        atlas.root.locator(".begin").get_by_role("button").first.click()
        atlas.highest.get_by_role("button").first.click()
        expect(atlas.reading).to_contain_text("atlas.explore(model, tokenizer)")

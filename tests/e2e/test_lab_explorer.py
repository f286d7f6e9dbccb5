"""One explorer in JupyterLab: what the browser does is seen in Python, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import OpenCells
from .lab import LabNotebook
from .shown import Explorer

SHOW = """
from attention_explorer import AttentionExplorer
explorer = AttentionExplorer.demo()
explorer
"""
# "The cat sat on the mat because it was tired." after [CLS].
CAT, IT = 2, 8


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(SHOW) as notebook:
        notebook.explorer().expect_live()
        yield notebook


@pytest.fixture
def page(notebook: LabNotebook) -> Page:
    return notebook.page


@pytest.fixture
def explorer(notebook: LabNotebook) -> Explorer:
    """The demo as it opened: layer 5, head 11, nothing hovered or pinned."""
    notebook.page.mouse.move(2, 2)
    notebook.python(
        "explorer.unobserve_all()\n"
        "explorer.layer, explorer.heads, explorer.view = 5, 11, ['text', 'heads', 'matrix']\n"
        "explorer.hovered = explorer.selected = None\n"
        "explorer.top_mass, explorer.theme = 0.8, 'auto'"
    )
    shown = notebook.explorer()
    expect(shown.item("nothing hovered")).to_be_visible()
    expect(shown.chosen_heads()).to_have_text(["11"])
    return shown


def test_hovering_a_token_shows_in_every_view_and_in_python(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches views that don't hear of a hover in another one."""
    resting = explorer.cross()
    explorer.token(IT).hover()
    notebook.expect_python("explorer.hovered", (IT, IT))

    expect(explorer.token(IT)).to_have_class("token looked")
    expect(explorer.token(CAT)).to_have_attribute("data-weight", "0.71")
    expect(explorer.focused("query")).to_have_text("it")
    expect(explorer.focused("key")).to_have_text("it")
    expect(explorer.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
    assert explorer.cross() != resting, "the matrix doesn't mark what is hovered"

    explorer.root.page.mouse.move(2, 2)
    notebook.expect_python("explorer.hovered", None)
    expect(explorer.focused("query")).to_have_count(0)


def test_a_head_view_label_and_a_matrix_cell_hover_too(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches queries taken for keys, in the head view's sides and the matrix's axes."""
    rows = explorer.heads.locator(".column.query .row")
    rows.nth(IT).hover()
    notebook.expect_python("explorer.hovered", (IT, None))
    explorer.heads.locator(".column.key .row").nth(CAT).hover()
    notebook.expect_python("explorer.hovered", (None, CAT))
    expect(explorer.item("“cat” (2) is read by")).to_be_visible()

    stage = explorer.matrix.get_by_role("application")
    stage.focus()
    stage.press("ArrowDown")  # from the first query's reading of the key that is hovered
    notebook.expect_python("explorer.hovered", (1, CAT))
    weight = notebook.python("print(f'{explorer.weights(5, 11)[1, 2]:.4f}')")
    expect(explorer.item("“The” (1) reads “cat” (2)").locator(".weight")).to_have_text(weight)


def test_a_pin_and_a_hover_read_one_exact_weight(notebook: LabNotebook, explorer: Explorer) -> None:
    """Catches a transposed pair, and a read-out of the 8-bit code in place of the float32."""
    explorer.token(IT).click()
    notebook.expect_python("explorer.selected", (IT, IT))
    explorer.token(CAT).hover()
    pair = explorer.item("“it” (8) reads “cat” (2)").locator(".weight")
    expect(pair).to_have_text("0.7118")
    assert notebook.python("print(f'{explorer.weights(5, 11)[8, 2]:.4f}')") == "0.7118"
    expect(explorer.token(IT)).to_have_class("token looked pinned")

    explorer.root.page.keyboard.press("Escape")
    notebook.expect_python("explorer.selected", None)
    expect(explorer.root.locator(".pinned")).to_have_count(0)


def test_an_observer_in_python_gets_what_is_hovered(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a hover that is set without a notification."""
    notebook.python(
        "seen = []\nexplorer.observe(lambda change: seen.append(change.new), 'hovered')"
    )
    explorer.token(CAT).hover()
    notebook.expect_python("seen", [(CAT, CAT)])


def test_controls_in_the_browser_set_the_traits(notebook: LabNotebook, explorer: Explorer) -> None:
    """Catches a control that changes the picture and not the state."""
    explorer.layer.select_option("3")
    notebook.expect_python("explorer.layer", 3)
    explorer.chip(4).click()
    explorer.chip(0).click()
    notebook.expect_python("explorer.heads", [0, 4, 11])
    explorer.chip(4).click()
    notebook.expect_python("explorer.heads", [0, 11])
    explorer.chip(7).dblclick()
    notebook.expect_python("explorer.heads", [7])
    explorer.chip(7).click()  # the last one stays
    explorer.head.select_option("all")
    notebook.expect_python("explorer.heads", list(range(12)))
    explorer.head.select_option("2")
    notebook.expect_python("explorer.heads", [2])
    explorer.mass.select_option("0.5")
    notebook.expect_python("explorer.top_mass", 0.5)
    explorer.view_button("Text").click()
    notebook.expect_python("explorer.view", ["heads", "matrix"])
    expect(explorer.text).to_be_hidden()
    explorer.view_button("Matrix").dblclick()
    notebook.expect_python("explorer.view", ["matrix"])
    expect(explorer.heads).to_be_hidden()
    expect(explorer.matrix).to_be_visible()


def test_traits_set_in_python_show_in_the_browser(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a picture that follows its own clicks only."""
    notebook.python("explorer.layer = 2; explorer.heads = [3, 1]; explorer.top_mass = 0.33")
    expect(explorer.layer).to_have_value("2")
    expect(explorer.chosen_heads()).to_have_text(["1", "3"])
    expect(explorer.heads).to_contain_text("layer 2 · heads 1, 3")
    expect(explorer.matrix).to_contain_text("mean over 2 heads")
    expect(explorer.mass.locator("option:checked")).to_have_text("top 33 %")

    notebook.python("explorer.selected = 8")
    expect(explorer.token(IT)).to_have_class("token looked pinned")
    expect(explorer.item("“it” (8) reads")).to_be_visible()
    notebook.python("explorer.hovered = 2")
    expect(explorer.item("“it” (8) reads “cat” (2)")).to_be_visible()
    notebook.python("explorer.selected = explorer.hovered = None")
    expect(explorer.item("nothing hovered")).to_be_visible()

    notebook.python("explorer.view = 'heads'")
    expect(explorer.matrix).to_be_hidden()
    expect(explorer.text).to_be_hidden()
    notebook.python("explorer.theme = 'dark'")
    expect(explorer.root).to_have_attribute("data-theme", "dark")
    notebook.python("explorer.theme = 'light'")
    expect(explorer.root).to_have_attribute("data-theme", "light")


def test_out_of_range_raises_in_python_and_leaves_the_browser_as_it_was(
    notebook: LabNotebook, explorer: Explorer
) -> None:
    """Catches a value that is refused after it was sent."""
    for name, value in [("layer", 6), ("heads", [12]), ("selected", 13), ("view", "tree")]:
        told = notebook.python(
            "from traitlets import TraitError\n"
            f"try: explorer.{name} = {value!r}\n"
            "except TraitError as error: print(error)"
        )
        assert name in told, f"explorer.{name} = {value!r} raised no TraitError: {told!r}"
    notebook.python("explorer.top_mass = 0.9")  # what comes last has come after all of them
    expect(explorer.mass).to_have_value("0.9")
    expect(explorer.layer).to_have_value("5")
    expect(explorer.chosen_heads()).to_have_text(["11"])
    expect(explorer.item("nothing hovered")).to_be_visible()
    expect(explorer.text).to_be_visible()
    expect(explorer.root.get_by_role("alert")).to_have_count(0)


def test_keys_on_a_focused_explorer_are_its_own(
    notebook: LabNotebook, explorer: Explorer, page: Page
) -> None:
    """Catches Lab in command mode taking keys: `d d` would delete the cell with the explorer."""
    explorer.token(CAT).click()
    cells = page.locator(".jp-CodeCell")
    count = cells.count()
    for key in ["[", "[", "]"]:
        page.keyboard.press(key)
    notebook.expect_python("explorer.layer", 4)
    page.keyboard.press("ArrowRight")
    notebook.expect_python("explorer.hovered", (CAT + 1, CAT + 1))
    page.keyboard.press("Enter")
    notebook.expect_python("explorer.selected", (CAT + 1, CAT + 1))
    for key in ["d", "d", "a", "b", "x", "m", "y", "0", "0"]:
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    notebook.expect_python("explorer.selected", None)
    expect(cells).to_have_count(count)
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(explorer.root).to_be_visible()


@pytest.mark.parametrize("place", ["heads", "matrix"])
def test_keys_on_a_focused_view_are_its_own(
    notebook: LabNotebook, explorer: Explorer, page: Page, place: str
) -> None:
    """Catches a view whose arrows scroll the notebook or whose `]` Lab takes."""
    view: Locator = getattr(explorer, place).get_by_role("application")
    view.focus()
    page.keyboard.press("[")
    notebook.expect_python("explorer.layer", 4)
    page.keyboard.press("ArrowDown")
    notebook.expect_python("explorer.hovered is not None", True)
    for key in ["d", "d"]:
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    notebook.expect_python("explorer.selected is not None", True)
    expect(explorer.root).to_be_visible()
    expect(page.locator(".jp-CodeCell")).to_have_count(1)

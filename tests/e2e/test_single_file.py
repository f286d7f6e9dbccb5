"""The single file in a browser that is offline, opened as by a double click."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from attention_explorer import (
    AttentionExplorer,
    ComparingExplorer,
    QAExplorer,
    Trace,
    demo_model,
    demo_qa_model,
    to_html,
    trace,
)
from attention_explorer.export.html import framed

from .asked import Asked
from .shown import Explorer
from .watch import Watch

Open = Callable[..., contextlib.AbstractContextManager[Page]]

TEXT = "The cat sat on the mat because it was tired."
OTHER = "The dog sat on the mat because it was hungry."
IT, CAT = 8, 2
LAYER, HEAD = 5, 11
OWN = ("file:", "blob:", "data:", "about:")


@pytest.fixture(scope="module")
def open_file(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Open:
    """Open HTML from a file; a request for anything but the file, or an error, fails the test."""

    @contextlib.contextmanager
    def opened(html: str, scheme: Any = "light", width: int = 1200) -> Iterator[Page]:
        path = tmp_path_factory.mktemp("page") / "page.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": 1000}
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        watch = Watch(page, {path.as_uri()})
        faults: list[str] = []
        page.on("request", lambda request: faults.append(request.url))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        try:
            page.goto(path.as_uri())
            yield page
        finally:
            context.close()
        assert not [fault for fault in faults if not fault.startswith(OWN)]
        assert not [fault for fault in watch.faults if "srcdoc" not in fault]

    return opened


@pytest.fixture(scope="module")
def traces() -> Iterator[tuple[Trace, Trace]]:
    """Two texts, while their model is there."""
    model, tokenizer = demo_model()
    yield trace(model, tokenizer, TEXT), trace(model, tokenizer, OTHER)
    del model


@pytest.fixture(scope="module")
def studied(traces: tuple[Trace, Trace]) -> AttentionExplorer:
    """An explorer of a model that is still there, with a pair pinned."""
    return AttentionExplorer(
        traces[0], layer=LAYER, heads=HEAD, selected=(IT, CAT), view=["text", "neuron", "evidence"]
    )


@pytest.fixture(scope="module")
def comparing(traces: tuple[Trace, Trace]) -> ComparingExplorer:
    return AttentionExplorer.compare(*traces)


@pytest.fixture(scope="module")
def asking() -> QAExplorer:
    return AttentionExplorer.qa(
        *demo_qa_model(),
        "Who is the famous architect in Barcelona?",
        "Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
    )


def shown(page: Page, index: int = 0) -> Explorer:
    """An explorer on the page, once it has all that it asks for."""
    explorer = Explorer(page.locator(".explorer").nth(index))
    expect(explorer.root).to_have_attribute("aria-busy", "false")
    return explorer


def says(page: Page, index: int = 0) -> Locator:
    """What the page says where something is chosen that it doesn't hold."""
    return page.locator(".says").nth(index)


def pane(view: Explorer, name: str) -> Locator:
    label = "head" if name == "heads" else name
    return view.root.get_by_role("region", name=f"{label} view", exact=True)


def test_a_double_click_shows_the_models_own_weights(open_file: Open) -> None:
    """Catches a file that asks the network, or whose numbers aren't the explorer's."""
    explorer = AttentionExplorer.demo()
    with open_file(explorer.to_html()) as page:
        view = shown(page)
        expect(view.status).to_have_text("this file, exact")
        view.token(9).hover()
        expect(view.item("reads")).to_contain_text(f"{explorer.weights()[9].max():.4f}")
        view.layer.select_option("2")
        view.head.select_option("7")
        view.token(9).hover()
        expect(view.item("reads")).to_contain_text(f"{explorer.weights(2, 7)[9].max():.4f}")


def test_tokens_that_look_like_markup_stay_text(open_file: Open) -> None:
    """Catches tokens that end the script element that they are in, or run as one."""
    hostile = ["</script><script>document.title=1</script>", "<!--", "-->", "<b>b</b>", "\ud800"]
    weights = np.random.default_rng(0).dirichlet(np.ones(5), (2, 3, 5)).astype(np.float32)
    explorer = AttentionExplorer(weights, hostile)
    with open_file(to_html(explorer, title="</title><script>1</script>")) as page:
        view = shown(page)
        expect(view.token(0)).to_contain_text("</script>")
        assert page.title() == "</title><script>1</script>"
        assert page.locator("section b").count() == 0


def test_what_was_recorded_is_chosen_and_anything_else_is_refused_in_words(
    open_file: Open, studied: AttentionExplorer
) -> None:
    """Catches a choice that shows other numbers than it says, or leaves the controls astray."""
    with open_file(to_html(studied)) as page:
        view = shown(page)
        view.root.get_by_label("what is shown").select_option("rollout")
        expect(view.notes).to_contain_text("rollout")
        view.root.get_by_label("what is shown").select_option("weights")
        expect(view.notes).to_have_count(0)
        view.root.get_by_label("hide keys").click()
        view.root.get_by_label("special", exact=True).check()
        expect(view.notes).to_contain_text("2 keys are hidden")
        expect(says(page)).to_be_empty()
        hidden = view.root.get_by_label("punctuation", exact=True)
        if not hidden.is_visible():
            view.root.get_by_label(re.compile("hidden keys")).click()
        hidden.click()
        expect(says(page)).to_contain_text("This page holds weights by token")
        expect(hidden).not_to_be_checked()
        expect(view.notes).to_contain_text("2 keys are hidden")


def test_the_neuron_view_adds_up_to_the_weights(
    open_file: Open, studied: AttentionExplorer
) -> None:
    """Catches another head's or query's vectors: they are cut out of one buffer."""
    with open_file(to_html(studied)) as page:
        view = shown(page)
        weights = studied.weights(LAYER, HEAD)[IT]
        last = pane(view, "neuron").locator(".scroll .term b")
        expect(last).to_have_text([f"{weight:.4f}" for weight in weights])
        view.token(4).click()
        weights = studied.weights(LAYER, HEAD)[4]
        expect(last).to_have_text([f"{weight:.4f}" for weight in weights])
        view.layer.select_option("0")
        expect(pane(view, "neuron")).to_contain_text("This page holds what scores are made of")


def test_what_is_pinned_was_studied_and_cut(open_file: Open, studied: AttentionExplorer) -> None:
    """Catches studies that are found under another question's name, or asked without end."""
    with open_file(to_html(studied)) as page:
        view = shown(page)
        evidence = pane(view, "evidence")
        expect(evidence).to_contain_text("“it” reads from “cat”")
        expect(evidence.get_by_label("does X read Y?").locator("ol li").first).to_be_visible()
        evidence.get_by_role("button", name="Cut the edge").click()
        cut = {"do": "cut", "on": True, "kind": "encoder", "queries": [IT], "keys": [CAT]}
        studied.edits = [{**cut, "layers": [LAYER], "heads": [HEAD]}]
        expect(evidence.locator(".effect")).to_contain_text(studied.intervene().said)
        studied.edits = []
        evidence.get_by_role("button", name="Ablate every head").click()
        expect(evidence.get_by_role("alert")).to_contain_text("can’t run the model")


def test_two_texts_are_compared(open_file: Open, comparing: ComparingExplorer) -> None:
    """Catches rows of another head or side: the page works them out itself."""
    with open_file(to_html(comparing)) as page:
        view = shown(page)
        compare = pane(view, "compare")
        expect(compare.get_by_text("heads that differ most")).to_be_visible()
        compare.get_by_role("option", name=re.compile("^it")).first.hover()
        layer, head = comparing.layer, comparing.heads[0]
        first, second = (traced.attention.row(layer, head, IT) for traced in comparing.traces)
        key = int(np.abs(second - first).argmax())
        expect(compare.locator(".differs")).to_contain_text(
            f"{first[key]:.2f} → “{comparing.traces[1].tokens.text[key].strip()}” {second[key]:.2f}"
            if comparing.traces[0].tokens.text[key] != comparing.traces[1].tokens.text[key]
            else f"{first[key]:.2f} → {second[key]:.2f}"
        )


def test_what_was_asked_is_shown_and_nothing_can_be_asked(
    open_file: Open, asking: QAExplorer
) -> None:
    """Catches a question that waits for a kernel; sums over the question that aren't there."""
    with open_file(to_html(asking)) as page:
        asked = Asked(shown(page))
        best = asking.answers[0]
        expect(asked.best).to_have_accessible_name(
            f"{best.text}, probability {best.probability:.4f}"
        )
        expect(asked.view.get_by_text("The strongest head puts")).to_be_visible()
        asked.again.click()
        asked.box.fill("Where is it?")
        asked.box.press("Enter")
        expect(asked.alert).to_contain_text("can’t run the model")


def test_three_explorers_of_two_kinds_share_a_page(
    open_file: Open, asking: QAExplorer, comparing: ComparingExplorer
) -> None:
    """Catches explorers that answer each other's requests, or move together."""
    demo = AttentionExplorer.demo()
    with open_file(to_html([demo, asking, comparing], title="All three")) as page:
        views = [shown(page, index) for index in range(3)]
        expect(page.get_by_role("heading", name="All three")).to_be_visible()
        views[0].layer.select_option("1")
        views[0].token(3).hover()
        expect(views[0].item("reads")).to_contain_text(f"{demo.weights(1)[3].max():.4f}")
        expect(views[2].layer).to_have_value(f"{comparing.layer}")


def test_a_framed_page_stays_interactive(open_file: Open) -> None:
    """Catches a policy of the sandbox that keeps the page's own code out."""
    demo = AttentionExplorer.demo()
    with open_file(f"<body>{framed(demo.to_html())}</body>") as page:
        frame = page.frame_locator("iframe")
        view = Explorer(frame.locator(".explorer"))
        expect(view.root).to_have_attribute("aria-busy", "false")
        view.token(9).hover()
        expect(view.item("reads")).to_contain_text(f"{demo.weights()[9].max():.4f}")
        expect(frame.get_by_role("heading", level=1)).to_be_hidden()


def test_a_file_over_its_limit_says_what_it_leaves_out(open_file: Open) -> None:
    """Catches a wish that is asked for without end, or with an error each; a file that hides it."""
    n, layers, heads = 200, 40, 16
    weights = np.random.default_rng(0).dirichlet(np.full(n, 0.1), (layers, heads, n))
    tokens = [f"t{i}" for i in range(n)]
    explorer = AttentionExplorer(
        weights.astype(np.float32), tokens, layer=20, heads=3, selected=17, view=["text", "matrix"]
    )
    with open_file(explorer.to_html(max_mb=4)) as page:
        view = shown(page)
        expect(view.status).to_have_text("this file, in part")
        expect(view.notes).to_contain_text("All weights are 102 MB; this file holds an overview")
        expect(view.item("reads")).to_contain_text(f"{explorer.weights(20, 3)[17].max():.4f}")
        view.layer.select_option("39")
        expect(view.item("reads")).to_contain_text(f"{explorer.weights(39, 3)[17].max():.4f}")
        view.token(30).click()
        expect(view.readout).to_contain_text("not saved here")
        expect(view.matrix).to_contain_text("not all of this was saved here")
        expect(view.root).to_have_attribute("aria-busy", "false")
        expect(view.root.get_by_role("alert")).to_have_count(0)


def test_every_view_opens(
    open_file: Open, studied: AttentionExplorer, comparing: ComparingExplorer, asking: QAExplorer
) -> None:
    """Catches a view whose code isn't in the file, or that asks what no page answers."""
    with open_file(to_html([studied, comparing, asking])) as page:
        for index in range(3):
            view = shown(page, index)
            buttons = view.root.get_by_role("group", name="views").get_by_role("button")
            for button in buttons.all():
                if button.get_attribute("aria-pressed") == "false":
                    button.click()
                expect(button).to_have_attribute("aria-pressed", "true")
            expect(view.root).to_have_attribute("aria-busy", "false")
            for name in buttons.all_inner_texts():
                expect(pane(view, name.lower())).to_be_visible()
            expect(view.root.locator(".fault")).to_have_count(0)


def test_a_picture_is_taken_away(open_file: Open, tmp_path: Path) -> None:
    """Catches a policy that keeps the page from saving what it draws."""
    with open_file(AttentionExplorer.demo().to_html()) as page:
        view = shown(page)
        for what, start in (("Heads as SVG", b"<svg"), ("Matrix as PNG", b"\x89PNG")):
            view.root.get_by_label("take away", exact=True).click()
            with page.expect_download() as download:
                view.root.get_by_role("button", name=what).click()
            download.value.save_as(tmp_path / what)
            assert start in (tmp_path / what).read_bytes()[:200]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_browsers_scheme_and_width(open_file: Open, scheme: str) -> None:
    """Catches letters on a ground of their own shade; what sticks out of a narrow page."""
    with open_file(AttentionExplorer.demo().to_html(), scheme=scheme, width=700) as page:
        view = shown(page)
        view.expect_legible(scheme)
        assert view.overflow() == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_work_without_a_notebook(open_file: Open) -> None:
    """Catches a page that only a pointer can use."""
    with open_file(AttentionExplorer.demo().to_html()) as page:
        view = shown(page)
        view.token(IT).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("[")
        page.keyboard.press("[")
        page.keyboard.press("]")
        expect(view.layer).to_have_value("4")
        page.keyboard.press("Control+z")
        expect(view.layer).to_have_value("3")


def test_without_scripts_the_text_is_there(browser: Browser, tmp_path: Path) -> None:
    """Catches a blank page in a mail program or a reader that runs nothing."""
    path = tmp_path / "page.html"
    AttentionExplorer.demo().to_html(path)
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    watch = Watch(page)
    page.goto(path.as_uri())
    expect(page.locator("main")).to_contain_text(TEXT)
    context.close()
    assert watch.faults == []

"""The view of a question that was asked, by what a person and a screen reader get of it."""

from __future__ import annotations

from itertools import pairwise

from playwright.sync_api import Locator, expect

from .shown import Explorer

# How far each token's ground is from the page's, and what number stands under it.
_SHADES = """(tokens) => tokens.map((el) => {
  const [r, g, b, a = 1] = getComputedStyle(el).backgroundColor.match(/[\\d.]+/g).map(Number);
  const whiteness = (r + g + b) / 3 * a + 255 * (1 - a);
  return [255 - whiteness, el.dataset.weight ?? ""];
})"""


class Asked:
    """The QA view of one explorer."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        root = explorer.root
        self.view = root.get_by_role("region", name="qa view", exact=True)
        self.question = self.view.get_by_label("question, what it reads in the context")
        self.context = self.view.get_by_label("context, shaded by what the question reads")
        self.answers = self.view.get_by_role("group", name="answers").get_by_role("button")
        self.best = self.answers.first
        self.chosen = self.view.get_by_role("group", name="answers").get_by_role(
            "button", pressed=True
        )
        self.said = self.view.locator(".tells")
        self.again = self.view.get_by_role("button", name="ask again")
        self.box = self.view.get_by_label("question", exact=True)
        self.text_box = self.view.get_by_label("context", exact=True)
        self.windows = self.view.get_by_label("window of the context")
        self.alert = self.view.get_by_role("alert")

    def tokens(self, panel: Locator) -> Locator:
        return panel.get_by_role("option")

    def texts(self, panel: Locator) -> list[str]:
        return self.tokens(panel).all_inner_texts()

    def marked(self) -> str:
        """The answer as it is marked in the context."""
        return " ".join(self.context.locator(".answer").all_inner_texts())

    def shades(self, panel: Locator) -> list[tuple[float, str]]:
        """How dark each token's ground is, 0 to 255, and the number under it."""
        found: list[tuple[float, str]] = self.tokens(panel).evaluate_all(_SHADES)
        return found

    def expect_shaded(self, panel: Locator, weights: list[float]) -> None:
        """Expect grounds as dark as the weights are large, and the number under the largest."""
        expect(panel.locator("[data-weight]").first).to_be_visible()
        shades = self.shades(panel)
        assert len(shades) == len(weights), f"{len(shades)} tokens, {len(weights)} weights"
        ordered = sorted(zip(weights, shades, strict=True))
        for (weight, (dark, _)), (more, (darker, _)) in pairwise(ordered):
            # Two weights may be a colour's step apart.
            assert darker >= dark - 1, f"{more} is shaded {darker}, {weight} {dark}"
        (_, (light, _)), (largest, (dark, number)) = ordered[0], ordered[-1]
        assert dark > light, f"{largest} is no darker than the smallest weight"
        assert number == f"{largest:.2f}", f"{number!r} is said of {largest}"

    def ask(self, question: str, context: str | None = None) -> None:
        """Type a question, and another context, and press Enter or Ask."""
        self.again.click()
        self.box.fill(question)
        if context is None:
            self.box.press("Enter")
            return
        self.view.get_by_text("context: ").click()
        self.text_box.fill(context)
        self.view.get_by_role("button", name="Ask", exact=True).click()

    def expect_question(self, text: str) -> None:
        expect(self.question).to_contain_text(text)

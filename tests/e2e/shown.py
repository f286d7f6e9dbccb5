"""An explorer on a page, by what a person and a screen reader get of it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Position, expect

from attention_explorer import Trace


class Explorer:
    """One view of one explorer; ``root`` is inside its shadow root."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.layer = root.get_by_label("layer", exact=True)
        self.head = root.get_by_label("head", exact=True)
        self.mass = root.get_by_label("share of each row's attention")
        self.status = root.locator("header").get_by_role("status")
        self.text = root.get_by_label("text view")
        self.tokens = self.text.get_by_role("option")
        self.heads = root.get_by_label("head view", exact=True)
        self.matrix = root.get_by_label("matrix view", exact=True)
        self.model = root.get_by_role("region", name="model view", exact=True)
        self.map = self.model.get_by_role("application")
        self.readout = root.locator(".readout")
        self.notes = root.locator(".notes")

    def expect_live(self) -> None:
        expect(self.status).to_have_text("live, exact", timeout=30_000)
        expect(self.root).not_to_have_class(re.compile("waiting"))

    def token(self, position: int) -> Locator:
        return self.text.get_by_role("option", name=re.compile(rf", position {position}$"))

    def chip(self, head: int) -> Locator:
        return self.root.get_by_role("button", name=f"head {head}", exact=True)

    def view_button(self, name: str) -> Locator:
        return self.root.get_by_role("group", name="views").get_by_role("button", name=name)

    def chosen_heads(self) -> Locator:
        return self.root.get_by_role("group", name="heads").get_by_role("button", pressed=True)

    def focused(self, side: str) -> Locator:
        """The focused label of the head view's queries or keys."""
        return self.heads.locator(f".column.{side} .focused .label")

    def item(self, label: str) -> Locator:
        """What the readout says under a label."""
        return self.readout.locator(".item").filter(has_text=label)

    def expect_exact(self, query: int, traced: Trace, layer: int, head: int) -> None:
        """Hover a token: what it reads most is read out with Python's own weight."""
        row = traced.attention.row(layer, head, query)
        key = int(row.argmax())
        self.token(query).hover()
        first = self.item(f"({query}) reads").locator(".read").first
        expect(first).to_have_text(f"{traced.tokens.text[key]} {row[key]:.4f}")

    def cross(self) -> str:
        """What the matrix shows of the focus, as a picture to compare."""
        picture: str = self.matrix.locator("canvas.cross").evaluate("(el) => el.toDataURL()")
        return picture

    def head_at(
        self, layers: int, heads: int, layer: int, head: int, x: float = 0.5, y: float = 0.5
    ) -> Position:
        """Where a share of a head's width and height lies in the map of the whole model."""
        place: Position = self.map.evaluate(_HEAD_PLACE, [layers, heads, layer, head, x, y])
        return place

    def darkness(self, place: Position) -> float:
        """How dark the map is somewhere, on white: 0 to 255."""
        shade: float = self.map.evaluate(_DARKNESS, place)
        return shade

    def expect_legible(self, theme: str) -> None:
        """Dark letters on a light ground, or the other way round: as painted, not as named."""
        expect(self.root).to_have_attribute("data-theme", theme)
        ground, ink = self.root.evaluate(_GROUND_AND_INK)
        dark, light = (ground, ink) if theme == "dark" else (ink, ground)
        assert dark < 70 < 190 < light, f"{theme}: ground {ground:.0f}, ink {ink:.0f} of 255"

    def overflow(self) -> list[str]:
        """What sticks out of the explorer sideways, when the page had time to settle."""
        found: list[str] = self.root.evaluate(_OVERFLOW)
        return found

    def box(self) -> dict[str, Any]:
        box = self.root.bounding_box()
        assert box is not None, "the explorer has no box: it isn't shown"
        return dict(box)


_GROUND_AND_INK = """(root) => {
  const shades = new OffscreenCanvas(2, 1).getContext("2d", { willReadFrequently: true });
  const style = getComputedStyle(root);
  for (const [x, colour] of [style.backgroundColor, style.color].entries()) {
    shades.fillStyle = colour;
    shades.fillRect(x, 0, 1, 1);
  }
  const { data } = shades.getImageData(0, 0, 2, 1);
  return [0, 4].map((at) => (data[at] + data[at + 1] + data[at + 2]) / 3);
}"""
_HEAD_PLACE = """(map, [layers, heads, layer, head, x, y]) => {
  const [left, top, gap] = [28, 18, 2];
  const { width, height } = map.querySelector(".content").style;
  const across = (parseFloat(width) - left) / heads;
  const down = (parseFloat(height) - top) / layers;
  return {
    x: left + head * across + x * (across - gap) - map.scrollLeft,
    y: top + layer * down + y * (down - gap) - map.scrollTop,
  };
}"""
_DARKNESS = """(map, { x, y }) => {
  const context = map.querySelector("canvas").getContext("2d");
  const at = [x, y].map((length) => Math.floor(length * devicePixelRatio));
  const [red, green, blue, alpha] = context.getImageData(...at, 1, 1).data;
  return (255 - (red + green + blue) / 3) * alpha / 255;
}"""
# Hidden overflow (labels cut by an ellipsis) isn't seen; what sticks out of the root is.
_OVERFLOW = """async (root) => {
  const sticksOut = () => {
    const { left, right } = root.getBoundingClientRect();
    const out = root.scrollWidth > root.clientWidth ? [`scrollWidth ${root.scrollWidth}`] : [];
    for (const el of root.querySelectorAll("*")) {
      const box = el.getBoundingClientRect();
      if (box.width && (box.left < left - 1 || box.right > right + 1))
        out.push(`${el.tagName}.${el.className} from ${box.left - left} to ${box.right - left}`);
    }
    return out;
  };
  const end = performance.now() + 5000;
  let out = sticksOut();
  while (out.length && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    out = sticksOut();
  }
  return out;
}"""

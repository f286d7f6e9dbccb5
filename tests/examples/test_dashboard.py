"""The dashboard's own code, without a page: however fast one drags, the figure ends at the last."""

from __future__ import annotations

from ..notebooks import EXAMPLES, executed, stated, stating


def test_a_figure_is_drawn_of_the_newest_wish_and_not_of_each() -> None:
    """Catches a queue of figures that goes on for seconds after a slider was dragged."""
    notebook = executed(
        EXAMPLES / "dashboard.ipynb",
        """
from time import monotonic

drawn = []
figure.observe(lambda change: drawn.append(change.new), "value")


def until(condition):
    deadline = monotonic() + 60
    while not condition() and monotonic() < deadline:
        Event().wait(0.05)
    return condition()


def as_it_is():
    png = BytesIO()
    explorer.plot(shown.value).savefig(png)
    return png.getvalue()


assert until(lambda: figure.value == as_it_is()), "the first figure"
drawn.clear()
for step in range(60):
    explorer.layer = step % 6
    explorer.hovered = step % 13
explorer.layer, explorer.heads, explorer.selected = 3, [7], 2
ends = until(lambda: figure.value == as_it_is())
""",
        stating("[ends, 0 < len(drawn) < 20]"),
    )
    ends, is_few = stated(notebook)
    assert ends
    assert is_few

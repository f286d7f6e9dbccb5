"""What is measured, and the probes in the page that measure it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.sync_api import Browser, Page


@dataclass
class Figures:
    """One side at one length; `note` says why something is None."""

    python_s: float
    sent_bytes: int
    first_view_s: float | None = None
    hover_ms: tuple[float, float] | None = None
    layer_switch_ms: float | None = None
    browser_mb: float | None = None
    note: str = ""


# Roots are recorded as they are made: a shadow root can't be found from outside.
# `painted` resolves after the frame that follows: its message is handled once the frame is out.
PROBES = """
window.__roots = [];
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (init) {
  const root = attach.call(this, init);
  window.__roots.push(root);
  return root;
};
window.__painted = () => new Promise((done) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(performance.now());
  channel.port2.postMessage(0);
}));
window.__hovers = [];
window.__listen = () => addEventListener("mousemove", async () => {
  const heard = performance.now();
  window.__hovers.push((await window.__painted()) - heard);
}, { capture: true });
window.__drawn = (isDrawn) => new Promise((done) => {
  const look = async () => {
    if (isDrawn()) { await window.__painted(); done(Date.now()); }
    else requestAnimationFrame(look);
  };
  look();
});
"""


def hover(page: Page, points: list[tuple[float, float]], rounds: int) -> tuple[float, float]:
    """Return median and 95th percentile of ms from hearing the pointer to the next paint.

    The points are visited once before counting, so that the data is there.
    """
    for x, y in points:
        page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.evaluate("() => window.__listen()")
    for i in range(rounds):
        x, y = points[i % len(points)]
        page.mouse.move(x, y)
        page.wait_for_function("(n) => window.__hovers.length >= n", arg=i + 1)
    times: list[float] = page.evaluate("() => window.__hovers")
    times = sorted(times[:rounds])
    return statistics.median(times), times[int(0.95 * len(times)) - 1]


def renderer_mb(browser: Browser) -> float:
    """Return the resident memory of the largest page process, in MB."""
    session = browser.new_browser_cdp_session()
    processes: list[dict[str, Any]] = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [process["id"] for process in processes if process["type"] == "renderer"]
    return max(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6

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
window.__listen = () => {
  window.__hovers = [];
  if (window.__listens) return;
  window.__listens = true;
  let heard = 0;
  addEventListener("mousemove", () => {
    heard = performance.now();
    // Asked for before the page's own handlers ask: it runs first in the frame.
    requestAnimationFrame((_) => {
      const frame = performance.now();
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        window.__hovers.push(window.__handled + performance.now() - frame);
      };
      channel.port2.postMessage(0);
    });
  }, { capture: true });
  addEventListener("mousemove", () => { window.__handled = performance.now() - heard; });
};
window.__drawn = (isDrawn) => new Promise((done) => {
  const look = async () => {
    if (isDrawn()) { await window.__painted(); done(Date.now()); }
    else requestAnimationFrame(look);
  };
  look();
});
"""


def hover(
    page: Page, points: list[tuple[float, float]], rounds: int, settled: str = "true"
) -> tuple[float, float]:
    """Return median and 95th percentile of the ms that a hover takes until it is painted.

    That is the work: the page's handlers, and the frame from its start until it is out. Left out is
    the wait for the screen's next refresh, up to 17 ms whatever a page does.

    The points are visited once before counting, each until the page says that it is `settled` (a
    JavaScript expression), so that the data is there.
    """
    for x, y in points:
        page.mouse.move(x, y)
        page.evaluate("() => window.__painted()")
        page.wait_for_function(f"() => {settled}")
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

"""What no page may do while it is tested: ask another host, or fault in our module."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Page, Request

OUR_OWN = {"127.0.0.1", "localhost"}
# Modules of widgets are imported from blobs; anywidget reports what their hooks throw.
OURS = ("blob:", "anywidget", "attention")
# What hosts themselves ask of others, by how it begins; none of it is for us.
VOILA_ICONS = "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@"
NBCONVERT_SCRIPTS = (
    "https://cdnjs.cloudflare.com/ajax/libs/",
    "https://cdn.jsdelivr.net/npm/@jupyter-widgets/html-manager@",
    "https://unpkg.com/@jupyter-widgets/html-manager@",
)
MARIMO_FILES = "https://cdn.jsdelivr.net/npm/@marimo-team/frontend@"
# Lab itself says it of every widget that a pointer is on when its kernel goes.
LABS = "Could not send widget sync message"


class Watch:
    """Listens to a page from its start; `faults` says what went wrong."""

    def __init__(self, page: Page, allowed: Collection[str] = ()) -> None:
        self.faults: list[str] = []
        self._allowed = tuple(allowed)
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("data", "blob") or address.hostname in OUR_OWN:
            return
        # A page that lies on the disk, but not what it would have to ask for beside it.
        if address.scheme == "file" and request.is_navigation_request():
            return
        if not request.url.startswith(self._allowed):
            self.faults.append(f"asked another host: {request.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location.get('url', '')}"
        is_ours = any(mark in said for mark in OURS) and LABS not in said
        if message.type == "error" and is_ours:
            self.faults.append(f"console: {said}")

    def _on_error(self, error: Error) -> None:
        said = f"{error.message}\n{error.stack}"
        if any(mark in said for mark in OURS):
            self.faults.append(f"uncaught: {said}")

"""Rules of hosts that can be read off the package and its sources."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from ipywidgets import embed

from attention_explorer import AttentionExplorer

SOURCES = Path(__file__).resolve().parents[2] / "js" / "src"
# What hosts explorers in a single file has the page for itself.
HOSTS = {SOURCES / "page.ts", SOURCES / "atlas_page.ts", *(SOURCES / "page").iterdir()}
OF_WIDGETS = sorted(path for path in SOURCES.rglob("*.ts*") if path not in HOSTS)

FORBIDDEN = {
    r"document\.(querySelector|getElement)": "what is drawn lies in a shadow root, in any number",
    r"(local|session)Storage|indexedDB|document\.cookie": "a frame of another origin has none",
    r"new (Shared)?Worker\b": "policies of webviews allow no workers",
    r"\beval\(|new Function\b": "policies forbid code from text",
    r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon": "no page of ours asks a host",
    r"https?://(?!www\.w3\.org/)": "no page of ours names a host; w3.org's are names of languages",
    r"window\.(top|parent|open)\b": "a frame may not reach out",
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_source_does_what_some_host_forbids(pattern: str) -> None:
    """Catches code that works in JupyterLab and is broken in a frame, a webview or offline."""
    assert len(OF_WIDGETS) > 100
    found = [
        f"{path.relative_to(SOURCES)}:{number}: {line.strip()}"
        for path in OF_WIDGETS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(pattern, line) and not line.lstrip().startswith(("*", "//", "/*"))
    ]
    assert found == [], FORBIDDEN[pattern]


def test_what_the_view_refers_to_is_found_in_its_traits() -> None:
    """Catches a view in Panel without its kernel: a page there gets what `embed` finds."""
    explorer = AttentionExplorer.demo()
    assert explorer._data is not None
    found = embed.dependency_state([explorer], drop_defaults=False)
    assert {explorer.model_id, explorer._data.model_id} <= set(found)


def test_the_wheel_is_for_any_python_and_machine() -> None:
    """Catches a compiled part, or a tag: JupyterLite's piplite takes pure wheels only."""
    wheel = distribution("attention-explorer").read_text("WHEEL")
    assert wheel is not None
    assert "Root-Is-Purelib: true" in wheel
    assert re.findall(r"^Tag: (.+)$", wheel, re.MULTILINE) == ["py3-none-any"]

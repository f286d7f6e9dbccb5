"""Write the explorers that stand on the pages, each a file of its own: ``python docs/live.py``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics

from attention_explorer import (
    AttentionExplorer,
    HeadAtlas,
    Trace,
    demo_model,
    demo_qa_model,
    profile_heads,
    trace,
)
from attention_explorer.atlas.explorer import AtlasExplorer
from attention_explorer.exported import ExportedView
from attention_explorer.protocol import ViewName

DOCS = Path(__file__).parent
LIVE = DOCS / "extra" / "live"
CAT = "The cat sat on the mat because it was tired."

# What `to_html` writes.
Written = ExportedView | HeadAtlas | AtlasExplorer

# Kept: what runs a model again, as some of what a file holds does, needs it there.
model = cache(demo_model)


def sentence(*views: ViewName) -> Callable[[], ExportedView]:
    """Return what opens the quickstart's sentence in some views, at the head where it reads cat."""
    return lambda: AttentionExplorer(traced(CAT), layer=5, heads=11, selected=8, view=views)


def several_heads() -> ExportedView:
    return AttentionExplorer(traced(CAT), layer=5, heads=[1, 6, 11], view="heads")


def question() -> ExportedView:
    return AttentionExplorer.qa(
        *demo_qa_model(),
        question="Who is the famous architect in Barcelona?",
        context="Barcelona is famous for Gaudí's architecture like the Sagrada Familia.",
    )


def evidence() -> ExportedView:
    telescope = traced("I saw the man with the telescope.")
    views: list[ViewName] = ["text", "evidence"]
    return AttentionExplorer(telescope, layer=1, heads=2, view=views, selected=(5, 2))


def comparison() -> ExportedView:
    pair = (traced(CAT), traced(CAT.replace("tired", "soft")))
    return AttentionExplorer.compare(*pair, names=("tired", "soft"), selected=8)


def long_text() -> ExportedView:
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    views: list[ViewName] = ["text", "matrix", "model"]
    return AttentionExplorer(traced(readme, max_length=512), layer=5, heads=11, view=views)


def atlas() -> AtlasExplorer:
    profiled = profile_heads(*model(), of_the_manual(200), progress=False)
    return profiled.explore(head=(1, 8), score="next")


def of_the_manual(most: int) -> list[str]:
    """Return sentences of Python's own manual, which stands on every machine that builds this."""
    manual = "\n\n".join(topics[name] for name in sorted(topics))
    found = re.findall(r"(?<=\. )[A-Z][^.:*`|]{40,160}\.(?=\s)", manual)
    return list(dict.fromkeys(" ".join(sentence.split()) for sentence in found))[:most]


# What is written, and how large it may become in megabytes.
PAGES: dict[str, tuple[Callable[[], Written], float]] = {
    "sentence": (sentence("text", "heads", "matrix", "model"), 10),
    "text": (sentence("text"), 10),
    "heads": (sentence("heads"), 10),
    "several-heads": (several_heads, 10),
    "matrix": (sentence("matrix"), 10),
    "model": (sentence("model"), 10),
    "neuron": (sentence("neuron"), 10),
    "question": (question, 10),
    "evidence": (evidence, 10),
    "comparison": (comparison, 10),
    "long": (long_text, 3),
    "atlas": (atlas, 3),
}


def traced(text: str, max_length: int | None = None) -> Trace:
    """Trace the demo model on a text."""
    return trace(*model(), text, max_length=max_length)


def write() -> None:
    """Write all of them."""
    LIVE.mkdir(parents=True, exist_ok=True)
    for name, (make, max_mb) in PAGES.items():
        make().to_html(LIVE / f"{name}.html", title=name, max_mb=max_mb)


def copy_pictures() -> None:
    """Put the README's pictures where its lines look for them from a page."""
    pictures = Path("examples") / "images"
    shutil.copytree(DOCS.parent / pictures, DOCS / "extra" / pictures, dirs_exist_ok=True)


if __name__ == "__main__":
    write()
    copy_pictures()

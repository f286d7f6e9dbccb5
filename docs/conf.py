"""How Sphinx makes the pages: `make docs`; every file that they load is one of their own."""

from __future__ import annotations

import inspect
import os
import re
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docstrings import prepare_docstring
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import stringify_signature
from traitlets import HasTraits

from attention_explorer.arguments import parser

DOCS = Path(__file__).parent
README = (DOCS.parent / "README.md").read_text("utf-8")
README = README[README.index("## Use it\n") : README.index("## License\n")]
COURSE = (DOCS.parent / "examples/course/README.md").read_text("utf-8")
# What stands where a page names it, and the folder that its links start from.
TEXTS = {"{{README}}": (README, ""), "{{COURSE}}": (COURSE, "examples/course/")}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")
# Of what they link to, what has a page under another name.
PAGES = {
    "examples/GALLERY.md": "gallery.md",
    "examples/course/README.md": "course.md",
    "tests/bench/RESULTS.md": "measured.md",
    "tests/bertviz/PARITY.md": "parity.md",
    "widget/attention_explorer/data/qa_adapter/README.md": "qa_model.md",
}

project = "attention-explorer"
author = "The attention-explorer developers"
version = release = version_of(project)

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
nitpicky = False
default_role = "py:obj"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# Run by notebooks.py, which puts live explorers where a kernel's would be.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
# Types are words, "list of int": as fields of their own each word would be looked up as a name.
napoleon_use_param = napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["live.css"]
html_js_files = ["live.js"]
html_extra_path = ["extra"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#4747c2",
        "color-brand-content": "#4747c2",
        "font-stack": "system-ui, sans-serif",
    },
    "dark_css_variables": {
        "color-brand-primary": "#a3a3ff",
        "color-brand-content": "#a3a3ff",
    },
}


def setup(app: Sphinx) -> None:
    """Add what the pages need beside Sphinx's own."""
    app.add_directive("command-help", CommandHelp)
    app.connect("source-read", read_texts)
    app.connect("html-page-context", said_language)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-signature", said_signature)
    app.connect("autodoc-process-docstring", said_docstring, priority=1)  # before napoleon's


def read_texts(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Put a text of the repository where a page names it."""
    for mark, (text, folder) in TEXTS.items():
        if mark in source[0]:
            source[0] = source[0].replace(mark, LINK.sub(partial(_as_link, folder), text))


def _as_link(folder: str, link: re.Match[str]) -> str:
    """Return a link to a file of the repository as one to its page, or as its text."""
    text, file = link.groups()
    page = PAGES.get(folder + file, folder + file)
    return f"[{text}]({page})" if (DOCS / page).is_file() else text


def said_language(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Say which lessons are in Chinese: a browser chooses the shapes of its letters by that."""
    if page.startswith("examples/course/zh/"):
        context["language"] = "zh-CN"


def leave_out(
    _app: Sphinx, _what: str, _name: str, it: object, skipped: bool, _options: object
) -> bool:
    """Leave out what a class has from other packages, fields of tuples, and traits."""
    if type(it).__name__ == "_tuplegetter":  # "Alias for field number 0"
        return True
    held = (getattr(it, name, None) for name in ("fget", "func", "__func__"))
    function = next(filter(None, held), it)
    return skipped or not getattr(function, "__module__", "attention_explorer").startswith(
        "attention_explorer"
    )


def said_signature(
    _app: Sphinx, what: str, name: str, it: Any, _o: object, given: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Return the arguments that are for a caller; of a widget traitlets hides them all."""
    if what == "class" and "Explorer" not in name and issubclass(it, HasTraits):
        return "", None
    called = it.__init__ if what == "class" and issubclass(it, HasTraits) else it
    if what not in ("class", "function") or given is None:
        return given, returned
    signature = inspect.signature(called)
    shown = [
        argument
        for argument in signature.parameters.values()
        if argument.name != "self" and not argument.name.startswith("_")
    ]
    signature = signature.replace(parameters=shown)
    return stringify_signature(signature, show_annotation=False, show_return_annotation=False), None


def said_docstring(
    _app: Sphinx, _what: str, name: str, it: object, _o: object, lines: list[str]
) -> None:
    """Say of `trace`, an object that is called, what the call does; and leave ``|i - j|`` as it is.

    To reStructuredText a word between bars names a substitution; we have none.
    """
    if name == "attention_explorer.trace":
        lines[:] = prepare_docstring(type(it).__call__.__doc__ or "")
    lines[:] = ["``".join(_escaped(line.split("``"))) for line in lines]


def _escaped(parts: list[str]) -> list[str]:
    return [part if i % 2 else part.replace("|", r"\|") for i, part in enumerate(parts)]


class CommandHelp(SphinxDirective):
    """What ``attention-explorer --help`` prints."""

    def run(self) -> list[nodes.Node]:
        """Return it as a block."""
        os.environ["COLUMNS"] = "100"
        return [nodes.literal_block(text=parser().format_help(), language="text")]

"""The package as it is installed: in an environment of its own, without Node or torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ..packaging.building import ROOT, built_wheel
from .conftest import watched_page
from .shown import Explorer


class Installed:
    """An environment that has a wheel and what it asks for, and nothing else."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        self._bin = folder / "env" / "bin"
        pip = ["pip", "--disable-pip-version-check", "install", "--quiet"]
        self.run(*pip, "--constraint", str(ROOT / "constraints.txt"), str(wheel))

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs to its end and return what it printed."""
        outside = ("PYTHONPATH", "VIRTUAL_ENV")
        environment = {name: it for name, it in os.environ.items() if name not in outside}
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self.folder,
            env={**environment, "PATH": str(self._bin)},
            capture_output=True,
            encoding="utf-8",
        )
        self.said = done.stderr
        assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    wheel = built_wheel(tmp_path_factory.mktemp("built"))
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


def test_it_shows_its_demo_with_two_dependencies(installed: Installed) -> None:
    """Catches a module of an extra, or a file of the checkout, that the core can't go without."""
    code = """
from importlib.util import find_spec
import attention_explorer as ae
explorer = ae.AttentionExplorer.demo()
row = explorer.weights(5, 11)[8]
print(explorer.key_tokens.text[row.argmax()], f"{row.max():.4f}", len(explorer._esm) > 10_000)
print([name for name in ("torch", "transformers", "matplotlib", "pandas") if find_spec(name)])
"""
    assert installed.run("python", "-c", code).splitlines() == ["cat 0.7118 True", "[]"]


def test_its_demo_is_a_file_that_opens(installed: Installed, browser: Browser) -> None:
    """Catches a page that is complete in a checkout alone."""
    name = installed.run("attention-explorer", "--demo", "--no-open", "-o", "demo.html").strip()
    address = (installed.folder / name).as_uri()
    with watched_page(browser, allowed={address}) as page:
        page.goto(address)
        explorer = Explorer(page.locator(".explorer"))
        explorer.token(8).hover()
        expect(explorer.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")


def test_without_a_model_the_demo_stands_in_and_says_so(installed: Installed) -> None:
    """Catches a text that seems to be read where there is no model for it."""
    installed.run("attention-explorer", "Dogs bark.", "--no-open")
    assert "the demo model isn't installed, so this is the demo: 'The cat sat" in installed.said


def test_without_torch_a_model_is_refused_with_the_cure(installed: Installed) -> None:
    with pytest.raises(AssertionError, match=r"pip install 'attention-explorer\[transformers\]'"):
        installed.run("attention-explorer", "Dogs bark.", "--model", "x", "--no-open")
    assert len(installed.said.splitlines()) == 2

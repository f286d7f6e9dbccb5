"""What is shipped: a wheel with the bundle, and a source distribution that needs no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = run_path(str(ROOT / "hatch_build.py"))

# A build that starts Node by any way but the wheel in this interpreter finds none.
WITHOUT_NODE = {**os.environ, "PATH": ""}


def bundle(root: Path) -> Any:
    return BUILD["Bundle"](root)


def hatchling(root: Path, target: str, into: Path) -> Path:
    """Build without isolation and return what was built."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=root, env=WITHOUT_NODE, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tree that a source distribution of this checkout unpacks to."""
    assert bundle(ROOT).is_current(), "the bundle is stale: run `python hatch_build.py`"
    archive = hatchling(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))
    into = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        # Of patch releases before 3.10.12 and 3.11.4 without a filter; the archive is our own.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(into, filter="data")
        else:
            tar.extractall(into)
    (root,) = into.iterdir()
    return root


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from the source distribution."""
    return hatchling(unpacked, "wheel", tmp_path_factory.mktemp("wheel"))


def test_a_source_distribution_carries_a_bundle_that_counts_as_current(unpacked: Path) -> None:
    """A source file or the fingerprint left out would make every install ask for Node."""
    assert bundle(unpacked).is_current()


@pytest.mark.parametrize(
    "name",
    ["static/widget.js", "data/demo.npz", "data/qa_adapter/adapter_model.safetensors", "py.typed"],
)
def test_the_wheel_carries_what_the_package_reads_at_run_time(wheel: Path, name: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert f"attention_explorer/{name}" in names


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    """Tests, sources and source maps would come along with a looser list of artifacts."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top.split("-")[0] for top in tops} == {"attention_explorer"}
    suffixes = {Path(name).suffix for name in zipfile.ZipFile(wheel).namelist()}
    assert suffixes.isdisjoint({".ts", ".tsx", ".map", ".sha256"})


def test_the_installed_wheel_finds_its_bundle(wheel: Path, tmp_path: Path) -> None:
    """A path that is right in a checkout alone gives an empty cell once installed."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path), str(wheel)], check=True, env=WITHOUT_NODE)
    code = (
        "import attention_explorer as package; from pathlib import Path; "
        "print(Path(package.__file__).parent); print(len(str(package.AttentionExplorer._esm)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**WITHOUT_NODE, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    folder, length = done.stdout.split()
    assert Path(folder) == tmp_path / "attention_explorer"
    assert int(length) == len((tmp_path / "attention_explorer/static/widget.js").read_text("utf-8"))


@pytest.mark.parametrize("changed", ["js/src/widget.ts", "js/package-lock.json"])
def test_a_changed_source_makes_the_bundle_stale(
    unpacked: Path, tmp_path: Path, changed: str
) -> None:
    root = shutil.copytree(unpacked, tmp_path / "tree")
    with (root / changed).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert not bundle(root).is_current()


def test_an_overwritten_bundle_is_stale(unpacked: Path, tmp_path: Path) -> None:
    """A development build left in place would be shipped in the next wheel."""
    root = shutil.copytree(unpacked, tmp_path / "tree")
    (root / "widget/attention_explorer/static/widget.js").write_text("export default {}")
    assert not bundle(root).is_current()


def test_node_is_a_build_dependency_only_where_the_bundle_must_be_built(
    unpacked: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(unpacked, tmp_path / "tree")
    assert requirements(root) == []
    shutil.rmtree(root / "widget/attention_explorer/static")
    assert requirements(root) == [BUILD["NODE"]]


def requirements(root: Path) -> list[str]:
    """Return what the build backend asks for beyond pyproject's own list."""
    code = "import hatchling.build as b; print('\\n'.join(b.get_requires_for_build_wheel()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.split()

"""What is shipped: a wheel with the bundle, and a source distribution that needs no Node."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .building import BUILD, ROOT, WITHOUT_NODE, bundle, hatchling


def test_a_source_distribution_carries_a_bundle_that_counts_as_current(unpacked: Path) -> None:
    """A source file or the fingerprint left out would make every install ask for Node."""
    assert bundle(unpacked).is_current()


@pytest.mark.parametrize(
    "name",
    [
        "static/widget.js",
        "static/page.js",
        "static/atlas.js",
        "static/atlas_page.js",
        "export/page.html",
        "data/demo.npz",
        "data/qa_adapter/adapter_model.safetensors",
        "py.typed",
    ],
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


def test_what_git_ignores_is_not_shipped_but_for_the_bundle(sdist: Path) -> None:
    """Catches a cache, a virtual environment or built pages in what everyone downloads."""
    with tarfile.open(sdist) as tar:
        files = [name.partition("/")[2] for name in tar.getnames()]
    ask = ["git", "check-ignore", "--no-index", "--stdin"]
    done = subprocess.run(ask, cwd=ROOT, input="\n".join(files), capture_output=True, text=True)
    ignored = done.stdout.split()
    assert ignored, "the bundle isn't shipped, or git wasn't asked"
    static = "widget/attention_explorer/static/"
    assert [name for name in ignored if not name.startswith(static)] == []


def test_a_second_build_gives_the_same_bytes(
    sdist: Path, wheel: Path, unpacked: Path, tmp_path: Path
) -> None:
    """Catches a time, a folder or an order of files of the machine that built it."""
    elsewhere = shutil.copytree(unpacked, tmp_path / "elsewhere")
    (elsewhere / "PKG-INFO").unlink()  # which an archive has besides what a checkout has
    again = hatchling(elsewhere, "sdist", tmp_path / "sdist")
    assert again.read_bytes() == sdist.read_bytes()
    from_checkout = hatchling(ROOT, "wheel", tmp_path / "wheel")
    assert from_checkout.read_bytes() == wheel.read_bytes()


def test_a_bundle_built_elsewhere_is_the_same(unpacked: Path, tmp_path: Path) -> None:
    """Catches a path or a hash of the machine in what the browser gets."""
    root = shutil.copytree(unpacked, tmp_path / "elsewhere")
    static = root / "widget/attention_explorer/static"
    built = {file.name: file.read_bytes() for file in static.iterdir()}
    shutil.rmtree(static)
    # A copy: where npm takes modules for stale it empties their folder, through a link too.
    shutil.copytree(ROOT / "js/node_modules", root / "js/node_modules", symlinks=True)
    bundle(root).ensure()
    assert {file.name: file.read_bytes() for file in static.iterdir()} == built


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

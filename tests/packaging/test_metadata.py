"""What an index shows of a release, as the wheel has it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.version import Version
from trove_classifiers import classifiers as known

from .building import ROOT


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    """Return what the wheel has beside the package, by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" in name]
        return {name.partition("/")[2]: archive.read(name) for name in names}


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes]) -> Metadata:
    """Return what it says of itself; a field that an index would refuse is an error here."""
    return Metadata.from_email(files["METADATA"], validate=True)


def test_its_classifiers_are_known(metadata: Metadata) -> None:
    """Catches one that doesn't exist: an index refuses the whole upload."""
    assert set(metadata.classifiers or ()) - known == set()


def test_it_names_each_python_that_it_asks_for(metadata: Metadata) -> None:
    """Catches a version that pip would install it on, and the page doesn't name."""
    pythons = [it.rpartition(" ")[2] for it in metadata.classifiers or () if ":: 3." in it]
    minor = [Version(python).minor for python in pythons]
    assert minor == list(range(minor[0], minor[0] + len(minor)))
    assert metadata.requires_python is not None
    assert str(metadata.requires_python) == f">=3.{minor[0]}"


def test_the_licence_is_there(metadata: Metadata, files: dict[str, bytes]) -> None:
    assert metadata.license_expression == "Apache-2.0"
    assert files["licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_the_readme_is_its_page(metadata: Metadata) -> None:
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description == (ROOT / "README.md").read_text("utf-8")


def test_the_core_asks_for_two_packages(metadata: Metadata) -> None:
    """Catches a dependency that slips out of its extra: torch alone is two gigabytes."""
    always = [it.name for it in metadata.requires_dist or () if it.marker is None]
    assert always == ["anywidget", "numpy"]


def test_each_extra_is_explained(metadata: Metadata) -> None:
    """Catches an extra that nobody is told of."""
    explained = re.findall(
        r"^\| `\[(\w+)\]`", (ROOT / "docs/installing.md").read_text("utf-8"), re.M
    )
    extras = {str(extra) for extra in metadata.provides_extra or ()}
    assert set(explained) == extras


def test_the_command_is_installed(files: dict[str, bytes]) -> None:
    said = files["entry_points.txt"].decode()
    assert "attention-explorer = attention_explorer.cli:main" in said

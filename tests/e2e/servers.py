"""Real servers on free ports of this machine, ended by their own process."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

START_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run ``python -m command`` until the block ends; yields its address once it listens."""
    # Voilà starts a kernel for each page that is asked for, so only the port is touched.
    with tempfile.TemporaryDirectory() as home, tempfile.NamedTemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", **_own_settings(home)},
        )
        try:
            _wait_for(port, process, Path(output.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def files(folder: Path) -> Iterator[str]:
    """Serve a folder as it is."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def run_module(*command: str) -> None:
    """Run ``python -m command`` to its end, with settings of its own."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            env={**os.environ, "HF_HUB_OFFLINE": "1", **_own_settings(home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
        )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"[-4000:])


def _own_settings(home: str) -> dict[str, str]:
    """Keep a person's settings, kernels and history out of the run, and the run out of theirs."""
    return {
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_CONFIG_DIR": f"{home}/config",
        "JUPYTER_DATA_DIR": f"{home}/data",
        "IPYTHONDIR": f"{home}/ipython",
        "XDG_CONFIG_HOME": f"{home}/config",
        "XDG_CACHE_HOME": f"{home}/cache",
        "XDG_STATE_HOME": f"{home}/state",
    }


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise RuntimeError(f"no server on port {port}:\n{log.read_text()[-4000:]}")


@contextlib.contextmanager
def jupyter_lab(folder: Path) -> Iterator[str]:
    """Serve JupyterLab with the settings of the examples."""
    with tempfile.TemporaryDirectory() as settings:
        shutil.copy(EXAMPLES / "lab-settings.json", f"{settings}/overrides.json")
        options = ["--LabApp.news_url=None", f"--LabApp.app_settings_dir={settings}"]
        with _jupyter("jupyterlab", "LabApp", folder, options) as url:
            yield url


@contextlib.contextmanager
def notebook_7(folder: Path) -> Iterator[str]:
    """Serve Jupyter Notebook as it comes."""
    with _jupyter("notebook", "JupyterNotebookApp", folder) as url:
        yield url


@contextlib.contextmanager
def _jupyter(module: str, app: str, folder: Path, options: Sequence[str] = ()) -> Iterator[str]:
    port = free_port()
    general = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.token=",
        "--ServerApp.password=",
        "--ServerApp.open_browser=False",
        "--ServerApp.allow_root=True",
        f"--{app}.expose_app_in_browser=True",
        f"--ServerApp.root_dir={folder}",
    ]
    with serving([module, *general, *options], port, folder) as url:
        yield url


@contextlib.contextmanager
def marimo(page: Path) -> Iterator[str]:
    """Run a marimo notebook as a page."""
    port = free_port()
    options = [f"--port={port}", "--host=127.0.0.1", "--headless", "--no-token", "--no-check"]
    with serving(["marimo", "run", str(page), *options], port, page.parent) as url:
        yield url


@contextlib.contextmanager
def voila(notebook: Path) -> Iterator[str]:
    """Serve one notebook; ``?theme=dark`` in its address works."""
    port = free_port()
    options = [
        str(notebook),
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        "--no-browser",
        "--VoilaConfiguration.allow_theme_override=YES",
    ]
    with serving(["voila", *options], port, notebook.parent) as url:
        yield url

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

import attention_explorer


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh Python holds after running `code`."""
    code = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing_heavy() -> None:
    """`import attention_explorer` at the top of a script must not cost seconds of torch."""
    heavy = {"torch", "transformers", "anywidget", "ipywidgets", "numpy", "matplotlib"}
    assert not modules_after("import attention_explorer; dir(attention_explorer)") & heavy


def test_the_widget_needs_no_torch() -> None:
    modules = modules_after("from attention_explorer import AttentionExplorer, Trace, trace")
    assert "anywidget" in modules
    assert not modules & {"torch", "transformers", "matplotlib"}


def test_the_demo_needs_no_torch(bundle: None) -> None:
    modules = modules_after(
        "from attention_explorer import AttentionExplorer as Explorer\n"
        "Explorer._esm = Explorer._esm or 'export default {}'\n"
        "Explorer.demo().weights()"
    )
    assert "numpy" in modules
    assert not modules & {"torch", "transformers"}


@pytest.mark.parametrize("name", attention_explorer.__all__)
def test_public_names_are_there_and_listed(name: str) -> None:
    if name == "__version__":
        try:
            version("attention-explorer")
        except PackageNotFoundError:
            pytest.skip("runs from a checkout that isn't installed")
    assert getattr(attention_explorer, name)
    assert name in dir(attention_explorer)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'AtentionExplorer'"):
        attention_explorer.AtentionExplorer  # noqa: B018

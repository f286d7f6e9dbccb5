"""What a notebook of bertviz's relies on beside what is shown."""

from __future__ import annotations

import gc
import html
import subprocess
import sys
from collections.abc import Set
from typing import Any

import numpy as np
import pytest
import transformers
from bertviz.util import format_special_chars
from IPython.display import HTML
from ipywidgets.widgets.widget import _instances

from attention_explorer import AttentionExplorer, Tokens
from attention_explorer.bertviz import head_view, model_view, neuron_view

from .arguments import SENTENCES, arguments, copied
from .models import bert


def opened_since(before: Set[str]) -> list[AttentionExplorer]:
    """Return the explorers that were opened, and aren't closed."""
    found = (_instances[new] for new in _instances.keys() - before)
    return [widget for widget in found if isinstance(widget, AttentionExplorer)]


def test_the_import_is_light_and_bertviz_stays_itself() -> None:
    """Catches seconds of torch at the top of a notebook, and a module in bertviz's place."""
    code = (
        "import sys, attention_explorer.bertviz as ours\n"
        "print(*sorted({'torch', 'transformers', 'bertviz', 'IPython'} & sys.modules.keys()))\n"
        "import bertviz\n"
        "print(bertviz is ours, 'attention_explorer' in bertviz.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\nFalse False\n"


def test_the_neuron_view_is_a_function_and_a_module() -> None:
    """Catches one import of the two that breaks the other, in either order."""
    code = (
        "from attention_explorer.bertviz.neuron_view import show\n"
        "from attention_explorer.bertviz import neuron_view\n"
        "import attention_explorer.bertviz.neuron_view as module\n"
        "print(callable(neuron_view), neuron_view.show is show, module is neuron_view)"
    )
    flipped = "\n".join([*code.split("\n")[1::-1], *code.split("\n")[2:]])
    for source in (code, flipped):
        command = [sys.executable, "-c", source]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == "True True True\n"


def test_copies_of_2019_are_the_classes_of_today() -> None:
    from attention_explorer.bertviz.transformers_neuron_view import BertModel, BertTokenizer

    assert (BertModel, BertTokenizer) == (transformers.BertModel, transformers.BertTokenizer)
    with pytest.raises(ImportError, match=r"has no TransfoXLModel any more.*AutoModel"):
        from attention_explorer.bertviz.transformers_neuron_view import TransfoXLModel  # noqa: F401


def test_a_model_of_bertvizs_own_is_refused() -> None:
    """Catches a notebook of which one import of two was changed."""
    given = arguments()
    with pytest.raises(ValueError, match="bertviz's own copy of 2019: load the model from"):
        neuron_view(copied(given["model"]), "bert", given["tokenizer"], SENTENCES[0])


def test_a_model_may_be_called_what_it_calls_itself(in_hub: None) -> None:
    """Catches bertviz's four names as a limit: and model and tokenizer may be named."""
    name = "distilbert-base-uncased"
    explorer: Any = neuron_view(name, "distilbert", name, "The cat sat.", html_action="explorer")
    assert explorer.attention.terms(2, 3, 1, [2]).key.shape == (1, 8)
    explorer.close()


def test_a_decoder_with_nothing_to_write_is_refused_with_what_takes_it(in_hub: None) -> None:
    """Catches a cure that this call doesn't have: a target."""
    name = "facebook/bart-large-cnn"
    with pytest.raises(ValueError, match=r"needs a text to write: AttentionExplorer\.from_model"):
        neuron_view(name, "bart", name, "The cat sat.")


def test_the_view_keeps_its_model() -> None:
    """Catches an explorer that can't run its model again once the cell's variables are gone."""
    model, tokenizer = bert()
    explorer: Any = neuron_view(model, "bert", tokenizer, "the cat sat", html_action="explorer")
    del model
    gc.collect()
    assert explorer.trace.check(rows=2).ok
    explorer.close()


def test_html_is_ipythons_and_needs_nothing() -> None:
    """Catches an HTML that its users can't write to a file, and widgets left open behind it."""
    given = arguments()
    before = set(_instances)
    page: Any = head_view(given["attention"], given["tokens"], html_action="return")
    assert type(page) is HTML
    assert _instances.keys() == before
    assert page.data.count("<iframe") == 1
    assert "cdnjs" not in page.data


def test_html_holds_every_weight_of_128_tokens() -> None:
    """Catches a page that rounds or leaves out what bertviz would have shown."""
    random = np.random.default_rng(0)
    weights = random.dirichlet(np.ones(128), (12, 12, 128)).astype(np.float32)
    page: Any = model_view(weights, [f"w{i}" for i in range(128)], html_action="return")
    assert '"held":"this file, exact"' in html.unescape(page.data)


def test_heads_that_are_included_are_said_to_be_chosen() -> None:
    """Catches other heads that nothing is said of, and shares that the note makes no shares."""
    given = arguments()
    explorer: Any = model_view(
        given["attention"], given["tokens"], include_heads=[3, 1], html_action="explorer"
    )
    (note,) = explorer._description["notes"]
    assert note.startswith("include_heads=[1, 3]: these are chosen; the other 2 are shown too")
    assert explorer._description["shares"]
    whole: Any = model_view(
        given["attention"], given["tokens"], include_heads=range(4), html_action="explorer"
    )
    assert whole._description["notes"] == []


@pytest.mark.parametrize("name", ["include_layers", "include_heads"])
def test_one_number_for_a_list_is_refused_with_the_list(name: str) -> None:
    """Catches an int that isn't iterable as all that is said."""
    given, wrong = arguments(), dict[str, Any]({name: 1})
    with pytest.raises(TypeError, match=rf"{name}=1: expected a list, e\.g\. {name}=\[1\]"):
        model_view(given["attention"], given["tokens"], **wrong)


def test_a_layer_from_the_end_is_shown_by_its_own_number() -> None:
    """Catches the last layer called -1, as bertviz calls it."""
    given = arguments()
    explorer: Any = head_view(
        given["attention"], given["tokens"], include_layers=[-1], html_action="explorer"
    )
    assert explorer.attention.layer_numbers == (2,)
    np.testing.assert_array_equal(explorer.weights(0, 3), given["attention"][2][0, 3])


@pytest.mark.parametrize("raw", ["the</w> un believ able</w> cat</w>", "▁the ▁un believ able ▁cat"])
def test_marks_of_words_are_read_as_bertviz_reads_them(raw: str) -> None:
    """Catches marks on screen: </w> is of OpenAI's GPT, CLIP and XLM."""
    theirs = [token.strip() for token in format_special_chars(raw.split())]
    tokens = Tokens.from_strings(raw.split())
    assert list(tokens.text) == theirs
    assert tokens.word == (0, 1, 1, 1, 2)


def test_the_views_of_a_notebook_outlive_the_call() -> None:
    """Catches an explorer that is closed when nobody holds it: its cell would be dead."""
    given = arguments()
    before = set(_instances)
    head_view(given["attention"], given["tokens"])
    gc.collect()
    (explorer,) = opened_since(before)
    assert explorer.comm is not None
    explorer.close()

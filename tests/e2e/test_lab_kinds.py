"""Models with several kinds of attention, generated text and long inputs, in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import OpenCells
from .lab import LabNotebook

CELLS = (
    "import torch\n"
    "from transformers import T5Config, T5ForConditionalGeneration\n"
    "from attention_explorer import AttentionExplorer, Trace, trace\n"
    "torch.manual_seed(0)\n"
    "config = T5Config(vocab_size=60, d_model=32, d_kv=8, d_ff=64, num_layers=3,\n"
    "                  num_decoder_layers=2, num_heads=4)\n"
    "model = T5ForConditionalGeneration(config).eval()\n"
    "inputs = {'input_ids': torch.randint(3, 60, (1, 9)),\n"
    "          'decoder_input_ids': torch.randint(3, 60, (1, 6))}\n"
    "both = AttentionExplorer(trace(model, inputs=inputs))\n"
    "both",
    "from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast\n"
    "from tokenizers import Tokenizer, models, pre_tokenizers\n"
    "words = Tokenizer(models.WordLevel({f'w{i}': i for i in range(50)}, unk_token='w0'))\n"
    "words.pre_tokenizer = pre_tokenizers.Whitespace()\n"
    "tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token='w0')\n"
    "writer = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=4)).eval()\n"
    "written = AttentionExplorer(\n"
    "    trace.generate(writer, tokenizer, 'w1 w2 w3', max_new_tokens=4, do_sample=False))\n"
    "written",
    "from attention_explorer.attention.from_qk import LayerStates, QKAttention\n"
    "from attention_explorer.attention.masks import KeyIntervals\n"
    "n = 16384\n"
    "causal = KeyIntervals(torch.zeros(n, dtype=torch.long), torch.arange(1, n + 1))\n"
    "states = [LayerStates(torch.randn(8, n, 64), torch.randn(2, n, 64), 0.3, causal)\n"
    "          for _ in range(2)]\n"
    "long = AttentionExplorer(QKAttention(states, layer_numbers=[0, 1]),\n"
    "                         [f'word{i}' for i in range(n)])\n"
    "long",
)


@pytest.fixture(scope="module")
def notebook(open_cells: OpenCells) -> Iterator[LabNotebook]:
    with open_cells(*CELLS) as notebook:
        expect(notebook.explorers).to_have_count(3, timeout=60_000)
        yield notebook


def test_the_kind_is_chosen_in_the_browser_and_in_python(notebook: LabNotebook) -> None:
    """Catches numbers or tokens of one kind shown as another's."""
    explorer = notebook.explorer(0)
    explorer.expect_live()
    kind = explorer.root.get_by_label("kind of attention")
    expect(kind).to_have_value("cross")
    expect(explorer.text.get_by_role("listbox")).to_have_count(2)
    expect(explorer.root.locator(".check")).to_have_text(re.compile(r"checked to \d"))
    kind.select_option("encoder")
    notebook.expect_python("(both.kind, both.weights().shape)", ("encoder", (9, 9)))
    expect(explorer.text.get_by_role("listbox")).to_have_count(1)
    explorer.token(4).hover()
    strongest = notebook.python("print(f'{both.weights()[4].max():.4f}')")
    expect(explorer.item("(4) reads").locator(".read b").first).to_have_text(strongest)
    notebook.python("both.kind = 'decoder'")
    expect(kind).to_have_value("decoder")
    expect(explorer.tokens).to_have_count(6)


def test_stepping_through_what_was_generated(notebook: LabNotebook) -> None:
    """Catches a step that shows another token's row, or a probability that isn't the model's."""
    explorer = notebook.explorer(1)
    explorer.expect_live()
    steps = explorer.root.get_by_role("group", name="generated tokens")
    for step in range(2):
        steps.get_by_role("button", name="next step").click()
        expect(steps).to_contain_text(f"step {step + 1} of 4")
        chosen = f"written.trace.steps[{step}]"
        probability = notebook.python(f"print(f'{{{chosen}.probability:.4f}}')")
        expect(steps.locator(".chosen b")).to_have_text(probability)
        query = int(notebook.python(f"print({chosen}.query)"))
        notebook.expect_python("written.selected", (query, None))
        strongest = notebook.python(f"print(f'{{written.weights()[{query}].max():.4f}}')")
        expect(explorer.item(f"({query}) reads").locator(".read b").first).to_have_text(strongest)


def test_a_long_text_opens_on_an_overview_and_zooms_to_exact_cells(notebook: LabNotebook) -> None:
    """Catches work, or elements, in proportion to the text instead of the screen."""
    explorer = notebook.explorer(2)
    explorer.expect_live()
    expect(explorer.matrix).to_contain_text(re.compile(r"max-pooled\s*1 cell = \d+ × \d+ tokens"))
    assert explorer.tokens.count() < 500
    notebook.python("long.selected = (12_000, 11_990)")
    expect(explorer.token(12_000)).to_have_class(re.compile("pinned"))
    weight = notebook.python("print(f'{long.attention.row(0, 0, 12_000)[11_990]:.4f}')")
    expect(explorer.readout.locator(".weight")).to_have_text(weight)
    zoom = explorer.matrix.get_by_role("button", name="zoom in")
    for _ in range(26):
        zoom.click()
    expect(explorer.matrix.locator(".remark span")).to_have_text(
        re.compile(r"^queries \d+–\d+, keys")
    )
    expect(explorer.root).to_have_attribute("aria-busy", "false")

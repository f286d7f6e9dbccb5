"""bertviz's calls in JupyterLab: live, and as HTML in a frame."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import OpenCells
from .shown import Explorer

READ = """
from attention_explorer import demo_model
from attention_explorer.bertviz import head_view, model_view, neuron_view
model, tokenizer = demo_model()
model.set_attn_implementation("eager")
text = "The cat sat on the mat because it was tired."
inputs = tokenizer(text, return_tensors="pt")
attentions = model(**inputs, output_attentions=True).attentions
tokens = tokenizer.convert_ids_to_tokens(inputs.input_ids[0])
"""
SHOW = "head_view(attentions, tokens, layer=5, heads=[11])"
RETURN = "model_view(attentions, tokens, include_layers=[4, 5], html_action='return')"
NEURON = "neuron_view(model, 'bert', tokenizer, text, display_mode='dark', layer=5, head=0)"
NEURON_RETURN = NEURON[:-1] + ", html_action='return')"
CAT, IT = 2, 8


def test_a_call_of_bertvizs_shows_the_explorer(open_cells: OpenCells) -> None:
    """Catches a call that displays nothing, or twice; and a frame in which nothing is drawn."""
    with open_cells(READ, SHOW, RETURN, NEURON, NEURON_RETURN) as notebook:
        notebook.explorer(1).expect_live()
        expect(notebook.explorers).to_have_count(2)
        heads, neuron = notebook.explorer(0), notebook.explorer(1)
        heads.expect_live()
        expect(heads.layer).to_have_value("5")
        expect(heads.chosen_heads()).to_have_text(["11"])
        heads.heads.locator(".column.query .row").nth(IT).hover()
        expect(heads.item("“it” (8) reads").locator(".read").first).to_have_text("cat 0.7118")
        neuron.expect_legible("dark")
        expect(neuron.root.get_by_text("how “[SEP]” reads: layer 5 · head 0")).to_be_visible()

        frames = notebook.page.locator(".jp-OutputArea-output iframe")
        expect(frames).to_have_count(2)
        framed = frames.nth(0).content_frame
        model = Explorer(framed.locator(".explorer"))
        expect(model.map).to_be_visible()
        expect(model.layer.locator("option")).to_have_text(["4", "5"])
        model.expect_legible("dark")
        # A browser draws no frame that is out of sight.
        frames.nth(1).scroll_into_view_if_needed()
        explained = Explorer(frames.nth(1).content_frame.locator(".explorer"))
        expect(explained.root.get_by_text("how “[SEP]” reads: layer 5 · head 0")).to_be_visible()

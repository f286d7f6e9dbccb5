import marimo

__generated_with = "0.25.2"
app = marimo.App(width="full", app_title="What a Transformer attends to")


@app.cell
def _():
    import marimo as mo

    from attention_explorer import AttentionExplorer, demo_model, trace

    model, tokenizer = demo_model()
    return AttentionExplorer, mo, model, tokenizer, trace


@app.cell
def _(mo):
    text = mo.ui.text("The cat sat on the mat because it was tired.", label="Text", full_width=True)
    text
    return (text,)


@app.cell
def _(AttentionExplorer, mo, model, text, tokenizer, trace):
    mo.stop(not text.value.strip(), mo.md("There is no text yet."))
    try:
        traced = trace(model, tokenizer, text.value)
    except ValueError as error:
        mo.stop(True, mo.plain_text(str(error)))
    explorer = mo.ui.anywidget(AttentionExplorer(traced, layer=5, heads=11))
    explorer
    return (explorer,)


@app.cell
def _(explorer, mo):
    # Runs anew with each choice that is made in the explorer.
    query, _ = explorer.selected or (None, None)
    mo.stop(query is None, mo.md("Click a token: Python says what it reads."))
    row = explorer.weights()[query]
    reads = [f"{explorer.tokens.text[key]} {row[key]:.4f}" for key in row.argsort()[:-4:-1]]
    said = f"In Python, {explorer.tokens.text[query]!r} reads {', '.join(reads)}"
    mo.plain_text(f"{said} (layer {explorer.layer}, head {explorer.heads[0]})")
    return


if __name__ == "__main__":
    app.run()

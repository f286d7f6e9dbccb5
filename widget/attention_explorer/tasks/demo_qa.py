"""The demo model made to answer questions, by an adapter that ships with the package."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from ..tracing.demo_model import NAME, demo_model

ADAPTER = Path(__file__).parents[1] / "data" / "qa_adapter"


def demo_qa_model() -> tuple[Any, Any]:
    """Load all-MiniLM-L6-v2 as an extractive question answering model; no network.

    The adapter and its head were trained by ``examples/train_qa_adapter.py``; the card beside them
    says on what, and how well they answer.

    Returns
    -------
    model, tokenizer
        A plain ``BertForQuestionAnswering`` with the adapter in its weights, and its tokenizer.

    Raises
    ------
    ModuleNotFoundError
        peft or the demo model's package isn't installed; the message says how to.
    ValueError
        The demo model's weights aren't the ones that are known.
    """
    try:
        from peft import PeftModel
    except ModuleNotFoundError as error:
        if error.name != "peft":
            raise
        raise ModuleNotFoundError(
            "the demo model answers questions by an adapter, which needs peft: "
            "`pip install attention-explorer[demo]`",
            name="peft",
        ) from error
    bare, tokenizer = untrained_qa_model()
    with warnings.catch_warnings():
        # peft asks for what transformers has renamed.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        model = PeftModel.from_pretrained(bare, ADAPTER).merge_and_unload().eval()
    model.config.name_or_path = f"{NAME} + QA adapter"
    return model, tokenizer


def untrained_qa_model() -> tuple[Any, Any]:
    """Return the demo model under a question answering head that has yet to be trained."""
    from transformers import BertForQuestionAnswering

    body, tokenizer = demo_model()
    model = BertForQuestionAnswering(body.config)
    model.bert.load_state_dict(body.state_dict(), strict=False)  # all but the pooler
    return model, tokenizer

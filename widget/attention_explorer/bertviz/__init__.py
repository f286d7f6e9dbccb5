"""bertviz's three views by their own signatures: change the import, keep the code.

``from attention_explorer.bertviz import head_view, model_view, neuron_view``; bertviz's submodules
``neuron_view`` and ``transformers_neuron_view`` are here too. Each view is an `AttentionExplorer`:
``html_action="explorer"`` returns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .head_view import head_view
from .model_view import model_view

if TYPE_CHECKING:  # a module that is called, which a type checker doesn't know of
    from .neuron_view import show as neuron_view
else:
    from . import neuron_view

__all__ = ["head_view", "model_view", "neuron_view"]

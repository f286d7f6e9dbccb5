"""What an attention changes in a model's output: edits, and their measured effects."""

from .band import Band, random_band
from .change import Change
from .edits import AblateHead, CutEdges, Edit, ReplaceToken
from .effect import Effect, measure
from .listed import Edits
from .outcome import Choice, Outcome
from .sweep import Sweep, ablate_all_heads, cut_all_keys

__all__ = [
    "AblateHead",
    "Band",
    "Change",
    "Choice",
    "CutEdges",
    "Edit",
    "Edits",
    "Effect",
    "Outcome",
    "ReplaceToken",
    "Sweep",
    "ablate_all_heads",
    "cut_all_keys",
    "measure",
    "random_band",
]

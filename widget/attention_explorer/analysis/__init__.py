"""What heads do, measured: functions from attention to numbers, each with its definition."""

from .chance import band, percentile_at_distance, spearman
from .distances import head_distances
from .finder import find_heads
from .labels import Label, head_labels
from .misses import CounterExample, counter_examples
from .picks import pick_tokens
from .scores import head_scores
from .spans import span_mass

__all__ = [
    "CounterExample",
    "Label",
    "band",
    "counter_examples",
    "find_heads",
    "head_distances",
    "head_labels",
    "head_scores",
    "percentile_at_distance",
    "pick_tokens",
    "span_mass",
    "spearman",
]

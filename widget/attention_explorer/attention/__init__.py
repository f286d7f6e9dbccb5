"""Attention weights on demand: the contract and what fulfils it."""

from .base import Attention, Preview
from .dense import DenseAttention, dense_attention

__all__ = ["Attention", "DenseAttention", "Preview", "dense_attention"]

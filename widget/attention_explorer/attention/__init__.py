"""Attention weights on demand: the contract and what fulfils it."""

from .base import Attention
from .dense import DenseAttention, dense_attention

__all__ = ["Attention", "DenseAttention", "dense_attention"]

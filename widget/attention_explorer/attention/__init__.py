"""Attention weights on demand: the contract and what fulfils it."""

from .base import Attention

__all__ = ["Attention"]

"""Every head over a corpus: profiles, their atlas, and the texts in which a head does its work."""

from .atlas import HeadAtlas
from .naming import AtlasLabel
from .profile import profile_heads
from .relations import relation_table
from .search import Found

__all__ = ["AtlasLabel", "Found", "HeadAtlas", "profile_heads", "relation_table"]

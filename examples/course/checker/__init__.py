"""The telescope exercise's checker: it judges a head and a pinned pair by evidence."""

from .answer import Verdict, check_answer
from .evidence import Evidence

__all__ = ["Evidence", "Verdict", "check_answer"]

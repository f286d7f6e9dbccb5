"""What heads do, measured: functions from attention to numbers, each with its definition."""

from .spans import span_mass

__all__ = ["span_mass"]

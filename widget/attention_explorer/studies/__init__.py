"""What the browser wants studied: longer than a weight takes, answered as JSON."""

from .desk import Desk, Look

__all__ = ["Desk", "Look"]

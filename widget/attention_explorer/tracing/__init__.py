"""From a model and a text to a `Trace`."""

from .demo_model import demo_model
from .tokens import Tokens
from .trace import Trace, trace

__all__ = ["Tokens", "Trace", "demo_model", "trace"]

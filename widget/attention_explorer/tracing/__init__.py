"""From a model and a text to a `Trace`."""

from .demo_model import demo_model
from .tokens import Tokens
from .trace import Kind, Step, Trace
from .tracer import trace

__all__ = ["Kind", "Step", "Tokens", "Trace", "demo_model", "trace"]

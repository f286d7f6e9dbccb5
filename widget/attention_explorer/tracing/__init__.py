"""From a model and a text to a `Trace`."""

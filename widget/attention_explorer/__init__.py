"""Look inside Transformers in a notebook."""

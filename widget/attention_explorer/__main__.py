"""``python -m attention_explorer "text" --model NAME``: see `cli`."""

import sys

from .cli import main

sys.exit(main())

"""A run that is killed: ``python -m tests.atlas.crashing CHECKPOINT TEXTS_UNTIL``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

from attention_explorer.atlas import profile_heads

from .conftest import make_encoder, make_tokenizer, random_texts

COUNT, EXEMPLARS = 700, 30


def deadly(texts: list[str], until: int) -> Iterator[str]:
    """Yield some texts, then end the process as a machine that fails does."""
    yield from texts[:until]
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    profile_heads(
        make_encoder(),
        make_tokenizer(),
        deadly(random_texts(COUNT), int(sys.argv[2])),
        checkpoint=sys.argv[1],
        every=0,
        exemplars=EXEMPLARS,
        progress=False,
    )

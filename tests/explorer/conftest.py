"""Fixtures: a comm that records what Python sends, and attentions to send."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import comm
import numpy as np
import numpy.typing as npt
import pytest
from comm.base_comm import BaseComm

from attention_explorer.attention import DenseAttention, dense_attention
from attention_explorer.explorer import AttentionExplorer

Weights = npt.NDArray[np.float32]


class Wire(BaseComm):
    """The kernel's end of one comm; `sent` is what the browser would receive."""

    opened: dict[str, Wire] = {}  # noqa: RUF012 (one registry, emptied by the fixture)

    def __init__(self, **kwargs: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {}
        self.closed = False
        super().__init__(**kwargs)
        Wire.opened[self.comm_id] = self

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        buffers: list[bytes] | None = None,
        **keys: Any,
    ) -> None:
        data = data or {}
        if msg_type == "comm_open":
            self.state = data["state"]
        elif msg_type == "comm_close":
            self.closed = True
        else:
            self.sent.append({**data, "buffers": buffers or []})

    def receive(self, data: dict[str, Any]) -> None:
        """Deliver a message as Jupyter does when the browser sends it."""
        self.handle_msg({"content": {"data": data}, "buffers": []})

    def request(self, content: object) -> tuple[dict[str, Any], list[bytes]]:
        """Send a request and return the one reply to it, buffers inflated."""
        before = len(self.sent)
        self.receive({"method": "custom", "content": content})
        (reply,) = self.sent[before:]
        assert reply["method"] == "custom"
        return reply["content"], [zlib.decompress(buffer) for buffer in reply["buffers"]]

    def set_state(self, **state: object) -> list[dict[str, Any]]:
        """Set traits as the browser does; return the states that Python corrected."""
        before = len(self.sent)
        self.receive({"method": "update", "state": state, "buffer_paths": []})
        return [sent["state"] for sent in self.sent[before:] if sent["method"] == "update"]


@pytest.fixture(autouse=True)
def wires(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Wire]]:
    """Give every widget a recording comm."""
    monkeypatch.setattr(comm, "create_comm", lambda **kwargs: Wire(**kwargs))
    Wire.opened.clear()
    yield Wire.opened
    Wire.opened.clear()


@pytest.fixture(autouse=True)
def bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python's side be tested where the JavaScript wasn't built."""
    if not AttentionExplorer._esm:
        monkeypatch.setattr(AttentionExplorer, "_esm", "export default {}")


Softmax = Callable[..., list[Weights]]


@pytest.fixture(scope="session")
def softmax() -> Softmax:
    """Make random attentions, one array (heads, queries, keys) a layer."""

    def make(
        layers: int, heads: int, queries: int, keys: int, *, causal: bool = False, seed: int = 0
    ) -> list[Weights]:
        random = np.random.default_rng(seed)
        scores = random.normal(0, 2, (layers, heads, queries, keys)).astype(np.float32)
        if causal:
            scores[..., np.triu(np.ones((queries, keys), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return list(cast(Weights, weights))

    return make


@pytest.fixture
def attention(softmax: Softmax) -> DenseAttention:
    """3 layers x 2 heads, 5 queries x 7 keys."""
    return dense_attention(softmax(3, 2, 5, 7))

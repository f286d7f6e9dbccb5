"""The atlas's data model: it answers the browser's requests, and never speaks unasked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from ..channel import ReplyingModel
from .protocol import ExemplarsReply, GroupInfo, HeadKey, Method, OpenReply, Place, PositionsReply
from .state import AtlasLimits, check_head, check_place, check_score
from .view import AtlasView

Answer = tuple[Mapping[str, Any], list[bytes]]


class AtlasSource(ReplyingModel):
    """Answers requests about an atlas (`protocol.AtlasRequest`) with a `protocol.AtlasReply` each.

    Parameters
    ----------
    view : AtlasView
    limits : AtlasLimits
        What may be asked for.
    open_text : callable
        Goes on with showing a text: of a run's name, a head and a place; returns the share that is
        done.
    like : callable
        Returns where else a head does what is looked at, and that in words.
    """

    def __init__(
        self,
        view: AtlasView,
        limits: AtlasLimits,
        open_text: Callable[[str, HeadKey, Place], float],
        like: Callable[[], tuple[str, list[GroupInfo]]],
    ) -> None:
        self._view, self._limits = view, limits
        self._open_text, self._like = open_text, like
        super().__init__()

    def _answer(self, identity: str, fields: Mapping[str, object]) -> Answer:
        match fields.get("kind"):
            case "exemplars":
                head = check_head(fields.get("head"), self._limits)
                score = check_score(fields.get("score"), self._limits)
                return self._exemplars(identity, "", self._view.exemplars(head, score))
            case "like":
                return self._exemplars(identity, *self._like())
            case "positions":
                return self._positions(identity, fields.get("method"))
            case "open":
                return self._opened(identity, fields), []
        raise ValueError(
            f"unknown kind of request {fields.get('kind')!r:.80}: use exemplars, like, positions, "
            "open"
        )

    def _exemplars(self, identity: str, said: str, groups: list[GroupInfo]) -> Answer:
        reply: ExemplarsReply = {
            "id": identity,
            "kind": "exemplars",
            "said": said,
            "groups": groups,
            "texts": self._view.texts_of(groups),
        }
        return reply, []

    def _positions(self, identity: str, method: object) -> Answer:
        if method not in get_args(Method):
            raise ValueError(f"unknown method {method!r:.80}: use {', '.join(get_args(Method))}")
        try:
            found = self._view.positions(cast(Method, method))
        except ModuleNotFoundError as error:
            raise ValueError(str(error)) from error
        reply: PositionsReply = {"id": identity, "kind": "positions"}
        return reply, [found]

    def _opened(self, identity: str, fields: Mapping[str, object]) -> OpenReply:
        run = fields.get("run")
        if not isinstance(run, str):
            raise ValueError(f"a text to open needs run, a string that names it; got {run!r:.80}")
        head = check_head(fields.get("head"), self._limits)
        place = check_place(fields.get("place"), self._limits)
        return {"id": identity, "kind": "open", "progress": self._open_text(run, head, place)}

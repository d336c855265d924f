"""Streaming sessions: a state kept between requests, forgotten when it is not used."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forecaster.serving.failures import Refused

__all__ = ["Session", "Sessions"]


@dataclass
class Session:
    """What is kept of one stream.

    Attributes:
        model: As it is served.
        version: Whose state it is; another version cannot go on with it.
        network: Its mark, since a number may be used again: see `Loaded.network`.
        state: Tensors by name, without a batch dimension.
        awaited: The time stamp that must come next, if stamps were sent.
        last: The last request and its answer, which a client that lost it may ask for again.
        lock: Held while a step is made, so that steps happen one after the other.
    """

    model: str
    version: int
    network: str
    state: dict[str, np.ndarray]
    awaited: object = None
    last: tuple[object, dict[str, Any]] | None = None
    expires: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """Sessions by an id that cannot be guessed.

    Args:
        most: That are kept at the same time.
        seconds: Until one that is not used is forgotten.
        clock: Seconds that only grow.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self.seconds = seconds
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        """How many there are, those included that are over and not yet looked for."""
        return len(self._sessions)

    def start(self, session: Session) -> str:
        """Keeps a new session.

        Raises:
            Refused: 503; there are as many as may be, all in use.
        """
        self._forget()
        if len(self._sessions) >= self._most:
            raise Refused(
                503, f"{self._most} sessions are open already; keep the state yourself, or try again later", 60
            )
        key = secrets.token_urlsafe(18)
        session.expires = self._clock() + self.seconds
        self._sessions[key] = session
        return key

    def get(self, key: str, model: str) -> Session:
        """A session; using it makes it last.

        Raises:
            Refused: 404; it is unknown, another model's, or over.
        """
        self._forget()
        session = self._sessions.get(key)
        if session is None or session.model != model:
            raise Refused(404, f"there is no such session of {model}; it may be over: start one with session: start")
        session.expires = self._clock() + self.seconds
        self._sessions.move_to_end(key)
        return session

    def _forget(self) -> None:
        """Drops what is over; the least used stand first."""
        now = self._clock()
        while self._sessions and next(iter(self._sessions.values())).expires <= now:
            self._sessions.popitem(last=False)

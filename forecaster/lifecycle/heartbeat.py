"""Keeps the claims of this process alive while their work is done elsewhere."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from forecaster.errors import StoreError
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Claim

__all__ = ["Heartbeat"]

logger = logging.getLogger(__name__)

BEATS = 4
"""Heartbeats in the life of a lease: some may fail before it runs out."""


class Heartbeat:
    """A thread that beats for every claim it is told of, from `with` to its end.

    Args:
        ledger: Where the claims are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._claims: dict[int, Claim] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, claim: Claim) -> None:
        """Beats for a claim from now on."""
        self._claims[claim.attempt] = claim

    def end(self, claim: Claim) -> None:
        """Beats for it no more."""
        self._claims.pop(claim.attempt, None)

    def _beat(self) -> None:
        while not self._over.wait(self._ledger.lease.total_seconds() / BEATS):
            for claim in list(self._claims.values()):
                try:
                    if not self._ledger.beat(claim):  # closed or lost: the end of the attempt says which
                        self.end(claim)
                except StoreError as error:
                    logger.warning("%s: no heartbeat could be written: %s", claim.pipeline, error)

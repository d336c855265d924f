"""How an attempt ends where not all goes well: a ledger that is busy, and what was published before the trouble."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from forecaster.errors import ForecasterError, StoreError
from forecaster.store import Store
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_claims import LeaseLostError
from forecaster.store.ledger_records import Claim, Ending

__all__ = ["insist", "published", "rescue", "told_of"]

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

TRIES = 3
"""How often a step in the ledger is tried before it is given up."""

PAUSE = 10.0
"""Seconds between two tries."""


def insist(step: Callable[[], Found], pipeline: str, sleep: Callable[[float], None]) -> Found:
    """Takes a step in the ledger, again and again while that is busy or away: a whole fit hangs on it.

    Args:
        step: The step, which changes nothing where it fails.
        pipeline: Whose.
        sleep: Waits for some seconds.

    Raises:
        LeaseLostError: The claim is lost; that is not tried again.
        StoreError: Of the last try.
    """
    for _ in range(TRIES - 1):
        try:
            return step()
        except LeaseLostError:
            raise
        except StoreError as error:
            logger.warning("%s: what came of it cannot be written down yet: %s", pipeline, error)
            sleep(PAUSE)
    return step()


def rescue(claim: Claim, reason: str, ledger: Ledger, store: Store) -> bool:
    """Records an attempt that has come to a bad end as the promotion that it is, if it had published before.

    Args:
        claim: Of the attempt.
        reason: Of the bad end.
        ledger: Where it is recorded.
        store: Where it may have published.

    Returns:
        Whether it had.

    Raises:
        StoreError: The ledger or the store cannot be used.
    """
    version = published(store, claim.pipeline, claim.mark)
    if version is not None:
        told = f"published as version {version}; no more of it could be recorded: {reason}"
        ledger.finish(claim, Ending("promoted", told, version))
    return version is not None


def published(store: Store, name: str, mark: str) -> int | None:
    """The version that carries an attempt's mark."""
    for number in reversed(store.versions(name)):
        try:
            if store.manifest(name, number).attempt == mark:
                return number
        except ForecasterError:
            continue  # a damaged manifest carries no mark
    return None


def told_of(claim: Claim, error: Exception) -> tuple[str, int]:
    """A bad end in plain words, and its exit code; what nobody has foreseen is a fault, whose trace is logged."""
    if isinstance(error, ForecasterError):
        return str(error), error.exit_code
    logger.debug("%s: a fault", claim.pipeline, exc_info=error)
    return f"a fault, {type(error).__name__}: {error}", 3

"""How an attempt ends where not all goes well: a ledger that is busy, and what was stored before the trouble."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from forecaster.errors import ForecasterError, StoreError
from forecaster.store import Manifest, Store
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_claims import LeaseLostError
from forecaster.store.ledger_records import Claim, Ending

__all__ = ["insist", "rescue", "stored", "told_of"]

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


def rescue(claim: Claim, reason: str, ledger: Ledger, store: Store) -> bool | None:
    """Records an attempt that has come to a bad end as what it is, if it had stored something before.

    Args:
        claim: Of the attempt; it may be lost.
        reason: Of the bad end.
        ledger: Where it is recorded.
        store: Where it may have stored what it found.

    Returns:
        None if it had not; else whether that is news to the ledger (whoever took up the run may have recorded it).

    Raises:
        StoreError: The ledger or the store cannot be used.
    """
    ending = stored(store, claim.pipeline, claim.mark, reason)
    return None if ending is None else ledger.amend(claim, ending)


def stored(store: Store, name: str, mark: str, reason: str) -> Ending | None:
    """What the attempt with a mark has found, by the manifest of the version or the challenger that carries it.

    Args:
        store: Where that lies.
        name: The pipeline's.
        mark: The attempt's.
        reason: Why nothing else is known of it.
    """
    shelf, unknown = store.challengers, f"no more of it could be recorded: {reason}"
    if version := _marked(store.versions(name), store.manifest, name, mark):
        told = f"published as version {version.version}; {unknown}"
        return Ending("promoted", told, version.version, **_found(version))
    if kept := _marked(shelf.numbers(name), shelf.manifest, name, mark):
        told = f"kept as challenger {kept.version}; {unknown}"
        found = _found(kept)
        return Ending("kept", told, **found | {"scores": found["scores"] | {"challenger": kept.version}})
    return None


def _marked(numbers: Sequence[int], read: Callable[[str, int], Manifest], name: str, mark: str) -> Manifest | None:
    for number in reversed(numbers):
        try:
            manifest = read(name, number)
        except ForecasterError:
            continue  # a damaged manifest carries no mark
        if manifest.attempt == mark:
            return manifest
    return None


def _found(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says of the retraining that made it."""
    p = manifest.gate.get("promotion", {}).get("p")
    return {"p": p, "scores": manifest.scores, "data_hash": manifest.data.get("sha256")}


def told_of(claim: Claim, error: Exception) -> tuple[str, int]:
    """A bad end in plain words, and its exit code; what nobody has foreseen is a fault, whose trace is logged."""
    if isinstance(error, ForecasterError):
        return str(error), error.exit_code
    logger.debug("%s: a fault", claim.pipeline, exc_info=error)
    return f"a fault, {type(error).__name__}: {error}", 3

"""Retrainings whose process has died: their leases are ended, and what became of their runs is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from forecaster.lifecycle.endings import stored
from forecaster.lifecycle.heartbeat import BEATS
from forecaster.lifecycle.report import Report, ended
from forecaster.store import Store
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Lease

__all__ = ["bury_the_dead"]

logger = logging.getLogger(__name__)


def bury_the_dead(
    names: Collection[str], ledger: Ledger, store: Store, sleep: Callable[[float], None]
) -> list[Report]:  # fmt: skip
    """Ends the leases of processes that live no more.

    One that would be seen from here is looked for. One of another machine or container, or one that hangs, counts as
    dead when its lease has run out and it does not beat while it is watched: clocks that disagree or jump kill nobody.

    Args:
        names: Of which pipelines.
        ledger: Where the leases are.
        store: Where the dead may have stored what they found.
        sleep: Waits for some seconds.

    Returns:
        The runs that ended by it; others wait for another attempt.
    """
    found: list[Report] = []
    silent: dict[str, Lease] = {}
    for name, lease in ledger.leased().items():
        if name not in names:
            continue
        if ledger.is_dead(lease):
            found += _bury(name, lease, f"its process ({lease.owner}) ended without a word", ledger, store)
        elif lease.expires <= ledger.clock():
            silent[name] = lease
    if silent:
        sleep(2 * ledger.lease.total_seconds() / BEATS)
    for name, lease in silent.items():
        found += _bury(name, lease, f"its process ({lease.owner}) fell silent, and its lease ran out", ledger, store)
    return found


def _bury(name: str, lease: Lease, reason: str, ledger: Ledger, store: Store) -> list[Report]:
    number = ledger.bury(name, lease, reason, lambda mark: stored(store, name, mark, reason))
    if number is None:
        return []
    logger.warning("%s: %s; its run is taken up", name, reason)
    run = ledger.run(number)
    return [ended(run)] if run.state in ("done", "failed") else []

"""Who may work on a run: claims, heartbeats, endings. Each function is one step inside a transaction.

A row in `leases` is the right to work on a pipeline; its primary key keeps it to one at a time. Every later step of
its holder first touches that row, so one who lost it (stopped for too long, say) changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from forecaster.errors import StoreError
from forecaster.store.ledger_records import Cause, Claim, Ending, Lease, Refusal, pause
from forecaster.store.ledger_tables import attempts, leases, runs
from forecaster.store.manifest import JsonDict

__all__ = ["LeaseLostError", "amend", "beat", "bury", "claim", "fail", "finish", "lease_of", "leased", "stop"]

_plain: TypeAdapter[dict[str, Any]] = TypeAdapter(JsonDict)


class LeaseLostError(StoreError):
    """The lease ran out and another process may have taken the run up: what was not stored by then is dropped."""

    exit_code = 3


def claim(
    connection: Connection, pipeline: str, slot: datetime, cause: Cause, owner: str, allowed: int, missed: int,
    now: datetime, length: timedelta,
) -> Claim | Refusal:  # fmt: skip
    """Takes the lease of a pipeline for one attempt at a run.

    Raises:
        sqlalchemy.exc.IntegrityError: Another process did so at the same moment.
    """
    held = lease_of(connection, pipeline)
    if held:
        return Refusal("busy", held.expires, held)
    connection.execute(
        insert(leases).values(pipeline=pipeline, owner=owner, beats=0, heartbeat=now, expires=now + length)
    )
    # Only now, with the lease in hand, nobody else can change the run.
    row = connection.execute(select(runs).where(runs.c.pipeline == pipeline, runs.c.slot == slot)).mappings().first()
    if refusal := _refusal(row, now):
        connection.execute(delete(leases).where(leases.c.pipeline == pipeline))
        return refusal
    if row:
        run, allowed, missed = row["id"], row["allowed"], row["missed"]
        connection.execute(update(runs).where(runs.c.id == run).values(state="running", retry_at=None))
    else:
        fresh = {"pipeline": pipeline, "slot": slot, "cause": cause, "missed": missed, "allowed": allowed}
        run = _key(connection.execute(insert(runs).values(state="running", created=now, **fresh)))
    superseded = _supersede(connection, pipeline, run, slot, now) if cause == "schedule" else ()
    mark = uuid4().hex
    attempt = _key(connection.execute(insert(attempts).values(run=run, mark=mark, owner=owner, began=now)))
    connection.execute(update(leases).where(leases.c.pipeline == pipeline).values(attempt=attempt))
    number = _failures(connection, run) + 1
    return Claim(run, attempt, mark, pipeline, slot, cause, number, allowed, missed, superseded)


def _refusal(row: RowMapping | None, now: datetime) -> Refusal | None:
    if row and row["state"] in ("done", "failed"):
        return Refusal("settled", run=row["id"])
    if row and row["retry_at"] and row["retry_at"] > now:
        return Refusal("waiting", row["retry_at"], run=row["id"])
    return None


def lease_of(connection: Connection, pipeline: str) -> Lease | None:
    """Who works on a pipeline now."""
    row = connection.execute(select(leases).where(leases.c.pipeline == pipeline)).mappings().first()
    return _lease(row) if row else None


def leased(connection: Connection) -> dict[str, Lease]:
    """Who works on what now, by pipeline."""
    return {row["pipeline"]: _lease(row) for row in connection.execute(select(leases)).mappings()}


def _lease(row: RowMapping) -> Lease:
    return Lease(row["attempt"], row["owner"], row["beats"], row["expires"])


def beat(connection: Connection, one: Claim, now: datetime, length: timedelta) -> bool:
    """Keeps a lease alive; False if it is lost."""
    mine = (leases.c.pipeline == one.pipeline) & (leases.c.attempt == one.attempt)
    values = {"beats": leases.c.beats + 1, "heartbeat": now, "expires": now + length}
    return connection.execute(update(leases).where(mine).values(**values)).rowcount == 1


def finish(connection: Connection, one: Claim, ending: Ending, now: datetime) -> None:
    """Closes a run that ended well."""
    _release(connection, one.pipeline, one.attempt)
    _close(connection, one.attempt, "done", ending.reason, now)
    _settle(connection, one.run, "done", now, ending)


def amend(connection: Connection, one: Claim, ending: Ending, now: datetime) -> bool:
    """Closes a run by what an attempt has stored, whether or not that still has its lease.

    Another attempt at the run, which took it up meanwhile, loses its own: there is nothing left to be done.

    Returns:
        Whether it was not recorded before.
    """
    tried = select(attempts.c.id).where(attempts.c.run == one.run)
    connection.execute(delete(leases).where(leases.c.pipeline == one.pipeline, leases.c.attempt.in_(tried)))
    mine = select(attempts.c.outcome).where(attempts.c.id == one.attempt)
    if connection.execute(mine).scalar() == "done":
        return False
    for other in connection.execute(tried.where(attempts.c.outcome.is_(None), attempts.c.id != one.attempt)).scalars():
        _close(connection, other, "lost", "an earlier attempt had ended well", now)
    _close(connection, one.attempt, "done", ending.reason, now)
    _settle(connection, one.run, "done", now, ending)
    return True


def fail(connection: Connection, one: Claim, reason: str, now: datetime) -> datetime | None:
    """Closes an attempt that failed.

    Returns:
        When the next one is; None if there is none.
    """
    _release(connection, one.pipeline, one.attempt)
    _close(connection, one.attempt, "failed", reason, now)
    return _again(connection, one.run, reason, now)


def stop(connection: Connection, one: Claim, reason: str, now: datetime) -> None:
    """Gives a run back that was interrupted; that counts as no attempt, and it may be taken up at once."""
    _release(connection, one.pipeline, one.attempt)
    _close(connection, one.attempt, "stopped", reason, now)
    if one.cause == "hand":
        _settle(connection, one.run, "failed", now, Ending("failed", reason))
    else:
        connection.execute(update(runs).where(runs.c.id == one.run).values(state="waiting", retry_at=now))


def bury(
    connection: Connection, pipeline: str, dead: Lease, reason: str, stored: Callable[[str], Ending | None],
    now: datetime,
) -> int | None:  # fmt: skip
    """Ends a lease whose holder has died, unless it has beaten since; what it had stored counts.

    Args:
        connection: In a transaction.
        pipeline: Which pipeline.
        dead: The lease as it was seen.
        reason: How it is known to be dead.
        stored: What was found by the attempt with a mark, if it came to that.
        now: The time.

    Returns:
        The run; None where the holder lives.
    """
    same = (leases.c.pipeline == pipeline) & (leases.c.attempt == dead.attempt) & (leases.c.beats == dead.beats)
    if connection.execute(delete(leases).where(same)).rowcount == 0:
        return None
    run, mark = connection.execute(select(attempts.c.run, attempts.c.mark).where(attempts.c.id == dead.attempt)).one()
    found = stored(mark)
    _close(connection, dead.attempt, "done" if found else "lost", reason, now)
    if found:
        _settle(connection, run, "done", now, found)
    else:
        _again(connection, run, reason, now)
    return int(run)


def _supersede(connection: Connection, pipeline: str, run: int, slot: datetime, now: datetime) -> tuple[int, ...]:
    """Closes scheduled runs of earlier slots that still wait for another attempt; returns those that have failed."""
    earlier = (runs.c.pipeline == pipeline) & (runs.c.id != run) & (runs.c.cause == "schedule")
    unfinished = runs.c.state.in_(("running", "waiting"))
    failed = []
    for row in connection.execute(select(runs.c.id, runs.c.reason).where(earlier, unfinished)).all():
        told = f"the next slot ({slot:%Y-%m-%d %H:%M} UTC) came before another attempt"
        if _failures(connection, row.id):
            failed.append(int(row.id))
            told = f"{row.reason}; {told}"
        values = {"state": "failed", "outcome": "superseded", "reason": told, "finished": now, "retry_at": None}
        connection.execute(update(runs).where(runs.c.id == row.id).values(**values))
    return tuple(failed)


def _again(connection: Connection, run: int, reason: str, now: datetime) -> datetime | None:
    """Sets the next attempt, or gives up."""
    row = connection.execute(select(runs).where(runs.c.id == run)).mappings().one()
    failures = _failures(connection, run)
    if row["cause"] == "hand" or failures >= row["allowed"]:
        _settle(connection, run, "failed", now, Ending("failed", reason))
        return None
    retry_at = now + pause(failures)
    values = {"state": "waiting", "reason": reason, "retry_at": retry_at}
    connection.execute(update(runs).where(runs.c.id == run).values(**values))
    return retry_at


def _settle(connection: Connection, run: int, state: str, now: datetime, ending: Ending) -> None:
    found = {key: value for key, value in vars(ending).items() if key not in ("scores", "drift")}
    values = {**found, "scores": _plain.validate_python(ending.scores), "drift": _plain.validate_python(ending.drift)}
    connection.execute(
        update(runs).where(runs.c.id == run).values(state=state, finished=now, retry_at=None, **values)
    )  # fmt: skip


def _release(connection: Connection, pipeline: str, attempt: int) -> None:
    mine = (leases.c.pipeline == pipeline) & (leases.c.attempt == attempt)
    if connection.execute(delete(leases).where(mine)).rowcount == 0:
        raise LeaseLostError(f"{pipeline}: the lease ran out, and another process may have taken the run up")


def _close(connection: Connection, attempt: int, outcome: str, reason: str, now: datetime) -> None:
    values = {"ended": now, "outcome": outcome, "reason": reason}
    connection.execute(update(attempts).where(attempts.c.id == attempt).values(**values))


def _failures(connection: Connection, run: int) -> int:
    bad = (attempts.c.run == run) & attempts.c.outcome.in_(("failed", "lost"))
    return int(connection.execute(select(func.count()).select_from(attempts).where(bad)).scalar_one())


def _key(result: Any) -> int:
    return int(result.inserted_primary_key[0])

"""What a ledger answers: runs, attempts, claims, and why a claim was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

__all__ = ["Attempt", "Cause", "Claim", "Ending", "Lease", "Refusal", "Run", "pause"]

Cause = Literal["schedule", "hand"]


@dataclass(frozen=True)
class Claim:
    """The right to work on a run, as long as the lease is kept alive.

    Attributes:
        run: The run's number in the ledger.
        attempt: The attempt's number in the ledger.
        mark: Stands in the manifest of what the attempt publishes.
        pipeline: Which pipeline.
        slot: When the run was due.
        cause: Why there is a run.
        number: Which attempt this is: 1, 2, ….
        allowed: How many there may be.
        missed: Slots before this one that nobody ran.
        superseded: Runs of earlier slots that had failed and waited for another attempt: this claim has ended them.
    """

    run: int
    attempt: int
    mark: str
    pipeline: str
    slot: datetime
    cause: Cause
    number: int
    allowed: int
    missed: int
    superseded: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lease:
    """Who works on a pipeline now.

    Attributes:
        attempt: On which attempt.
        owner: Who; see `store.owner`.
        beats: How many heartbeats there have been.
        expires: When the lease runs out without another one.
    """

    attempt: int
    owner: str
    beats: int
    expires: datetime


@dataclass(frozen=True)
class Refusal:
    """Why a run cannot be worked on now.

    Attributes:
        why: settled: it is done or given up; busy: somebody works on the pipeline; waiting: for the next attempt.
        until: When to ask again; None for settled ones.
        lease: Whose it is, if somebody works on it.
        run: The run's number, if there is one.
    """

    why: Literal["settled", "busy", "waiting"]
    until: datetime | None = None
    lease: Lease | None = None
    run: int | None = None


@dataclass(frozen=True)
class Ending:
    """How a retraining ended well.

    Attributes:
        outcome: promoted, kept, up to date or not enough new data.
        reason: In plain words.
        version: Under which the challenger was published.
        p: Of the comparison with the champion or the naive forecasts.
        scores: Of champion, challenger and baselines.
        drift: How recent errors and inputs compare with those at training time.
        data_hash: SHA-256 of the data.
        seconds: That the retraining took.
    """

    outcome: str
    reason: str
    version: int | None = None
    p: float | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    drift: Mapping[str, Any] = field(default_factory=dict)
    data_hash: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt at a run; `outcome` is None as long as it goes on."""

    owner: str
    began: datetime
    ended: datetime | None
    outcome: str | None
    reason: str | None


@dataclass(frozen=True)
class Run:
    """A row of the ledger: one retraining of one pipeline; see `Ending` for what it found.

    Attributes:
        id: Its number.
        pipeline: Which pipeline.
        slot: When it was due, in UTC.
        cause: schedule, or hand.
        missed: Slots before this one that nobody ran.
        state: running, waiting (for the next attempt), done, failed.
        allowed: How many attempts there may be.
        attempts: Those that there were, the first one first.
        trouble: Of one that is running: why it seems to go on no more.
    """

    id: int
    pipeline: str
    slot: datetime
    cause: Cause
    missed: int
    state: Literal["running", "waiting", "done", "failed"]
    outcome: str | None
    reason: str | None
    version: int | None
    p: float | None
    scores: Mapping[str, Any] | None
    drift: Mapping[str, Any] | None
    data_hash: str | None
    seconds: float | None
    allowed: int
    created: datetime
    finished: datetime | None
    retry_at: datetime | None
    attempts: tuple[Attempt, ...] = ()
    trouble: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON; moments are ISO 8601 in UTC."""
        row = {name: _iso(value) for name, value in vars(self).items()}
        return row | {"attempts": [{key: _iso(value) for key, value in vars(one).items()} for one in self.attempts]}


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures: 1, 5, 25 minutes, an hour at most.

    >>> [str(pause(failures)) for failures in (1, 2, 3, 4)]
    ['0:01:00', '0:05:00', '0:25:00', '1:00:00']
    """
    return timedelta(minutes=min(5 ** (failures - 1), 60))


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value

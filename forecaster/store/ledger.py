"""The ledger: which retrainings there were, who works on which, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Select, select
from sqlalchemy.exc import IntegrityError

from forecaster.store import ledger_claims as steps
from forecaster.store.ledger_opening import explained_sql, ledger_url, looking, open_engine
from forecaster.store.ledger_records import Attempt, Cause, Claim, Ending, Lease, Refusal, Run
from forecaster.store.ledger_tables import attempts, runs
from forecaster.store.owner import is_dead, owner

__all__ = ["Ledger"]

LEASE = timedelta(seconds=60)
"""How long a lease lives without a heartbeat."""


class Ledger:
    """Runs, attempts and leases in an SQL database: SQLite in the store, or any that SQLAlchemy can reach.

    Args:
        store: The store's folder.
        given: A SQLAlchemy URL or the path of an SQLite file; else FORECASTER_LEDGER, else `ledger.sqlite` in the
            store.
        clock: What tells the time.
        lease: How long a lease lives without a heartbeat.
        reading: Whether it is only read; then it may be one that this user may not write.

    Raises:
        StoreError: It cannot be reached or written, or is of a newer format.
        DefinitionError: `given` is no URL, or the database's driver is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        ...     claim = ledger.claim("energy", datetime(2026, 3, 1, 3, tzinfo=UTC), "schedule", allowed=3)
        ...     ledger.finish(claim, Ending("kept", "the champion is better"))
        ...     [(run.pipeline, run.state, run.outcome) for run in ledger.runs()]
        [('energy', 'done', 'kept')]
    """

    def __init__(
        self, store: Path, given: str | None = None, *, clock: Callable[[], datetime] | None = None,
        lease: timedelta = LEASE, reading: bool = False,
    ) -> None:  # fmt: skip
        self._url = ledger_url(store, given)
        self._engine = open_engine(self._url, reading=reading)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.lease = lease

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def claim(self, pipeline: str, slot: datetime, cause: Cause, *, allowed: int, missed: int = 0) -> Claim | Refusal:
        """Takes the right to work on a run; nobody else can have it until it is finished, failed or dead.

        Args:
            pipeline: Which pipeline.
            slot: When it was due, with a time zone.
            cause: Why there is a run.
            allowed: How many attempts there may be.
            missed: Slots before this one that nobody ran.

        Returns:
            The claim, or why there is none.
        """
        while True:
            try:
                with self._step() as connection:
                    now = self.clock()
                    return steps.claim(
                        connection, pipeline, slot, cause, owner(), allowed, missed, now, self.lease
                    )  # fmt: skip
            except IntegrityError:
                continue  # another one was quicker; look again at what it did

    def beat(self, claim: Claim) -> bool:
        """Keeps a claim alive; False if it is lost."""
        with self._step() as connection:
            return steps.beat(connection, claim, self.clock(), self.lease)

    def finish(self, claim: Claim, ending: Ending) -> None:
        """Closes a run that ended well.

        Raises:
            LeaseLostError: The claim is lost.
        """
        with self._step() as connection:
            steps.finish(connection, claim, ending, self.clock())

    def amend(self, claim: Claim, ending: Ending) -> bool:
        """Closes a run by what an attempt has stored, even if its claim is lost; whether that was news."""
        with self._step() as connection:
            return steps.amend(connection, claim, ending, self.clock())

    def fail(self, claim: Claim, reason: str) -> datetime | None:
        """Closes an attempt that failed; says when the next one is, if there is one.

        Raises:
            LeaseLostError: The claim is lost.
        """
        with self._step() as connection:
            return steps.fail(connection, claim, reason, self.clock())

    def stop(self, claim: Claim, reason: str) -> None:
        """Gives a claim back; that counts as no attempt.

        Raises:
            LeaseLostError: The claim is lost.
        """
        with self._step() as connection:
            steps.stop(connection, claim, reason, self.clock())

    def bury(self, pipeline: str, dead: Lease, reason: str, stored: Callable[[str], Ending | None]) -> int | None:
        """Ends a dead one's lease, unless it has beaten since; what it had stored counts. Returns its run."""
        with self._step() as connection:
            return steps.bury(connection, pipeline, dead, reason, stored, self.clock())

    def is_dead(self, lease: Lease) -> bool:
        """Whether a lease's holder is certainly gone: a process that would be seen from here if it lived."""
        return is_dead(lease.owner)

    def lease_of(self, pipeline: str) -> Lease | None:
        """Who works on a pipeline now."""
        with self._look() as connection:
            return steps.lease_of(connection, pipeline)

    def last(self, pipeline: str, until: datetime) -> Run | None:
        """The scheduled run with the last slot that is not after a moment."""
        wanted = (runs.c.pipeline == pipeline) & (runs.c.cause == "schedule") & (runs.c.slot <= until)
        found = self._read(select(runs).where(wanted).order_by(runs.c.slot.desc()).limit(1))
        return found[0] if found else None

    def run(self, number: int) -> Run:
        """One run by its number."""
        return self._read(select(runs).where(runs.c.id == number))[0]

    def runs(
        self, pipelines: tuple[str, ...] = (), *, state: str | None = None, outcome: str | None = None,
        since: datetime | None = None, limit: int = 50,
    ) -> list[Run]:  # fmt: skip
        """The latest runs, the one that was begun last first: slots that were missed are made up for later.

        Args:
            pipelines: Of these pipelines; of all by default.
            state: Only in this state.
            outcome: Only with this outcome.
            since: Only slots from here on.
            limit: How many at most.
        """
        wanted = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if pipelines:
            wanted = wanted.where(runs.c.pipeline.in_(pipelines))
        for column, value in ((runs.c.state, state), (runs.c.outcome, outcome)):
            if value is not None:
                wanted = wanted.where(column == value)
        return self._read(wanted if since is None else wanted.where(runs.c.slot >= since))

    def leased(self) -> dict[str, Lease]:
        """Who works on what now, by pipeline."""
        with self._look() as connection:
            return steps.leased(connection)

    def _read(self, wanted: Select[tuple[object, ...]]) -> list[Run]:
        with self._look() as connection:
            rows = connection.execute(wanted).mappings().all()
            tries = select(attempts).where(attempts.c.run.in_([row["id"] for row in rows])).order_by(attempts.c.id)
            made: dict[int, list[Attempt]] = {}
            for one in connection.execute(tries).mappings():
                values = {key: value for key, value in one.items() if key not in ("id", "run", "mark")}
                made.setdefault(one["run"], []).append(Attempt(**values))
            held = steps.leased(connection) if any(row["state"] == "running" for row in rows) else {}
        troubles = {row["id"]: self._trouble(held.get(row["pipeline"])) for row in rows if row["state"] == "running"}
        return [
            Run(**row, attempts=tuple(made.get(row["id"], ())), trouble=troubles.get(row["id"])) for row in rows
        ]  # fmt: skip

    def _trouble(self, lease: Lease | None) -> str | None:
        """Why what is running under a lease seems to go on no more."""
        if lease and self.is_dead(lease):
            return f"its process ({lease.owner}) lives no more"
        if lease and lease.expires <= self.clock():
            return f"its process ({lease.owner}) is silent, and its lease ran out at {lease.expires:%Y-%m-%d %H:%M} UTC"
        return None

    @contextmanager
    def _step(self) -> Iterator[Connection]:
        with explained_sql(self._url), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _look(self) -> Iterator[Connection]:
        with explained_sql(self._url), looking(self._engine).begin() as connection:
            yield connection

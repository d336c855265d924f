"""The ledger's tables, and how an older ledger becomes one of today's format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    insert,
    inspect,
    select,
    update,
)

from forecaster.errors import StoreError

__all__ = ["STEPS", "attempts", "format_of", "leases", "migrate", "runs"]

Step = Callable[[Connection], None]

STEPS: tuple[Step, ...] = ()
"""What turns a ledger of format 1 into one of format 2, and so on; today's format is one more than there are steps."""


class Utc(TypeDecorator[datetime]):
    """A moment in UTC: SQLite keeps no time zone, PostgreSQL answers in its session's."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """On the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """On the way out."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


tables = MetaData()

ledger_format = Table("ledger_format", tables, Column("format", Integer, nullable=False))

runs = Table(
    "runs",
    tables,
    Column("id", Integer, primary_key=True),
    Column("pipeline", String(100), nullable=False),
    Column("slot", Utc, nullable=False),  # when it was due; when it was asked for, if by hand
    Column("cause", String(16), nullable=False),  # schedule | hand
    Column("missed", Integer, nullable=False),  # slots before this one that nobody ran
    Column("state", String(16), nullable=False),  # running | waiting | done | failed
    Column("outcome", String(32)),  # promoted | kept | up to date | not enough new data | failed | superseded
    Column("reason", Text),
    Column("version", Integer),  # under which the challenger was published
    Column("p", Float),
    Column("scores", JSON),
    Column("drift", JSON),
    Column("data_hash", String(64)),
    Column("seconds", Float),
    Column("allowed", Integer, nullable=False),  # attempts, at most
    Column("created", Utc, nullable=False),
    Column("finished", Utc),
    Column("retry_at", Utc),
    UniqueConstraint("pipeline", "slot"),
)

attempts = Table(
    "attempts",
    tables,
    Column("id", Integer, primary_key=True),
    Column("run", ForeignKey("runs.id"), nullable=False, index=True),
    Column("mark", String(32), nullable=False),  # stands in the manifest of what it publishes
    Column("owner", String(200), nullable=False),
    Column("began", Utc, nullable=False),
    Column("ended", Utc),
    Column("outcome", String(32)),  # done | failed | stopped | lost
    Column("reason", Text),
)

leases = Table(
    "leases",
    tables,
    Column("pipeline", String(100), primary_key=True),  # so that no pipeline is retrained twice at once
    Column("attempt", ForeignKey("attempts.id")),
    Column("owner", String(200), nullable=False),
    Column("beats", Integer, nullable=False),  # a heartbeat adds one
    Column("heartbeat", Utc, nullable=False),
    Column("expires", Utc, nullable=False),
)


def format_of(connection: Connection, where: str, today: int) -> int | None:
    """The format of a ledger; None where there are no tables yet.

    Args:
        connection: In a transaction.
        where: What errors call the ledger.
        today: The newest format that this program knows.

    Raises:
        StoreError: The ledger was written by a newer program.
    """
    if not inspect(connection).has_table(ledger_format.name):
        return None
    found = connection.execute(select(ledger_format.c.format)).scalar()
    if not isinstance(found, int) or not 1 <= found <= today:
        raise StoreError(
            f"{where}: the ledger is of format {found}, and this program knows formats 1 to {today}. Upgrade "
            "forecaster, or name another ledger in FORECASTER_LEDGER."
        )
    return found


def migrate(connection: Connection, where: str, steps: Sequence[Step] = STEPS) -> None:
    """Makes the tables where there are none, and brings older ones up to date, all in one transaction.

    Args:
        connection: In a transaction.
        where: What errors call the ledger.
        steps: See `STEPS`.

    Raises:
        StoreError: The ledger was written by a newer program.
    """
    today = len(steps) + 1
    found = format_of(connection, where, today)
    if found is None:
        tables.create_all(connection)
        connection.execute(insert(ledger_format).values(format=today))
        return
    for step in steps[found - 1 :]:
        step(connection)
    if found < today:
        connection.execute(update(ledger_format).values(format=today))

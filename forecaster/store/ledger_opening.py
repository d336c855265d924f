"""Opening a ledger: the engine, a look at its health, quarantine for a damaged file, migration."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from forecaster.errors import DefinitionError, StoreError
from forecaster.store.durable import exclusive, explained, make_folder
from forecaster.store.ledger_tables import STEPS, Step, format_of, migrate

__all__ = ["explained_sql", "ledger_url", "looking", "open_engine"]

logger = logging.getLogger(__name__)

BUSY_SECONDS = 30
"""How long a writer waits for another one."""


def ledger_url(store: Path, given: str | None = None) -> URL:
    """Where the ledger is: as given, else as FORECASTER_LEDGER says, else `ledger.sqlite` in the store.

    Args:
        store: The store's folder.
        given: A SQLAlchemy URL, or the path of an SQLite file.

    Raises:
        DefinitionError: It is neither.
    """
    told = given or os.environ.get("FORECASTER_LEDGER")
    if not told:
        return URL.create("sqlite", database=str(store / "ledger.sqlite"))
    if "://" not in told:
        return URL.create("sqlite", database=told)
    try:
        url = make_url(told)
    except (ArgumentError, ValueError) as error:
        raise DefinitionError(f"ledger: {error}; write postgresql+psycopg://user:word@host/database, say") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise DefinitionError("ledger: a ledger in memory is forgotten at once; name a file: sqlite:///ledger.sqlite")
    return url


def open_engine(url: URL, steps: Sequence[Step] = STEPS, reading: bool = False) -> Engine:
    """Opens a ledger, and makes it where there is none. A damaged SQLite file is set aside and a fresh one made.

    Args:
        url: Where it is.
        steps: See `ledger_tables.STEPS`.
        reading: Whether it is only read, so that a file which this user may not write does, too.

    Raises:
        StoreError: It cannot be reached or written, or is of a newer format.
        DefinitionError: The database's driver is not installed.
    """
    if url.get_backend_name() != "sqlite":
        return _prepared(_engine(url), url, steps)
    path = Path(str(url.database))
    with explained("open the ledger", path.parent):
        if reading and path.exists() and not _writable(path):
            return _prepared(_reading_engine(path), url, steps)
        make_folder(path.parent)
        with exclusive(path.with_name(f".{path.name}.lock")):
            if path.exists():
                _set_aside_if_damaged(path)
            return _prepared(_engine(url), url, steps)


def looking(engine: Engine) -> Engine:
    """The same ledger for steps that only read: these wait for no writer."""
    return engine.execution_options(looking=True)


@contextmanager
def explained_sql(url: URL) -> Iterator[None]:
    """Lets a database's error come out as a `StoreError` with place and remedy."""
    try:
        yield
    except IntegrityError:
        raise  # no fault of the database: another process was quicker
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        raise StoreError(f"the ledger {_shown(url)}: {said}. {_remedy(said, url)}") from error


def _prepared(engine: Engine, url: URL, steps: Sequence[Step]) -> Engine:
    try:
        with explained_sql(url):
            _prepare(engine, url, steps)
    except BaseException:  # of any kind: no connection stays open behind it
        engine.dispose()
        raise
    return engine


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            return create_engine(url, pool_pre_ping=True, pool_size=2)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DefinitionError(
            f"ledger: {url.drivername} cannot be used ({error}); pip install 'forecaster[postgres]' brings PostgreSQL's"
        ) from None
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    return engine


def _writable(path: Path) -> bool:
    return all(os.access(one, os.W_OK, effective_ids=True) for one in (path, path.parent))


def _reading_engine(path: Path) -> Engine:
    """Reads an SQLite file beside which nothing can be made; each step opens it anew, since others may write to it."""

    def connect() -> sqlite3.Connection:
        written = path.with_name(f"{path.name}-wal").exists()  # or nobody is at it, and SQLite is told so
        place = f"{path.absolute().as_uri()}?{'mode=ro' if written else 'immutable=1'}"
        return sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS, isolation_level=None)

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """A writer waits for the other one at once, and not where it would have to begin anew."""
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("looking") else "BEGIN IMMEDIATE")


def _tune(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # sqlite3 begins transactions late by itself; SQLAlchemy begins ours
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare(engine: Engine, url: URL, steps: Sequence[Step]) -> None:
    with looking(engine).begin() as connection:
        if format_of(connection, _shown(url), len(steps) + 1) == len(steps) + 1:
            return
    with engine.begin() as connection:
        if url.get_backend_name() == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20260401)")  # two may make the tables at once
        migrate(connection, _shown(url), steps)


def _set_aside_if_damaged(path: Path) -> None:
    """Renames an SQLite file that is none, or is damaged."""
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            trouble = None if found == ("ok",) else str(found)
    except sqlite3.OperationalError:
        return  # a right or the disk is missing: the engine's own first step says so
    except sqlite3.DatabaseError as error:
        trouble = str(error)
    if trouble is None:
        return
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    for ending in ("-wal", "-shm"):
        side = path.with_name(path.name + ending)
        if side.exists():
            side.rename(aside.with_name(aside.name + ending))
    path.rename(aside)
    logger.warning(
        "%s was damaged (%s). It was set aside as %s and a fresh ledger begun: past runs are not shown any more, "
        "published versions are as they were.", path, trouble, aside.name,
    )  # fmt: skip


def _left_behind(path: Path) -> bool:
    """Whether the last steps still stand beside an SQLite file, and nobody is at it."""
    wal, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    return wal.exists() and not index.exists()


def _shown(url: URL) -> str:
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _remedy(said: str, url: URL) -> str:
    path = Path(str(url.database))
    if "unable to open" in said and _left_behind(path):
        return (
            f"Its last steps stand in {path.name}-wal, which only a writer can read; let a user who may write "
            f"{path.parent} call forecaster runs once, then try again."
        )
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return f"Give this user the right to write {path.parent}, then try again."
    if "full" in said or "No space" in said:
        return "Free some disk space, then try again."
    if "locked" in said:
        return "Another process writes to it all the time; end that one, then try again."
    if "malformed" in said or "not a database" in said:
        return "It is damaged; the next command sets it aside and begins a fresh one."
    return "Check that the database can be reached and that this user may write to it, then try again."

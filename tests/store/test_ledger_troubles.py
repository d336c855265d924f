"""Ledgers that are damaged, old, new, out of reach, full; and writers that are killed at every step."""

import logging
import os
import resource
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import Connection, event, text

from forecaster.errors import DefinitionError, ForecasterError, StoreError
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_opening import ledger_url, open_engine
from forecaster.store.ledger_records import Claim, Ending

SLOT = datetime(2026, 3, 1, 3, tzinfo=UTC)
ENDING = Ending("kept", "the champion is better")


def fill(folder: Path, runs: int = 1) -> Path:
    with Ledger(folder) as ledger:
        for number in range(runs):
            claim = ledger.claim(f"p{number}", SLOT, "schedule", allowed=3)
            assert isinstance(claim, Claim)
            ledger.finish(claim, ENDING)
    return folder / "ledger.sqlite"


def dump(path: Path) -> list[str]:
    """What a ledger holds. (Its bytes move, too, when another connection's log is taken over.)"""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("damage", ["text", "truncated", "overwritten"])
def test_a_damaged_file_is_set_aside_and_a_fresh_ledger_begun(tmp_path: Path, caplog, damage: str) -> None:
    path = fill(tmp_path, 40)
    whole = path.read_bytes()
    if damage == "text":
        path.write_text("this is no ledger, whatever its name says " * 100)
    elif damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    damaged = path.read_bytes()
    with caplog.at_level(logging.WARNING, "forecaster"), Ledger(tmp_path) as ledger:
        assert ledger.runs() == []
        assert isinstance(ledger.claim("p0", SLOT, "schedule", allowed=3), Claim)
    (aside,) = tmp_path.glob("ledger.sqlite.damaged-*")
    assert aside.read_bytes() == damaged
    assert "set aside" in caplog.text and aside.name in caplog.text
    with Ledger(tmp_path) as ledger:
        assert len(ledger.runs()) == 1, "the fresh one stays"


def test_a_ledger_of_an_older_format_is_migrated_and_a_newer_one_is_left_alone(tmp_path: Path) -> None:
    path = fill(tmp_path)

    def add_a_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE runs ADD COLUMN colour TEXT DEFAULT 'blue'"))

    def fail(connection: Connection) -> None:
        connection.execute(text("UPDATE runs SET colour = 'red'"))
        raise StoreError("a migration that fails")

    url = ledger_url(tmp_path)
    with pytest.raises(StoreError, match="migration that fails"):
        open_engine(url, (add_a_column, fail))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT format FROM ledger_format").fetchall() == [(1,)], "all of it or nothing"
    engine = open_engine(url, (add_a_column,))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT colour, outcome FROM runs")).all() == [("blue", "kept")]
        assert connection.execute(text("SELECT format FROM ledger_format")).all() == [(2,)]
    engine.dispose()
    before = dump(path)
    with pytest.raises(StoreError, match=r"format 2, and this program knows formats 1 to 1\. Upgrade forecaster"):
        Ledger(tmp_path)
    assert dump(path) == before


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ("sqlite://", "forgotten at once"),
        ("nonsense://x/y", "nonsense cannot be used"),
        ("postgresql://127.0.0.1:1/none", "Check that the database can be reached"),
        ("/proc/no/ledger.sqlite", "Cannot open the ledger"),
    ],
)
def test_an_address_that_does_not_serve_is_an_error_with_a_remedy(tmp_path: Path, given: str, fragment: str) -> None:
    with pytest.raises(ForecasterError, match=fragment):
        Ledger(tmp_path, given)


def test_the_ledger_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORECASTER_LEDGER", str(tmp_path / "elsewhere" / "book.sqlite"))
    fill(tmp_path)
    assert (tmp_path / "elsewhere" / "book.sqlite").exists() and not (tmp_path / "ledger.sqlite").exists()
    monkeypatch.setenv("FORECASTER_LEDGER", "postgresql://user:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError) as caught:
        Ledger(tmp_path)
    assert "secret" not in str(caught.value)
    with pytest.raises(DefinitionError, match="write postgresql"):
        ledger_url(tmp_path, "postgresql://host:port/name")


def in_a_child(job) -> int:
    """Does a job in a forked process; its exit code, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            job()
        except ForecasterError as error:
            os.write(2, str(error).encode())
            os._exit(2)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_full_disk_and_a_read_only_folder_are_told_and_what_was_written_stays(tmp_path: Path, capfd) -> None:
    path = fill(tmp_path, 3)

    def with_a_full_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Ledger(tmp_path) as ledger:
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
            for number in range(100):
                ledger.claim(f"more{number}", SLOT, "schedule", allowed=3)

    assert in_a_child(with_a_full_disk) == 2
    told = capfd.readouterr().err
    assert "the ledger" in told and "then try again" in told
    with Ledger(tmp_path) as ledger:
        assert len(ledger.runs(("p0", "p1", "p2"))) == 3

    def without_the_right() -> None:
        if os.geteuid() == 0:
            os.seteuid(65534)
        Ledger(tmp_path)

    for part in (tmp_path, path):
        part.chmod(0o555 if part.is_dir() else 0o444)
    tmp_path.parent.chmod(0o755)
    code = in_a_child(without_the_right)
    tmp_path.chmod(0o755)
    assert code == 2 and "then try again" in capfd.readouterr().err


def test_a_writer_killed_at_any_statement_leaves_a_whole_ledger(tmp_path: Path) -> None:
    """SIGKILL just before the k-th statement of claim, heartbeat, failure, claim and ending, commits included."""

    def work(folder: Path, kill_at: int) -> None:
        with Ledger(folder) as ledger:
            steps = count(1)

            def step(*_: object) -> None:
                if next(steps) == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(ledger._engine, "before_cursor_execute", step)
            event.listen(ledger._engine, "commit", step)
            claim = ledger.claim("energy", SLOT, "schedule", allowed=3)
            assert isinstance(claim, Claim)
            ledger.beat(claim)
            ledger.finish(claim, ENDING)

    seen = set()
    for kill_at in count(1):
        folder = tmp_path / str(kill_at)
        code = in_a_child(lambda folder=folder, kill_at=kill_at: work(folder, kill_at))
        with Ledger(folder) as ledger:
            lease, runs = ledger.lease_of("energy"), ledger.runs()
            state = runs[0].state if runs else None
            seen.add(state)
            assert (lease is not None) == (state == "running"), "lease and run agree"
            if lease:
                assert ledger.is_dead(lease)
                ledger.bury("energy", lease, "it was killed", lambda mark: None)
                assert ledger.runs()[0].state == "waiting"
            assert not list(folder.glob("*.damaged-*"))
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert seen == {None, "running", "done"} and kill_at > 15


def test_who_only_looks_waits_for_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fill(tmp_path)
    monkeypatch.setattr("forecaster.store.ledger_opening.BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with Ledger(tmp_path) as ledger:
            assert [run.pipeline for run in ledger.runs()] == ["p0"]
            assert (ledger.run(1).outcome, ledger.last("p0", SLOT), ledger.leased()) == ("kept", ledger.run(1), {})
            assert ledger.lease_of("p0") is None
            with pytest.raises(StoreError, match=r"locked\. Another process writes"):
                ledger.claim("p1", SLOT, "schedule", allowed=3)


@pytest.mark.parametrize("written", [False, True], ids=["left alone", "beside its writer"])
def test_a_ledger_that_may_not_be_written_can_be_read(capfd, written: bool) -> None:
    def look(folder: Path) -> None:
        if os.geteuid() == 0:
            os.seteuid(65534)
        with Ledger(folder, reading=True) as ledger:
            print(*[run.pipeline for run in ledger.runs()], flush=True)
            ledger.claim("p9", SLOT, "schedule", allowed=3)

    with TemporaryDirectory() as name:
        path = fill(Path(name))
        with Ledger(Path(name)) as writer:
            if written:
                writer.claim("p1", SLOT, "schedule", allowed=3)
            else:
                writer.close()
            path.chmod(0o444)
            path.parent.chmod(0o555)
            code = in_a_child(lambda: look(path.parent))
            path.parent.chmod(0o755)
    told = capfd.readouterr()
    assert (code, told.out.split()) == (2, ["p1", "p0"] if written else ["p0"]), told.err
    assert "right to write" in told.err, "and what would write is refused with the remedy"


def test_steps_that_only_a_writer_can_read_are_told_to_a_reader(capfd) -> None:
    """A copy of the file and of its log, say, or what is left when a machine went down."""

    def look(folder: Path) -> None:
        if os.geteuid() == 0:
            os.seteuid(65534)
        Ledger(folder, reading=True)

    with TemporaryDirectory() as name, TemporaryDirectory() as other:
        fill(Path(name))
        with Ledger(Path(name)) as writer:
            writer.claim("p1", SLOT, "schedule", allowed=3)
            for ending in ("", "-wal"):
                shutil.copy(Path(name) / f"ledger.sqlite{ending}", other)
        Path(other).chmod(0o555)
        code = in_a_child(lambda: look(Path(other)))
        Path(other).chmod(0o755)
        told = capfd.readouterr().err
        assert code == 2 and "ledger.sqlite-wal" in told and f"may write {other} call forecaster runs once" in told
        with Ledger(Path(other)) as ledger:
            assert [run.pipeline for run in ledger.runs()] == ["p1", "p0"]

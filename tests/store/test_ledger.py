"""The ledger's rules, on SQLite and on a real PostgreSQL server: one at a time, N attempts, nothing twice."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres import postgres

from forecaster.store.ledger import Ledger
from forecaster.store.ledger_claims import LeaseLostError
from forecaster.store.ledger_records import Claim, Ending, Refusal

SLOT = datetime(2026, 3, 1, 3, tzinfo=UTC)
KEPT = Ending("kept", "the champion is better", p=0.4, scores={"mase": {"champion": 0.7, "odd": float("nan")}})


class Clock:
    """Tells the time that a test says."""

    def __init__(self) -> None:
        self.now = SLOT

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh ledger's address."""
    if request.param == "sqlite":
        yield str(tmp_path / "ledger.sqlite")
        return
    import psycopg

    url = request.getfixturevalue("server")
    name = f"t{abs(hash(request.node.name))}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield url.replace("/postgres", f"/{name}")


Opened = Callable[[], Ledger]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(place: str, clock: Clock, tmp_path: Path) -> Iterator[Opened]:
    """Opens the ledger; every call is another process's view."""
    made = []

    def one() -> Ledger:
        made.append(Ledger(tmp_path, place, clock=clock))
        return made[-1]

    yield one
    for ledger in made:
        ledger.close()


def claimed(
    ledger: Ledger, slot: datetime = SLOT, pipeline: str = "energy", cause="schedule", missed: int = 0
) -> Claim:
    claim = ledger.claim(pipeline, slot, cause, allowed=3, missed=missed)
    assert isinstance(claim, Claim), claim
    return claim


def refused(ledger: Ledger, slot: datetime = SLOT, cause="schedule") -> Refusal:
    refusal = ledger.claim("energy", slot, cause, allowed=3)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def nothing_stored(mark: str) -> None:
    return None


def test_a_slot_is_run_once_and_what_was_found_is_kept(opened: Opened) -> None:
    here, there = opened(), opened()
    claim = claimed(here, missed=2)
    busy = refused(there)
    assert busy.why == "busy" and busy.lease and busy.until == SLOT + timedelta(seconds=60)
    assert refused(there, cause="hand", slot=SLOT + timedelta(minutes=1)).why == "busy", "one pipeline, one at a time"
    assert isinstance(there.claim("other", SLOT, "schedule", allowed=3), Claim), "other pipelines are not disturbed"
    here.finish(claim, KEPT)
    assert refused(there).why == "settled"
    (run,) = there.runs(("energy",))
    assert (run.state, run.outcome, run.p, run.missed, run.slot, run.finished) == ("done", "kept", 0.4, 2, SLOT, SLOT)
    assert run.scores == {"mase": {"champion": 0.7, "odd": None}}
    assert [one.outcome for one in run.attempts] == ["done"]


def test_of_many_that_claim_at_once_exactly_one_has_it(opened: Opened) -> None:
    ledgers = [opened() for _ in range(6)]
    for round_ in range(5):
        slot, barrier = SLOT + timedelta(days=round_), threading.Barrier(len(ledgers))
        found: list[tuple[Ledger, Claim | Refusal]] = []

        def race(ledger: Ledger, slot: datetime = slot, barrier: threading.Barrier = barrier, found=found) -> None:
            barrier.wait()
            found.append((ledger, ledger.claim("energy", slot, "schedule", allowed=3)))

        threads = [threading.Thread(target=race, args=(ledger,)) for ledger in ledgers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [(ledger, claim) for ledger, claim in found if isinstance(claim, Claim)]
        assert len(winners) == 1 and len(found) == len(ledgers)
        winners[0][0].finish(winners[0][1], KEPT)
    assert len(ledgers[0].runs()) == 5


def test_a_failure_is_tried_again_after_growing_pauses_and_given_up_after_the_third(
    opened: Opened, clock: Clock
) -> None:
    ledger = opened()
    for number, minutes in enumerate((1, 5), 1):
        claim = claimed(ledger)
        assert claim.number == number
        assert ledger.fail(claim, f"trouble {number}") == clock.now + timedelta(minutes=minutes)
        waiting = refused(ledger)
        assert (waiting.why, waiting.until) == ("waiting", clock.now + timedelta(minutes=minutes))
        clock.pass_(minutes=minutes)
    assert ledger.fail(claimed(ledger), "trouble 3") is None
    assert refused(ledger).why == "settled"
    (run,) = ledger.runs()
    assert (run.state, run.outcome, run.reason) == ("failed", "failed", "trouble 3")
    assert [one.reason for one in run.attempts] == ["trouble 1", "trouble 2", "trouble 3"]


def test_what_is_asked_for_by_hand_is_not_tried_again(opened: Opened) -> None:
    ledger = opened()
    assert ledger.fail(claimed(ledger, cause="hand"), "trouble") is None
    assert ledger.runs()[0].state == "failed"


def test_heartbeats_keep_a_lease_and_a_dead_ones_run_is_taken_up(opened: Opened, clock: Clock) -> None:
    here, there = opened(), opened()
    claim = claimed(here)
    clock.pass_(seconds=50)
    assert here.beat(claim)
    seen = there.lease_of("energy")
    assert seen and seen.expires == clock.now + timedelta(seconds=60)
    assert here.beat(claim)
    there.bury("energy", seen, "it ended", nothing_stored)  # it has beaten since it was seen
    assert there.lease_of("energy")
    dead = there.lease_of("energy")
    assert dead
    there.bury("energy", dead, "it ended", nothing_stored)
    clock.pass_(minutes=1)
    again = claimed(there)
    assert again.run == claim.run and again.number == 2
    assert not here.beat(claim), "the first one learns that it lost the lease"
    for late in (lambda: here.finish(claim, KEPT), lambda: here.fail(claim, "x"), lambda: here.stop(claim, "x")):
        with pytest.raises(LeaseLostError, match="ran out"):
            late()
    there.finish(again, KEPT)
    assert [one.outcome for one in there.runs()[0].attempts] == ["lost", "done"]


def test_what_a_dead_one_had_published_counts(opened: Opened) -> None:
    ledger = opened()
    claim = claimed(ledger)
    dead = ledger.lease_of("energy")
    assert dead
    found = Ending("promoted", "by its manifest", 7, p=0.01)
    assert ledger.bury("energy", dead, "it ended", lambda mark: found if mark == claim.mark else None) == claim.run
    (run,) = ledger.runs()
    assert (run.state, run.outcome, run.version, run.p) == ("done", "promoted", 7, 0.01)
    assert refused(ledger).why == "settled"


@pytest.mark.parametrize("since", ["waits", "is tried again", "is given up"])
def test_what_was_stored_without_a_lease_is_recorded_once_and_ends_the_run(opened: Opened, clock: Clock, since) -> None:
    here, there = opened(), opened()
    claim = claimed(here)
    lease = there.lease_of("energy")
    assert lease
    there.bury("energy", lease, "it fell silent", nothing_stored)
    clock.pass_(minutes=1)
    again = None if since == "waits" else claimed(there)
    if again and since == "is given up":
        there.fail(again, "trouble")
        clock.pass_(minutes=5)
        there.fail(claimed(there), "trouble")
    assert here.amend(claim, Ending("promoted", "published all the same", 2))
    (run,) = there.runs()
    assert (run.state, run.outcome, run.version, run.attempts[0].outcome) == ("done", "promoted", 2, "done")
    assert there.leased() == {} and not here.amend(claim, KEPT)
    assert all(one.outcome and one.ended for one in run.attempts)
    if again and since == "is tried again":
        with pytest.raises(LeaseLostError):
            there.finish(again, KEPT)
    assert there.runs() == [run]


def test_what_is_running_and_goes_on_no_more_says_so(opened: Opened, clock: Clock, monkeypatch) -> None:
    ledger = opened()
    claim = claimed(ledger)
    assert ledger.run(claim.run).trouble is None
    clock.pass_(minutes=2)
    assert "silent, and its lease ran out at 2026-03-01 03:01 UTC" in str(ledger.run(claim.run).trouble)
    monkeypatch.setattr("forecaster.store.ledger.is_dead", lambda owner: True)
    assert "lives no more" in str(ledger.run(claim.run).trouble)
    ledger.finish(claim, KEPT)
    assert ledger.run(claim.run).trouble is None


def test_an_interruption_counts_as_no_attempt(opened: Opened) -> None:
    ledger = opened()
    for _ in range(5):
        ledger.stop(claimed(ledger), "interrupted")
    assert claimed(ledger).number == 1


def test_the_next_slot_supersedes_one_that_still_waits(opened: Opened, clock: Clock) -> None:
    ledger = opened()
    first = claimed(ledger)
    ledger.fail(first, "trouble")
    second = claimed(ledger, SLOT + timedelta(days=1))
    assert second.superseded == (first.run,)
    ledger.stop(second, "interrupted")
    third = claimed(ledger, SLOT + timedelta(days=2))
    assert third.superseded == (), "an interruption is no failure"
    ledger.finish(third, KEPT)
    assert [(run.state, run.outcome) for run in ledger.runs()] == [
        ("done", "kept"), ("failed", "superseded"), ("failed", "superseded"),
    ]  # fmt: skip
    assert ledger.runs()[2].reason == "trouble; the next slot (2026-03-02 03:00 UTC) came before another attempt"


def test_runs_are_found_by_pipeline_state_outcome_and_time(opened: Opened, clock: Clock) -> None:
    ledger = opened()
    for day, pipeline in enumerate(("a", "b", "a", "b")):
        claim = claimed(ledger, SLOT + timedelta(days=day), pipeline)
        ledger.finish(claim, KEPT) if pipeline == "a" else ledger.fail(claim, "trouble")
    assert [run.slot.day for run in ledger.runs()] == [4, 3, 2, 1]
    assert [run.slot.day for run in ledger.runs(("a",))] == [3, 1]
    assert [run.slot.day for run in ledger.runs(state="waiting")] == [4]
    assert [run.slot.day for run in ledger.runs(outcome="superseded")] == [2]
    assert [run.slot.day for run in ledger.runs(since=SLOT + timedelta(days=2))] == [4, 3]
    assert len(ledger.runs(limit=1)) == 1
    ledger.finish(claimed(ledger, SLOT - timedelta(days=1), "late"), KEPT)
    assert ledger.runs(limit=1)[0].pipeline == "late", "a slot that was missed, made up for last"
    last = ledger.last("b", SLOT + timedelta(days=2))
    assert last and last.slot.day == 2

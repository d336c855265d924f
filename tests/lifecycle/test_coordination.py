"""Claim, work, publish, record: in which order, how often, and what a bad end in between leaves behind."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import event

from forecaster.errors import StoreError
from forecaster.execution import LocalExecutor
from forecaster.lifecycle import coordination
from forecaster.lifecycle.due import Job
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Claim
from tests.lifecycle.conftest import NIGHT, Here, World
from tests.store.fake_publisher import publish, tag_of


def test_what_is_better_is_published_with_the_attempts_mark_and_what_is_not_stays_out(world, pool):
    better, worse = world.pipeline("better", "publish"), world.pipeline("worse", "keep")
    reports = world.coordinator(pool).retrain(world.due(better, worse))
    assert {report.pipeline: (report.run.outcome, report.exit_code) for report in reports} == {
        "better": ("promoted", 0), "worse": ("kept", 0),
    }  # fmt: skip
    assert (world.store.versions("better"), world.store.versions("worse")) == ([1], [])
    assert len(world.store.manifest("better").attempt) == 32 and tag_of(world.store.read("better"))
    assert world.due(better, worse) == [] and world.coordinator(pool).retrain([]) == []
    world.clock.pass_(days=1)
    world.coordinator(pool).retrain(world.due(better))
    assert world.store.versions("better") == [1, 2]
    run = world.ledger.runs(("better",))[0]
    assert (run.version, run.p, run.data_hash, run.reason) == (2, 0.01, "ab", "as told")
    assert list((world.project.store / ".staging").iterdir()) == [world.project.store / ".staging/.lock"]


def test_bad_ends_are_recorded_tried_again_and_disturb_nobody(world, heard):
    """A fit that is killed, hangs, returns NaN or finds half a file, among others that are well."""
    quick = {"cron": "0 3 * * *", "time_limit": "1s", "attempts": 2}
    wishes = {"dies": "die", "once": "die once", "nan": "nan", "cut": "half a file", "well": "publish", "also": "keep"}
    pipelines = [world.pipeline(name, wish, schedule={**quick, "time_limit": "60s"}) for name, wish in wishes.items()]
    pipelines.append(world.pipeline("hangs", "hang", schedule=quick))
    reports = {one.pipeline: one for one in world.coordinator(workers=2).retrain(world.due(*pipelines))}
    assert {name: one.exit_code for name, one in reports.items()} == {
        "dies": 3, "once": 3, "nan": 2, "cut": 2, "well": 0, "also": 0, "hangs": 3,
    }  # fmt: skip
    assert "SIGKILL" in reports["dies"].text and "time limit of 1 s" in reports["hangs"].text
    assert reports["nan"].again == world.clock() + timedelta(minutes=1) and not [
        one for one in heard if one.kind == "failure"
    ]
    assert world.coordinator().retrain(world.due(*pipelines))[0].exit_code == 0, "they wait for their next attempt"
    world.clock.pass_(minutes=1)
    again = {one.pipeline: one for one in world.coordinator(workers=2).retrain(world.due(*pipelines))}
    assert again["once"].run.outcome == "promoted" and again["once"].run.slot == NIGHT
    for name in ("dies", "nan", "cut", "hangs"):
        assert (again[name].run.state, again[name].again, len(again[name].run.attempts)) == ("failed", None, 2)
    assert sorted(one.pipeline for one in heard if one.kind == "failure") == ["cut", "dies", "hangs", "nan"]
    assert sorted(one.pipeline for one in heard if one.kind == "promotion") == ["once", "well"]
    assert sorted(world.store.names()) == ["once", "well"]
    assert world.due(*pipelines) == []


def test_somebody_hears_of_missed_slots_and_of_drift(world, pool, heard):
    pipeline = world.pipeline("a", "drifted")
    world.coordinator(pool).retrain(world.due(pipeline))
    assert [(one.kind, one.pipeline, one.text) for one in heard] == [("drift", "a", "the errors have doubled")]
    world.clock.pass_(days=3)
    world.coordinator(pool).retrain(world.due(pipeline))
    assert [one.kind for one in heard] == ["drift", "missed", "drift"]
    assert heard[1].text.startswith("2 slots before 2026-03-04 03:00 UTC were missed")


def test_a_champion_that_came_meanwhile_is_not_overrun(world):
    pipeline = world.pipeline("a", "wait")
    executor = LocalExecutor()
    reports = []
    thread = threading.Thread(target=lambda: reports.extend(world.coordinator(executor).retrain(world.due(pipeline))))
    thread.start()
    while not world.began():
        time.sleep(0.02)
    publish(world.store, "by hand", "a")
    (world.folder / "go").touch()
    thread.join()
    assert reports[0].exit_code == 2 and "retrain" in reports[0].text and reports[0].again
    assert world.store.versions("a") == [1] and tag_of(world.store.read("a")) == "by hand"


def test_two_coordinators_on_one_ledger_run_a_slot_once(world):
    pipelines = [world.pipeline(name, "wait") for name in "abcd"]
    jobs = world.due(*pipelines)
    reports: list = []
    with Ledger(world.project.store, clock=world.clock) as second:
        other = World(world.folder)
        other.ledger, other.clock = second, world.clock
        threads = [
            threading.Thread(target=lambda one=one: reports.extend(one.coordinator(workers=2).retrain(jobs)))
            for one in (world, other)
        ]
        for thread in threads:
            thread.start()
        (world.folder / "go").touch()
        for thread in threads:
            thread.join()
    assert sorted(world.began()) == ["a", "b", "c", "d"]
    assert [world.store.versions(name) for name in "abcd"] == [[1]] * 4
    assert len(reports) == 8 and {report.exit_code for report in reports} == {0}


def die_before(kill_at: int, world: World) -> None:
    """Kill this process before its k-th lock, rename, new file or folder in the store, or statement to the ledger."""
    steps = count(1)

    def step(*_: object) -> None:
        if next(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(name: str, arguments: tuple) -> None:
        if name in ("os.rename", "os.mkdir", "open") and str(arguments[0]).startswith(str(world.project.store)):
            if name != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
                step()
        elif name == "fcntl.flock":
            step()

    for kind in ("before_cursor_execute", "commit"):
        event.listen(world.ledger._engine, kind, step)
    sys.addaudithook(hook)


def test_a_coordinator_killed_at_any_step_publishes_nothing_twice_and_loses_nothing(world):
    """SIGKILL before the k-th change in the store or statement to the ledger; then the next coordinator goes on."""
    versions, pipeline, before = set(), world.pipeline("energy", "publish"), world.folder / "before"
    world.ledger.close()
    shutil.copytree(world.project.store, before)
    for kill_at in count(1):
        shutil.rmtree(world.project.store)
        shutil.copytree(before, world.project.store)
        world.clock.now = NIGHT + timedelta(minutes=5)
        child = os.fork()
        if child == 0:
            coordinator, jobs = world.coordinator(Here()), world.due(pipeline)
            die_before(kill_at, world)
            coordinator.retrain(jobs)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL)
        versions.add(len(world.store.versions("energy")))
        champion_before = world.store.champion("energy")
        while jobs := world.due(pipeline):  # what was lost waits a minute for its next attempt
            world.coordinator(Here()).retrain(jobs)
            world.clock.pass_(minutes=2)
        (run,) = world.ledger.runs()
        assert (run.state, run.outcome, run.version) == ("done", "promoted", 1)
        assert world.store.versions("energy") == [1] and tag_of(world.store.read("energy"))
        assert champion_before in (None, 1) and world.ledger.leased() == {} and world.due(pipeline) == []
        world.store.sweep()
        assert [path.name for path in (world.project.store / ".staging").iterdir()] == [".lock"]
        world.ledger.close()
        if code == 0:
            break
    assert versions == {0, 1} and kill_at > 50


def test_a_coordinator_beats_until_what_came_of_it_is_recorded(world, pool, monkeypatch):
    """A slow disk, or a busy ledger, is no reason to take a run up."""
    world.ledger.lease = timedelta(seconds=0.2)
    receive, beats = coordination.receive, []

    def slowly(*told, **more):
        beats.append(world.ledger.lease_of("a").beats)
        deadline = time.monotonic() + 10
        while world.ledger.lease_of("a").beats < beats[0] + 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        beats.append(world.ledger.lease_of("a").beats)
        return receive(*told, **more)

    monkeypatch.setattr(coordination, "receive", slowly)
    (report,) = world.coordinator(pool).retrain(world.due(world.pipeline("a", "publish")))
    assert report.run.outcome == "promoted" and beats[1] >= beats[0] + 3


def test_a_run_that_fails_until_the_next_slot_comes_is_told_with_its_reason(world, pool, heard):
    pipeline = world.pipeline("a", "nan")
    for day in range(3):
        *superseded, report = world.coordinator(pool).retrain(world.due(pipeline))
        assert report.again and len(superseded) == len(heard) == min(day, 1)
        for one in superseded:
            assert (one.exit_code, one.run.outcome, one.run.slot) == (
                3,
                "superseded",
                report.run.slot - timedelta(days=1),
            )
            assert (
                one.text.startswith("the loss is not finite at step 3; the next slot") and heard.pop().text == one.text
            )
        world.clock.pass_(days=1)


def test_of_two_coordinators_the_one_that_did_it_tells(world, pool, heard):
    jobs = world.due(
        world.pipeline("a", "publish"), world.pipeline("b", "nan", schedule={"cron": "@daily", "attempts": 1})
    )
    first, second = (world.coordinator(pool).retrain(jobs) for _ in range(2))
    assert [one.exit_code for one in first] == [0, 2] and [(one.kind, one.pipeline) for one in heard] == [
        ("promotion", "a"), ("failure", "b"),
    ]  # fmt: skip
    assert [one.exit_code for one in second] == [0, 0]
    assert second[1].text == "has been retrained for this slot already: the loss is not finite at step 3"


def test_what_killed_ones_have_left_is_swept_where_nothing_is_due(world, pool):
    (world.project.store / ".staging" / "a.left").mkdir(parents=True)
    assert world.coordinator(pool).retrain([]) == []
    assert not (world.project.store / ".staging" / "a.left").exists()


def test_a_champion_dated_before_zip_begins_is_challenged_like_any_other(world, pool):
    pipeline = world.pipeline("a", "publish")
    world.coordinator(pool).retrain(world.due(pipeline))
    for path in (world.project.store / "a/1/saved_model.pb", world.store.read("a").side / "manifest.json"):
        os.utime(path, (0, 0))
    world.clock.pass_(days=1)
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    assert (report.run.outcome, report.run.version) == ("promoted", 2), report.text


def test_a_lease_of_another_host_is_taken_only_if_it_is_silent_while_watched(world, pool, monkeypatch):
    pipeline = world.pipeline("a", "publish")
    monkeypatch.setattr("forecaster.store.ledger.owner", lambda: "elsewhere:1:2")
    claim = world.ledger.claim("a", NIGHT, "schedule", allowed=3)
    assert isinstance(claim, Claim)
    monkeypatch.undo()
    assert "elsewhere:1:2" in world.coordinator(pool).retrain(world.due(pipeline))[0].text, "its lease still holds"
    world.clock.pass_(minutes=2)  # or this machine's clock runs ahead
    watched = []

    def it_beats(seconds: float) -> None:
        watched.append(seconds)
        world.ledger.beat(claim)

    assert world.coordinator(pool, sleep=it_beats).retrain(world.due(pipeline))[0].run is None
    assert watched == [30] and world.began() == []
    world.clock.pass_(minutes=2)
    world.coordinator(pool, sleep=watched.append).retrain(world.due(pipeline))
    world.clock.pass_(minutes=2)
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    assert report.run.outcome == "promoted" and [one.outcome for one in report.run.attempts] == ["lost", "done"]
    assert "fell silent" in report.run.attempts[0].reason, "and that is all that is known of it"


SCRIPT = """
import sys
from pathlib import Path
from forecaster.cli.retraining import ended_by_signals
from tests.lifecycle.conftest import World
world = World(Path(sys.argv[1]))
if __name__ == "__main__":
    with ended_by_signals():
        world.coordinator().retrain(world.due(world.pipeline("a", "hang")))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_end_by_a_signal_gives_the_run_back_and_leaves_no_worker(world, number):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, str(world.folder)]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
        while not world.began():
            time.sleep(0.05)
        threads = Path(f"/proc/{process.pid}/task").glob("*/children")
        workers = [int(one) for thread in threads for one in thread.read_text().split()]
        process.send_signal(number)
        messages = process.communicate(timeout=120)[1]
    (run,) = world.ledger.runs()
    if number == signal.SIGTERM:
        assert "KeyboardInterrupt" in messages
        assert (run.state, run.attempts[0].outcome, world.ledger.leased()) == ("waiting", "stopped", {}), messages
    else:
        (lease,) = world.ledger.leased().values()
        assert world.ledger.is_dead(lease)
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{one}").exists() for one in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers and not [one for one in workers if Path(f"/proc/{one}").exists()]


def test_a_damaged_champion_is_quarantined_and_the_one_before_it_challenged(world, pool):
    pipeline = world.pipeline("a", "publish")
    for _ in range(2):
        world.coordinator(pool).retrain(world.due(pipeline))
        world.clock.pass_(days=1)
    (world.project.store / "a/2/saved_model.pb").write_bytes(b"altered")
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    assert (report.run.outcome, report.run.version) == ("promoted", 3)
    assert world.store.versions("a") == [1, 3] and (world.project.store / ".quarantine/a/2").is_dir()


def test_a_challenger_that_lost_is_kept_and_too_many_are_pruned(world, pool):
    pipeline = world.pipeline("a", "lose", keep=2)
    for night in range(1, 5):
        (report,) = world.coordinator(pool).retrain(world.due(pipeline))
        assert (report.run.outcome, report.run.version) == ("kept", None)
        assert report.run.scores == {"challenger": night, "champion": None}
        world.clock.pass_(days=1)
    assert world.store.versions("a") == [] and world.store.challengers.numbers("a") == [3, 4]
    assert len(world.store.challengers.read("a").manifest.attempt) == 32


def test_with_on_drift_the_schedule_fits_the_first_time_only_and_a_hand_always(world, pool):
    pipeline = world.pipeline("a", "on drift", schedule={"cron": "0 3 * * *", "on_drift": True})
    outcomes = []
    for _ in range(2):
        (report,) = world.coordinator(pool).retrain(world.due(pipeline))
        outcomes.append(report.run.outcome)
        world.clock.pass_(days=1)
    (by_hand,) = world.coordinator(pool).retrain([Job(pipeline, world.clock(), "hand")])
    assert [*outcomes, by_hand.run.outcome] == ["promoted", "up to date", "promoted"]


def test_what_came_of_a_run_is_mirrored_with_what_was_stored(world, pool, monkeypatch):
    told = []
    monkeypatch.setattr("forecaster.lifecycle.coordination.mirror", lambda *said: told.append(said))
    pipelines = [world.pipeline(wish.replace(" ", ""), wish) for wish in ("publish", "lose", "keep", "half a file")]
    world.coordinator(pool).retrain(world.due(*pipelines))
    assert [(name, found.outcome, found.version) for name, found, _ in told] == [
        ("publish", "promoted", 1), ("lose", "kept", None), ("keep", "kept", None),
    ]  # fmt: skip
    assert told[0][2] == world.store.read("publish") and told[1][2] == world.store.challengers.read("lose")
    assert told[2][2] is None


def test_old_versions_that_cannot_be_removed_do_not_undo_a_run_that_ended_well(world, pool, monkeypatch, caplog):
    pipeline = world.pipeline("a", "publish", keep=1)

    def refuse(*_: object) -> None:
        raise StoreError("prune a: permission denied")

    monkeypatch.setattr("forecaster.store.cleaning.prune", refuse)
    (report,) = world.coordinator(pool).retrain(world.due(pipeline))
    assert (report.exit_code, report.run.outcome) == (0, "promoted") and "could not be removed" in caplog.text

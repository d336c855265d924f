"""The embedded scheduler: what it starts, when, and what it does about files, clocks and a second one."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecaster.errors import StoreError
from forecaster.lifecycle.schedule import Scheduler, only_one
from tests.lifecycle.conftest import World

ROOT = Path(__file__).parents[2]
NOTED_SHELL = """
echo "$2" >> "$1"
echo '{"runs": [{"pipeline": "'"$2"'", "text": "as told", "run": null}], "again": '"$3"'}'
"""


class Watched:
    """A scheduler in a thread, the lines that it said, and the starts that it made."""

    def __init__(self, world: World, shell: str = NOTED_SHELL, **options) -> None:
        self.world, self.shell, self.said, self.again = world, shell, [], "null"
        self.scheduler = Scheduler(world.project, [], self.command, told=self.said.append, look=0.05, **options)

    def command(self, path: Path) -> list[str]:
        return ["sh", "-c", self.shell, "sh", str(self.world.folder / "log"), path.stem, self.again]

    def until(self, wanted) -> None:
        deadline = time.monotonic() + 120
        while not wanted(self):
            assert time.monotonic() < deadline, (self.said, self.world.began())
            time.sleep(0.02)


@contextmanager
def watched(world: World, shell: str = NOTED_SHELL, **options) -> Iterator[Watched]:
    one = Watched(world, shell, **options)
    thread = threading.Thread(target=one.scheduler.run)
    thread.start()
    try:
        yield one
    finally:
        one.scheduler.stop()
        thread.join()


def test_it_starts_all_at_the_beginning_and_follows_the_files(world):
    world.pipeline("a", "keep")
    world.pipeline("never", "keep", schedule=None)
    with watched(world) as one:
        one.until(lambda it: world.began() == ["a"])
        world.pipeline("b", "keep", schedule="30 4 * * mon")
        one.until(lambda it: "b" in world.began())
        slots = one.scheduler.next_slots()
        assert (slots["b"].isoweekday(), slots["b"].hour, slots["b"].minute, slots["b"].tzinfo) == (1, 4, 30, UTC)
        (world.folder / "pipelines/a.yaml").write_text("horizon: 1")
        one.until(lambda it: any("a.yaml: data: missing" in line for line in it.said))
        assert sorted(one.scheduler.next_slots()) == ["b"]
        (world.folder / "pipelines/b.yaml").unlink()
        one.until(lambda it: not it.scheduler.next_slots())
        world.pipeline("a", "keep")
        one.until(lambda it: it.scheduler.next_slots())
    assert any("a: as told" in line for line in one.said) and "never" not in world.began()


def test_it_starts_again_when_told_to_and_when_the_clock_was_set(world):
    world.pipeline("a", "keep")
    jump = [timedelta(0)]
    with watched(world, clock=lambda: datetime.now(UTC) + jump[0]) as one:
        one.until(lambda it: world.began())
        one.again = json.dumps((datetime.now(UTC) + timedelta(seconds=0.3)).isoformat())
        jump[0] = timedelta(days=-1)
        one.until(lambda it: len(world.began()) >= 2)
        one.again = "null"
        assert any("the clock was set by -86400 s" in line for line in one.said)
        one.until(lambda it: len(world.began()) >= 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_changes_while_its_pipeline_is_retrained_is_looked_at_again_behind_it(world, workers):
    world.pipeline("a", "keep")
    with watched(world, f"{NOTED_SHELL}while [ ! -e {world.folder}/go ]; do sleep 0.05; done", workers=workers) as one:
        one.until(lambda it: world.began() == ["a"])
        world.pipeline("a", "keep", schedule="0 5 * * *")
        one.until(lambda it: sum("next (UTC): a at" in line for line in it.said) >= 2)
        (world.folder / "go").touch()
        one.until(lambda it: world.began() == ["a", "a"])


def test_a_retraining_that_cannot_begin_is_told_and_started_again_later(world, monkeypatch):
    heard = []
    monkeypatch.setattr("forecaster.lifecycle.schedule.notify", lambda event, project: heard.append(event))
    world.pipeline("a", "keep")
    with watched(world, "echo no ledger >&2; exit 2") as one:
        one.until(lambda it: heard)
        one.until(lambda it: it.scheduler._jobs.get_job("a:again"))
    assert (heard[0].kind, heard[0].pipeline) == ("failure", "a") and "a: no ledger" in one.said


def test_a_second_scheduler_refuses(world):
    with only_one(world.project.store):
        told = r"another scheduler \(.*:\d+:\d+, as host:process:start\).*end that one first"
        with pytest.raises(StoreError, match=told), only_one(world.project.store):
            pass
    with only_one(world.project.store):
        pass


def test_the_program_itself_retrains_what_is_due_and_ends_well(world, tmp_path):
    """The real command, with data that do not exist: the attempt fails, is recorded, and waits for the next one."""
    (world.folder / "models").mkdir(exist_ok=True)
    world.pipeline("a", "nowhere.csv")
    command = [sys.executable, "-m", "forecaster", "--project", str(world.folder), "schedule"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = []
        while not any("a: waiting" in line for line in lines):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr.read()
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert second.returncode == 2 and "another scheduler" in second.stderr
        process.send_signal(signal.SIGTERM)
        rest, messages = process.communicate(timeout=120)
    assert process.returncode == 0 and "taken up again by the next start" in rest and messages == ""
    assert "nowhere.csv" in "".join(lines)
    (run,) = world.ledger.runs()
    assert run.state == "waiting" and "nowhere.csv" in str(run.reason)

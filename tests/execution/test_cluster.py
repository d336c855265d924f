"""Tasks on a real Dask cluster of this machine: the same answers, killed workers, limits, no cluster at all."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from forecaster.config import Project, read_pipeline
from forecaster.config.search import read_space
from forecaster.errors import ForecasterError
from forecaster.execution import Task
from forecaster.execution.cluster import DaskExecutor
from forecaster.lifecycle.trial_work import TrialWork
from forecaster.lifecycle.tuning import tune
from tests.lifecycle.conftest import World
from tests.lifecycle.jobs import RESULT
from tests.lifecycle.test_group_work import members, work
from tests.pipeline.conftest import write_project

distributed = pytest.importorskip("distributed", reason="Dask is not installed (pip install 'forecaster[dask]')")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    root = str(Path(__file__).parents[2])
    paths = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{root}:{paths}" if paths else root
    try:
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster:
            yield cluster.scheduler_address
    finally:
        os.environ["PYTHONPATH"] = paths


def task(name: str, key: str = "k", order: bytes = b"", seconds: float = 60) -> Task:
    return Task(key, f"tests.execution.jobs:{name}", order, seconds)


def test_tasks_are_done_and_bad_ends_told_as_on_this_machine(address):
    tasks = [task("echo", str(number), b"x") for number in range(5)]
    tasks += [task("bad_data", "data"), task("hang", "hangs", seconds=1), task("fault", "fault")]
    answers = {answer.key: answer for answer in DaskExecutor(address).run(tasks)}
    assert [answers[str(number)].parcel for number in range(5)] == [b"x!"] * 5
    assert (answers["data"].exit_code, answers["data"].error) == (2, "row 3: no number")
    assert "time limit of 1 s" in answers["hangs"].error and "on purpose" in answers["fault"].error


def test_a_killed_workers_task_is_done_by_another_and_published_once(address, tmp_path):
    world = World(tmp_path)
    world.clock.pass_(minutes=1)
    pipelines = [world.pipeline(name, "pid then publish") for name in ("a", "b")]
    reports: list = []
    coordinator = world.coordinator(DaskExecutor(address))
    thread = threading.Thread(target=lambda: reports.extend(coordinator.retrain(world.due(*pipelines))))
    thread.start()
    _kill(tmp_path / "a.pid")
    (tmp_path / "go").touch()
    thread.join()
    assert {report.pipeline: report.run.outcome for report in reports} == {"a": "promoted", "b": "promoted"}
    assert [world.store.versions(name) for name in "ab"] == [[1], [1]]
    assert world.began().count("a") == 2, "it was begun twice and published once"
    assert len(world.ledger.runs(("a",))[0].attempts) == 1 and RESULT["reason"] == "as told"


def test_a_group_whose_worker_is_killed_is_done_by_another_and_published_once(address, tmp_path):
    world, outcomes = World(tmp_path), []
    told = members(a="pid then publish", b="pid then publish", c="publish")
    thread = threading.Thread(target=lambda: outcomes.extend(work(world, lambda: DaskExecutor(address))(told)))
    thread.start()
    _kill(tmp_path / "sales-a.pid")
    (tmp_path / "go").touch()
    thread.join()
    assert {one.label: (one.version, one.error) for one in outcomes} == dict.fromkeys("abc", (1, ""))
    assert [world.store.versions(f"sales-{label}") for label in "abc"] == [[1], [1], [1]]
    assert world.began().count("sales-a") == 2, "it was begun twice and published once"


def test_a_trial_whose_worker_is_killed_is_made_by_another_and_written_down_once(address, tmp_path):
    file = write_project(tmp_path, models=[{"extends": "gru", "units": 3}])
    (tmp_path / "wishes.json").write_text('{"trial 1": "pid then complete"}')
    work = TrialWork(Project(tmp_path), tmp_path, lambda: DaskExecutor(address), function="tests.lifecycle.jobs:trial")
    found: list = []
    search = partial(tune, read_pipeline(file), Project(tmp_path), read_space(["units=3..9"]), base=tmp_path, work=work)
    thread = threading.Thread(target=lambda: found.append(search(trials=4)))
    thread.start()
    _kill(tmp_path / "trial 1.pid")
    (tmp_path / "go").touch()
    thread.join()
    assert [one.state for one in found[0].trials] == ["complete"] * 4
    assert (tmp_path / "log").read_text().splitlines().count("trial 1") == 2, "it was begun twice and counted once"


def _kill(told: Path) -> None:
    """Kills the process that writes its id there, once it does."""
    while not (told.exists() and told.read_text()):
        time.sleep(0.02)
    os.kill(int(told.read_text()), signal.SIGKILL)


def test_no_cluster_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr("forecaster.execution.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ForecasterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9.*executor: local"):
        list(DaskExecutor("tcp://127.0.0.1:9").run([task("echo")]))


@pytest.mark.parametrize("seen", ["when it is asked", "by the futures"])
def test_a_scheduler_that_dies_is_the_same_error_as_one_that_is_not_there(monkeypatch, tmp_path, seen):
    monkeypatch.setattr("forecaster.execution.cluster.CONNECT_SECONDS", 3)
    told = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--scheduler-file", str(told)]
    with subprocess.Popen([*command, "--host", "127.0.0.1", "--port", "0"], stderr=subprocess.DEVNULL) as scheduler:
        while not (told.exists() and told.read_text()):
            time.sleep(0.05)
        executor = DaskExecutor(f"tcp://127.0.0.1:{json.loads(told.read_text())['address'].rpartition(':')[2]}")
        ended = executor._ended

        def ended_when_it_is_gone(running):
            if running and scheduler.poll() is None:
                scheduler.kill()
                time.sleep(1)
            return ended(running) if seen == "by the futures" else []

        monkeypatch.setattr(executor, "_ended", ended_when_it_is_gone)
        with pytest.raises(ForecasterError, match=r"no Dask scheduler answers at tcp://.*executor: local"):
            list(executor.run([task("echo")]))


def test_a_cluster_without_workers_says_so_and_is_given_up(monkeypatch, caplog):
    monkeypatch.setattr("forecaster.execution.cluster.HEARD_SECONDS", 0.2)
    monkeypatch.setattr("forecaster.execution.cluster.WORKER_SECONDS", 1.5)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1") as cluster,
        pytest.raises(ForecasterError, match=r"tcp://.* has no workers; start some \(dask worker tcp.*executor: local"),
    ):
        list(DaskExecutor(cluster.scheduler_address).run([task("echo", seconds=0.5)]))
    assert caplog.text.count("has no workers") == 1


def test_a_cluster_that_begins_with_no_workers_has_them_when_there_is_work(address):
    """It needs the roots that the fixture has put on the path."""
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        cluster.adapt(minimum=0, maximum=1, interval="100ms")
        (answer,) = DaskExecutor(cluster.scheduler_address).run([task("echo", order=b"x")])
    assert answer.parcel == b"x!"

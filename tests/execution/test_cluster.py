"""Tasks on a real Dask cluster of this machine: the same answers, killed workers, limits, no cluster at all."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecaster.errors import ForecasterError
from forecaster.execution import Task
from forecaster.execution.cluster import DaskExecutor
from tests.lifecycle.conftest import World
from tests.lifecycle.jobs import RESULT

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
    started = tmp_path / "a.pid"
    while not (started.exists() and started.read_text()):
        time.sleep(0.02)
    os.kill(int(started.read_text()), signal.SIGKILL)
    (tmp_path / "go").touch()
    thread.join()
    assert {report.pipeline: report.run.outcome for report in reports} == {"a": "promoted", "b": "promoted"}
    assert [world.store.versions(name) for name in "ab"] == [[1], [1]]
    assert world.began().count("a") == 2, "it was begun twice and published once"
    assert len(world.ledger.runs(("a",))[0].attempts) == 1 and RESULT["reason"] == "as told"


def test_no_cluster_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr("forecaster.execution.cluster.CONNECT_SECONDS", 0.5)
    with pytest.raises(ForecasterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9.*executor: local"):
        list(DaskExecutor("tcp://127.0.0.1:9").run([task("echo")]))

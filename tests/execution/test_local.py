"""Tasks in processes of their own: what is given back, and what a bad end costs the others."""

import os
import threading
import time
from pathlib import Path

import pytest

from forecaster.execution import LocalExecutor, Task
from forecaster.execution.worker import Worker


def task(name: str, key: str = "k", order: bytes = b"", seconds: float = 60, memory: int | None = None) -> Task:
    return Task(key, f"tests.execution.jobs:{name}", order, seconds, memory)


def test_tasks_are_done_by_several_warm_processes_which_are_recycled():
    tasks = [task("pid", str(number)) for number in range(6)]
    answers = list(LocalExecutor(workers=2, tasks_per_worker=2).run(tasks))
    assert sorted(answer.key for answer in answers) == [str(number) for number in range(6)]
    counts = [[answer.parcel for answer in answers].count(one) for one in {answer.parcel for answer in answers}]
    assert max(counts) == 2 and str(os.getpid()).encode() not in {answer.parcel for answer in answers}


def test_a_bad_end_is_told_and_disturbs_no_other_task():
    tasks = [
        task("die", "killed"), task("hang", "hangs", seconds=0.5), task("echo", "first", b"1"),
        task("leak", "leaks", memory=300 * 2**20), task("bad_data", "data"), task("diverge", "nan"),
        task("fault", "fault"), task("echo", "last", b"2"),
    ]  # fmt: skip
    answers = {answer.key: answer for answer in LocalExecutor(workers=2).run(tasks)}
    assert (answers["first"].parcel, answers["last"].parcel) == (b"1!", b"2!")
    for key, code, fragment in (
        ("killed", 3, "killed by SIGKILL"),
        ("hangs", 3, "longer than its time limit of 0.5 s"),
        ("leaks", 3, "more than its memory limit of 300 MiB"),
        ("data", 2, "row 3: no number"),
        ("nan", 2, "not finite"),
        ("fault", 3, "RuntimeError: on purpose"),
    ):
        assert answers[key].parcel is None and answers[key].exit_code == code
        assert fragment in answers[key].error
    assert answers["hangs"].seconds >= 0.5


def test_a_task_is_taken_only_when_a_worker_is_free(tmp_path):
    ended_before = []

    def source():
        for number in range(5):
            ended_before.append(len(list(tmp_path.iterdir())))
            yield task("leave", str(number), str(tmp_path / str(number)).encode())

    answers = list(LocalExecutor().run(source()))
    assert ended_before == [0, 1, 2, 3, 4] and len(answers) == 5


def test_an_error_of_the_source_comes_out_and_leaves_no_process():
    def source():
        yield task("pid")
        raise OSError("no more")

    seen = []
    with pytest.raises(OSError, match="no more"):
        for answer in LocalExecutor().run(source()):
            seen.append(answer)
    process = Path("/proc") / seen[0].parcel.decode()
    deadline = time.monotonic() + 60
    while process.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.exists()


def test_a_worker_that_two_threads_end_at_once_is_ended_once(monkeypatch):
    """A pipe closes its handle and forgets it afterwards: who comes in between closes what may be another's by then."""
    worker, errors = Worker(), []
    close = worker._pipe._close

    def slowly():
        time.sleep(0.2)
        close()

    def end():
        try:
            worker.end()
        except OSError as error:
            errors.append(error)

    monkeypatch.setattr(worker._pipe, "_close", slowly)
    threads = [threading.Thread(target=end) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and not worker.is_alive

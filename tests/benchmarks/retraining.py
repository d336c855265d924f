"""What many small retrainings cost: one worker against two, and what the program adds to each.

    python tests/benchmarks/retraining.py [--tasks 200] [--workers 1 2] [--dask] [--out FILE]

Two figures: the overhead of a task that does nothing (claim, order, process, parcel, ledger), and real retrainings
(a SimpleRNN with 4 units, 10 steps, three weeks of hourly values, as little as a network can be: what is left is what
every retraining costs) with one worker and with more.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import pandas as pd
import yaml

from forecaster.config import Project
from forecaster.execution import Executor, LocalExecutor
from forecaster.lifecycle.coordination import Coordinator
from forecaster.lifecycle.due import due, read_pipelines
from forecaster.lifecycle.parcel import FUNCTION
from forecaster.store.ledger import Ledger

RESULT = {
    "outcome": "kept",
    "reason": "",
    "version": None,
    "p": None,
    "scores": {},
    "data_hash": "",
    "seconds": 0,
    "drift": {},
}


def nothing(order: bytes) -> bytes:
    """A retraining that finds nothing to do."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as parcel:
        parcel.writestr("result.json", json.dumps(RESULT))
    return buffer.getvalue()


def write_projects(folder: Path, tasks: int) -> list[Path]:
    """As many pipelines, each with a CSV file of its own."""
    (folder / "pipelines").mkdir(parents=True)
    stamps = pd.date_range("2026-01-01", periods=24 * 21, freq="h")
    small = {"units": 4, "steps": 10, "warmup": 2, "evaluate_every": 10, "batch_size": 16, "finish": 0}
    model = {"extends": "simple_rnn", **small, "conformal": False}
    paths = []
    for number in range(tasks):
        noise = np.random.default_rng(number).normal(0, 1, len(stamps))
        level = 100 + 20 * np.sin(2 * np.pi * np.arange(len(stamps)) / 24) + noise
        pd.DataFrame({"ds": stamps, "y": level}).to_csv(folder / f"s{number}.csv", index=False)
        definition = {
            "data": {"path": str(folder / f"s{number}.csv")}, "horizon": 12, "lookback": 24, "schedule": "@hourly",
            "models": [model], "baselines": ["naive", "seasonal_naive"],
            "backtest": {"windows": 14}, "validation": 4,
        }  # fmt: skip
        paths.append(folder / "pipelines" / f"s{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(definition), encoding="utf-8")
    return paths


def measure(tasks: int, function: str, executor: Executor) -> float:
    """Seconds that all the retrainings take."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pipelines, _ = read_pipelines(write_projects(folder, tasks))
        with Ledger(folder / "models" / "store") as ledger:
            coordinator = Coordinator(
                Project(folder), ledger, executor=lambda place, workers: executor, function=function
            )  # fmt: skip
            jobs = [job for one in pipelines if (job := due(one, ledger, datetime.now(UTC)))]
            began = time.monotonic()
            reports = coordinator.retrain(jobs)
            passed = time.monotonic() - began
        bad = [report.text for report in reports if report.exit_code]
        if bad:
            raise SystemExit(f"{len(bad)} of {tasks} failed: {bad[0]}")
    return passed


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--empty", type=int, default=200, help="tasks that do nothing")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--dask", action="store_true", help="on a Dask cluster of this machine, too")
    parser.add_argument("--out", type=Path, help="add the lines to this file")
    told = parser.parse_args()

    def say(line: str) -> None:
        print(line, flush=True)
        if told.out:
            with told.out.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    own = f"{Path(__file__).parent.relative_to(Path.cwd())}/retraining".replace("/", ".")
    if told.empty:
        before = time.process_time()
        passed = measure(told.empty, f"{own}:nothing", LocalExecutor())
        used = 1000 * (time.process_time() - before) / told.empty
        say(
            f"nothing to do   {told.empty} tasks, 1 worker: {1000 * passed / told.empty:.0f} ms a task, "
            f"{used:.0f} ms of a processor in the coordinator"
        )
    one = None
    for workers in told.workers:
        passed = measure(told.tasks, FUNCTION, LocalExecutor(workers))
        one = one or passed
        say(
            f"retrainings     {told.tasks} tasks, {workers} workers: {passed:.0f} s, "
            f"{passed / told.tasks:.2f} s a task, {one / passed:.2f} times as fast as {told.workers[0]}"
        )
    if told.dask:
        from distributed import LocalCluster

        from forecaster.execution.cluster import DaskExecutor

        workers = max(told.workers)
        with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster:
            passed = measure(told.tasks, FUNCTION, DaskExecutor(cluster.scheduler_address))
        say(
            f"on Dask         {told.tasks} tasks, {workers} workers: {passed:.0f} s, {passed / told.tasks:.2f} s a task"
        )
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"coordinator     {held:.0f} MiB at most")


if __name__ == "__main__":
    main()

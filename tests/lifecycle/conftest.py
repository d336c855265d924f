"""A project whose pipelines do what their `data.path` says, a clock, and a ledger."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from forecaster.config import Project
from forecaster.execution import LocalExecutor
from forecaster.execution.task import perform
from forecaster.lifecycle.coordination import Coordinator
from forecaster.lifecycle.due import Job, Pipeline, due, read_pipelines
from forecaster.lifecycle.notifications import Event
from forecaster.store import Store
from forecaster.store.ledger import Ledger

NIGHT = datetime(2026, 3, 1, 3, tzinfo=UTC)


class Clock:
    """Tells the time that a test says."""

    def __init__(self) -> None:
        self.now = NIGHT + timedelta(minutes=5)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


class Here:
    """An executor that does the work in this very process."""

    def run(self, tasks):
        for task in tasks:
            yield perform(task)

    def stop(self):
        pass


class World:
    """All that a test needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "pipelines").mkdir(parents=True, exist_ok=True)
        self.project = Project(folder)
        self.store = Store(self.project.store)
        self.clock = Clock()
        self.ledger = Ledger(self.project.store, clock=self.clock)

    def pipeline(self, name: str, wish: str, schedule: object = "0 3 * * *", **more: object) -> Pipeline:
        path = self.folder / "pipelines" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"data": {"path": wish}, "horizon": 2, "schedule": schedule, **more}))
        (pipeline,), broken = read_pipelines([path])
        assert not broken
        return pipeline

    def coordinator(self, executor=None, workers: int = 1, **more) -> Coordinator:
        made = executor or LocalExecutor(workers)
        return Coordinator(
            self.project, self.ledger, workers, executor=lambda place, count: made,
            function="tests.lifecycle.jobs:retrain", **more,
        )  # fmt: skip

    def due(self, *pipelines: Pipeline) -> list[Job]:
        return [job for pipeline in pipelines if (job := due(pipeline, self.ledger, self.clock()))]

    def began(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Without waiting for a disk, where the machine has a folder in memory: only a power failure could tell."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    memory = "/dev/shm"
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None, ignore_cleanup_errors=True) as folder:
        made = World(Path(folder))
        yield made
        made.ledger.close()


@pytest.fixture
def pool() -> Here:
    """Workers in this process."""
    return Here()


@pytest.fixture
def heard(monkeypatch) -> list[Event]:
    """What somebody was told of."""
    told: list[Event] = []
    monkeypatch.setattr("forecaster.lifecycle.report.notify", lambda event, project: told.append(event))
    return told

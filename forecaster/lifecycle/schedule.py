"""The embedded scheduler: one small process that starts a retraining when its slot comes.

It holds nothing that cannot be lost: the schedules are in the pipeline files, what was run is in the ledger, and each
retraining is a process of its own (`forecaster retrain FILE --due --once --json`), which is idempotent. So it starts
one for every pipeline when it begins, when a file changes and when the clock was set: what is not due ends at once.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.date import DateTrigger

from forecaster.config import Project
from forecaster.config.cron import Cron
from forecaster.errors import ForecasterError
from forecaster.lifecycle.due import Pipeline, find_pipelines, read_pipelines
from forecaster.lifecycle.notifications import Event, notify
from forecaster.lifecycle.sole import sole

__all__ = ["Scheduler", "only_one"]

logger = logging.getLogger(__name__)

LOOK = 5.0
"""Seconds between two looks at the pipeline files and the clock."""
JUMP = 30.0
"""Seconds by which the clock may run ahead or behind between two looks before it counts as set."""
PATIENCE = timedelta(minutes=5)
"""Until a retraining that could not even begin (the ledger out of reach, say) is started again."""


class CronTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler's classes carry no types
    """Cron as the ledger's slots understand it; APScheduler's own counts the days of the week otherwise."""

    def __init__(self, cron: Cron) -> None:
        self.cron = cron

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next slot; slots that passed while nothing could run are one."""
        return self.cron.following(max(now, previous_fire_time or now))


class Scheduler:
    """Starts retrainings when they are due, from `run` until `stop`.

    Args:
        project: Whose pipelines.
        given: Files and folders of pipelines; `pipelines/` by default.
        command: The command that retrains a pipeline file if it is due, and prints what came of it as JSON.
        workers: How many retrainings at once.
        told: Who is told what happens.
        clock: What tells the time.
        look: Seconds between two looks at the pipeline files and the clock.
    """

    def __init__(
        self,
        project: Project,
        given: Sequence[str],
        command: Callable[[Path], list[str]],
        *,
        workers: int = 1,
        told: Callable[[str], None] = logger.info,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look: float = LOOK,
    ) -> None:
        self._project, self._given, self._command, self._told = project, given, command, told
        self._clock, self._look = clock, look
        self._over = threading.Event()
        self._running: dict[str, subprocess.Popen[str] | None] = {}
        self._meanwhile: dict[str, tuple[Pipeline, Cron]] = {}
        self._lock = threading.Lock()
        self._seen: dict[Path, tuple[int, int]] | None = None
        self._jobs = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 3},  # `_retrain` sees to it
        )

    def run(self) -> None:
        """Keeps the schedules until `stop` is called from elsewhere, or an exception (Ctrl-C) ends it."""
        self._jobs.start()
        try:
            told_time, passed = self._clock(), time.monotonic()
            while not self._over.is_set():
                drift = (self._clock() - told_time).total_seconds() - (time.monotonic() - passed)
                told_time, passed = self._clock(), time.monotonic()
                if abs(drift) > JUMP:
                    self._told(f"the clock was set by {drift:+.0f} s; all schedules are looked at anew")
                    self._seen = None
                self._rebuild_if_changed()
                self._over.wait(self._look)
        finally:
            self._over.set()
            for process in filter(None, list(self._running.values())):
                process.terminate()
            self._jobs.shutdown()

    def stop(self) -> None:
        """Ends `run`; a retraining that is going on is given back."""
        self._over.set()

    def next_slots(self) -> dict[str, datetime]:
        """When each pipeline is retrained next."""
        now = self._clock()
        return {job.id: job.trigger.cron.following(now) for job in self._jobs.get_jobs() if ":" not in job.id}

    def _rebuild_if_changed(self) -> None:
        try:
            paths = find_pipelines(self._given, self._project)
        except ForecasterError as error:  # the folder is gone
            paths = []
            if self._seen != {}:
                self._told(str(error))
        seen = {path: (at.st_mtime_ns, at.st_size) for path in paths if (at := _stat(path))}
        if seen == self._seen:
            return
        self._seen = seen
        pipelines, broken = read_pipelines(list(seen))
        wanted = {one.name: (one, Cron.parse(told.cron)) for one in pipelines if (told := one.definition.schedule)}
        for job in self._jobs.get_jobs():
            if job.id.partition(":")[0] not in wanted:
                self._jobs.remove_job(job.id)
        for path, trouble in broken.items():
            self._told(f"{trouble}; it is not retrained until that is repaired")
            notify(Event("failure", path.stem, str(trouble), {"exit_code": trouble.exit_code}), self._project)
        for one, cron in wanted.values():
            self._schedule(one, cron)
        slots = ", ".join(f"{name} at {slot:%Y-%m-%d %H:%M}" for name, slot in sorted(self.next_slots().items()))
        self._told(f"next (UTC): {slots}" if slots else "no pipeline has a schedule")

    def _schedule(self, one: Pipeline, cron: Cron) -> None:
        self._jobs.add_job(
            self._retrain, CronTrigger(cron), [one, cron], id=one.name, replace_existing=True,
        )  # fmt: skip
        self._soon(one, cron, self._clock())

    def _soon(self, one: Pipeline, cron: Cron, moment: datetime) -> None:
        """Starts a retraining at another time than a slot: at the beginning, or for another attempt."""
        self._jobs.add_job(
            self._retrain, DateTrigger(moment), [one, cron], id=f"{one.name}:again", replace_existing=True
        )  # fmt: skip

    def _retrain(self, one: Pipeline, cron: Cron) -> None:
        """Runs in a thread of the pool: a process, and what it said."""
        with self._lock:
            if self._over.is_set():
                return
            if one.name in self._running:
                self._meanwhile[one.name] = one, cron
                return
            self._running[one.name] = None
        began = self._clock()
        try:
            process = subprocess.Popen(
                self._command(one.path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            self._running[one.name] = process
            said, complained = process.communicate()
        finally:
            with self._lock:
                del self._running[one.name]
                changed = self._meanwhile.pop(one.name, None)
        if self._over.is_set():
            return
        again = self._read(one, process.returncode, said, complained)
        one, cron = changed or (one, cron)
        if changed or cron.latest(self._clock()) > began:
            again = self._clock()  # its file has changed, or a slot has come, while this one was worked on
        if again:
            self._soon(one, cron, again)

    def _read(self, one: Pipeline, code: int, said: str, complained: str) -> datetime | None:
        """Tells what a retraining said; returns when to look at the pipeline again."""
        try:
            told: dict[str, Any] = json.loads(said)
        except ValueError:
            last = complained.strip() or f"the retraining ended with code {code} and said nothing"
            self._told(f"{one.name}: {last}")
            notify(Event("failure", one.name, last, {"exit_code": code}), self._project)
            return self._clock() + PATIENCE
        for run in told["runs"]:
            state = f"{run['run']['outcome'] or run['run']['state']}: " if run["run"] else ""
            self._told(f"{run['pipeline']}: {state}{run['text']}")
        return datetime.fromisoformat(told["again"]) if told["again"] else None


@contextmanager
def only_one(store: Path) -> Iterator[None]:
    """Holds the scheduler's lock of a project.

    Args:
        store: The project's store.

    Raises:
        StoreError: Another scheduler holds it.
    """
    told = "another scheduler ({}) keeps the schedules of this project already; end that one first"
    with sole(store / ".scheduler", "lock the schedule", told):
        yield


def _stat(path: Path) -> Any:
    try:
        return path.stat()
    except OSError:
        return None

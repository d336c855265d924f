"""The coordinator: claims runs, has them done, publishes what is better, and writes down what came of it.

It alone writes to the store and to the ledger. The order of its steps makes a crash harmless: claim, work (elsewhere,
in private), publish (as the champion's successor, with the attempt's mark), record. One that dies before it publishes
leaves nothing; one that dies between publishing and recording leaves a version (or a challenger) with its mark, which
whoever takes up the run finds and records. One that is slow beats until its end is recorded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields

from forecaster.config import PipelineDefinition, Project
from forecaster.config.schedule import DaskDefinition, ScheduleDefinition
from forecaster.errors import ForecasterError
from forecaster.execution import Answer, Executor, LocalExecutor, Task
from forecaster.lifecycle.burial import bury_the_dead
from forecaster.lifecycle.due import Job
from forecaster.lifecycle.endings import insist, rescue, told_of
from forecaster.lifecycle.heartbeat import Heartbeat
from forecaster.lifecycle.mirror import mirror
from forecaster.lifecycle.parcel import FUNCTION, Order, pack_order, receive
from forecaster.lifecycle.report import Report, announce, ended, refused
from forecaster.lifecycle.result import RetrainResult
from forecaster.pipeline.pruning import prune
from forecaster.store import Store
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_claims import LeaseLostError
from forecaster.store.ledger_records import Claim, Ending

__all__ = ["Coordinator", "executor_for"]

logger = logging.getLogger(__name__)

LIMITS = ScheduleDefinition(cron="@daily")
"""The limits of a pipeline without a schedule are those of one that says nothing about them."""


@dataclass(frozen=True)
class _Begun:
    """A claim and what it was made for."""

    claim: Claim
    job: Job
    over: int


@dataclass
class _Pass:
    """One pass over some jobs: what is being worked on, and what is to be told besides."""

    executor: Executor
    heart: Heartbeat
    open: dict[str, _Begun] = field(default_factory=dict)
    besides: list[Report] = field(default_factory=list)
    is_over: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


def executor_for(place: str | DaskDefinition, workers: int) -> Executor:
    """What does the work that a pipeline's `executor` asks for."""
    if isinstance(place, DaskDefinition):
        from forecaster.execution.cluster import DaskExecutor

        return DaskExecutor(place.dask)
    return LocalExecutor(workers)


@dataclass(frozen=True)
class Coordinator:
    """Has retrainings done.

    Args:
        project: Where pipelines, models and the store lie.
        ledger: Where runs are written down.
        workers: How many retrainings at once on this machine.
        offline: Whether to take tickers from their last snapshots.
        told: Who is told of each end at once.
        sleep: Waits for some seconds.
        executor: Makes what does the work, from a pipeline's `executor` and the number of workers.
        function: What workers are told to do; see `execution.Task`.
    """

    project: Project
    ledger: Ledger
    workers: int = 1
    offline: bool = False
    told: Callable[[Report], None] = lambda report: None
    sleep: Callable[[float], None] = time.sleep
    executor: Callable[[str | DaskDefinition, int], Executor] = executor_for
    function: str = FUNCTION

    def retrain(self, jobs: Sequence[Job], others: Sequence[str] = ()) -> list[Report]:
        """Makes one attempt at each job; what killed ones have left is swept first, and their runs are ended.

        Args:
            jobs: What is to be done; one for each pipeline at most.
            others: Pipelines that are not to be retrained now, and may have been when their process was killed.

        Returns:
            What came of each of them, in the order in which they ended; and of earlier runs that this has ended.

        Raises:
            StoreError: The ledger or the store cannot be used.
        """
        store = Store(self.project.store)
        store.sweep()
        names = {*others, *(job.pipeline.name for job in jobs)}
        buried = [self._announced(report) for report in bury_the_dead(names, self.ledger, store, self.sleep)]
        over = {(report.run.pipeline, report.run.slot) for report in buried if report.run}
        jobs = [job for job in jobs if (job.pipeline.name, job.slot) not in over]
        return [*buried, *self._attempted(jobs, store)] if jobs else buried

    def _attempted(self, jobs: Sequence[Job], store: Store) -> list[Report]:
        places: dict[str | DaskDefinition, list[Job]] = {}
        for job in jobs:
            places.setdefault(job.pipeline.definition.executor, []).append(job)
        with Heartbeat(self.ledger) as heart, ThreadPoolExecutor(len(places)) as threads:
            passes = [_Pass(self.executor(place, self.workers), heart) for place in places]
            try:
                ends = [
                    threads.submit(self._work, group, one, store)
                    for group, one in zip(places.values(), passes, strict=True)
                ]
                return [report for end in ends for report in end.result()]
            finally:
                for one in passes:
                    self._give_back(one, store)

    def _work(self, jobs: Sequence[Job], one: _Pass, store: Store) -> list[Report]:
        """The jobs of one executor."""
        reports = []
        for answer in one.executor.run(self._tasks(jobs, one, store)):
            with one.lock:
                if one.is_over:
                    break
                begun = one.open[answer.key]
                reports.append(self._conclude(begun, answer, store))
                one.heart.end(begun.claim)
                del one.open[answer.key]
        return [*one.besides, *reports]

    def _tasks(self, jobs: Sequence[Job], one: _Pass, store: Store) -> Iterator[Task]:
        """Claims the jobs, each when there is a worker for it, and packs those that could be had."""
        for job in jobs:
            pipeline = job.pipeline
            limits = pipeline.definition.schedule or LIMITS
            claim = self.ledger.claim(
                pipeline.name, job.slot, job.cause, allowed=limits.attempts, missed=job.missed
            )  # fmt: skip
            if not isinstance(claim, Claim):
                run = self.ledger.run(claim.run) if claim.run else None
                one.besides.append(self._told(refused(pipeline.name, claim, run)))
                continue
            one.heart.begin(claim)
            one.besides += [self._announced(ended(self.ledger.run(number))) for number in claim.superseded]
            try:
                drift_only = job.cause == "schedule" and limits.on_drift
                order, over = pack_order(
                    Order(pipeline.definition, self.project, pipeline.path.parent, self.offline, drift_only)
                )
            except Exception as error:  # whatever it is, it is this pipeline's end and no other's
                one.besides.append(self._failed(claim, *told_of(claim, error)))
                one.heart.end(claim)
                continue
            key = str(claim.attempt)
            one.open[key] = _Begun(claim, job, over)
            yield Task(key, self.function, order, limits.time_limit.total_seconds(), limits.memory_limit)

    def _conclude(self, begun: _Begun, answer: Answer, store: Store) -> Report:
        """Publishes and records what came of an attempt."""
        claim = begun.claim
        if answer.parcel is None:
            return self._failed(claim, answer.error, answer.exit_code)
        try:
            if not insist(lambda: self.ledger.beat(claim), claim.pipeline, self.sleep):
                raise LeaseLostError(f"{claim.pipeline}: the lease was lost to another process")
            received = receive(answer.parcel, claim.pipeline, store, begun.over, claim.mark)
            found = RetrainResult(**received.result)
            ending = Ending(**{one.name: getattr(found, one.name) for one in fields(Ending)})
            insist(lambda: self.ledger.finish(claim, ending), claim.pipeline, self.sleep)
        except Exception as error:  # as above
            return self._failed(claim, *told_of(claim, error), store)
        self._prune(begun.job.pipeline.definition, store)
        mirror(claim.pipeline, found, received.stored)
        return self._announced(Report(claim.pipeline, found.reason, run=self.ledger.run(claim.run)))

    def _prune(self, definition: PipelineDefinition, store: Store) -> None:
        """The run has ended well, whatever stands in the way of this; the next run prunes, too."""
        try:
            prune(definition, self.project, store)
        except ForecasterError as error:
            logger.warning("%s: old versions could not be removed: %s", definition.name, error)

    def _failed(self, claim: Claim, reason: str, exit_code: int, store: Store | None = None) -> Report:
        """Records a bad end; as a good one if what the attempt had found was in `store` by then."""
        try:
            if store and (report := self._rescued(claim, reason, store)):
                return report
            again = self.ledger.fail(claim, reason)
        except LeaseLostError as error:
            told = f"{error}; what this attempt found is dropped"
            return self._told(Report(claim.pipeline, told, error.exit_code))
        return self._announced(Report(claim.pipeline, reason, exit_code, self.ledger.run(claim.run), again))

    def _rescued(self, claim: Claim, reason: str, store: Store) -> Report | None:
        news = rescue(claim, reason, self.ledger, store)
        if news is None:
            return None
        report = ended(self.ledger.run(claim.run))
        return self._announced(report) if news else self._told(report)

    def _told(self, report: Report) -> Report:
        self.told(report)
        return report

    def _announced(self, report: Report) -> Report:
        """Of an end that this process has written down."""
        self._told(report)
        announce(report, self.project)
        return report

    def _give_back(self, one: _Pass, store: Store) -> None:
        """What was begun and has no end: the program was interrupted, or the ledger or a cluster is out of reach."""
        with one.lock:
            one.is_over = True
        one.executor.stop()
        for begun in one.open.values():
            try:
                if not self._rescued(begun.claim, "interrupted", store):
                    self.ledger.stop(begun.claim, "interrupted")
            except ForecasterError as error:
                logger.warning("%s: could not be given back: %s", begun.claim.pipeline, error)

"""The coordinator: claims runs, has them done, publishes what is better, and writes down what came of it.

It alone writes to the store and to the ledger. The order of its steps makes a crash harmless: claim, work (elsewhere,
in private), publish (as the champion's successor, with the attempt's mark), record. One that dies before it publishes
leaves nothing; one that dies between publishing and recording leaves a version with its mark, which whoever takes up
the run finds and records.
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
from forecaster.lifecycle.due import Job
from forecaster.lifecycle.endings import insist, published, rescue, told_of
from forecaster.lifecycle.heartbeat import BEATS, Heartbeat
from forecaster.lifecycle.mirror import mirror
from forecaster.lifecycle.parcel import FUNCTION, Order, pack_order, receive
from forecaster.lifecycle.report import Report, announce, refused
from forecaster.lifecycle.result import RetrainResult
from forecaster.pipeline.pruning import prune
from forecaster.store import Store
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_claims import LeaseLostError
from forecaster.store.ledger_records import Claim, Ending, Lease

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
    """One pass over some jobs: what is being worked on, and what is to be told of those that were never begun."""

    executor: Executor
    heart: Heartbeat
    open: dict[str, _Begun] = field(default_factory=dict)
    refused: list[Report] = field(default_factory=list)
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

    def retrain(self, jobs: Sequence[Job]) -> list[Report]:
        """Makes one attempt at each job.

        Args:
            jobs: What is to be done; one for each pipeline at most.

        Returns:
            What came of each of them, in the order in which they ended.

        Raises:
            StoreError: The ledger or the store cannot be used.
        """
        if not jobs:
            return []
        store = Store(self.project.store)
        store.sweep()
        self._bury_the_dead([job.pipeline.name for job in jobs], store)
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
                reports.append(self._conclude(one, one.open[answer.key], answer, store))
                del one.open[answer.key]
        return [*one.refused, *reports]

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
                one.refused.append(self._tell(refused(pipeline.name, claim, run)))
                continue
            try:
                drift_only = job.cause == "schedule" and limits.on_drift
                order, over = pack_order(
                    Order(pipeline.definition, self.project, pipeline.path.parent, self.offline, drift_only)
                )
            except Exception as error:  # whatever it is, it is this pipeline's end and no other's
                one.refused.append(self._failed(claim, *told_of(claim, error)))
                continue
            key = str(claim.attempt)
            one.open[key] = _Begun(claim, job, over)
            one.heart.begin(claim)
            yield Task(key, self.function, order, limits.time_limit.total_seconds(), limits.memory_limit)

    def _conclude(self, one: _Pass, begun: _Begun, answer: Answer, store: Store) -> Report:
        """Publishes and records what came of an attempt."""
        claim = begun.claim
        one.heart.end(claim)
        if answer.parcel is None:
            return self._failed(claim, answer.error, answer.exit_code)
        try:
            if not insist(lambda: self.ledger.beat(claim), claim.pipeline, self.sleep):
                raise LeaseLostError(f"{claim.pipeline}: the lease was lost; what this attempt found is dropped")
            received = receive(answer.parcel, claim.pipeline, store, begun.over, claim.mark)
            found = RetrainResult(**received.result)
            ending = Ending(**{one.name: getattr(found, one.name) for one in fields(Ending)})
            insist(lambda: self.ledger.finish(claim, ending), claim.pipeline, self.sleep)
        except LeaseLostError as error:
            return self._tell(Report(claim.pipeline, str(error), error.exit_code))
        except Exception as error:  # as above
            return self._failed(claim, *told_of(claim, error), store)
        self._prune(begun.job.pipeline.definition, store)
        mirror(claim.pipeline, found, received.stored)
        return self._tell(Report(claim.pipeline, found.reason, run=self.ledger.run(claim.run)))

    def _prune(self, definition: PipelineDefinition, store: Store) -> None:
        """The run has ended well, whatever stands in the way of this; the next run prunes, too."""
        try:
            prune(definition, self.project, store)
        except ForecasterError as error:
            logger.warning("%s: old versions could not be removed: %s", definition.name, error)

    def _failed(self, claim: Claim, reason: str, exit_code: int, store: Store | None = None) -> Report:
        """Records a bad end; as a promotion if the attempt had published to `store` by then."""
        try:
            if store and rescue(claim, reason, self.ledger, store):
                run = self.ledger.run(claim.run)
                return self._tell(Report(claim.pipeline, str(run.reason), run=run))
            again = self.ledger.fail(claim, reason)
        except LeaseLostError as error:
            return self._tell(Report(claim.pipeline, str(error), error.exit_code))
        return self._tell(Report(claim.pipeline, reason, exit_code, self.ledger.run(claim.run), again))

    def _tell(self, report: Report) -> Report:
        self.told(report)
        announce(report, self.project)
        return report

    def _give_back(self, one: _Pass, store: Store) -> None:
        """What was begun and has no end: the program was interrupted, or the ledger or a cluster is out of reach."""
        with one.lock:
            one.is_over = True
        one.executor.stop()
        for begun in one.open.values():
            one.heart.end(begun.claim)
            try:
                if not rescue(begun.claim, "interrupted", self.ledger, store):
                    self.ledger.stop(begun.claim, "interrupted")
            except ForecasterError as error:
                logger.warning("%s: could not be given back: %s", begun.claim.pipeline, error)

    def _bury_the_dead(self, names: Sequence[str], store: Store) -> None:
        """Ends the leases of processes that live no more.

        One that would be seen from here is looked for. One of another machine or container is dead when its lease has
        run out and it does not beat while it is watched: clocks that disagree or jump kill nobody.
        """
        leases = {name: lease for name, lease in self.ledger.leased().items() if name in names}
        silent: dict[str, Lease] = {}
        for name, lease in leases.items():
            if self.ledger.is_dead(lease):
                self._bury(name, lease, store)
            elif lease.expires <= self.ledger.clock():
                silent[name] = lease
        if silent:
            self.sleep(2 * self.ledger.lease.total_seconds() / BEATS)
        for name, lease in silent.items():
            self._bury(name, lease, store)

    def _bury(self, name: str, lease: Lease, store: Store) -> None:
        logger.warning("%s: %s, which retrained it, lives no more; its run is taken up", name, lease.owner)
        self.ledger.bury(name, lease, lambda mark: published(store, name, mark))

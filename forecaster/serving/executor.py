"""Calls of models: a bounded queue, a few threads, and waiting requests of one model put together into one call.

Nothing waits for company: a thread takes the oldest request and whatever else has come for the same model and signature
meanwhile. So a lone request is not delayed, and under load a call serves many.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from forecaster.serving.failures import Refused
from forecaster.serving.settings import Limits
from forecaster.serving.signature import Signature

__all__ = ["Executor", "Runner"]

Arrays = dict[str, np.ndarray]


class Runner(Protocol):
    """What calls a model: a `SavedModel`."""

    def run(self, signature: Signature, inputs: Mapping[str, np.ndarray]) -> Arrays:
        """Outputs by name."""


@dataclass(eq=False)
class Job:
    """One request on its way."""

    runner: Runner
    signature: Signature
    inputs: Arrays
    rows: int
    until: float
    answer: Future[Arrays] = field(default_factory=Future)

    @property
    def company(self) -> Hashable:
        """Equal for jobs that may be put together: one model, one signature, equal shapes but for the rows."""
        if not self.signature.joinable:
            return id(self)
        shapes = tuple(array.shape[1:] for array in self.inputs.values())
        return id(self.runner), self.signature.name, shapes


class Executor:
    """Runs the calls of all models.

    Args:
        limits: Of the queue, the threads, and the rows of a call.
        observe: Told the rows and the jobs of every call, for the metrics.
    """

    def __init__(self, limits: Limits, observe: Callable[[int, int], None] = lambda rows, jobs: None) -> None:
        self._limits, self._observe = limits, observe
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"model-{number}", daemon=True) for number in range(limits.threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, runner: Runner, signature: Signature, inputs: Arrays, rows: int, until: float) -> Future[Arrays]:
        """Queues a call.

        Args:
            runner: The model.
            signature: One of its.
            inputs: Checked.
            rows: Of the batch.
            until: When it is given up, on `time.monotonic`'s clock.

        Returns:
            The outputs by name, or a `Refused` with 504.

        Raises:
            Refused: 503; the queue is full, or the server stops.
        """
        job = Job(runner, signature, inputs, rows, until)
        with self._changed:
            if self._stopped:
                raise Refused(503, "the server is stopping; ask another one", retry_after=1)
            if len(self._waiting) >= self._limits.queue:
                raise Refused(503, f"{len(self._waiting)} requests are waiting already; try again", retry_after=1)
            self._waiting.append(job)
            self._changed.notify()
        return job.answer

    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def stop(self) -> None:
        """Takes no more calls, answers those that wait, and ends the threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while jobs := self._next():
            _answer(jobs)
            self._observe(sum(job.rows for job in jobs), len(jobs))

    def _next(self) -> list[Job]:
        """The oldest job and its company; none when the executor is stopped and nothing waits."""
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if not self._waiting:
                return []
            first = self._waiting.popleft()
            together, rows, company = [first], first.rows, first.company
            others: deque[Job] = deque()
            for job in self._waiting:
                if rows + job.rows <= self._limits.rows and job.company == company:
                    together.append(job)
                    rows += job.rows
                else:
                    others.append(job)
            self._waiting = others
            return together


def _answer(jobs: list[Job]) -> None:
    """Runs jobs as one call; those whose time is over are refused instead."""
    now = time.monotonic()
    alive = []
    for job in jobs:
        if not job.answer.set_running_or_notify_cancel():
            continue
        if job.until <= now:
            job.answer.set_exception(Refused(504, "the request waited too long for the model; try again"))
        else:
            alive.append(job)
    if not alive:
        return
    try:
        outputs = _run(alive)
    except Exception as error:  # whatever it is, it is the answer: this thread must live on for the other requests
        if len(alive) == 1:
            alive[0].answer.set_exception(error)
        else:  # one of them may be at fault, which the others must not suffer for
            for job in alive:
                job.answer.set_exception(error) if isinstance(error, Refused) and error.status == 504 else _alone(job)
        return
    start = 0
    for job in alive:
        rows = slice(start, start + job.rows)
        start += job.rows
        job.answer.set_result({name: part[rows] for name, part in outputs.items()} if len(alive) > 1 else outputs)


def _alone(job: Job) -> None:
    try:
        job.answer.set_result(_run([job]))
    except Exception as error:  # as above
        job.answer.set_exception(error)


def _run(jobs: list[Job]) -> Arrays:
    first = jobs[0]
    if len(jobs) == 1:
        return first.runner.run(first.signature, first.inputs)
    inputs = {name: np.concatenate([job.inputs[name] for job in jobs]) for name in first.inputs}
    return first.runner.run(first.signature, inputs)

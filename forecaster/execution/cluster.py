"""Tasks on a Dask cluster, for more pipelines than one machine can retrain in a night."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from forecaster.errors import DefinitionError, ForecasterError
from forecaster.execution.task import Answer, Task, perform

__all__ = ["DaskExecutor"]

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 20
POLL = 0.1
"""Seconds between two looks at what has ended and what takes too long."""

HEARD_SECONDS = 5.0
"""Without workers before it is said: one that is restarted is back by then."""

WORKER_SECONDS = 600.0
"""Without workers before a cluster is given up: an adaptive one may have to start a machine first."""

LOST = "scheduler-connection-lost"
"""Dask's reason of a future that is cancelled since the scheduler is gone."""


class ClusterError(ForecasterError):
    """The cluster cannot be reached, or has nobody to work."""

    exit_code = 3


class DaskExecutor:
    """Workers of a Dask cluster; they need this program, and the folders of data and models under the same paths.

    A task whose worker dies is done by another one; Dask gives up on a task that has killed several workers. A worker
    whose task takes longer than its limit is restarted; while there are no workers no task's time runs. The memory
    limit is the workers' own (`--memory-limit`).

    Args:
        address: Of the cluster's scheduler.

    Raises:
        DefinitionError: Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ModuleNotFoundError:
            raise DefinitionError("executor: Dask is not installed; pip install 'forecaster[dask]' brings it") from None
        self._distributed: Any = distributed
        self.address = address
        self._stopped = threading.Event()

    def run(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """Does the tasks, and answers as they end. The next task is taken when the cluster has a free thread.

        Raises:
            ClusterError: No scheduler answers, or for long there has been no worker.
        """
        source = iter(tasks)
        with self._client() as client:
            running: dict[Any, tuple[Task, float]] = {}
            vacancy = _Vacancy(self.address)
            while not self._stopped.is_set():
                with self._reached():
                    threads = sum(client.nthreads().values())
                self._hand_out(client, source, running, threads)
                if not running:
                    return
                if vacancy.lasts(threads):
                    running = {future: (task, time.monotonic()) for future, (task, _) in running.items()}
                for future in self._ended(running):
                    yield self._answer(future, *running.pop(future))
                yield from self._overdue(client, running)
            with self._reached():
                client.cancel(list(running), force=True)

    def stop(self) -> None:
        """Ends what is being done."""
        self._stopped.set()

    def _client(self) -> Any:
        with self._reached():
            return self._distributed.Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Lets what is raised where the scheduler does not answer come out as a `ClusterError`."""
        try:
            yield
        except (OSError, TimeoutError, ValueError) as error:
            raise self._gone(error) from None

    def _gone(self, why: object) -> ClusterError:
        return ClusterError(
            f"executor: no Dask scheduler answers at {self.address} ({why}); start one (dask scheduler), or write "
            "executor: local"
        )

    def _hand_out(
        self, client: Any, source: Iterator[Task], running: dict[Any, tuple[Task, float]], threads: int
    ) -> None:
        while len(running) < max(1, threads):  # an adaptive cluster starts workers when there is something to do
            task = next(source, None)
            if task is None:
                return
            # pure=False: the answer is to this call; Dask would give back that of an earlier one with the same order
            with self._reached():
                running[client.submit(perform, task, pure=False)] = task, time.monotonic()

    def _ended(self, running: dict[Any, tuple[Task, float]]) -> list[Any]:
        ended = [future for future in running if future.done()]
        if not ended:
            self._stopped.wait(POLL)
        return ended

    def _overdue(self, client: Any, running: dict[Any, tuple[Task, float]]) -> Iterator[Answer]:
        for future, (task, began) in list(running.items()):
            passed = time.monotonic() - began
            if passed > task.time_limit:
                del running[future]
                with self._reached():
                    at = [worker for worker, keys in client.processing().items() if future.key in keys]
                    client.cancel([future], force=True)
                    client.restart_workers(at, raise_for_error=False)
                told = f"took longer than its time limit of {task.time_limit:g} s and was ended"
                yield Answer(task.key, None, told, 3, passed, ended=True)

    def _answer(self, future: Any, task: Task, began: float) -> Answer:
        try:
            answer: Answer = future.result()
        except Exception as error:  # Dask raises what it found, a KilledWorker, or what it cannot unpack
            if getattr(error, "reason", None) == LOST:
                raise self._gone("the connection was lost") from None
            told = f"the cluster could not do it, {type(error).__name__}: {error}"
            killed = type(error).__name__ == "KilledWorker"
            return Answer(task.key, None, told, 3, time.monotonic() - began, ended=killed)
        return answer


class _Vacancy:
    """How long a cluster has had no workers.

    Args:
        address: Of its scheduler.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._since: float | None = None
        self._said = False

    def lasts(self, threads: int) -> bool:
        """Whether there is nobody to work, as the number of threads tells; says so once.

        Raises:
            ClusterError: There has been nobody for too long.
        """
        if threads:
            self._since, self._said = None, False
            return False
        self._since = self._since or time.monotonic()
        passed = time.monotonic() - self._since
        told = f"the cluster at {self._address} has no workers; start some (dask worker {self._address} --nthreads 1)"
        if passed > WORKER_SECONDS:
            raise ClusterError(f"executor: {told}, or write executor: local")
        if passed > HEARD_SECONDS and not self._said:
            self._said = True
            logger.warning("%s; it is given up after %g s", told, WORKER_SECONDS)
        return True

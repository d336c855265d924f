"""Tasks on a Dask cluster, for more pipelines than one machine can retrain in a night."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from forecaster.errors import DefinitionError, ForecasterError
from forecaster.execution.task import Answer, Task, perform

__all__ = ["DaskExecutor"]

CONNECT_SECONDS = 20
POLL = 0.1
"""Seconds between two looks at what has ended and what takes too long."""


class ClusterError(ForecasterError):
    """The cluster cannot be reached."""

    exit_code = 3


class DaskExecutor:
    """Workers of a Dask cluster; they need this program, and the folders of data and models under the same paths.

    A task whose worker dies is done by another one; Dask gives up on a task that has killed several workers. A worker
    whose task takes longer than its limit is restarted. The memory limit is the workers' own (`--memory-limit`).

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
            ClusterError: No scheduler answers.
        """
        source = iter(tasks)
        with self._client() as client:
            running: dict[Any, tuple[Task, float]] = {}
            while not self._stopped.is_set():
                self._hand_out(client, source, running)
                if not running:
                    return
                for future in self._ended(running):
                    yield _answer(future, *running.pop(future))
                yield from self._overdue(client, running)
            client.cancel(list(running), force=True)

    def stop(self) -> None:
        """Ends what is being done."""
        self._stopped.set()

    def _client(self) -> Any:
        try:
            return self._distributed.Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(
                f"executor: no Dask scheduler answers at {self.address} ({error}); start one (dask scheduler), or "
                "write executor: local"
            ) from None

    def _hand_out(self, client: Any, source: Iterator[Task], running: dict[Any, tuple[Task, float]]) -> None:
        threads = sum(client.nthreads().values())
        while len(running) < max(1, threads):
            task = next(source, None)
            if task is None:
                return
            # pure=False: the answer is to this call; Dask would give back that of an earlier one with the same order
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
                at = [worker for worker, keys in client.processing().items() if future.key in keys]
                del running[future]
                client.cancel([future], force=True)
                client.restart_workers(at, raise_for_error=False)
                told = f"took longer than its time limit of {task.time_limit:g} s and was ended"
                yield Answer(task.key, None, told, 3, passed, ended=True)


def _answer(future: Any, task: Task, began: float) -> Answer:
    try:
        answer: Answer = future.result()
    except Exception as error:  # Dask raises what it found, a KilledWorker, a CancelledError, or what it cannot unpack
        told = f"the cluster could not do it, {type(error).__name__}: {error}"
        killed = type(error).__name__ == "KilledWorker"
        return Answer(task.key, None, told, 3, time.monotonic() - began, ended=killed)
    return answer

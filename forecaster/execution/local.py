"""Tasks on this machine, each worker a process of its own."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterable, Iterator

from forecaster.execution.task import Answer, Task
from forecaster.execution.worker import Worker

__all__ = ["LocalExecutor", "machine_memory"]

MEMORY_SHARE = 0.9
"""Of the machine's memory, what all workers together may hold where no limit is set."""


class LocalExecutor:
    """Processes that are spawned, stay warm, and are replaced after some tasks, after a limit, or when they die.

    A worker that is killed takes down its own task only.

    Args:
        workers: How many at once.
        tasks_per_worker: After how many tasks a process is replaced, against slow leaks.

    Example:
        >>> [answer.parcel for answer in LocalExecutor().run([Task("a", "builtins:bytes", b"hello", 60)])]
        [b'hello']
    """

    def __init__(self, workers: int = 1, tasks_per_worker: int = 20) -> None:
        self.workers = workers
        self.tasks_per_worker = tasks_per_worker
        self._stopped = threading.Event()
        self._alive: list[Worker] = []

    def run(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """Does the tasks, and answers as they end. The next task is taken when a worker is free."""
        source, lock = iter(tasks), threading.Lock()
        answers: queue.Queue[Answer | BaseException | None] = queue.Queue()
        threads = [
            threading.Thread(target=self._work, args=(source, lock, answers), daemon=True) for _ in range(self.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield from _collected(answers, len(threads))
        finally:
            self.stop()

    def stop(self) -> None:
        """Ends what is being done, and the workers."""
        self._stopped.set()
        for worker in list(self._alive):
            worker.end()

    def _work(
        self, source: Iterator[Task], lock: threading.Lock, answers: queue.Queue[Answer | BaseException | None]
    ) -> None:
        """One thread looks after one worker."""
        worker: Worker | None = None
        try:
            while not self._stopped.is_set():
                with lock:
                    task = next(source, None)
                if task is None:
                    break
                if worker is None:
                    worker = Worker()
                    self._alive.append(worker)
                answers.put(worker.perform(_limited(task, self.workers)))
                if not worker.is_alive or worker.done >= self.tasks_per_worker:
                    self._alive.remove(worker)
                    worker.end()
                    worker = None
        except BaseException as error:  # of any kind, from the source of tasks; raised again where the answers are read
            answers.put(error)
        finally:
            answers.put(None)


def machine_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _limited(task: Task, workers: int) -> Task:
    limit = task.memory_limit or int(MEMORY_SHARE * machine_memory() / workers)
    return Task(**vars(task) | {"memory_limit": limit})


def _collected(answers: queue.Queue[Answer | BaseException | None], open_ends: int) -> Iterator[Answer]:
    while open_ends:
        answer = answers.get()
        if answer is None:
            open_ends -= 1
        elif isinstance(answer, BaseException):
            raise answer
        else:
            yield answer

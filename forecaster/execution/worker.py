"""One process that does tasks, watched from outside: for how long, with how much memory, whether it lives."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

from forecaster.execution.task import Answer, Task, perform

__all__ = ["Worker"]

WATCH = 0.2
"""Seconds between two looks at a worker's memory and time."""


class Worker:
    """A spawned process, warm for the next task.

    Attributes:
        done: How many tasks it has done.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        self._process.start()
        theirs.close()
        self._ending = threading.Lock()
        self.done = 0

    def perform(self, task: Task) -> Answer:
        """Has a task done, and kills the process when it takes too long or too much memory."""
        began = time.monotonic()
        try:
            self._pipe.send(task)
            error = self._watch(task, began)
            answer: Answer = Answer(task.key, None, error, 3, ended=True) if error else self._pipe.recv()
        except (EOFError, OSError):  # OSError: another thread has ended it
            self._process.join()
            answer = Answer(task.key, None, _ended(self._process.exitcode), 3, lost=True)
        self.done += 1
        return answer if answer.seconds else Answer(**vars(answer) | {"seconds": time.monotonic() - began})

    @property
    def is_alive(self) -> bool:
        """Whether it can be given another task."""
        return self._process.is_alive()

    def memory(self) -> int:
        """Bytes that the process holds in memory; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def end(self) -> None:
        """Kills it: it has nothing to lose. Two threads may do so at once: who stops all, and who looks after it."""
        with self._ending:
            self._process.kill()
            self._process.join()
            self._pipe.close()

    def _watch(self, task: Task, began: float) -> str:
        """Waits for the answer; says what was wrong if there will be none."""
        while not self._pipe.poll(WATCH):
            passed, held = time.monotonic() - began, self.memory()
            error = ""
            if passed > task.time_limit:
                error = f"took longer than its time limit of {task.time_limit:g} s and was ended"
            elif task.memory_limit is not None and held > task.memory_limit:
                error = (
                    f"held {held / 2**20:.0f} MiB, more than its memory limit of {task.memory_limit / 2**20:.0f} MiB"
                )
                error += ", and was ended"
            if error:
                self.end()
                return error
        return ""


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"its process was killed by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


def _serve(pipe: Connection, parent: int) -> None:
    """The process: tasks in, answers out, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to decide on
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    while True:
        try:
            pipe.send(perform(pipe.recv()))
        except (EOFError, ConnectionError):
            return


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

"""What an executor is given and gives back: plain bytes, so that a process or a machine away is no different."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from forecaster.errors import ForecasterError

__all__ = ["Answer", "Executor", "Task", "perform"]


@dataclass(frozen=True)
class Task:
    """One piece of work. It may be done more than once, so it must change nothing but what it gives back.

    Attributes:
        key: Names it in the answer.
        function: `package.module:function`, which takes and returns bytes.
        order: What it is given.
        time_limit: Seconds that it may take.
        memory_limit: Bytes that its process may hold; None sets no limit.
    """

    key: str
    function: str
    order: bytes
    time_limit: float
    memory_limit: int | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a task.

    Attributes:
        key: Of the task.
        parcel: What the function returned; None if it came to a bad end.
        error: Which end, in plain words; empty if it was a good one.
        exit_code: Of the error: 2 for bad input, 3 for a fault.
        seconds: That the work took, without waiting for a worker.
        lost: Whether its process died before it could answer, so that another one may do better.
        ended: Whether it was ended, since it took too long, held too much memory, or killed worker after worker.
    """

    key: str
    parcel: bytes | None
    error: str = ""
    exit_code: int = 0
    seconds: float = 0.0
    lost: bool = False
    ended: bool = False


class Executor(Protocol):
    """Does tasks somewhere else."""

    def run(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        """Does the tasks, and answers as they end, in whatever order. The next task is taken when a worker is free."""

    def stop(self) -> None:
        """Ends what is being done; `run`, in another thread, comes to its end."""


def perform(task: Task) -> Answer:
    """Does a task here, in this process."""
    began = time.monotonic()
    try:
        parcel = _function(task.function)(task.order)
    except ForecasterError as error:
        return Answer(task.key, None, str(error), error.exit_code, time.monotonic() - began)
    except Exception as error:  # whatever a task raises is its own answer; the worker goes on to the next
        told = f"a fault, {type(error).__name__}: {error}"
        return Answer(task.key, None, told, 3, time.monotonic() - began)
    return Answer(task.key, parcel, seconds=time.monotonic() - began)


def _function(name: str) -> Callable[[bytes], bytes]:
    module, _, function = name.partition(":")
    found: Callable[[bytes], bytes] = getattr(importlib.import_module(module), function)
    return found

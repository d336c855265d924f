"""The trials of a search made elsewhere: in processes of this machine, or on a Dask cluster.

A worker knows how the trials went that had come to their end when its own was handed out, and gives up by these. Only
this process writes down what came of them. A trial whose worker was killed is made once more, by another one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import ForecasterError
from forecaster.execution import Answer, Executor, Task
from forecaster.lifecycle.trial_fit import FUNCTION, TrialEnd, read_end
from forecaster.pipeline.orders import order_for

__all__ = ["TrialWork"]

GRACE = 60.0
"""Seconds behind the end of the search in which a worker may begin its last step and say what came of it."""


class TrialError(ForecasterError):
    """A trial could not be made elsewhere, nor could any other one."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class TrialWork:
    """Has trials made by workers.

    Args:
        project: Where data and model files lie; workers read them there.
        base: Folder of the pipeline file.
        executor: Makes what does the work.
        function: What workers are told to do; see `execution.Task`.
    """

    project: Project
    base: Path
    executor: Callable[[], Executor]
    function: str = FUNCTION

    def ends(
        self, definition: PipelineDefinition, data: str, orders: Iterable[Mapping[str, Any]]
    ) -> Generator[tuple[str, TrialEnd | None]]:
        """Has trials made, and tells of each as it ends; closed before, it ends those that are being made.

        Args:
            definition: The pipeline.
            data: Hash of its data.
            orders: What `fit_trial` reads of each trial; the next one is taken when a worker is free.

        Returns:
            Label and end of each; None where its worker died, so that another one may do better.

        Raises:
            TrialError: A trial came to an end to which any other one would come, too.
        """
        tasks = (
            Task(
                one["label"], self.function, order_for(definition, self.project, self.base, data, one),
                one["seconds"] + GRACE,
            )
            for one in orders
        )  # fmt: skip
        executor = self.executor()
        try:
            for answer in executor.run(tasks):
                yield answer.key, _end(answer)
        finally:
            executor.stop()


def _end(answer: Answer) -> TrialEnd | None:
    if answer.parcel is not None:
        return read_end(answer.parcel)
    if answer.lost:
        return None
    if answer.ended:
        return TrialEnd("failed", error=answer.error)
    raise TrialError(f"{answer.key}: {answer.error}", answer.exit_code)

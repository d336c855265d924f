"""The groups of a run fitted elsewhere: in processes of this machine, or on a Dask cluster.

A worker runs its group's pipeline in a private store and gives back what `RunResult.to_json` says, the published
version, and the report. Only this process writes to the project's store, once for each group, whatever became of the
workers; a group whose worker was killed is done by another one, from the checkpoints of the first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecaster.config import PipelineDefinition, Project
from forecaster.errors import ForecasterError
from forecaster.execution import Answer, Executor, Task
from forecaster.lifecycle.parcel import opened, pack_answer, pack_definition, receive
from forecaster.pipeline.group_run import GroupOutcome, finished
from forecaster.pipeline.pruning import prune
from forecaster.store import Store

__all__ = ["FUNCTION", "GroupWork", "run_in_private"]

FUNCTION = f"{__name__}:run_in_private"
"""What a worker is told to do."""
TRIES = 2
"""How often a group is given out in all when the workers that have it die."""


@dataclass(frozen=True)
class GroupWork:
    """Has groups run by workers; see `pipeline.group_run.run_groups`, whose `work` it can be.

    Args:
        project: Where pipelines, models and the store lie.
        base: Folder of the pipeline file.
        executor: Makes what does the work.
        publishing: As `pipeline.run`; so are the following two.
        force: See there.
        offline: See there.
        reports: Folder of the HTML reports; None for none.
        function: What workers are told to do; see `execution.Task`.
    """

    project: Project
    base: Path
    executor: Callable[[], Executor]
    publishing: bool = True
    force: bool = False
    offline: bool = False
    reports: Path | None = None
    function: str = FUNCTION

    def __call__(self, members: Mapping[str, PipelineDefinition]) -> Iterator[GroupOutcome]:
        """Runs the groups, and tells of each as it ends.

        Args:
            members: The groups' own pipelines by their labels.

        Raises:
            ForecasterError: The cluster cannot be reached.
        """
        waiting = dict(members)
        for left in reversed(range(TRIES)):
            lost: dict[str, PipelineDefinition] = {}
            for answer in self.executor().run(self._tasks(waiting)):
                member = waiting[answer.key]
                if answer.lost and left:
                    lost[answer.key] = member
                else:
                    yield self._settled(answer.key, member, answer)
            waiting = lost
            if not waiting:
                return

    def _tasks(self, members: Mapping[str, PipelineDefinition]) -> Iterator[Task]:
        for label, member in members.items():
            limits = member.schedule
            seconds = limits.time_limit.total_seconds() if limits else math.inf
            yield Task(label, self.function, self._order(member), seconds, limits.memory_limit if limits else None)

    def _order(self, member: PipelineDefinition) -> bytes:
        told = {
            "publishing": self.publishing, "force": self.force, "offline": self.offline,
            "report": self.reports is not None,
        }  # fmt: skip
        return pack_definition(member, self.project, self.base, told)

    def _settled(self, label: str, member: PipelineDefinition, answer: Answer) -> GroupOutcome:
        """Publishes what came back, and says what became of the group."""
        name = str(member.name)
        if answer.parcel is None:
            return GroupOutcome(label, name, error=answer.error, exit_code=answer.exit_code)
        try:
            store = Store(self.project.store)
            received = receive(answer.parcel, name, store)
            told = dict(received.result)
            report, result = told.pop("report"), told["run"]
            if received.stored:
                result = _numbered(result, name, received.stored.number, received.stored.served)
                prune(member, self.project, store)
            if self.reports and report:
                self.reports.mkdir(parents=True, exist_ok=True)
                path = self.reports / f"{name}.html"
                path.write_text(report, encoding="utf-8")
                result = {**result, "report": str(path)}
        except ForecasterError as error:
            return GroupOutcome(label, name, error=str(error), exit_code=error.exit_code)
        return finished(label, name, result)


def _numbered(result: Mapping[str, Any], name: str, number: int, served: Path) -> dict[str, Any]:
    """A worker's result with the number under which its version was published here."""
    private = f"Published as {name} version {result['published']['version']}"
    verdict = result["gate"]["verdict"].replace(private, f"Published as {name} version {number}")
    published = {"version": number, "path": str(served)}
    return {**result, "gate": {**result["gate"], "verdict": verdict}, "published": published}


def run_in_private(order: bytes) -> bytes:
    """What a worker does: runs a group's pipeline in a store of its own, and gives back the result and the version.

    Args:
        order: From `GroupWork`.
    """
    from forecaster.forecasting.backend import load_quietly
    from forecaster.pipeline.listener import Listener
    from forecaster.pipeline.run import run

    with opened(order) as errand:
        told, store = errand.told, Store(errand.project.store)
        report = errand.folder / "report.html" if told["report"] else None
        result = run(
            errand.definition, errand.project, base=Path(told["base"]), publishing=bool(told["publishing"]),
            force=bool(told["force"]), resume=True, report=report, offline=bool(told["offline"]),
            listener=Listener(read=lambda facts, inferred: load_quietly()),
        )  # fmt: skip
        page = report.read_text(encoding="utf-8") if report and report.is_file() else None
        versions = [store.read(str(errand.definition.name), result.version)] if result.version else []
        return pack_answer({"run": json.loads(result.to_json()), "report": page}, versions, [])

"""Which pipelines are to be retrained now: read from their files, held against the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forecaster.config import PipelineDefinition, Project, read_pipeline
from forecaster.config.cron import Cron
from forecaster.errors import DefinitionError, ForecasterError
from forecaster.pipeline.groups import groups_of
from forecaster.store.ledger import Ledger
from forecaster.store.ledger_records import Cause, Run

__all__ = ["Job", "Pipeline", "by_group", "due", "find_pipelines", "read_pipelines"]


@dataclass(frozen=True)
class Pipeline:
    """A pipeline file and what it says."""

    path: Path
    definition: PipelineDefinition

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self.definition.name)


@dataclass(frozen=True)
class Job:
    """A retraining that is to be done.

    Attributes:
        pipeline: Of which pipeline.
        slot: When it was due.
        cause: Why it is done.
        missed: Slots before this one that nobody ran; they are made up for by this one.
    """

    pipeline: Pipeline
    slot: datetime
    cause: Cause = "schedule"
    missed: int = 0


def find_pipelines(given: Sequence[str], project: Project) -> list[Path]:
    """Pipeline files: those given, by path or by name in `pipelines/`; all of that folder if none is.

    Args:
        given: Files, folders, or names in `pipelines/`.
        project: Whose `pipelines/`.

    Raises:
        DefinitionError: No such file or name.
    """
    home = project.root / "pipelines"
    if not given and not home.is_dir():
        raise DefinitionError(
            f"{project.root} has no folder pipelines/; make one, or name pipeline files or their folder"
        )
    found: list[Path] = []
    for entry in given or [str(home)]:
        path = next((path for path in (Path(entry), home / f"{entry}.yaml") if path.exists()), None)
        if path is None:
            names = ", ".join(sorted(file.stem for file in home.glob("*.yaml")))
            raise DefinitionError(
                f"{entry}: no such pipeline; give a file, or one of those in {home} ({names or 'none'})"
            )
        found += sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def read_pipelines(paths: Sequence[Path]) -> tuple[list[Pipeline], dict[Path, ForecasterError]]:
    """Reads pipeline files; a broken one does not keep the others from being used.

    Returns:
        The pipelines, and what is wrong with each of the other files.
    """
    good: dict[str, Pipeline] = {}
    bad: dict[Path, ForecasterError] = {}
    for path in paths:
        try:
            one = Pipeline(path, read_pipeline(path))
        except ForecasterError as error:
            bad[path] = error
            continue
        if one.name in good:
            bad[path] = _taken(one, one, good[one.name])
        else:
            good[one.name] = one
    return list(good.values()), bad


def by_group(pipelines: Sequence[Pipeline]) -> tuple[list[Pipeline], dict[Path, ForecasterError]]:
    """The pipelines, with one for each group in place of those whose series are split.

    One whose groups cannot be listed (its data cannot be read, say) stays as it is: its retraining will fail for the
    same reason, and is recorded, told and tried again as any other.

    Returns:
        The pipelines, and what is wrong with each file that has a name, or a group of one, which another has, too.
    """
    good: dict[str, Pipeline] = {}
    bad: dict[Path, ForecasterError] = {}
    for one in pipelines:
        try:
            members = groups_of(one.definition, one.path.parent)
        except ForecasterError:
            members = {}
        own = [Pipeline(one.path, member) for member in members.values()] or [one]
        if doubled := next((member for member in own if member.name in good), None):
            bad[one.path] = _taken(one, doubled, good[doubled.name])
        else:
            good |= {member.name: member for member in own}
    return list(good.values()), bad


def _taken(one: Pipeline, member: Pipeline, other: Pipeline) -> DefinitionError:
    """Of a pipeline or its group, whose name another has; both would publish over each other's champion."""
    whose = "its name" if member is one else "the name of one of its groups"
    told = f"{one.path}: {whose}, {member.name}, is that of {other.path}, too; give one of them another `name`"
    return DefinitionError(told)


def due(pipeline: Pipeline, ledger: Ledger, now: datetime) -> Job | None:
    """The slot of a pipeline's schedule that is to be run now, if there is one.

    That is the latest one, unless it was run. Earlier ones that nobody ran are not made up for one by one: one run on
    today's data serves for all. They are counted, unless the schedule is new since. Slots that lie ahead (the clock was
    wrong, and was set right) keep none from being run.

    Args:
        pipeline: Whose schedule.
        ledger: What has been run.
        now: The time.
    """
    if pipeline.definition.schedule is None:
        return None
    cron = Cron.parse(pipeline.definition.schedule.cron)
    slot = cron.latest(now)
    last = ledger.last(pipeline.name, now)
    if last is None:
        return Job(pipeline, slot)
    if last.slot >= slot:  # later: the schedule was changed after it was run
        return Job(pipeline, last.slot) if last.state in ("running", "waiting") else None
    missed = cron.between(last.slot, slot)
    return Job(pipeline, slot, missed=missed if missed and _was_kept(cron, last) else 0)


def _was_kept(cron: Cron, last: Run) -> bool:
    """Whether the schedule was the present one at the last run; slots of one that is new since were no slots then.

    Had it been, that run's slot would be the latest one of the schedule at the moment at which the run began.
    """
    return cron.latest(last.slot) == last.slot == cron.latest(last.created)
